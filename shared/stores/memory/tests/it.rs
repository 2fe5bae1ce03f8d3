//! The memory engine against the conformance suite, and its bounds.
#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::sync::Arc;
use std::time::Duration;

use twinlane_store::{Budget, Filter, Meter, Reservation, Reserved, Store, UsageRecord};
use twinlane_store_conformance::{Shared, holds, sweeps};
use twinlane_store_memory::{Bounds, Memory};

async fn fresh() -> Shared {
    Arc::new(Memory::default())
}

fn bounded() -> Memory {
    Memory::new(Bounds { keys: 2, bytes: 10, records: 3 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms() {
    holds(fresh).await;
    sweeps(fresh).await;
}

fn meter(key: &str) -> Meter {
    Meter { key: key.to_owned(), limit: 1, period: Duration::from_secs(60), cost: 1 }
}

#[tokio::test]
async fn meters_that_are_not_full_are_not_forgotten_for_others() {
    let store = bounded();
    store.spend(&[meter("a"), meter("b")], 1000).await.unwrap();
    let full = store.spend(&[meter("c")], 2000).await.unwrap_err();
    assert!(full.0.contains("at most 2 meters"), "{full}");
    assert!(store.spend(&[meter("a")], 2000).await.unwrap().refused.is_some());
    assert!(store.spend(&[meter("c")], 61_000).await.unwrap().refused.is_none(), "a and b are full again");
}

#[tokio::test]
async fn several_meters_are_kept_or_none() {
    let store = bounded();
    store.spend(&[meter("a")], 1000).await.unwrap();
    store.spend(&[meter("b"), meter("c")], 1000).await.unwrap_err();
    assert!(store.spend(&[meter("b")], 1000).await.unwrap().refused.is_none());
}

#[tokio::test]
async fn places_run_out_and_make_room() {
    let store = bounded();
    for key in ["a", "b"] {
        assert!(store.enter(key, "1", 1, 1000, 5000).await.unwrap());
    }
    store.enter("c", "1", 1, 2000, 5000).await.unwrap_err();
    assert!(!store.enter("a", "2", 1, 2000, 5000).await.unwrap());
    assert!(store.enter("c", "1", 1, 5000, 9000).await.unwrap());
    store.leave("c", "1").await.unwrap();
    assert!(store.enter("d", "1", 1, 5000, 9000).await.unwrap());
}

async fn reserve(store: &Memory, id: &str, now: u64) -> Result<Reserved, twinlane_store::Unavailable> {
    let budget = Budget { key: "usd".to_owned(), limit: 10, until: 1_000_000 };
    let reservation = Reservation { id: id.to_owned(), amount: 1, until: now + 5000 };
    store.reserve(&budget, &reservation, now).await
}

#[tokio::test]
async fn settled_reservations_make_room_when_they_have_run_out_and_nothing_spent_is_forgotten() {
    let store = bounded();
    let budget = Budget { key: "usd".to_owned(), limit: 10, until: 1_000_000 };
    assert_eq!(reserve(&store, "1", 1000).await, Ok(Reserved::Granted));
    reserve(&store, "2", 2000).await.unwrap_err();
    store.settle(&budget, "1", 4, 2000).await.unwrap();
    assert_eq!(reserve(&store, "2", 6000).await, Ok(Reserved::Granted));
    assert_eq!(store.balance(&budget, 6000).await, Ok((4, 1)));
}

#[tokio::test]
async fn values_are_bounded_in_number_and_in_bytes() {
    let store = bounded();
    store.put("a", b"1234", Some(5000)).await.unwrap();
    let large = store.put("b", b"12345", None).await.unwrap_err();
    assert!(large.0.contains("at most 10 bytes"), "{large}");
    store.put("a", b"123456789", Some(5000)).await.unwrap();
    store.put("a", b"1", Some(5000)).await.unwrap();
    store.put("b", b"1", None).await.unwrap();
    store.put("c", b"1", None).await.unwrap_err();
    assert!(store.put_new("c", b"1", 5000, None).await.unwrap(), "a is over");
}

#[tokio::test]
async fn the_log_forgets_the_oldest() {
    let store = bounded();
    for (id, time) in [("a", 5), ("b", 3), ("c", 5), ("d", 4), ("e", 1)] {
        let record = UsageRecord { id: id.to_owned(), time, ..UsageRecord::default() };
        store.append(&record, None).await.unwrap();
    }
    let page = store.records(&Filter::default(), None, 10).await.unwrap();
    let ids: Vec<&str> = page.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["c", "a", "d"]);
    assert_eq!(store.record("b").await.unwrap(), None);
}
