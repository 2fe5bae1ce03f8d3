//! Streams arrive as they are made, never look whole when they are not, and end when their client leaves.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::json;
use twinlane_tests::SOON;

use crate::world::{World, pause};

#[tokio::test]
async fn events_arrive_as_they_are_made() {
    let world = World::new().await;
    let stream = world.stream().header("x-demo-chunks", "5").header("x-demo-chunk-delay-ms", "200");
    let began = Instant::now();
    let mut body = stream.open().await.into_body();
    body.frame().await.unwrap().unwrap();
    let first = began.elapsed();
    while body.frame().await.is_some() {}
    let whole = began.elapsed();
    assert!(whole > Duration::from_millis(900), "{whole:?}");
    assert!(first < whole / 2, "the first event came after {first:?} of {whole:?}");
}

#[tokio::test]
async fn a_whole_stream_ends_as_the_provider_ended_it() {
    let world = World::new().await;
    let answer = world.stream().send().await;
    assert!(answer.whole && answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    assert_eq!(answer.header("x-accel-buffering"), "no");
}

#[tokio::test]
async fn a_cut_stream_ends_in_an_error_of_its_own_protocol() {
    let world = World::new().await;
    for cut in ["body", "body-reset"] {
        let answer = world.stream().header("x-demo-cut", cut).header("x-demo-cut-after", "4").send().await;
        let text = answer.text();
        let events: Vec<&str> = text.trim_end().split("\n\n").collect();
        assert_eq!(events.len(), 5, "{cut}: four events and the error: {text}");
        let error: serde_json::Value =
            serde_json::from_str(events[4].strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(error["error"]["type"], "NETWORK");
        assert!(!text.contains("[DONE]"), "{text}");
    }
    let messages = json!({ "model": "demo", "max_tokens": 50, "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    let answer = world.post("/v1/messages").json(&messages).header("x-demo-cut", "body").send().await;
    assert!(answer.text().contains("event: error\ndata: {"), "{}", answer.text());
    assert!(!answer.text().contains("message_stop"));
    let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": "x" }] }] });
    let path = "/v1beta/models/demo:streamGenerateContent?alt=sse";
    let answer = world.post(path).json(&gemini).header("x-demo-cut", "body").send().await;
    assert!(answer.text().contains("\"status\":\"UNAVAILABLE\""), "{}", answer.text());
}

#[tokio::test]
async fn a_stream_that_merely_stops_is_told_as_unfinished() {
    let world = World::new().await;
    let answer = world.stream().header("x-demo-cut", "clean").send().await;
    assert!(
        answer.text().contains("upstream_unfinished") && !answer.text().contains("[DONE]"),
        "{}",
        answer.text()
    );
    let line = world.gateway.logged_end(answer.header("x-gateway-request-id")).await;
    assert!(line.contains("outcome=truncated"), "{line}");
}

#[tokio::test]
async fn a_cut_body_of_any_other_kind_breaks_off() {
    let world = World::new().await;
    for target in ["/bytes/100000", "/bytes/100000?chunked=1"] {
        let answer = world.get(target).header("x-demo-cut", "body").send().await;
        assert!(!answer.whole, "{target} looked whole with {} bytes", answer.body.len());
    }
}

#[tokio::test]
async fn a_silent_stream_ends_after_the_idle_clock() {
    let world = World::with(&[("IDLE_TIMEOUT", "300")], &json!({})).await;
    let answer = world.stream().header("x-demo-silence", "stream").send().await;
    assert!(answer.text().contains("upstream_idle"), "{}", answer.text());
    world.provider_is_left().await;
}

#[tokio::test]
async fn a_slow_but_living_stream_is_left_alone() {
    let vars = [("IDLE_TIMEOUT", "1000"), ("DEFAULT_TIMEOUT", "1000")];
    let world = World::with(&vars, &json!({})).await;
    let slow = world.stream().header("x-demo-chunks", "10").header("x-demo-chunk-delay-ms", "200");
    assert!(slow.send().await.text().ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_ends_the_provider_s_work() {
    let world = World::new().await;
    let mut body = world
        .stream()
        .header("x-demo-chunks", "1000")
        .header("x-demo-chunk-delay-ms", "20")
        .open()
        .await
        .into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    world.provider_is_left().await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_reply_ends_the_provider_s_work_on_both_lanes() {
    for path in ["/v1/chat/completions", "/v1/embeddings"] {
        let world = World::new().await;
        let body = json!({ "model": "demo", "input": "x", "messages": [{ "role": "user", "content": "x" }] });
        let call = world.post(path).json(&body).header("x-demo-silence", "head");
        let waiting = tokio::spawn(call.open());
        twinlane_tests::eventually("the provider has the call", || !world.provider.calls().is_empty()).await;
        waiting.abort();
        world.provider_is_left().await;
    }
}

#[tokio::test]
async fn sigterm_lets_streams_finish_and_ends_the_rest_in_words() {
    let mut world = World::with(&[("SHUTDOWN_GRACE", "1500")], &json!({})).await;
    let short =
        world.stream().header("x-demo-chunks", "20").header("x-demo-chunk-delay-ms", "20").open().await;
    let endless =
        world.stream().header("x-demo-chunks", "100000").header("x-demo-chunk-delay-ms", "20").open().await;
    let silent = world.stream().header("x-demo-silence", "head");
    let silent = tokio::spawn(silent.send());
    twinlane_tests::eventually("all calls are under way", || world.provider.calls().len() == 3).await;
    pause(50).await;
    world.gateway.process.terminate();
    let short = short.into_body().collect().await.unwrap().to_bytes();
    assert!(short.ends_with(b"data: [DONE]\n\n"));
    let endless =
        tokio::time::timeout(SOON, endless.into_body().collect()).await.unwrap().unwrap().to_bytes();
    let endless = String::from_utf8_lossy(&endless);
    assert!(endless.contains("shutting_down") && !endless.contains("[DONE]"), "{endless}");
    let silent = silent.await.unwrap();
    assert_eq!((silent.status, &silent.json()["error"]["code"]), (503, &"shutting_down".into()));
    assert_eq!(world.gateway.process.exit_code().await, Some(0));
}
