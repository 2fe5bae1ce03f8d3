//! What a crowd and a bad line do to requests, brought about by a client that is not to be relied on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use twinlane_store::{Meter, Reserved, Unavailable};
use twinlane_store_dynamodb::Http;

use crate::database::{Database, budget, http, meter, now, record, reservation};

/// A client that loses every second answer: what was asked has happened, and nobody is told.
fn forgetful() -> Http {
    let (http, count) = (http(), Arc::new(AtomicUsize::new(0)));
    Arc::new(move |request| {
        let (answer, lost) = (http(request), count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2));
        Box::pin(async move {
            let answer = answer.await?;
            if lost { Err(Unavailable("the line is dead".to_owned())) } else { Ok(answer) }
        })
    })
}

/// A client whose first `times` requests for an action are answered with an error.
fn refusing(action: &'static str, times: usize, error: Value) -> Http {
    let (http, count) = (http(), AtomicUsize::new(0));
    Arc::new(move |request: Request<Bytes>| {
        let meant = request.headers()["x-amz-target"].to_str().unwrap().ends_with(action);
        if !meant || count.fetch_add(1, Ordering::Relaxed) >= times {
            return http(request);
        }
        let body = Bytes::from(error.to_string());
        Box::pin(async { Ok(Response::builder().status(StatusCode::BAD_REQUEST).body(body).unwrap()) })
    })
}

fn conflict() -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": [{ "Code": "None" }, { "Code": "TransactionConflict" }],
    })
}

fn two_meters() -> [Meter; 2] {
    [meter(10), Meter { key: "other".to_owned(), ..meter(10) }]
}

#[tokio::test]
async fn lost_answers_change_nothing_where_it_is_asked_again() {
    let (database, now) = (Database::start(), now());
    let store = database.table_over(forgetful()).await;
    let (budget, one) = (budget(now), reservation("1", now));
    assert_eq!(store.reserve(&budget, &one, now).await, Ok(Reserved::Granted));
    store.settle(&budget, "1", 5, now).await.unwrap();
    store.settle(&budget, "1", 5, now).await.unwrap();
    assert_eq!(store.balance(&budget, now).await, Ok((5, 0)));
    assert!(store.enter("places", "a", 1, now, now + 1000).await.unwrap());
    assert!(!store.enter("places", "b", 1, now, now + 1000).await.unwrap());
    store.leave("places", "a").await.unwrap();
    store.append(&record("1", now), None).await.unwrap();
    assert_eq!(store.record("1").await.unwrap(), Some(record("1", now)));
    assert_eq!(store.spend(&two_meters(), now).await.unwrap().refused, None);
    assert_eq!(store.spend(&two_meters(), now).await.unwrap().standings[1].remaining, 8);
}

#[tokio::test]
async fn what_counts_each_time_is_not_asked_again() {
    let (database, now) = (Database::start(), now());
    let store = database.table_over(forgetful()).await;
    assert!(store.spend(&[meter(10)], now).await.unwrap_err().0.contains("the line is dead"));
    assert!(store.put_new("key", b"", now, None).await.is_ok(), "this answer is not lost");
    assert!(store.put_new("another", b"", now, None).await.is_err());
    assert_eq!(store.get("another", now).await.unwrap(), Some(Vec::new()), "it has happened");
}

#[tokio::test]
async fn a_transaction_that_meets_others_is_tried_again() {
    let (database, now) = (Database::start(), now());
    let store = database.table_over(refusing("TransactWriteItems", 5, conflict())).await;
    assert_eq!(store.spend(&two_meters(), now).await.unwrap().standings[0].remaining, 9);
}

#[tokio::test]
async fn a_throttled_request_is_tried_again_but_not_for_ever() {
    let throttled =
        json!({ "__type": "com.amazon.coral.availability#ThrottlingException", "message": "slow down" });
    let (database, now) = (Database::start(), now());
    let store = database.table_over(refusing("UpdateItem", 5, throttled.clone())).await;
    assert_eq!(store.spend(&[meter(10)], now).await.unwrap().standings[0].remaining, 9);
    let store = database.table_over(refusing("UpdateItem", 1000, throttled)).await;
    assert!(store.spend(&[meter(10)], now).await.unwrap_err().0.contains("slow down"));
}

/// More have run out than one expression can clear away.
#[tokio::test]
async fn two_hundred_that_were_forgotten_make_way() {
    let (database, now) = (Database::start(), now());
    let store = database.table().await;
    let small = twinlane_store::Budget { limit: 1400, ..budget(now) };
    for index in 0..200 {
        let id = format!("{index}");
        assert!(store.enter("places", &id, 200, now, now + 1000).await.unwrap());
        assert_eq!(store.reserve(&small, &reservation(&id, now), now).await, Ok(Reserved::Granted));
    }
    let later = now + 600_000;
    assert!(store.enter("places", "new", 2, later, later + 1000).await.unwrap());
    assert!(store.enter("places", "newer", 2, later, later + 1000).await.unwrap());
    assert!(!store.enter("places", "newest", 2, later, later + 1000).await.unwrap());
    let large = twinlane_store::Reservation { amount: 1400, ..reservation("new", later) };
    assert_eq!(store.reserve(&small, &large, later).await, Ok(Reserved::Granted));
    assert_eq!(
        store.reserve(&small, &reservation("newer", later), later).await,
        Ok(Reserved::Exceeded { left: 0 })
    );
    store.settle(&small, "99", 3, later).await.unwrap();
    store.settle(&small, "99", 3, later).await.unwrap();
    assert_eq!(store.balance(&small, later).await, Ok((3, 1400)));
}
