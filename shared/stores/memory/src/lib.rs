//! Shared state in the memory of one process: what a gateway without any other store has, and the reference that the
//! other engines are compared with.
//!
//! Nothing here outlives the process, and nothing grows without bounds. Limits and budgets are never forgotten to make
//! room, because a limit that forgets is none: a full engine first drops what has run out, then answers
//! [`Unavailable`], and a setting says what that means for a call. The usage log is a ring: the oldest record goes.

mod budgets;
mod log;
mod meters;
mod places;
mod room;
mod values;

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::ready;
use twinlane_store::{
    Answer, Budget, Cursor, Filter, Meter, Millis, Page, Reservation, Reserved, Store, Unavailable,
    UsageRecord, Verdict,
};

use crate::budgets::Budgets;
use crate::log::Log;
use crate::meters::Meters;
use crate::places::Places;
use crate::values::Values;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most keys of each kind: meters, keys with places, budgets with their reservations, values.
    pub keys: usize,
    /// The most bytes of all values and their keys together.
    pub bytes: usize,
    /// The most records; beyond, the oldest is forgotten.
    pub records: usize,
}

impl Default for Bounds {
    /// Room for a busy single process, in some 50 MB when everything is full.
    fn default() -> Self {
        Self { keys: 100_000, bytes: 16 << 20, records: 10_000 }
    }
}

/// The memory engine. Each concern has a lock of its own, held for no longer than one operation.
#[derive(Debug)]
pub struct Memory {
    meters: Mutex<Meters>,
    places: Mutex<Places>,
    budgets: Mutex<Budgets>,
    values: Mutex<Values>,
    log: Mutex<Log>,
}

impl Memory {
    /// An empty engine.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            meters: Mutex::new(Meters::new(bounds.keys)),
            places: Mutex::new(Places::new(bounds.keys)),
            budgets: Mutex::new(Budgets::new(bounds.keys)),
            values: Mutex::new(Values::new(bounds.keys, bounds.bytes)),
            log: Mutex::new(Log::new(bounds.records)),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(Bounds::default())
    }
}

/// The concern behind a lock. No operation leaves it half changed, so a panic elsewhere does not spoil it.
fn lock<T>(concern: &Mutex<T>) -> MutexGuard<'_, T> {
    concern.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer that is there already.
fn now<'a, T: Send + 'a>(answer: Result<T, Unavailable>) -> Answer<'a, T> {
    Box::pin(ready(answer))
}

impl Store for Memory {
    fn engine(&self) -> &'static str {
        "memory"
    }

    fn spend<'a>(&'a self, meters: &'a [Meter], at: Millis) -> Answer<'a, Verdict> {
        now(lock(&self.meters).spend(meters, at))
    }

    fn correct<'a>(&'a self, meter: &'a Meter, delta: i64, at: Millis) -> Answer<'a, ()> {
        now(lock(&self.meters).correct(meter, delta, at))
    }

    fn enter<'a>(
        &'a self,
        key: &'a str,
        lease: &'a str,
        most: u64,
        at: Millis,
        until: Millis,
    ) -> Answer<'a, bool> {
        now(lock(&self.places).enter(key, lease, most, at, until))
    }

    fn leave<'a>(&'a self, key: &'a str, lease: &'a str) -> Answer<'a, ()> {
        lock(&self.places).leave(key, lease);
        now(Ok(()))
    }

    fn reserve<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a Reservation,
        at: Millis,
    ) -> Answer<'a, Reserved> {
        now(lock(&self.budgets).reserve(budget, reservation, at))
    }

    fn settle<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a str,
        spent: u64,
        _: Millis,
    ) -> Answer<'a, ()> {
        lock(&self.budgets).settle(budget, reservation, spent);
        now(Ok(()))
    }

    fn balance<'a>(&'a self, budget: &'a Budget, at: Millis) -> Answer<'a, (u64, u64)> {
        now(Ok(lock(&self.budgets).balance(budget, at)))
    }

    fn put<'a>(&'a self, key: &'a str, value: &'a [u8], until: Option<Millis>) -> Answer<'a, ()> {
        now(lock(&self.values).put(key, value, until))
    }

    fn put_new<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        at: Millis,
        until: Option<Millis>,
    ) -> Answer<'a, bool> {
        now(lock(&self.values).put_new(key, value, at, until))
    }

    fn get<'a>(&'a self, key: &'a str, at: Millis) -> Answer<'a, Option<Vec<u8>>> {
        now(Ok(lock(&self.values).get(key, at)))
    }

    fn keys<'a>(&'a self, prefix: &'a str, at: Millis) -> Answer<'a, Vec<String>> {
        now(Ok(lock(&self.values).keys(prefix, at)))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        lock(&self.values).delete(key);
        now(Ok(()))
    }

    fn append<'a>(&'a self, record: &'a UsageRecord, until: Option<Millis>) -> Answer<'a, ()> {
        lock(&self.log).append(record, until);
        now(Ok(()))
    }

    fn records<'a>(&'a self, filter: &'a Filter, after: Option<&'a Cursor>, most: usize) -> Answer<'a, Page> {
        now(Ok(lock(&self.log).page(filter, after, most)))
    }

    fn record<'a>(&'a self, id: &'a str) -> Answer<'a, Option<UsageRecord>> {
        now(Ok(lock(&self.log).record(id)))
    }

    fn sweep(&self, at: Millis) -> Answer<'_, ()> {
        lock(&self.meters).sweep(at);
        lock(&self.places).sweep(at);
        lock(&self.budgets).sweep(at);
        lock(&self.values).sweep(at);
        lock(&self.log).sweep(at);
        now(Ok(()))
    }
}
