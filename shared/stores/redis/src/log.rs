//! The usage log: a text for each record, and a sorted set of all of them by time.

use serde_json::Value;
use twinlane_store::{Cursor, Filter, Millis, Page, Unavailable, UsageRecord};

use crate::reply::{Reply, nonsense};
use crate::scripts::{APPEND, GET, RECORDS, TIDY};
use crate::values::{ends, split};
use crate::{GRACE, Redis, exact};

/// How many records a script looks at in one run.
const A_RUN: usize = 200;

/// A record's place in the log, and the record, unless its time is over.
struct Entry {
    place: Cursor,
    record: Option<UsageRecord>,
}

impl Redis {
    pub(crate) async fn append_record(
        &self,
        record: &UsageRecord,
        until: Option<Millis>,
    ) -> Result<(), Unavailable> {
        let json = record.to_json().to_string();
        let args =
            [exact(record.time), record.id.clone(), json, ends(until), exact(GRACE), self.key("call", "")];
        self.run(&APPEND, vec![self.key("call", &record.id), self.log_key()], args.into()).await.map(|_| ())
    }

    pub(crate) async fn record_of(&self, id: &str) -> Result<Option<UsageRecord>, Unavailable> {
        let kept = self.run(&GET, vec![self.key("call", id)], Vec::new()).await?.text()?;
        kept.map(|kept| read(&kept)).transpose()
    }

    /// Reads on until a page is full and one more record is found, so that the last page is known to be the last.
    pub(crate) async fn page(
        &self,
        filter: &Filter,
        after: Option<&Cursor>,
        most: usize,
    ) -> Result<Page, Unavailable> {
        let (mut records, mut place, mut skipped) = (Vec::new(), after.cloned(), 0);
        while records.len() <= most {
            let entries = self.entries(filter, place.as_ref(), skipped).await?;
            let ended = entries.len() < A_RUN;
            skipped += entries.len();
            for entry in entries {
                if place.as_ref().is_none_or(|place| is_older(&entry.place, place)) {
                    (place, skipped) = (Some(entry.place), 0);
                    records.extend(entry.record.filter(|record| filter.admits(record)));
                }
            }
            if ended {
                break;
            }
        }
        Ok(cut(records, most))
    }

    /// Forgets what has run out; goes on behind what it leaves.
    pub(crate) async fn tidy_log(&self, now: Millis) -> Result<(), Unavailable> {
        let mut from = 0;
        loop {
            let args = [exact(now), from.to_string(), A_RUN.to_string(), self.key("call", "")];
            let [looked_at, left] = self.run(&TIDY, vec![self.log_key()], args.into()).await?.numbers()?;
            from += left;
            if looked_at < A_RUN as u64 {
                return Ok(());
            }
        }
    }

    /// The entries from a place on, which are in the server's order: those of one time by id. How ids of one time
    /// compare to the place is told here and not by Lua, whose order of texts is that of the server's language.
    async fn entries(
        &self,
        filter: &Filter,
        place: Option<&Cursor>,
        skipped: usize,
    ) -> Result<Vec<Entry>, Unavailable> {
        let newest =
            place.map(|place| place.time).into_iter().chain(filter.to.map(|to| to.saturating_sub(1))).min();
        let newest = newest.map_or_else(|| "+inf".to_owned(), exact);
        let oldest = filter.from.map_or_else(|| "-inf".to_owned(), exact);
        let args = [newest, oldest, skipped.to_string(), A_RUN.to_string(), self.key("call", "")];
        let found = self.run(&RECORDS, vec![self.log_key()], args.into()).await?.list()?;
        found.chunks(3).map(entry).collect()
    }

    fn log_key(&self) -> String {
        self.key("index", "calls")
    }
}

fn entry(found: &[Reply]) -> Result<Entry, Unavailable> {
    let [Reply::Text(id), time, Reply::Text(kept)] = found else { return Err(nonsense()) };
    let record = if kept.is_empty() { None } else { Some(read(kept)?) };
    Ok(Entry { place: Cursor { time: time.number()?, id: id.clone() }, record })
}

fn is_older(this: &Cursor, other: &Cursor) -> bool {
    (this.time, &this.id) < (other.time, &other.id)
}

fn read(kept: &str) -> Result<UsageRecord, Unavailable> {
    let (_, json) = split(kept)?;
    let json: Value = serde_json::from_str(json).map_err(|_| nonsense())?;
    UsageRecord::from_json(json).ok_or_else(nonsense)
}

fn cut(mut records: Vec<UsageRecord>, most: usize) -> Page {
    let more = records.len() > most;
    records.truncate(most);
    let last = records.last().filter(|_| more);
    let next = last.map(|last| Cursor { time: last.time, id: last.id.clone() });
    Page { records, next }
}
