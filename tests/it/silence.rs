//! A provider that is silent after it was asked for a stream: its client hears every few seconds that all is well.

use serde_json::{Value, json};

use crate::world::World;

const QUESTION: &str = "hello";

/// A gateway that speaks after a fifth of a second, and a provider that answers after half of one.
async fn world() -> World {
    World::with(&[("KEEP_ALIVE_AFTER", "200")], &json!({})).await
}

/// Each protocol's path, a call of it that asks for a stream, and what its clients take for a sign of life.
fn protocols() -> [(&'static str, Value, &'static str); 4] {
    let messages = json!([{ "role": "user", "content": QUESTION }]);
    [
        (
            "/v1/chat/completions",
            json!({ "model": "demo", "stream": true, "messages": messages }),
            ": keep-alive\n",
        ),
        ("/v1/responses", json!({ "model": "demo", "stream": true, "input": QUESTION }), ": keep-alive\n"),
        (
            "/v1/messages",
            json!({ "model": "demo", "stream": true, "max_tokens": 9, "messages": messages }),
            "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        ),
        (
            "/v1beta/models/demo:streamGenerateContent?alt=sse",
            json!({ "contents": [{ "role": "user", "parts": [{ "text": QUESTION }] }] }),
            "\n",
        ),
    ]
}

#[tokio::test]
async fn a_silent_provider_s_client_hears_a_sign_of_life_and_then_the_stream_as_it_is() {
    let world = world().await;
    for (path, body, sign) in protocols() {
        let prompt = world.post(path).json(&body).send().await;
        let late = world.post(path).json(&body).header("x-demo-delay-ms", "700").send().await;
        assert_eq!((late.status, late.whole), (200, true), "{path}");
        assert_eq!(late.header("content-type"), "text/event-stream; charset=utf-8", "{path}");
        let text = late.text();
        let stream = text.trim_start_matches(sign);
        let signs = (text.len() - stream.len()) / sign.len();
        assert!((1..=4).contains(&signs), "{path}: {signs} signs in {text:?}");
        assert_eq!(shape(stream), shape(&prompt.text()), "{path}");
    }
}

/// A stream's lines without what differs from one answer to the next.
fn shape(stream: &str) -> Vec<String> {
    let keys =
        |line: &str| line.split(|letter: char| !letter.is_ascii_alphabetic()).collect::<Vec<_>>().join(" ");
    stream
        .lines()
        .map(|line| if line.starts_with("data: {") { keys(line) } else { line.to_owned() })
        .collect()
}

#[tokio::test]
async fn a_stream_that_pauses_between_two_events_is_bridged_and_its_bytes_stay_whole() {
    let world = world().await;
    let slow = world.stream().header("x-demo-chunks", "3").header("x-demo-chunk-delay-ms", "500");
    let answer = slow.send().await;
    let text = answer.text();
    assert!(answer.whole && text.contains("\n\n: keep-alive\n"), "{text}");
    let rest = text.replace(": keep-alive\n", "");
    assert!(rest.starts_with("data: {") && rest.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(rest.split("\n\n").filter(|event| !event.is_empty()).all(|event| event.starts_with("data: ")));
}

#[tokio::test]
async fn a_failure_before_the_silence_is_broken_has_its_status() {
    let world = world().await;
    let answer = world.stream().header("x-demo-status", "503").send().await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn a_failure_after_that_is_told_in_the_stream_in_the_provider_s_words() {
    let world = world().await;
    for (path, body, sign) in protocols() {
        let late = world.post(path).json(&body).header("x-demo-delay-ms", "500");
        let answer = late.header("x-demo-status", "429").send().await;
        assert_eq!((answer.status, answer.whole), (200, true), "{path}");
        let text = answer.text();
        let told = text.trim_start_matches(sign);
        let data = told.lines().find_map(|line| line.strip_prefix("data: ")).expect(told);
        let error: Value = serde_json::from_str(data).expect(data);
        let message = error["error"]["message"].as_str().expect(data);
        assert!(message.contains("429"), "{path}: {told}");
        assert!(!told.contains("[DONE]") && !told.contains("message_stop"), "{path}: {told}");
        let line = world.gateway.logged_end(answer.header("x-gateway-request-id")).await;
        assert!(line.contains("outcome=truncated") && line.contains("error=\"provider_error\""), "{line}");
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up_in_the_stream() {
    let vars = [("KEEP_ALIVE_AFTER", "200"), ("DEFAULT_TIMEOUT", "600")];
    let world = World::with(&vars, &json!({})).await;
    let answer = world.stream().header("x-demo-silence", "head").send().await;
    let text = answer.text();
    assert!(text.starts_with(": keep-alive\n") && text.contains("upstream_timeout"), "{text}");
    world.provider_is_left().await;
}

#[tokio::test]
async fn a_client_that_leaves_during_the_silence_leaves_the_provider_too() {
    let world = world().await;
    let stream = world.stream().header("x-demo-silence", "head").open().await;
    assert_eq!(stream.status(), 200);
    drop(stream);
    world.provider_is_left().await;
}

#[tokio::test]
async fn nobody_else_is_bridged() {
    let world = world().await;
    let late = world.chat().header("x-demo-delay-ms", "500").send().await;
    assert!(!late.text().contains("keep-alive"), "{}", late.text());
    // A JSON array, bit by bit: a sign of life would break it.
    let array = world.post("/v1beta/models/demo:streamGenerateContent").json(&protocols()[3].1);
    let answer = array.header("x-demo-delay-ms", "500").send().await;
    assert!(serde_json::from_str::<Value>(&answer.text()).is_ok(), "{}", answer.text());
    let off = World::with(&[("KEEP_ALIVE_AFTER", "off")], &json!({})).await;
    let text = off.stream().header("x-demo-delay-ms", "500").send().await.text();
    assert!(text.starts_with("data: "), "{text}");
}

#[tokio::test]
async fn what_has_to_be_read_on_its_way_is_asked_for_uncompressed() {
    let world = world().await;
    for call in [world.stream(), world.chat(), world.embed()] {
        call.header("accept-encoding", "gzip, br").send().await;
        assert_eq!(world.seen().headers["accept-encoding"], "identity");
        world.provider.clear();
    }
    world.get("/v1/models").header("accept-encoding", "gzip, br").send().await;
    assert_eq!(world.seen().headers["accept-encoding"], "gzip, br");
}
