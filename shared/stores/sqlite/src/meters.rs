//! Meters: one number each.

use rusqlite::{Connection, OptionalExtension, Result};
use twinlane_store::{Meter, Millis, Verdict, spend_all};

use crate::number::{kept, read};

pub(crate) fn spend(db: &Connection, meters: &[Meter], now: Millis) -> Result<Verdict> {
    let states: Vec<u64> = meters.iter().map(|meter| state(db, meter)).collect::<Result<_>>()?;
    let (verdict, after) = spend_all(meters, &states, now);
    if verdict.refused.is_none() {
        meters.iter().zip(after).try_for_each(|(meter, state)| keep(db, meter, state))?;
    }
    Ok(verdict)
}

pub(crate) fn correct(db: &Connection, meter: &Meter, delta: i64, now: Millis) -> Result<()> {
    keep(db, meter, meter.corrected(state(db, meter)?, delta, now))
}

fn state(db: &Connection, meter: &Meter) -> Result<u64> {
    let mut select = db.prepare_cached("SELECT full_at FROM meters WHERE key = ?1")?;
    let full_at = select.query_row([&meter.key], |row| row.get(0)).optional()?;
    Ok(full_at.map_or(0, read))
}

fn keep(db: &Connection, meter: &Meter, full_at: u64) -> Result<()> {
    let mut put = db.prepare_cached("INSERT OR REPLACE INTO meters (key, full_at) VALUES (?1, ?2)")?;
    put.execute((&meter.key, kept(full_at))).map(drop)
}
