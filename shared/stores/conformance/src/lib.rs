//! What an engine of shared state must do. Every engine runs this suite in its tests; without it, each would mean
//! something slightly different by the same operation.
//!
//! An engine that passes [`holds`] and [`agrees`] is one; an engine that forgets only when it is swept also runs
//! [`sweeps`]. Times are near the real clock and spans are long, so that an engine may use its server's own expiry.
#![allow(clippy::unwrap_used, reason = "a suite of tests says what failed by panicking")]

mod agree;
mod budgets;
mod crowd;
mod log;
mod places;
mod rates;
mod sweep;
mod values;

use std::sync::Arc;
use std::time::SystemTime;

use twinlane_store::{Millis, Store};

pub use agree::agrees;
pub use sweep::sweeps;

/// An engine, shared among tasks.
pub type Shared = Arc<dyn Store>;

/// An hour.
pub(crate) const HOUR: Millis = 3_600_000;

/// Panics unless the engine holds every case. `fresh` makes an empty store each time, in which nothing of an earlier
/// one shows through.
pub async fn holds(fresh: impl AsyncFn() -> Shared) {
    rates::hold(&fresh).await;
    places::hold(&fresh).await;
    budgets::hold(&fresh).await;
    values::hold(&fresh).await;
    log::hold(&fresh).await;
}

/// The time a case begins at.
pub(crate) fn beginning() -> Millis {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    twinlane_store::millis(since_1970)
}
