//! Records that the store did not take, until it does.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use twinlane_store::{Millis, UsageRecord, millis};

use super::Books;
use crate::keeping::now;

/// The most records that wait. Beyond, the oldest is lost, and the log says so.
const MOST: usize = 1_000;
/// How many of those that wait follow the first one that the store takes again.
const AT_ONCE: usize = 50;

/// The records that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Backlog(Mutex<VecDeque<(UsageRecord, Millis)>>);

impl Backlog {
    fn add(&self, record: UsageRecord, until: Millis) {
        let mut waiting = self.open();
        if waiting.len() == MOST
            && let Some((lost, _)) = waiting.pop_front()
        {
            tracing::error!(
                id = lost.id,
                "the usage record of call {} is lost: the store takes none",
                lost.id
            );
        }
        waiting.push_back((record, until));
    }

    fn next(&self) -> Option<(UsageRecord, Millis)> {
        self.open().pop_front()
    }

    fn open(&self) -> MutexGuard<'_, VecDeque<(UsageRecord, Millis)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Keeps a record, now or when the store can be reached again.
    pub(super) async fn keep(&self, record: UsageRecord) {
        let until = record.time + millis(self.settings.retention);
        if !self.append(record, until).await {
            return;
        }
        for _ in 0..AT_ONCE {
            let Some((record, until)) = self.backlog.next() else { return };
            if !self.append(record, until).await {
                return;
            }
        }
    }

    /// Appending a record again is no harm, so one that may have been kept is tried again, too.
    async fn append(&self, record: UsageRecord, until: Millis) -> bool {
        match self.keeping.store().append(&record, Some(until)).await {
            Ok(()) => true,
            Err(lost) => {
                self.warn("usage records", &lost, now());
                self.backlog.add(record, until);
                false
            }
        }
    }
}
