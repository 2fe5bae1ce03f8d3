//! `/admin/calls`: the calls themselves, newest first.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};
use twinlane_store::{Cursor, Filter, Millis, Store, UsageRecord};

use super::ask::{COMMON, Query, wrong};
use super::walk::Walk;
use super::{LONGEST_ID, csv, csv_answer, when};
use crate::Error;
use crate::admin::json_answer;
use crate::body::{Body, BoxError, streaming};

/// The parameters of this page.
pub(super) const PARAMETERS: &[&[&str]] = &[COMMON, &["after", "cursor"]];

/// How many calls there are, unless the question says and at most.
const USUAL: usize = 100;
const MOST: usize = 1_000;
/// The same for CSV, which goes out as it is read.
const MOST_CSV: usize = 100_000;

/// How far before `after` a call may have come in that ended after it.
const LONGEST: Millis = 60 * 60 * 1000;

/// A record is kept a moment after its call has ended, and clocks differ: whoever asks for what came since the last time
/// is given this much of it again.
const OVERLAP: Millis = 5_000;

/// The columns of the table, as JSON pointers into a record.
const COLUMNS: [&str; 28] = [
    "/id",
    "/time",
    "/token",
    "/token_name",
    "/session",
    "/service",
    "/provider",
    "/model",
    "/model_served",
    "/method",
    "/lane",
    "/stream",
    "/status",
    "/outcome",
    "/error",
    "/attempts",
    "/fallbacks",
    "/tokens_in",
    "/tokens_out",
    "/tokens_cached",
    "/tokens_reasoning",
    "/estimated",
    "/cost",
    "/first_byte_ms",
    "/total_ms",
    "/bytes_in",
    "/bytes_out",
    "/request_id",
];

/// Answers with calls.
///
/// # Errors
/// [`Error::Unfit`] and [`Error::StoreUnavailable`].
pub(super) async fn answer(
    store: &Arc<dyn Store>,
    query: &Query,
    now: Millis,
) -> Result<Response<Body>, Error> {
    let csv = query.wants_csv()?;
    let most = if csv { MOST_CSV } else { MOST };
    let limit = query.limit(if csv { MOST_CSV } else { USUAL }, most)?;
    let after = query.time("after")?;
    if csv && after.is_some() {
        return Err(wrong("after", "is for JSON; a table has 'from'"));
    }
    let filter = filter(query, after, now)?;
    let cursor = query.parsed("cursor", "where an earlier answer ended ('next')", cursor)?;
    let walk = Walk::through(store, filter, cursor, limit).ended_after(after);
    if csv { table(walk.unhurried(), now).await } else { list(walk, now).await }
}

/// Which records are wanted. Calls are kept by when they came in, and those that ended lately may have come in before.
fn filter(query: &Query, after: Option<Millis>, now: Millis) -> Result<Filter, Error> {
    let mut filter = query.filter(now)?;
    if let Some(after) = after.filter(|_| query.text("from").is_none()) {
        filter.from = Some(after.saturating_sub(LONGEST));
    }
    Ok(filter)
}

async fn list(mut walk: Walk, now: Millis) -> Result<Response<Body>, Error> {
    let mut calls = Vec::new();
    while let Some(records) = walk.page().await? {
        calls.extend(records.into_iter().map(line));
    }
    let as_of = now.saturating_sub(OVERLAP);
    let answer = json!({ "calls": calls, "next": walk.next().map(told), "as_of": when::write(as_of) });
    Ok(json_answer(StatusCode::OK, &answer))
}

/// A record without the bodies, which are on the page of the call.
fn line(mut record: UsageRecord) -> Value {
    record.rest.remove("request");
    record.rest.remove("response");
    record.to_json()
}

/// The calls as a table that is read as it is sent. The first page is read before, so that a store which cannot be
/// reached is told by a status.
async fn table(mut walk: Walk, now: Millis) -> Result<Response<Body>, Error> {
    let first = csv::head(COLUMNS) + &rows(&walk.page().await?.unwrap_or_default());
    let more = stream::try_unfold(walk, |mut walk| async move {
        let page = walk.page().await?;
        Ok::<_, Error>(page.map(|records| (rows(&records), walk)))
    });
    let lines = stream::iter([Ok(first)]).chain(more).map(|lines| match lines {
        Ok(lines) => Ok(Frame::data(Bytes::from(lines))),
        Err(lost) => Err(BoxError::from(lost)),
    });
    let body = streaming(StreamBody::new(Alone(Mutex::new(lines.boxed()))));
    Ok(csv_answer(body, &format!("twinlane-calls-{}", when::day(now))))
}

fn rows(records: &[UsageRecord]) -> String {
    records.iter().map(|record| csv::row(COLUMNS, &legible(record))).collect()
}

/// A record as a table has it, with a time that people and spreadsheets can read.
fn legible(record: &UsageRecord) -> Value {
    let time = when::write(record.time);
    let mut json = record.to_json();
    json["time"] = time.into();
    json
}

/// A cursor for a client: the last record's time, which may be written in any way, and id.
fn cursor(text: &str) -> Option<Cursor> {
    let (time, id) = text.split_once('_')?;
    Some(Cursor { time: when::read(time)?, id: id.to_owned() })
        .filter(|_| (1..=LONGEST_ID).contains(&id.len()))
}

fn told(cursor: &Cursor) -> String {
    format!("{}_{}", cursor.time, cursor.id)
}

/// A stream that is never looked at by two at once, and so may be shared as a [`Body`] must be.
struct Alone<T>(Mutex<BoxStream<'static, T>>);

impl<T> Stream for Alone<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(cx)
    }
}
