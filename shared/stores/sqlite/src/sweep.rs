//! Forgetting what has run out, a few hundred rows at a time, so that nobody waits for it long.

use rusqlite::{Connection, Result};
use twinlane_store::Millis;

use crate::number::kept;

/// What is forgotten, each at a time in milliseconds; a meter that is full again is as good as none.
const FORGET: [&str; 6] = [
    "DELETE FROM meters WHERE key IN (SELECT key FROM meters WHERE full_at <= 1000 * ?1 LIMIT 500)",
    "DELETE FROM places WHERE (key, lease) IN (SELECT key, lease FROM places WHERE until <= ?1 LIMIT 500)",
    "DELETE FROM budgets WHERE key IN (SELECT key FROM budgets WHERE until <= ?1 LIMIT 500)",
    "DELETE FROM reservations WHERE (budget, id) IN \
     (SELECT budget, id FROM reservations WHERE forget_at <= ?1 LIMIT 500)",
    "DELETE FROM kept_values WHERE rowid IN (SELECT rowid FROM kept_values WHERE until <= ?1 LIMIT 500)",
    "DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE until <= ?1 LIMIT 500)",
];

/// Forgets some of what has run out; says whether there is more.
pub(crate) fn some(db: &Connection, now: Millis) -> Result<bool> {
    let mut more = false;
    for sql in FORGET {
        more |= db.prepare_cached(sql)?.execute([kept(now)])? == 500;
    }
    Ok(more)
}

#[cfg(test)]
mod tests {
    use twinlane_store::{Budget, Meter, Millis, Reservation};

    use crate::places::Place;
    use crate::{budgets, meters, open, places, sweep, values};

    const TABLES: [&str; 5] = ["meters", "places", "budgets", "reservations", "kept_values"];

    fn rows(db: &rusqlite::Connection) -> [i64; 5] {
        let count = |table| format!("SELECT count(*) FROM {table}");
        TABLES.map(|table| db.query_row(&count(table), [], |row| row.get(0)).unwrap())
    }

    fn fill(db: &rusqlite::Connection, name: &str, until: Millis) {
        let period = std::time::Duration::from_millis(until);
        meters::spend(db, &[Meter { key: name.to_owned(), limit: 1, period, cost: 1 }], 0).unwrap();
        places::enter(db, &Place { key: name.to_owned(), lease: String::new() }, 1, 0, until).unwrap();
        values::put(db, name, b"", Some(until)).unwrap();
        let budget = Budget { key: name.to_owned(), limit: 9, until };
        let reservation = Reservation { id: "1".to_owned(), amount: 1, until };
        budgets::reserve(db, &budget, &reservation, 0).unwrap();
    }

    #[test]
    fn what_has_run_out_leaves_no_row() {
        let db = open::memory().unwrap();
        fill(&db, "short", 1000);
        fill(&db, "long", 2000);
        assert!(!sweep::some(&db, 999).unwrap());
        assert_eq!(rows(&db), [2; 5]);
        assert!(!sweep::some(&db, 1000).unwrap());
        assert_eq!(rows(&db), [1; 5]);
    }

    #[test]
    fn a_large_sweep_is_told_to_go_on() {
        let db = open::memory().unwrap();
        for index in 0..501 {
            values::put(&db, &index.to_string(), b"", Some(1)).unwrap();
        }
        assert!(sweep::some(&db, 1).unwrap());
        assert!(!sweep::some(&db, 1).unwrap());
        assert_eq!(rows(&db)[4], 0);
    }
}
