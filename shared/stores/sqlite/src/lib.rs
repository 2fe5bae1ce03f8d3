//! Shared state in a SQLite file: what `cargo run` keeps on a laptop, and what several processes of one machine share.
//!
//! Every operation that changes something is in the file before it is answered, so a process that is killed loses
//! nothing it was told is kept, and counts nothing twice that it asks for again under the same id.

mod budgets;
mod log;
mod meters;
mod number;
mod open;
mod places;
mod schema;
mod sweep;
mod thread;
mod values;

use std::path::Path;

use rusqlite::Connection;
use twinlane_store::{
    Answer, Budget, Cursor, Filter, Meter, Millis, Page, Reservation, Reserved, Store, Unavailable,
    UsageRecord, Verdict,
};

use crate::places::Place;
use crate::thread::Threads;

/// How many read at the same time. What waits behind a page of the log is a value someone asks for.
const READERS: usize = 2;

/// The SQLite engine.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped first: the last connection to close takes the write-ahead log with it, and a reader may not write.
    readers: Option<Threads>,
    writer: Threads,
}

impl Sqlite {
    /// Opens a file, which is made or migrated where need be, or `:memory:`.
    ///
    /// # Errors
    /// The file cannot be opened or written, is damaged, is another program's, or was written by a later Twinlane.
    pub fn open(path: &Path) -> Result<Self, Unavailable> {
        if path == Path::new(":memory:") {
            return Ok(Self { readers: None, writer: Threads::writing(open::memory()?)? });
        }
        let writer = open::file(path)?;
        let readers = (0..READERS).map(|_| open::another(path)).collect::<Result<_, _>>()?;
        Ok(Self { readers: Some(Threads::reading(readers)?), writer: Threads::writing(writer)? })
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(self.writer.ask(work))
    }

    /// Where there is no file, nobody but the writer can see what is kept.
    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(self.readers.as_ref().unwrap_or(&self.writer).ask(work))
    }
}

impl Store for Sqlite {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    fn spend<'a>(&'a self, meters: &'a [Meter], now: Millis) -> Answer<'a, Verdict> {
        let meters = meters.to_vec();
        self.write(move |db| meters::spend(db, &meters, now))
    }

    fn correct<'a>(&'a self, meter: &'a Meter, delta: i64, now: Millis) -> Answer<'a, ()> {
        let meter = meter.clone();
        self.write(move |db| meters::correct(db, &meter, delta, now))
    }

    fn enter<'a>(
        &'a self,
        key: &'a str,
        lease: &'a str,
        most: u64,
        now: Millis,
        until: Millis,
    ) -> Answer<'a, bool> {
        let place = Place { key: key.to_owned(), lease: lease.to_owned() };
        self.write(move |db| places::enter(db, &place, most, now, until))
    }

    fn leave<'a>(&'a self, key: &'a str, lease: &'a str) -> Answer<'a, ()> {
        let place = Place { key: key.to_owned(), lease: lease.to_owned() };
        self.write(move |db| places::leave(db, &place))
    }

    fn reserve<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a Reservation,
        now: Millis,
    ) -> Answer<'a, Reserved> {
        let (budget, reservation) = (budget.clone(), reservation.clone());
        self.write(move |db| budgets::reserve(db, &budget, &reservation, now))
    }

    fn settle<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a str,
        spent: u64,
        _: Millis,
    ) -> Answer<'a, ()> {
        let (budget, id) = (budget.key.clone(), reservation.to_owned());
        self.write(move |db| budgets::settle(db, &budget, &id, spent))
    }

    fn balance<'a>(&'a self, budget: &'a Budget, now: Millis) -> Answer<'a, (u64, u64)> {
        let budget = budget.key.clone();
        self.read(move |db| budgets::balance(db, &budget, now))
    }

    fn put<'a>(&'a self, key: &'a str, value: &'a [u8], until: Option<Millis>) -> Answer<'a, ()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |db| values::put(db, &key, &value, until))
    }

    fn put_new<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        now: Millis,
        until: Option<Millis>,
    ) -> Answer<'a, bool> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |db| values::put_new(db, &key, &value, now, until))
    }

    fn get<'a>(&'a self, key: &'a str, now: Millis) -> Answer<'a, Option<Vec<u8>>> {
        let key = key.to_owned();
        self.read(move |db| values::get(db, &key, now))
    }

    fn keys<'a>(&'a self, prefix: &'a str, now: Millis) -> Answer<'a, Vec<String>> {
        let prefix = prefix.to_owned();
        self.read(move |db| values::keys(db, &prefix, now))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        let key = key.to_owned();
        self.write(move |db| values::delete(db, &key))
    }

    fn append<'a>(&'a self, record: &'a UsageRecord, until: Option<Millis>) -> Answer<'a, ()> {
        let record = record.clone();
        self.write(move |db| log::append(db, &record, until))
    }

    fn records<'a>(&'a self, filter: &'a Filter, after: Option<&'a Cursor>, most: usize) -> Answer<'a, Page> {
        let (filter, after) = (filter.clone(), after.cloned());
        self.read(move |db| log::page(db, &filter, after.as_ref(), most))
    }

    fn record<'a>(&'a self, id: &'a str) -> Answer<'a, Option<UsageRecord>> {
        let id = id.to_owned();
        self.read(move |db| log::record(db, &id))
    }

    fn sweep(&self, now: Millis) -> Answer<'_, ()> {
        Box::pin(async move {
            while self.writer.ask(move |db| sweep::some(db, now)).await? {}
            Ok(())
        })
    }
}
