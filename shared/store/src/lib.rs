//! The port to shared state. Nothing in the gateway needs a store; with one, limits, budgets and the usage log hold
//! across every instance.
//!
//! An engine is a [`Store`]: a handful of operations, each atomic by itself, each given the time by its caller, so that
//! engines have no clock to disagree by. The engines are crates in `shared/stores`; one conformance suite runs against
//! all of them and says what each operation means, case by case.
//!
//! Two things hold everywhere. What is kept until a time is gone at that time: `until` itself is past. And no time in
//! microseconds and no sum of amounts reaches 2⁵³, because some engines count in doubles.

mod facts;
mod ledger;
mod rate;
mod record;

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use facts::Facts;
pub use ledger::{Budget, Reservation, Reserved};
pub use rate::{Meter, Standing, Verdict, spend_all};
pub use record::{Cursor, Filter, Page, UsageRecord};

/// Milliseconds since 1970.
pub type Millis = u64;

/// The engine cannot be reached, or answers nonsense. What that means for a call is a setting's business.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be used: {0}")]
pub struct Unavailable(pub String);

/// The answer of an engine.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Unavailable>>;

/// Shared state.
pub trait Store: Send + Sync + fmt::Debug {
    /// The engine's name, for the doctor.
    fn engine(&self) -> &'static str;

    /// Spends from all meters, or from none: where one has not enough left, nothing is spent. Meters are told apart by
    /// their keys; no key comes twice.
    fn spend<'a>(&'a self, meters: &'a [Meter], now: Millis) -> Answer<'a, Verdict>;

    /// Corrects what was spent from a meter by `delta` units: more where it is positive, whether or not that is left;
    /// back where it is negative, never beyond full.
    fn correct<'a>(&'a self, meter: &'a Meter, delta: i64, now: Millis) -> Answer<'a, ()>;

    /// Takes one of `most` places under a key until `until`, or finds them all taken. Taking a place again under the
    /// same `lease` renews it, however many are taken. A place that nobody gave back is free at `until`.
    fn enter<'a>(
        &'a self,
        key: &'a str,
        lease: &'a str,
        most: u64,
        now: Millis,
        until: Millis,
    ) -> Answer<'a, bool>;

    /// Gives a place back. Giving one back that is not taken is no error.
    fn leave<'a>(&'a self, key: &'a str, lease: &'a str) -> Answer<'a, ()>;

    /// Sets an amount aside in a budget, where what is spent, what is set aside and the amount together stay within the
    /// budget's limit. Reserving again under the same id changes nothing and is granted as before; after the
    /// reservation's `until` an engine may have forgotten the id, so nobody does it then.
    fn reserve<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a Reservation,
        now: Millis,
    ) -> Answer<'a, Reserved>;

    /// Ends a reservation: `spent` is added to what is spent, and what was set aside is free again. It happens once,
    /// however often it is asked for; a reservation that has run out meanwhile is settled all the same, once, as long
    /// as the budget is not forgotten. What was never reserved cannot be settled: nothing happens.
    fn settle<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a str,
        spent: u64,
        now: Millis,
    ) -> Answer<'a, ()>;

    /// What is spent and what is set aside in a budget.
    fn balance<'a>(&'a self, budget: &'a Budget, now: Millis) -> Answer<'a, (u64, u64)>;

    /// Keeps a value under a key until `until` (none: for good).
    fn put<'a>(&'a self, key: &'a str, value: &'a [u8], until: Option<Millis>) -> Answer<'a, ()>;

    /// Keeps a value unless one is there; says whether it was kept.
    fn put_new<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        now: Millis,
        until: Option<Millis>,
    ) -> Answer<'a, bool>;

    /// The value under a key, unless its time is over.
    fn get<'a>(&'a self, key: &'a str, now: Millis) -> Answer<'a, Option<Vec<u8>>>;

    /// The keys that begin with `prefix` and whose time is not over, in order, at most 10,000.
    fn keys<'a>(&'a self, prefix: &'a str, now: Millis) -> Answer<'a, Vec<String>>;

    /// Forgets a key.
    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, ()>;

    /// Keeps the record of a call until `until`. Keeping it again under the same id changes nothing.
    fn append<'a>(&'a self, record: &'a UsageRecord, until: Option<Millis>) -> Answer<'a, ()>;

    /// The records that a filter lets through, newest first, a page at a time.
    fn records<'a>(&'a self, filter: &'a Filter, after: Option<&'a Cursor>, most: usize) -> Answer<'a, Page>;

    /// The record of one call.
    fn record<'a>(&'a self, id: &'a str) -> Answer<'a, Option<UsageRecord>>;

    /// Forgets what has run out, where the engine does not do so by itself.
    fn sweep(&self, now: Millis) -> Answer<'_, ()>;
}

/// A span in milliseconds, as engines count.
#[must_use]
pub fn millis(span: Duration) -> Millis {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
