//! The usage log: a row for each record, read by the newest first.

use rusqlite::types::{Type, Value};
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params_from_iter};
use twinlane_store::{Cursor, Filter, Millis, Page, UsageRecord};

use crate::number::kept;

pub(crate) fn append(db: &Connection, record: &UsageRecord, until: Option<Millis>) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO records (id, time, token, session, service, model, status, json, until) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let json = record.to_json().to_string();
    let UsageRecord { id, time, token, session, service, model, status, .. } = record;
    let until = until.map(kept);
    insert.execute((id, kept(*time), token, session, service, model, status, json, until)).map(drop)
}

pub(crate) fn page(db: &Connection, filter: &Filter, after: Option<&Cursor>, most: usize) -> Result<Page> {
    let (sql, values) = query(filter, after, most);
    let mut select = db.prepare_cached(&sql)?;
    let mut records: Vec<UsageRecord> =
        select.query_map(params_from_iter(values), read)?.collect::<Result<_>>()?;
    let more = records.len() > most;
    records.truncate(most);
    let last = records.last().filter(|_| more);
    let next = last.map(|record| Cursor { time: record.time, id: record.id.clone() });
    Ok(Page { records, next })
}

pub(crate) fn record(db: &Connection, id: &str) -> Result<Option<UsageRecord>> {
    db.prepare_cached("SELECT json FROM records WHERE id = ?1")?.query_row([id], read).optional()
}

/// The statement for a page and one record more, which tells whether another page follows. It names only what is
/// asked for, so that SQLite finds the index for it.
fn query(filter: &Filter, after: Option<&Cursor>, most: usize) -> (String, Vec<Value>) {
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let time = |time: Option<Millis>| time.map(|time| Value::from(kept(time)));
    let conditions = [
        ("time >= ?", time(filter.from)),
        ("time < ?", time(filter.to)),
        ("token = ?", text(&filter.token)),
        ("session = ?", text(&filter.session)),
        ("service = ?", text(&filter.service)),
        ("model = ?", text(&filter.model)),
        ("status = ?", filter.status.map(Value::from)),
        ("(time, id) < (?, ", time(after.map(|cursor| cursor.time))),
        ("?)", after.map(|cursor| Value::from(cursor.id.clone()))),
    ];
    let mut sql = "SELECT json FROM records WHERE true".to_owned();
    let mut values = Vec::new();
    for (condition, value) in conditions {
        let Some(value) = value else { continue };
        if condition != "?)" {
            sql.push_str(" AND ");
        }
        sql.push_str(condition);
        values.push(value);
    }
    sql.push_str(" ORDER BY time DESC, id DESC LIMIT ?");
    values.push(Value::from(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1)));
    (sql, values)
}

fn read(row: &Row<'_>) -> Result<UsageRecord> {
    let json = serde_json::from_str(row.get_ref(0)?.as_str()?);
    let json = json.map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    UsageRecord::from_json(json).ok_or(Error::InvalidColumnType(0, "json".to_owned(), Type::Text))
}
