//! The DynamoDB engine against moto, a local implementation of DynamoDB's API, with and without answers that are lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by panicking")]

mod crash;
mod crowd;
mod database;

use std::sync::Arc;

use twinlane_store::Store;
use twinlane_store_conformance::{Shared, agrees, holds};

use crate::database::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms() {
    let database = Database::start();
    holds(async || database.table().await).await;
}

#[test]
fn it_agrees_with_the_memory_engine() {
    let database = Database::start();
    agrees(async || database.table().await);
}

#[tokio::test]
async fn what_ends_says_so_to_dynamodb() {
    let database = Database::start();
    let (store, now) = (database.table().await, database::now());
    let meter = database::meter(10);
    store.spend(std::slice::from_ref(&meter), now).await.unwrap();
    store.correct(&meter, 1, now).await.unwrap();
    store.enter("places", "lease", 1, now, now + 1000).await.unwrap();
    let (budget, reservation) = (database::budget(now), database::reservation("1", now));
    store.reserve(&budget, &reservation, now).await.unwrap();
    store.settle(&budget, "1", 1, now).await.unwrap();
    store.put("value", b"", Some(now + 1000)).await.unwrap();
    store.append(&database::record("1", now), Some(now + 1000)).await.unwrap();
    let items = database.items().await;
    assert_eq!(items.len(), 8, "{items:#?}");
    for item in items {
        let ends: u64 = item["ttl"]["N"].as_str().unwrap_or_else(|| panic!("{item}")).parse().unwrap();
        assert!(ends > now / 1000 && ends < now / 1000 + 40 * 24 * 3600, "{item}");
    }
}

#[tokio::test]
async fn a_table_that_is_not_there_is_named() {
    let database = Database::start();
    let store = database.engine("nowhere", database::http());
    let refused = store.get("key", 0).await.unwrap_err();
    assert!(refused.0.contains("ResourceNotFoundException"), "{refused}");
}

#[tokio::test]
async fn a_value_that_no_item_holds_is_refused() {
    let database = Database::start();
    let store = database.table().await;
    let refused = store.put("key", &vec![0; 450_000], None).await.unwrap_err();
    assert!(refused.0.contains("ValidationException"), "{refused}");
}

/// Records of several days, of which some have none, and a reader who knows nothing of them.
#[tokio::test]
async fn the_log_is_read_across_days() {
    let database = Database::start();
    let store = database.table().await;
    let day = 24 * 3600 * 1000;
    for (id, days) in [("a", 20_000), ("b", 20_001), ("c", 20_001), ("d", 20_040)] {
        store.append(&database::record(id, days * day), None).await.unwrap();
    }
    let check = async |from: Option<u64>, to: Option<u64>, wanted: &[&str]| {
        let filter = twinlane_store::Filter { from, to, ..Default::default() };
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = store.records(&filter, after.as_ref(), 1).await.unwrap();
            ids.extend(page.records.into_iter().map(|record| record.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(ids, wanted, "{from:?} {to:?}");
    };
    check(None, None, &["d", "c", "b", "a"]).await;
    check(Some(20_001 * day), None, &["d", "c", "b"]).await;
    check(None, Some(20_001 * day), &["a"]).await;
    check(Some(20_001 * day), Some(20_001 * day + 1), &["c", "b"]).await;
    check(Some(20_041 * day), None, &[]).await;
    check(Some(20_001 * day), Some(20_000 * day), &[]).await;
}

/// The engine as gateways share it.
fn shared(store: impl Store + 'static) -> Shared {
    Arc::new(store)
}
