//! Reads the usage log a page at a time, newest first, and never longer than is good for the other calls.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use twinlane_store::{Cursor, Filter, Millis, Store, Unavailable, UsageRecord};

use crate::Error;

/// The most records that are read at a time. With the bodies of their calls they must fit into what a store may answer.
const A_PAGE: usize = 100;

/// The most records that one question may read.
pub(super) const MOST_READ: usize = 100_000;

/// The longest that one question may read.
const PATIENCE: Duration = Duration::from_secs(20);

/// A way through the log.
#[derive(Debug)]
pub(super) struct Walk {
    store: Arc<dyn Store>,
    filter: Filter,
    /// Wanted are only calls that ended after this.
    ended_after: Option<Millis>,
    /// How many more are wanted.
    wanted: usize,
    /// How many more may be read.
    left: usize,
    /// When it is given up; none: whoever reads the answer says how long it takes.
    until: Option<Instant>,
    next: Option<Cursor>,
    over: bool,
}

impl Walk {
    /// A way through the records that a filter lets through, from a cursor on, until so many are found.
    pub(super) fn through(
        store: &Arc<dyn Store>,
        filter: Filter,
        from: Option<Cursor>,
        wanted: usize,
    ) -> Self {
        let (store, until) = (Arc::clone(store), Some(Instant::now() + PATIENCE));
        Self { store, filter, ended_after: None, wanted, left: MOST_READ, until, next: from, over: false }
    }

    /// The same way, but only to calls that ended after a time.
    pub(super) fn ended_after(self, ended_after: Option<Millis>) -> Self {
        Self { ended_after, ..self }
    }

    /// The same way, at the pace of whoever takes the records.
    pub(super) fn unhurried(self) -> Self {
        Self { until: None, ..self }
    }

    /// Some more records, be it none of those that were read; `None` once there are no more, or it is enough.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub(super) async fn page(&mut self) -> Result<Option<Vec<UsageRecord>>, Error> {
        let late = self.until.is_some_and(|until| Instant::now() >= until);
        if self.over || self.wanted == 0 || self.left == 0 || late {
            return Ok(None);
        }
        let most = self.most();
        let page = self.store.records(&self.filter, self.next.as_ref(), most).await;
        let page = page.map_err(|lost| unreadable(&lost))?;
        self.left = self.left.saturating_sub(page.records.len());
        (self.over, self.next) = (page.next.is_none(), page.next);
        let mut records = page.records;
        records.retain(|record| self.ended_after.is_none_or(|after| ended(record) > after));
        if records.len() > self.wanted {
            records.truncate(self.wanted);
            self.over = false;
            self.next = records.last().map(|last| Cursor { time: last.time, id: last.id.clone() });
        }
        self.wanted -= records.len();
        // A store that answers at once would keep the runtime to this question until it is answered.
        tokio::task::yield_now().await;
        Ok(Some(records))
    }

    /// Where it goes on; `None` where it came to the end of the log.
    pub(super) fn next(&self) -> Option<&Cursor> {
        self.next.as_ref()
    }

    /// How many records to read: those that are read in vain count for nothing.
    fn most(&self) -> usize {
        let wanted = if self.ended_after.is_some() { A_PAGE } else { self.wanted };
        wanted.min(A_PAGE).min(self.left)
    }
}

/// When a call ended.
fn ended(record: &UsageRecord) -> Millis {
    let total = record.rest.get("total_ms").and_then(serde_json::Value::as_u64);
    record.time.saturating_add(total.unwrap_or_default())
}

/// Notes that the store cannot be read.
pub(super) fn unreadable(lost: &Unavailable) -> Error {
    tracing::warn!(why = lost.0, "the usage log cannot be read: {lost}");
    Error::StoreUnavailable
}
