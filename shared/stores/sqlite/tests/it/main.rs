//! The SQLite engine against the conformance suite, its files, and what is left of it after `kill -9`.
#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod crash;
mod files;
mod together;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use twinlane_store::{Budget, Filter, Meter, Store, UsageRecord};
use twinlane_store_conformance::{Shared, agrees, holds, sweeps};
use twinlane_store_sqlite::Sqlite;

/// An empty folder of this test's own.
fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{next}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn in_a_file() -> Shared {
    Arc::new(Sqlite::open(&folder().join("store.db")).unwrap())
}

async fn in_memory() -> Shared {
    Arc::new(Sqlite::open(":memory:".as_ref()).unwrap())
}

fn record(id: &str) -> UsageRecord {
    UsageRecord { id: id.to_owned(), time: 5, status: 200, ..UsageRecord::default() }
}

fn budget(limit: u64) -> Budget {
    Budget { key: "usd".to_owned(), limit, until: 1 << 50 }
}

/// A meter that does not fill in the time of a test: a unit takes an hour.
fn meter(limit: u32) -> Meter {
    let period = std::time::Duration::from_secs(3600) * limit;
    Meter { key: "calls".to_owned(), limit: limit.into(), period, cost: 1 }
}

async fn count(store: &Sqlite) -> usize {
    store.records(&Filter::default(), None, 1_000_000).await.unwrap().records.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_conforms() {
    holds(in_a_file).await;
    sweeps(in_a_file).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_conforms() {
    holds(in_memory).await;
    sweeps(in_memory).await;
}

#[test]
fn it_agrees_with_the_memory_engine() {
    agrees(in_memory);
}
