//! A store that dies and comes back while calls go on: no call fails for it, nothing is counted twice, no record is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use twinlane_tests::store::Redis;
use twinlane_tests::{Client, SOON};

use crate::tokens::{ADMIN, bearer};
use crate::world::{World, chat, pause};

async fn world(redis: &Redis, vars: &[(&str, &str)]) -> World {
    let url = redis.url();
    let ours = [("STORE", url.as_str()), ("ADMIN_TOKEN", ADMIN), ("P_API_KEY", "k")];
    World::with(&[&ours, vars].concat(), &json!({})).await
}

/// The ids of all records, by walking the pages.
async fn recorded(client: &Client) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let answer = bearer(client.get(&format!("/admin/calls?limit=200{after}")), ADMIN).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let calls = page["calls"].as_array().unwrap();
        ids.extend(calls.iter().map(|call| call["id"].as_str().unwrap().to_owned()));
        match &page["next"] {
            Value::String(next) => cursor = Some(next.clone()),
            _ => return ids,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_redis_is_killed_and_comes_back_and_every_one_has_its_record() {
    let mut redis = Redis::start().await;
    let world = world(&redis, &[("LIMIT_RPM", "1000000"), ("BUDGET", "100000000tokens/day")]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (client, stop) = (world.gateway.client.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut ids = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let answer =
                        client.post("/gateway/p/v1/chat/completions").json(&chat(false)).send().await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    ids.push(answer.header("x-gateway-request-id").to_owned());
                    pause(20).await;
                }
                ids
            })
        })
        .collect();
    for _ in 0..2 {
        pause(700).await;
        redis.kill().await;
        pause(1000).await;
        redis.start_again().await;
    }
    // Until the gateway asks the store again, and a few calls beyond.
    pause(6000).await;
    stop.store(true, Ordering::Relaxed);
    let mut made = BTreeSet::new();
    for caller in callers {
        made.extend(caller.await.unwrap());
    }
    let began = Instant::now();
    loop {
        let found = recorded(&world.gateway.client).await;
        let kept: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(kept.len(), found.len(), "no call has two records");
        if kept == made {
            break;
        }
        let lost = made.difference(&kept).count();
        assert!(began.elapsed() < SOON, "{lost} of {} calls have no record", made.len());
        // What waits follows the next record that is kept.
        let answer = world.chat().send().await;
        made.insert(answer.header("x-gateway-request-id").to_owned());
        pause(200).await;
    }
    let warnings = world.gateway.process.printed().matches("cannot be kept where they should be").count();
    assert!(
        (1..=3).contains(&warnings),
        "{warnings} warnings: the operator hears of it, and not at every call"
    );
}

#[tokio::test]
async fn a_gateway_that_must_count_refuses_what_it_cannot_count() {
    let mut redis = Redis::start().await;
    let world = world(&redis, &[("LIMIT_RPM", "1000"), ("STORE_DOWN", "closed")]).await;
    assert_eq!(world.chat().send().await.status, 200);
    redis.kill().await;
    let refused = world.chat().send().await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (503, &"store_unavailable".into()));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(world.provider.calls().len(), 1, "the provider is not asked");
    redis.start_again().await;
    let began = Instant::now();
    while world.chat().send().await.status != 200 {
        assert!(began.elapsed() < SOON, "the store is back");
        pause(100).await;
    }
}

#[tokio::test]
async fn a_store_that_is_slow_to_fail_is_left_alone_for_five_seconds_from_then_on() {
    // Connections are taken by the system, and nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}/0", silent.local_addr().unwrap());
    let ours = [("STORE", url.as_str()), ("P_API_KEY", "k"), ("LIMIT_RPM", "100"), ("USAGE_LOG", "off")];
    let world = World::with(&ours, &json!({})).await;
    assert_eq!(world.chat().send().await.status, 200);
    pause(4000).await;
    let began = Instant::now();
    assert_eq!(world.chat().send().await.status, 200);
    assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_gateway_that_may_be_open_counts_by_itself() {
    let mut redis = Redis::start().await;
    let world = world(&redis, &[("LIMIT_RPM", "5")]).await;
    redis.kill().await;
    let answers = futures_util::future::join_all((0..15).map(|_| world.chat().send())).await;
    let admitted = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((5..=7).contains(&admitted), "{admitted} of 15: the limit holds in this instance");
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 429)));
}

#[tokio::test]
async fn two_gateways_with_one_redis_share_limits_and_budgets() {
    let redis = Redis::start().await;
    let vars = [("LIMIT_RPM", "6"), ("BUDGET", "100000tokens/day")];
    let (one, other) = (world(&redis, &vars).await, world(&redis, &vars).await);
    let calls = (0..20).map(|nth| if nth % 2 == 0 { one.chat().send() } else { other.chat().send() });
    let answers = futures_util::future::join_all(calls).await;
    let admitted = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((6..=8).contains(&admitted), "{admitted} of 20");
    let began = Instant::now();
    while recorded(&one.gateway.client).await.len() < 20 {
        assert!(began.elapsed() < SOON, "and one log");
        pause(50).await;
    }
}
