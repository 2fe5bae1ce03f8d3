//! What a reply cost is read as it passes, whoever tells it and however.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twinlane_demo::Demo;
use twinlane_tests::Twinlane;
use twinlane_tests::client::Answer;

use crate::world::{World, chat};

/// The log line of a call.
async fn logged(gateway: &Twinlane, id: &str) -> Value {
    let line = gateway.logged_end(id).await;
    serde_json::from_str(&line).expect("a line of JSON")
}

/// The usage objects in a reply, whole or streamed, by the names of their fields; what comes last counts.
fn told(answer: &Answer) -> BTreeMap<String, u64> {
    let text = answer.text();
    let events = text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok());
    let whole = serde_json::from_str::<Value>(&text).into_iter();
    let mut told = BTreeMap::new();
    for reply in whole.chain(events) {
        let replies = reply.as_array().cloned().unwrap_or_else(|| vec![reply]);
        for place in replies.iter().flat_map(|reply| [reply, &reply["message"], &reply["response"]]) {
            for (name, count) in
                ["usage", "usageMetadata"].iter().filter_map(|name| place[name].as_object()).flatten()
            {
                told.extend(count.as_u64().map(|count| (name.clone(), count)));
            }
        }
    }
    told
}

/// Prompt and answer by a provider's own names.
fn sums(told: &BTreeMap<String, u64>) -> (u64, u64) {
    let sum = |names: &[&str]| names.iter().filter_map(|name| told.get(*name)).sum();
    let input = [
        "prompt_tokens",
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "promptTokenCount",
    ];
    let output = ["completion_tokens", "output_tokens", "candidatesTokenCount", "thoughtsTokenCount"];
    (sum(&input), sum(&output))
}

fn calls() -> Vec<(&'static str, Value)> {
    let messages = json!([{ "role": "user", "content": "Hello" }]);
    let contents = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hello" }] }] });
    let mut calls = vec![
        ("/v1beta/models/demo:generateContent", contents.clone()),
        ("/v1beta/models/demo:streamGenerateContent?alt=sse", contents.clone()),
        ("/v1beta/models/demo:streamGenerateContent", contents),
        ("/v1/embeddings", json!({ "model": "demo", "input": "hello" })),
    ];
    for stream in [false, true] {
        let options = if stream { json!({ "include_usage": true }) } else { Value::Null };
        calls.extend([
            (
                "/v1/chat/completions",
                json!({ "model": "demo", "messages": messages, "stream": stream, "stream_options": options }),
            ),
            ("/v1/responses", json!({ "model": "demo", "input": "Hello", "stream": stream })),
            (
                "/v1/messages",
                json!({ "model": "demo", "max_tokens": 100, "messages": messages, "stream": stream }),
            ),
        ]);
    }
    calls
}

#[tokio::test]
async fn what_a_provider_tells_is_in_the_record() {
    let world = World::with(&[("LOG_FORMAT", "json")], &json!({})).await;
    for (at, (path, body)) in calls().into_iter().enumerate() {
        let id = format!("usage-{at}");
        let answer = world.post(path).json(&body).header("x-request-id", &id).send().await;
        let (told, line) = (sums(&told(&answer)), logged(&world.gateway, &id).await);
        assert!(answer.status == 200 && told.0 > 0, "{path} {}", answer.text());
        assert_eq!(line["tokens_in"], told.0, "{path} {body} {line}");
        assert_eq!(line["tokens_out"], told.1, "{path} {body} {line}");
    }
}

#[tokio::test]
async fn what_is_refused_costs_nothing() {
    let world = World::with(&[("LOG_FORMAT", "json")], &json!({})).await;
    let refused =
        world.chat().header("x-request-id", "usage-refused").header("x-demo-status", "400").send().await;
    let line = logged(&world.gateway, "usage-refused").await;
    assert_eq!((refused.status, line.get("tokens_in")), (400, None), "{line}");
}

#[tokio::test]
async fn a_translated_reply_costs_what_its_provider_tells() {
    let demo = Demo::start().await.expect("a provider");
    let config = json!({ "claude": { "host": demo.url() }, "gemini": { "host": demo.url() } }).to_string();
    let gateway = Twinlane::start(&[
        ("PROXY_CONFIG", &config),
        ("LOG_FORMAT", "json"),
        ("ANTHROPIC_API_KEY", "server-key-of-claude"),
        ("GEMINI_API_KEY", "server-key-of-gemini"),
        ("AUTH_TOKEN", "gateway-token-of-sixteen"),
    ])
    .await;
    for model in ["claude/claude-demo", "gemini/gemini-demo"] {
        for stream in [false, true] {
            let mut body = chat(stream);
            (body["model"], body["stream_options"]) = (model.into(), json!({ "include_usage": true }));
            let id = format!("{}-{stream}", model.replace('/', "-"));
            let sending = gateway.client.post("/v1/chat/completions").json(&body).header("x-request-id", &id);
            let answer = sending.header("authorization", "Bearer gateway-token-of-sixteen").send().await;
            let (told, line) = (sums(&told(&answer)), logged(&gateway, &id).await);
            assert!(answer.status == 200 && told.0 > 0 && told.1 > 0, "{id} {}", answer.text());
            assert_eq!(
                (line["tokens_in"].as_u64(), line["tokens_out"].as_u64()),
                (Some(told.0), Some(told.1)),
                "{id} {line}"
            );
        }
    }
}
