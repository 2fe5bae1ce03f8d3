//! The usage log: the records of a day under one key, by time; where each record is, by its id; and which days there are.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use twinlane_store::{Cursor, Filter, Millis, Page, Unavailable, UsageRecord};

use crate::DynamoDb;
use crate::api::Again;
use crate::item::{Item, nonsense, number, number_in, text, text_in, time_to_live};
use crate::update::Update;

const DAY: Millis = 24 * 3600 * 1000;

/// How many records are read at a time.
const A_READ: usize = 200;

/// Days with the days their last records end on, as far as this instance has made them known.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashSet<(Millis, Option<Millis>)>>);

/// A part of the log, newest first: from the upper end to the lower, both of which may be left out.
struct Span {
    lower: String,
    upper: String,
}

impl DynamoDb {
    /// Every step may be repeated, and is where an answer was lost: the record's place is kept first, and whoever finds it
    /// kept with the same time goes on from there.
    pub(crate) async fn append_record(
        &self,
        record: &UsageRecord,
        until: Option<Millis>,
    ) -> Result<(), Unavailable> {
        self.make_day_known(record.time, until).await?;
        let place = ending(
            json!({ "pk": text(&place_pk(&record.id)), "sk": text("-"), "time": number(record.time) }),
            until,
        );
        let unless_there = Some(("attribute_not_exists(pk)", Value::Null));
        if !self.api.put(place, unless_there.clone(), Again::Harmless).await? {
            let kept = self.api.get(&place_pk(&record.id), "-").await?;
            if number_in(&kept, "time") != Some(record.time) {
                return Ok(());
            }
        }
        let item = json!({
            "pk": text(&day_pk(record.time)),
            "sk": text(&sk(record.time, &record.id)),
            "record_json": text(&record.to_json().to_string()),
        });
        self.api.put(ending(item, until), unless_there, Again::Harmless).await.map(|_| ())
    }

    pub(crate) async fn record_of(&self, id: &str) -> Result<Option<UsageRecord>, Unavailable> {
        let place = self.api.get(&place_pk(id), "-").await?;
        let Some(time) = number_in(&place, "time") else { return Ok(None) };
        let item = self.api.get(&day_pk(time), &sk(time, id)).await?;
        if item.is_empty() { Ok(None) } else { read(&item).map(Some) }
    }

    /// Reads on, day by day, until a page is full and one more record is found, so that the last page is known to be the
    /// last.
    pub(crate) async fn page(
        &self,
        filter: &Filter,
        after: Option<&Cursor>,
        most: usize,
    ) -> Result<Page, Unavailable> {
        let span = Span::of(filter, after);
        let (mut records, mut from) = (Vec::new(), None);
        loop {
            let (days, next) = self.api.query(span.days(from)).await?;
            for day in &days {
                let day = text_in(day, "sk").ok_or_else(nonsense)?;
                self.read_day(&span, day, filter, most, &mut records).await?;
                if records.len() > most {
                    return Ok(cut(records, most));
                }
            }
            from = next;
            if from.is_none() {
                return Ok(cut(records, most));
            }
        }
    }

    /// Adds a day's records, until there is one more than wanted.
    async fn read_day(
        &self,
        span: &Span,
        day: &str,
        filter: &Filter,
        most: usize,
        records: &mut Vec<UsageRecord>,
    ) -> Result<(), Unavailable> {
        let mut from = None;
        loop {
            let (items, next) = self.api.query(span.records(day, from)).await?;
            for item in items.iter().filter(|item| span.holds(item)) {
                records.extend(Some(read(item)?).filter(|record| filter.admits(record)));
            }
            from = next;
            if from.is_none() || records.len() > most {
                return Ok(());
            }
        }
    }

