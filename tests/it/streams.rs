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

/// A provider that answers these bytes and closes.
async fn before(
    reply: &str,
    vars: &[(&str, &str)],
) -> (twinlane_tests::raw::Canned, twinlane_tests::Twinlane) {
    let provider =
        twinlane_tests::raw::Canned::start(twinlane_tests::raw::Then::Says(reply.to_owned())).await;
    let config = json!({ "p": { "host": format!("http://{}", provider.address) } }).to_string();
    let gateway =
        twinlane_tests::Twinlane::start(&[&[("PROXY_CONFIG", config.as_str())], vars].concat()).await;
    (provider, gateway)
}

async fn asked(gateway: &twinlane_tests::Twinlane, version: &str) -> String {
    let request =
        format!("GET /gateway/p/v1/chat/completions {version}\r\nhost: x\r\nconnection: close\r\n\r\n");
    twinlane_tests::raw::exchange(gateway.address, request.as_bytes()).await
}

#[tokio::test]
async fn half_a_stream_of_announced_length_does_not_look_whole() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"},\"finish_reason\":null}]}\n\n";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n",
        event.len()
    );
    let (_provider, gateway) = before(&format!("{head}{event}"), &[]).await;
    let answer = asked(&gateway, "HTTP/1.1").await;
    assert!(answer.contains("upstream_unfinished") && !answer.contains("content-length"), "{answer}");
}

#[tokio::test]
async fn a_provider_of_http_1_0_is_relayed_in_http_1_1() {
    let (_provider, gateway) =
        before("HTTP/1.0 200 OK\r\n\r\n0123456789", &[("MAX_RESPONSE_SIZE", "8")]).await;
    let answer = asked(&gateway, "HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("transfer-encoding: chunked"), "{answer}");
    assert!(answer.ends_with("01234567\r\n"), "no last chunk: {answer}");
}

#[tokio::test]
async fn a_client_of_http_1_0_is_told_by_a_reset() {
    let (_provider, gateway) =
        before("HTTP/1.1 200 OK\r\n\r\n0123456789", &[("MAX_RESPONSE_SIZE", "8")]).await;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(b"GET /gateway/p/x HTTP/1.0\r\nhost: x\r\n\r\n").await.unwrap();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut Vec::new())).await.unwrap();
    assert_eq!(read.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_compressed_stream_is_passed_on_unread() {
    let reply = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n\
                 content-length: 8\r\n\r\ngzipgzip";
    let (_provider, gateway) = before(reply, &[]).await;
    let answer = asked(&gateway, "HTTP/1.1").await;
    assert!(answer.ends_with("\r\n\r\ngzipgzip"), "{answer}");
}

#[tokio::test]
async fn a_stream_that_merely_stops_is_told_in_every_protocol() {
    let world = World::new().await;
    let message = json!([{ "role": "user", "content": "x" }]);
    for (path, body) in [
        ("/v1/responses", json!({ "model": "demo", "stream": true, "input": "x" })),
        ("/v1/messages", json!({ "model": "demo", "stream": true, "max_tokens": 9, "messages": message })),
        (
            "/v1beta/models/demo:streamGenerateContent?alt=sse",
            json!({ "contents": [{ "parts": [{ "text": "x" }] }] }),
        ),
    ] {
        let whole = world.post(path).json(&body).header("x-demo-chunk-delay-ms", "0").send().await;
        assert!(whole.whole && !whole.text().contains("without finishing"), "{path}: {}", whole.text());
        let cut = world.post(path).json(&body).header("x-demo-cut", "clean").send().await;
        assert!(cut.text().contains("without finishing"), "{path}: {}", cut.text());
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_is_let_go() {
    use tokio::io::AsyncWriteExt;
    let world = World::with(&[("SEND_TIMEOUT", "500")], &json!({ "maxResponseSize": 200_000_000 })).await;
    let mut stream = tokio::net::TcpStream::connect(world.gateway.address).await.unwrap();
    let request = b"GET /gateway/p/bytes/60000000 HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    world.provider_is_left().await;
}
