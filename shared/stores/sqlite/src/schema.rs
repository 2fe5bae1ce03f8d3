//! The schema and how a file comes to it: a numbered list of changes, of which SQLite's `user_version` says how many a
//! file has had. A change that was released is never edited; another one is added.

use rusqlite::{Connection, TransactionBehavior};

/// The changes, in order.
const CHANGES: [&str; 2] =
    [include_str!("schema/1-limits-and-values.sql"), include_str!("schema/2-usage-log.sql")];

/// Says in a file's header whose it is: "TwLn".
const APPLICATION: i64 = 0x5477_4C6E;

/// What a file is found to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Ours, or empty, with so many of the changes.
    Ours(usize),
    /// Another program's.
    Foreign,
    /// Ours, written by a later Twinlane.
    Newer(i64),
}

/// Looks, and changes nothing.
pub(crate) fn look(db: &Connection) -> rusqlite::Result<Found> {
    let ask = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = ask("PRAGMA application_id")?;
    let version = ask("PRAGMA user_version")?;
    let tables = ask("SELECT count(*) FROM sqlite_schema")?;
    if application != APPLICATION && (application, version, tables) != (0, 0, 0) {
        return Ok(Found::Foreign);
    }
    Ok(match usize::try_from(version) {
        Ok(had) if had <= CHANGES.len() => Found::Ours(had),
        _ => Found::Newer(version),
    })
}

/// Makes the changes that a file has not had, all or none. Another process may be at it at the same time, so what has
/// been had is looked up again under the lock, and told.
pub(crate) fn migrate(db: &mut Connection) -> rusqlite::Result<Found> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = look(&change)?;
    let Found::Ours(had) = found else { return Ok(found) };
    for sql in CHANGES.iter().skip(had) {
        change.execute_batch(sql)?;
    }
    change.pragma_update(None, "application_id", APPLICATION)?;
    change.pragma_update(None, "user_version", known())?;
    change.commit()?;
    Ok(found)
}

/// The version this Twinlane writes.
pub(crate) fn known() -> i64 {
    CHANGES.len() as i64
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{APPLICATION, CHANGES, Found, known, look, migrate};

    #[test]
    fn an_older_schema_is_migrated_with_what_is_in_it() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(CHANGES[0]).unwrap();
        db.pragma_update(None, "application_id", APPLICATION).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        db.execute("INSERT INTO meters VALUES ('a', 1)", []).unwrap();
        assert_eq!(look(&db).unwrap(), Found::Ours(1));
        migrate(&mut db).unwrap();
        assert_eq!(look(&db).unwrap(), Found::Ours(2));
        let count = |table| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!((count("meters"), count("records")), (1, 0));
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        migrate(&mut db).unwrap();
        assert_eq!(look(&db).unwrap(), Found::Ours(2));
    }

    #[test]
    fn what_is_not_ours_is_told() {
        let mut db = Connection::open_in_memory().unwrap();
        assert_eq!(look(&db).unwrap(), Found::Ours(0));
        db.execute_batch("CREATE TABLE shopping (item TEXT)").unwrap();
        assert_eq!(look(&db).unwrap(), Found::Foreign);
        db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        db.pragma_update(None, "user_version", known() + 1).unwrap();
        assert_eq!(look(&db).unwrap(), Found::Newer(known() + 1));
    }
}
