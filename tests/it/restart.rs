//! Ends and beginnings: of the gateway under load, and of a provider behind it.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use tokio::task::JoinSet;
use twinlane_demo::Demo;
use twinlane_tests::{SOON, Twinlane, eventually};

use crate::world::{World, chat, pause};

/// The text of a stream that must end properly, as HTTP sees it.
async fn whole(body: Incoming) -> String {
    let collected = tokio::time::timeout(SOON, body.collect()).await.expect("an end in time");
    String::from_utf8(collected.expect("a proper end").to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn sigterm_amid_a_hundred_streams_cuts_none_silently_and_loses_no_answer() {
    let _turn = crate::bounds::TURN.lock().await;
    let mut world = World::with(&[("SHUTDOWN_GRACE", "5000")], &json!({})).await;
    let mut opening = JoinSet::new();
    for n in 0..100 {
        let chunks = if n % 2 == 0 { "20" } else { "100000" };
        let stream = world.stream().header("x-demo-chunks", chunks).header("x-demo-chunk-delay-ms", "30");
        opening.spawn(async move { (n % 2 == 0, stream.open().await.into_body()) });
    }
    let streams = opening.join_all().await;
    let mut calls = JoinSet::new();
    for n in 0..20 {
        let call = if n % 2 == 0 { world.chat() } else { world.embed() };
        calls.spawn(call.header("x-demo-delay-ms", "500").send());
    }
    eventually("all calls are under way", || world.provider.calls().len() == 120).await;
    world.gateway.process.terminate();
    let mut reading = JoinSet::new();
    for (short, body) in streams {
        reading.spawn(async move { (short, whole(body).await) });
    }
    for (short, text) in reading.join_all().await {
        let (done, told) = (text.ends_with("data: [DONE]\n\n"), text.contains("shutting_down"));
        assert_eq!((done, told), (short, !short), "{text}");
    }
    for answer in calls.join_all().await {
        assert!(answer.status == 200 && answer.whole && answer.json().is_object(), "{}", answer.text());
    }
    assert_eq!(world.gateway.process.exit_code().await, Some(0));
}

/// A provider at an address that another one has just left.
async fn back(address: SocketAddr) -> Demo {
    for _ in 0..500 {
        if let Ok(provider) = Demo::start_on(address).await {
            return provider;
        }
        pause(20).await;
    }
    panic!("the port of the provider does not come free");
}

#[tokio::test]
async fn a_provider_that_comes_back_is_used_again_on_both_lanes() {
    let provider = Demo::start().await.unwrap();
    let address = provider.addr();
    let config = crate::world::proxy_config(&provider, &json!({ "maxRetries": 0 }));
    let gateway = Twinlane::start(&[("PROXY_CONFIG", &config)]).await;
    let mut provider = Some(provider);
    for path in ["/v1/chat/completions", "/v1/embeddings"] {
        let body = json!({ "model": "demo", "input": "x", "messages": [{ "role": "user", "content": "x" }] });
        let call = || gateway.client.post(&format!("/gateway/p{path}")).json(&body).send();
        assert_eq!(call().await.status, 200, "{path}");
        drop(provider.take());
        eventually("the provider is gone", || std::net::TcpStream::connect(address).is_err()).await;
        let answer = call().await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (502, &"upstream_unreachable".into()));
        provider = Some(back(address).await);
        let answer = call().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(provider.as_ref().unwrap().calls().len(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_provider_that_dies_amid_a_stream_is_told_of_and_used_again() {
    let World { provider, gateway } = World::new().await;
    let address = provider.addr();
    let stream = || gateway.client.post("/gateway/p/v1/chat/completions").json(&chat(true));
    let mut body = stream().header("x-demo-chunks", "100000").open().await.into_body();
    tokio::time::timeout(SOON, body.frame()).await.unwrap().unwrap().unwrap();
    drop(provider);
    let text = whole(body).await;
    assert!(text.contains("upstream_closed") && !text.contains("[DONE]"), "{text}");
    let _provider = back(address).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = stream().header("x-demo-chunks", "3").send().await;
    assert!(answer.whole && answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
}
