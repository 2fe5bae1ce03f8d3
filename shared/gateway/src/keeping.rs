//! What is kept beyond a call, and what is left to do there once one has ended.
//!
//! Limits, budgets and the usage log live in a [`Store`]: the one that the door has, else this instance's memory. What
//! follows the end of a call (to settle its budget, to append its record) must not hold up its last byte and must not be
//! lost with it: it is done at once where the store answers at once, else beside whatever comes next. A door waits for
//! [`settled`](Keeping::settled) before its platform puts the process to sleep.

pub mod port;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use twinlane_store::{Millis, Store};
use twinlane_store_memory::Memory;

use tokio_util::task::TaskTracker;

/// The name of the engine that is nobody else's.
const MEMORY: &str = "memory";

/// Where things are kept, and the work under way there.
#[derive(Debug, Clone)]
pub struct Keeping {
    store: Arc<dyn Store>,
    left: TaskTracker,
}

impl Default for Keeping {
    fn default() -> Self {
        Self::by(Arc::new(Memory::default()))
    }
}

impl Keeping {
    /// Keeps things in a store.
    #[must_use]
    pub fn by(store: Arc<dyn Store>) -> Self {
        let left = TaskTracker::new();
        // A closed tracker takes work all the same; that it is closed lets `settled` end when there is none.
        left.close();
        Self { store, left }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Whether what is kept outlives this instance.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.store.engine() != MEMORY
    }

    /// For whom what is kept holds, in words.
    #[must_use]
    pub fn reach(&self) -> &'static str {
        if self.is_lasting() { "every instance" } else { "this instance" }
    }

    /// Does what is left to do of a call that has ended.
    pub fn after(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut work = Box::pin(work);
        if work.as_mut().now_or_never().is_some() {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(self.left.spawn_on(work, &runtime)),
            // A call can end so late only when the process does.
            Err(_) => tracing::warn!("the process ended before a call could be settled"),
        }
    }

    /// Resolves once nothing is left to do of calls that have ended.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let left = self.left.clone();
        async move { left.wait().await }
    }
}

/// The time, as stores count it.
#[must_use]
pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, twinlane_store::millis)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::Keeping;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_to_do_is_done_at_once_or_waited_for() {
        let (keeping, done) = (Keeping::default(), Arc::new(AtomicU32::new(0)));
        let one = |pause: Duration| {
            let done = Arc::clone(&done);
            async move {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        keeping.after(one(Duration::ZERO));
        assert_eq!(done.load(Ordering::Relaxed), 1);
        keeping.after(one(Duration::from_secs(1)));
        assert_eq!(done.load(Ordering::Relaxed), 1);
        keeping.settled().await;
        assert_eq!(done.load(Ordering::Relaxed), 2);
        keeping.settled().await;
    }
}
