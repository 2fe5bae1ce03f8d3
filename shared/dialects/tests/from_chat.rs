//! Chat clients: what a request is changed in, and what their streams look like.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

use serde_json::{Value, json};
use twinlane_dialects::chat::{Origin, Usage};
use twinlane_dialects::{Asked, FromChat, Piece, Quirks, Target, Told, from_chat};

const TARGET: Target<'_> =
    Target { model: "real", asked_model: "alias/real", quirks: Quirks::NONE, id: "1", now: 7 };

fn origin() -> Origin {
    Origin { id: "c".to_owned(), model: "m".to_owned(), created: 1 }
}

fn written(include_usage: bool, pieces: Vec<Piece>) -> String {
    let mut stream = from_chat::stream(Asked { include_usage, prompt_estimate: 5, ..Asked::default() });
    let mut out = Vec::new();
    for piece in pieces {
        stream.piece(piece, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The events of a stream as JSON; what is none, as a string.
fn events(text: &str) -> Vec<Value> {
    let data = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap_or(event));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| data.into())).collect()
}

fn answer(usage: bool) -> Vec<Piece> {
    let mut pieces =
        vec![origin().delta(0, json!({ "content": "hello" })), origin().finish(0, "stop", "stop")];
    if usage {
        pieces.push(origin().usage(&Usage { prompt: 3, completion: 2, ..Usage::default() }));
    }
    pieces.push(Piece::Done);
    pieces
}

#[test]
fn who_asked_for_usage_sees_it_last_and_null_before() {
    let events = events(&written(true, answer(true)));
    assert_eq!(events.len(), 4);
    assert_eq!((&events[0]["usage"], &events[1]["usage"]), (&Value::Null, &Value::Null));
    assert!(events[0].as_object().unwrap().contains_key("usage"));
    assert_eq!(events[2]["choices"], json!([]));
    assert_eq!(events[2]["usage"]["total_tokens"], json!(5));
    assert_eq!(events[3], json!("[DONE]"));
}

#[test]
fn who_did_not_ask_for_usage_sees_none() {
    let text = written(false, answer(true));
    assert!(!text.contains("usage"), "{text}");
    assert_eq!(events(&text).len(), 3);
}

#[test]
fn usage_that_the_provider_owes_is_estimated() {
    let events = events(&written(true, answer(false)));
    assert_eq!(events[2]["choices"], json!([]));
    assert_eq!(events[2]["id"], "c");
    assert_eq!(
        (&events[2]["usage"]["prompt_tokens"], &events[2]["usage"]["completion_tokens"]),
        (&json!(5), &json!(2))
    );
}

#[test]
fn a_keep_alive_is_one_line() {
    assert_eq!(written(false, vec![Piece::Ping]), ": keep-alive\n");
}

#[test]
fn a_failure_is_told_without_done_and_nothing_follows() {
    let failed = vec![Piece::Failed(Told::truncated()), Piece::Done, Piece::Ping];
    let told = events(&written(true, failed));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["error"]["code"], "stream_truncated");
    assert_eq!(told[0]["error"]["type"], "upstream_error");
}

#[test]
fn a_stream_is_asked_for_with_its_usage() {
    let body = json!({ "model": "alias/real", "messages": [{ "role": "user", "content": "12345678" }], "stream": true });
    let outgoing = from_chat::request(body, &TARGET).unwrap();
    assert_eq!(outgoing.body["stream_options"], json!({ "include_usage": true }));
    assert_eq!(outgoing.body["model"], "real");
    assert_eq!((outgoing.asked.stream, outgoing.asked.include_usage), (true, false));
    assert_eq!(outgoing.asked.model, "alias/real");
    assert_eq!(outgoing.asked.prompt_estimate, 3);
}

#[test]
fn the_rest_of_a_request_stays_as_it_came() {
    let text =
        r#"{"seed":12345678901234567890,"model":"x","messages":[],"temperature":0.10,"stream_options":null}"#;
    let outgoing = from_chat::request(serde_json::from_str(text).unwrap(), &TARGET).unwrap();
    assert_eq!(outgoing.body.to_string(), text.replace("\"x\"", "\"real\""));
}

#[test]
fn what_is_no_chat_request_is_refused_by_its_parameter() {
    let check = |body: Value, param: Option<&str>| {
        let refusal = from_chat::request(body, &TARGET).unwrap_err();
        assert_eq!((refusal.param.as_deref(), refusal.code), (param, "invalid_value"));
    };
    check(json!([]), None);
    check(json!({}), Some("messages"));
    check(json!({ "messages": [], "stream": "yes" }), Some("stream"));
    check(json!({ "messages": [], "stream_options": 1 }), Some("stream_options"));
    check(
        json!({ "messages": [], "stream_options": { "include_usage": 1 } }),
        Some("stream_options.include_usage"),
    );
}
