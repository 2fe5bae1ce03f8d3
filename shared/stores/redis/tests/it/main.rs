//! The Redis engine against a real server, in every way there is to reach one, and against servers that are not there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by panicking")]

mod crash;
mod double;
mod outage;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use twinlane_store::Store;
use twinlane_store_conformance::{Shared, agrees, holds, sweeps};
use twinlane_store_redis::{Redis, Settings};

use crate::double::Double;
use crate::server::Server;

/// Settings under which nothing is seen of what other tests keep.
fn apart() -> Settings {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let prefix = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    Settings { prefix, ..Settings::default() }
}

fn over_tcp(server: &Server) -> Shared {
    Arc::new(Redis::over_tcp(&server.url(), Settings { roots: server.roots(), ..apart() }).unwrap())
}

fn over_rest(double: &Double) -> Shared {
    Arc::new(Redis::over_rest(&double.url(), double::TOKEN, double::http(), apart()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms() {
    let server = Server::start();
    holds(async || over_tcp(&server)).await;
    sweeps(async || over_tcp(&server)).await;
}

#[test]
fn it_agrees_with_the_memory_engine() {
    let server = Server::start();
    agrees(async || over_tcp(&server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms_over_tls_with_a_password() {
    let server = Server::with_tls();
    holds(async || over_tcp(&server)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms_over_rest() {
    let server = Server::start();
    let double = Double::start(&server).await;
    holds(async || over_rest(&double)).await;
}

#[tokio::test]
async fn both_ways_lead_to_the_same_state() {
    let server = Server::start();
    let double = Double::start(&server).await;
    let tcp = Redis::over_tcp(&server.url(), Settings::default()).unwrap();
    let rest = Redis::over_rest(&double.url(), double::TOKEN, double::http(), Settings::default()).unwrap();
    tcp.put("key", b"\xff\x00", None).await.unwrap();
    assert_eq!(rest.get("key", 0).await.unwrap().as_deref(), Some(&b"\xff\x00"[..]));
    rest.put("key", b"text", None).await.unwrap();
    assert_eq!(tcp.get("key", 0).await.unwrap().as_deref(), Some(&b"text"[..]));
}

#[tokio::test]
async fn a_wrong_token_is_said_in_the_services_words() {
    let server = Server::start();
    let double = Double::start(&server).await;
    let store = Redis::over_rest(&double.url(), "wrong", double::http(), Settings::default()).unwrap();
    let refused = store.get("key", 0).await.unwrap_err();
    assert!(refused.0.contains("WRONGPASS"), "{refused}");
    assert!(!format!("{store:?}").contains("wrong"), "{store:?}");
}

#[tokio::test]
async fn a_certificate_of_somebody_unknown_is_not_believed() {
    let server = Server::with_tls();
    let store = Redis::over_tcp(&server.url(), Settings::default()).unwrap();
    let refused = store.get("key", 0).await.unwrap_err();
    assert!(refused.0.contains("certificate"), "{refused}");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let server = Server::with_tls();
    let url = server.url().replace(server::PASSWORD, "guess");
    let store = Redis::over_tcp(&url, Settings { roots: server.roots(), ..apart() }).unwrap();
    let refused = store.get("key", 0).await.unwrap_err();
    assert!(!refused.0.contains("guess"), "{refused}");
}

/// What a crashed caller left, and what was only for a while, must not fill the server.
#[tokio::test]
async fn all_that_ends_expires_by_itself() {
    let server = Server::start();
    let (store, now) = (over_tcp(&server), server::now());
    let meter = server::meter(10);
    store.spend(std::slice::from_ref(&meter), now).await.unwrap();
    store.correct(&meter, 1, now).await.unwrap();
    store.enter("places", "lease", 1, now, now + 1000).await.unwrap();
    let (budget, reservation) = (server::budget(now), server::reservation("1", now));
    store.reserve(&budget, &reservation, now).await.unwrap();
    store.settle(&budget, "1", 1, now).await.unwrap();
    store.put("value", b"", Some(now + 1000)).await.unwrap();
    store.append(&server::record("1", now), Some(now + 1000)).await.unwrap();
    let lasting: Vec<String> = server.keys_that_stay().await;
    let index = ["calls", "ends", "names"];
    assert_eq!(lasting.len(), index.len(), "{lasting:?}");
    assert!(lasting.iter().all(|key| index.iter().any(|name| key.ends_with(name))), "{lasting:?}");
}

/// Otherwise the two indexes would grow with every key there ever was.
#[tokio::test]
async fn what_has_expired_leaves_the_indexes_with_what_comes_after() {
    let server = Server::start();
    let store = over_tcp(&server);
    let long_ago = server::now() - 3_600_000;
    for index in 0..20 {
        store.put(&format!("{index}"), b"", Some(long_ago)).await.unwrap();
        store.append(&server::record(&format!("{index}"), long_ago), Some(long_ago)).await.unwrap();
    }
    store.put("last", b"", None).await.unwrap();
    store.append(&server::record("last", server::now()), None).await.unwrap();
    assert_eq!(server.sizes(&["index:names", "index:ends", "index:calls"]).await, [1, 0, 1]);
}