    /// Keeps a day's name as long as the day's records, or longer.
    async fn make_day_known(&self, time: Millis, until: Option<Millis>) -> Result<(), Unavailable> {
        let known = (time / DAY, until.map(|until| until / DAY + 1));
        if self.days.lock().contains(&known) {
            return Ok(());
        }
        let day = date(time);
        let update = match known.1 {
            Some(last) => Update::at("usage-days", &day, "SET #ttl = :ttl", NOT_LONGER).ending(last * DAY),
            None => Update::at("usage-days", &day, "SET for_good = :yes REMOVE #ttl", NOT_FOR_GOOD)
                .name("#ttl", "ttl")
                .number(":yes", 1),
        };
        self.api.update(&update, Again::Harmless).await?;
        self.days.lock().insert(known);
        Ok(())
    }
}

const NOT_LONGER: &str = "attribute_not_exists(for_good) AND (attribute_not_exists(#ttl) OR #ttl < :ttl)";
const NOT_FOR_GOOD: &str = "attribute_not_exists(for_good)";

impl Known {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<(Millis, Option<Millis>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Span {
    fn of(filter: &Filter, after: Option<&Cursor>) -> Self {
        let lower = time_text(filter.from.unwrap_or(0));
        let to = time_text(filter.to.unwrap_or(LAST));
        let after = after.map(|cursor| sk(cursor.time, &cursor.id));
        Self { lower, upper: after.map_or_else(|| to.clone(), |after| after.min(to.clone())) }
    }

    /// The days it touches.
    fn days(&self, from: Option<Value>) -> Value {
        let day = |end: &str| date(end[..13].parse().unwrap_or(LAST));
        request("usage-days", &day(&self.lower), &day(&self.upper), from)
    }

    /// A day's records in it. The query takes both ends in.
    fn records(&self, day: &str, from: Option<Value>) -> Value {
        request(&format!("usage#{day}"), &self.lower, &self.upper, from)
    }

    fn holds(&self, item: &Item) -> bool {
        text_in(item, "sk").is_some_and(|sk| sk < self.upper.as_str())
    }
}

fn request(pk: &str, lower: &str, upper: &str, from: Option<Value>) -> Value {
    // An empty span is no query: DynamoDB refuses it.
    let lower = lower.min(upper);
    let mut request = json!({
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :lower AND :upper",
        "ExpressionAttributeValues": { ":pk": text(pk), ":lower": text(lower), ":upper": text(upper) },
        "ScanIndexForward": false,
        "Limit": A_READ,
    });
    if let Some(from) = from {
        request["ExclusiveStartKey"] = from;
    }
    request
}

/// The last millisecond that has thirteen digits.
const LAST: Millis = 9_999_999_999_999;

fn time_text(time: Millis) -> String {
    format!("{:013}", time.min(LAST))
}

fn sk(time: Millis, id: &str) -> String {
    format!("{}#{id}", time_text(time))
}

fn place_pk(id: &str) -> String {
    format!("call#{id}")
}

fn day_pk(time: Millis) -> String {
    format!("usage#{}", date(time))
}

fn ending(mut item: Value, until: Option<Millis>) -> Value {
    if let Some(until) = until {
        item["ttl"] = time_to_live(until);
    }
    item
}

fn read(item: &Item) -> Result<UsageRecord, Unavailable> {
    let json = text_in(item, "record_json").ok_or_else(nonsense)?;
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

/// The day of a time, in UTC: 2026-11-20. Years are counted from March, so that the leap day is a year's last.
fn date(time: Millis) -> String {
    let days = time.min(LAST) / DAY + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_called_as_calendars_call_them() {
        let check = |seconds: u64, day: &str| assert_eq!(date(seconds * 1000), day);
        check(0, "1970-01-01");
        check(951_782_400, "2000-02-29");
        check(1_709_164_800, "2024-02-29");
        check(1_709_251_200, "2024-03-01");
        check(1_767_225_599, "2025-12-31");
        check(1_767_225_600, "2026-01-01");
        check(1_795_132_800, "2026-11-20");
        check(4_107_542_400, "2100-03-01");
        check(9_999_999_999, "2286-11-20");
    }
}
