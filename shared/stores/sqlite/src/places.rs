//! Places: a row for each that is taken.

use rusqlite::{Connection, Result};
use twinlane_store::Millis;

use crate::number::{kept, read};

/// A place to be taken.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) lease: String,
}

pub(crate) fn enter(db: &Connection, place: &Place, most: u64, now: Millis, until: Millis) -> Result<bool> {
    let mut free = db.prepare_cached("DELETE FROM places WHERE key = ?1 AND until <= ?2")?;
    free.execute((&place.key, kept(now)))?;
    let entered = is_taken(db, place)? || taken(db, &place.key)? < most;
    if entered {
        let mut take =
            db.prepare_cached("INSERT OR REPLACE INTO places (key, lease, until) VALUES (?1, ?2, ?3)")?;
        take.execute((&place.key, &place.lease, kept(until)))?;
    }
    Ok(entered)
}

pub(crate) fn leave(db: &Connection, place: &Place) -> Result<()> {
    let mut leave = db.prepare_cached("DELETE FROM places WHERE key = ?1 AND lease = ?2")?;
    leave.execute((&place.key, &place.lease)).map(drop)
}

fn is_taken(db: &Connection, place: &Place) -> Result<bool> {
    let mut select = db.prepare_cached("SELECT 1 FROM places WHERE key = ?1 AND lease = ?2")?;
    select.exists((&place.key, &place.lease))
}

fn taken(db: &Connection, key: &str) -> Result<u64> {
    let mut count = db.prepare_cached("SELECT count(*) FROM places WHERE key = ?1")?;
    count.query_row([key], |row| row.get(0)).map(read)
}
