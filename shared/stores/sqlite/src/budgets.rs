//! Budgets: what is spent in one row, and a row for each call that has set something aside.

use rusqlite::{Connection, Result};
use twinlane_store::{Budget, Millis, Reservation, Reserved};

use crate::number::{kept, read};

pub(crate) fn reserve(
    db: &Connection,
    budget: &Budget,
    reservation: &Reservation,
    now: Millis,
) -> Result<Reserved> {
    if is_known(db, &budget.key, &reservation.id)? {
        return Ok(Reserved::Granted);
    }
    let (spent, aside) = balance(db, &budget.key, now)?;
    let left = budget.limit.saturating_sub(spent.saturating_add(aside));
    if reservation.amount > left {
        return Ok(Reserved::Exceeded { left });
    }
    open(db, budget)?;
    set_aside(db, budget, reservation)?;
    Ok(Reserved::Granted)
}

pub(crate) fn settle(db: &Connection, budget: &str, id: &str, spent: u64) -> Result<()> {
    let mut settle = db.prepare_cached(
        "UPDATE reservations SET settled = 1, forget_at = until WHERE budget = ?1 AND id = ?2 AND settled = 0",
    )?;
    if settle.execute((budget, id))? == 0 {
        return Ok(());
    }
    let mut spend =
        db.prepare_cached("UPDATE budgets SET spent = min(spent + ?2, 9007199254740991) WHERE key = ?1")?;
    spend.execute((budget, kept(spent))).map(drop)
}

/// What is spent and what is set aside, in one statement, so that it is of one moment.
pub(crate) fn balance(db: &Connection, budget: &str, now: Millis) -> Result<(u64, u64)> {
    let mut select = db.prepare_cached(
        "SELECT coalesce((SELECT spent FROM budgets WHERE key = ?1), 0), coalesce(sum(amount), 0) \
         FROM reservations WHERE budget = ?1 AND settled = 0 AND until > ?2",
    )?;
    select.query_row((budget, kept(now)), |row| Ok((read(row.get(0)?), read(row.get(1)?))))
}

fn is_known(db: &Connection, budget: &str, id: &str) -> Result<bool> {
    let mut select = db.prepare_cached("SELECT 1 FROM reservations WHERE budget = ?1 AND id = ?2")?;
    select.exists((budget, id))
}

fn open(db: &Connection, budget: &Budget) -> Result<()> {
    let mut open =
        db.prepare_cached("INSERT OR IGNORE INTO budgets (key, spent, until) VALUES (?1, 0, ?2)")?;
    open.execute((&budget.key, kept(budget.until))).map(drop)
}

fn set_aside(db: &Connection, budget: &Budget, reservation: &Reservation) -> Result<()> {
    let mut set_aside = db.prepare_cached(
        "INSERT INTO reservations (budget, id, amount, until, forget_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let forget_at = kept(budget.until.max(reservation.until));
    let (amount, until) = (kept(reservation.amount), kept(reservation.until));
    set_aside.execute((&budget.key, &reservation.id, amount, until, forget_at)).map(drop)
}
