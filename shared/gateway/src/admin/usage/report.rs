//! `/admin/usage`: what calls come to, by group and altogether.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};
use twinlane_store::{Filter, Millis, Store};

use super::ask::{COMMON, Query};
use super::group::{self, Group, Key};
use super::sums::{COLUMNS, Sums};
use super::walk::{MOST_READ, Walk};
use super::{csv, csv_answer, when};
use crate::Error;
use crate::admin::json_answer;
use crate::body::{Body, full};

/// The parameters of this page.
pub(super) const PARAMETERS: &[&[&str]] = &[COMMON, &["group"]];

/// How many rows there are at most, and unless the question says.
const MOST_ROWS: usize = 10_000;
const USUAL_ROWS: usize = 1_000;

/// What is asked.
struct Question {
    filter: Filter,
    groups: Vec<Group>,
    rows: usize,
    csv: bool,
}

/// What calls come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) rows: Vec<(Vec<Key>, Sums)>,
    pub(super) rows_left_out: usize,
    pub(super) total: Sums,
    /// Since when every call is in it, where not every call is.
    pub(super) complete_since: Option<Millis>,
}

/// Answers the question.
///
/// # Errors
/// [`Error::Unfit`] and [`Error::StoreUnavailable`].
pub(super) async fn answer(
    store: &Arc<dyn Store>,
    query: &Query,
    now: Millis,
) -> Result<Response<Body>, Error> {
    let question = Question::of(query, now)?;
    let mut walk = Walk::through(store, question.filter.clone(), None, MOST_READ);
    let report = Report::of(&mut walk, &question.groups).await?.cut(question.rows);
    Ok(if question.csv { report.csv(&question, now) } else { report.json(&question, now) })
}

impl Question {
    fn of(query: &Query, now: Millis) -> Result<Self, Error> {
        Ok(Self {
            filter: query.filter(now)?,
            groups: query.parsed("group", group::SHAPE, Group::list)?.unwrap_or_default(),
            rows: query.limit(USUAL_ROWS, MOST_ROWS)?,
            csv: query.wants_csv()?,
        })
    }

    fn from(&self) -> String {
        when::write(self.filter.from.unwrap_or_default())
    }

    fn to(&self, now: Millis) -> String {
        when::write(self.filter.to.unwrap_or(now))
    }
}

impl Report {
    /// Sums the calls on a way through the log.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub(super) async fn of(walk: &mut Walk, groups: &[Group]) -> Result<Self, Error> {
        let (mut total, mut rows) = (Sums::default(), BTreeMap::<Vec<Key>, Sums>::new());
        while let Some(records) = walk.page().await? {
            for record in &records {
                total.add(record);
                if !groups.is_empty() {
                    let keys = groups.iter().map(|group| group.key(record)).collect();
                    rows.entry(keys).or_default().add(record);
                }
            }
        }
        // Of the last millisecond that was read, another record may be unread.
        let complete_since = walk.next().map(|last| last.time + 1);
        Ok(Self { rows: in_order(rows, groups), rows_left_out: 0, total, complete_since })
    }

    /// The same report with so many rows at most.
    fn cut(mut self, most: usize) -> Self {
        self.rows_left_out = self.rows.len().saturating_sub(most);
        self.rows.truncate(most);
        self
    }

    fn json(self, question: &Question, now: Millis) -> Response<Body> {
        let groups = &question.groups;
        let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
        let rows: Vec<Value> = self.rows.into_iter().map(|(keys, sums)| row(groups, &keys, sums)).collect();
        let answer = json!({
            "from": question.from(),
            "to": question.to(now),
            "group": names,
            "rows": rows,
            "rows_left_out": self.rows_left_out,
            "total": self.total.json(),
            "truncated": self.complete_since.is_some(),
            "complete_since": self.complete_since.map_or_else(|| question.from(), when::write),
        });
        json_answer(StatusCode::OK, &answer)
    }

    /// The rows as a table; all calls in one where they are not grouped. What a table has no place for is in headers.
    fn csv(self, question: &Question, now: Millis) -> Response<Body> {
        let groups = &question.groups;
        let names: Vec<String> = groups.iter().map(|group| format!("/{}", group.name())).collect();
        let columns = || names.iter().map(String::as_str).chain(COLUMNS);
        let rows = if groups.is_empty() { vec![(Vec::new(), self.total)] } else { self.rows };
        let mut table = csv::head(columns());
        for (keys, sums) in rows {
            table.push_str(&csv::row(columns(), &row(groups, &keys, sums)));
        }
        let name = format!("twinlane-usage-{}-to-{}", &question.from()[..10], &question.to(now)[..10]);
        let mut response = csv_answer(full(table), &name);
        let headers = response.headers_mut();
        if self.rows_left_out > 0 {
            headers.insert("x-usage-rows-left-out", self.rows_left_out.into());
        }
        if let Some(since) = self.complete_since {
            let since = HeaderValue::from_str(&when::write(since));
            since.into_iter().for_each(|since| drop(headers.insert("x-usage-complete-since", since)));
        }
        response
    }
}

/// The latest day first, then the groups with the most calls.
fn in_order(rows: BTreeMap<Vec<Key>, Sums>, groups: &[Group]) -> Vec<(Vec<Key>, Sums)> {
    let day = groups.iter().position(|group| *group == Group::Day);
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|(a, of_a), (b, of_b)| {
        let of_day = |keys: &[Key]| day.and_then(|at| keys.get(at).cloned().flatten());
        (Reverse(of_day(a)), Reverse(of_a.calls)).cmp(&(Reverse(of_day(b)), Reverse(of_b.calls)))
    });
    rows
}

fn row(groups: &[Group], keys: &[Key], sums: Sums) -> Value {
    let named = |(group, key): (&Group, &Key)| (group.name().to_owned(), group.json(key.as_deref()));
    let mut row: Map<String, Value> = groups.iter().zip(keys).map(named).collect();
    row.extend(sums.json());
    Value::Object(row)
}
