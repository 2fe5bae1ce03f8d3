//! The usage log as a ring, in the order in which it is read.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use twinlane_store::{Cursor, Filter, Millis, Page, UsageRecord};

/// A record's place in the order of time.
type Place = (Millis, String);

#[derive(Debug)]
pub(crate) struct Log {
    records: BTreeMap<Place, Kept>,
    times: HashMap<String, Millis>,
    most: usize,
}

#[derive(Debug)]
struct Kept {
    record: UsageRecord,
    until: Option<Millis>,
}

impl Log {
    pub(crate) fn new(most: usize) -> Self {
        Self { records: BTreeMap::new(), times: HashMap::new(), most }
    }

    pub(crate) fn append(&mut self, record: &UsageRecord, until: Option<Millis>) {
        if self.times.contains_key(&record.id) {
            return;
        }
        self.times.insert(record.id.clone(), record.time);
        self.records.insert((record.time, record.id.clone()), Kept { record: record.clone(), until });
        if self.records.len() > self.most {
            self.forget_the_oldest();
        }
    }

    pub(crate) fn page(&self, filter: &Filter, after: Option<&Cursor>, most: usize) -> Page {
        let end = match after {
            Some(cursor) => Bound::Excluded((cursor.time, cursor.id.clone())),
            None => Bound::Unbounded,
        };
        let older = self.records.range((Bound::Unbounded, end)).rev().map(|(_, kept)| &kept.record);
        let mut wanted = older.filter(|record| filter.admits(record)).peekable();
        let records: Vec<UsageRecord> = wanted.by_ref().take(most).cloned().collect();
        let more = wanted.peek().is_some();
        let last = records.last().filter(|_| more);
        let next = last.map(|record| Cursor { time: record.time, id: record.id.clone() });
        Page { records, next }
    }

    pub(crate) fn record(&self, id: &str) -> Option<UsageRecord> {
        let time = self.times.get(id)?;
        self.records.get(&(*time, id.to_owned())).map(|kept| kept.record.clone())
    }

    pub(crate) fn sweep(&mut self, now: Millis) {
        self.records.retain(|_, kept| kept.until.is_none_or(|until| until > now));
        self.times.retain(|id, time| self.records.contains_key(&(*time, id.clone())));
    }

    fn forget_the_oldest(&mut self) {
        if let Some(((_, id), _)) = self.records.pop_first() {
            self.times.remove(&id);
        }
    }
}
