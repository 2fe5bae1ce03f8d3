//! Servers that are not there, or do not answer.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use twinlane_store::{Store, Unavailable};
use twinlane_store_redis::{Redis, Settings};

use crate::over_tcp;
use crate::server::{Server, free_port, meter, now};

fn quick(port: u16) -> Redis {
    let (connect, command) = (Duration::from_millis(200), Duration::from_millis(300));
    let settings = Settings { connect, command, ..Settings::default() };
    Redis::over_tcp(&format!("redis://127.0.0.1:{port}"), settings).unwrap()
}

async fn check(store: &Redis, within: Duration) -> Unavailable {
    let begun = Instant::now();
    let spent = store.spend(&[meter(1)], now()).await.unwrap_err();
    let got = store.get("key", 0).await.unwrap_err();
    assert!(begun.elapsed() < within, "{spent} and {got} after {:?}", begun.elapsed());
    spent
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let told = check(&quick(free_port()), Duration::from_millis(400)).await;
    assert!(told.0.starts_with("no connection to Redis"), "{told}");
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_holds_nobody_longer_than_the_clocks() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    check(&quick(listener.local_addr().unwrap().port()), Duration::from_secs(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_a_dead_server_does_not_queue() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = std::sync::Arc::new(quick(listener.local_addr().unwrap().port()));
    let begun = Instant::now();
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        crowd.spawn(async move { store.spend(&[meter(1)], now()).await.unwrap_err() });
    }
    crowd.join_all().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_frozen_server_is_given_up_and_found_again() {
    let server = Server::start();
    let store = over_tcp(&server);
    store.put("key", b"value", None).await.unwrap();
    server.freeze();
    let begun = Instant::now();
    store.spend(&[meter(1)], now()).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(3500), "{:?}", begun.elapsed());
    server.thaw();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(store.get("key", 0).await.unwrap().as_deref(), Some(&b"value"[..]));
}

/// The second attempt finds the new server, so nobody notices.
#[tokio::test]
async fn a_restart_between_two_calls_is_not_noticed_where_asking_twice_is_harmless() {
    let server = Server::start();
    let store = over_tcp(&server);
    store.put("key", b"value", None).await.unwrap();
    server.kill();
    server.start_again();
    assert_eq!(store.get("key", 0).await.unwrap().as_deref(), Some(&b"value"[..]));
    assert_eq!(store.spend(&[meter(1)], now()).await.unwrap().refused, None);
}
