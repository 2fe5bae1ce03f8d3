//! Values: bytes by keys.

use rusqlite::{Connection, OptionalExtension, Result};
use twinlane_store::Millis;

use crate::number::kept;

/// The most keys that are listed at once.
const MOST_LISTED: usize = 10_000;

pub(crate) fn put(db: &Connection, key: &str, value: &[u8], until: Option<Millis>) -> Result<()> {
    let mut put =
        db.prepare_cached("INSERT OR REPLACE INTO kept_values (key, value, until) VALUES (?1, ?2, ?3)")?;
    put.execute((key, value, until.map(kept))).map(drop)
}

pub(crate) fn put_new(
    db: &Connection,
    key: &str,
    value: &[u8],
    now: Millis,
    until: Option<Millis>,
) -> Result<bool> {
    let mut put = db.prepare_cached(
        "INSERT INTO kept_values (key, value, until) VALUES (?1, ?2, ?3) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until \
         WHERE kept_values.until <= ?4",
    )?;
    Ok(put.execute((key, value, until.map(kept), kept(now)))? == 1)
}

pub(crate) fn get(db: &Connection, key: &str, now: Millis) -> Result<Option<Vec<u8>>> {
    let mut select =
        db.prepare_cached("SELECT value FROM kept_values WHERE key = ?1 AND (until IS NULL OR until > ?2)")?;
    select.query_row((key, kept(now)), |row| row.get(0)).optional()
}

/// SQLite orders text by its bytes, so the keys under a prefix stand together, and no pattern is needed that a key's
/// own `%` or `*` could spoil.
pub(crate) fn keys(db: &Connection, prefix: &str, now: Millis) -> Result<Vec<String>> {
    let mut select = db.prepare_cached(
        "SELECT key FROM kept_values WHERE key >= ?1 AND (until IS NULL OR until > ?2) ORDER BY key",
    )?;
    let keys = select.query_map((prefix, kept(now)), |row| row.get::<_, String>(0))?;
    let is_under = |key: &Result<String>| key.as_ref().map_or(true, |key| key.starts_with(prefix));
    keys.take_while(is_under).take(MOST_LISTED).collect()
}

pub(crate) fn delete(db: &Connection, key: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM kept_values WHERE key = ?1")?.execute([key]).map(drop)
}
