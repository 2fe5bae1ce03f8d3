//! Chat clients, served by Anthropic's messages API. The numbers are those of the fixtures in the specification.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

mod answers;
mod conversation;
mod parameters;
mod properties;
mod streams;
mod tools;

use serde_json::{Value, json};
use twinlane_dialects::{Asked, Outgoing, Piece, Refusal, Target, ToChat, sse, to_messages};

const SONNET_4: &str = "claude-sonnet-4-20250514";
const SONNET_4_5: &str = "claude-sonnet-4-5-20250929";
const OPUS_4_6: &str = "claude-opus-4-6";
const OPUS_4_7: &str = "claude-opus-4-7";
const OPUS_5: &str = "claude-opus-5";
const OPUS_5_5: &str = "claude-opus-5-5";

/// What a chat request becomes for a model.
fn sent(model: &str, chat: Value) -> Result<Outgoing, Refusal> {
    let asked_model = format!("claude/{model}");
    let target =
        Target { model, asked_model: &asked_model, quirks: Default::default(), id: "7", now: 1_700_000_000 };
    to_messages::request(chat, &target)
}

/// The same for a chat of one message, with these further parameters.
fn with(model: &str, parameters: Value) -> Outgoing {
    let mut chat = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
    for (name, value) in parameters.as_object().unwrap() {
        chat[name] = value.clone();
    }
    sent(model, chat).unwrap()
}

/// The messages that these of a chat become.
fn messages(chat: Value) -> Value {
    sent(SONNET_4_5, json!({ "messages": chat })).unwrap().body["messages"].take()
}

fn refused(chat: Value, param: &str, code: &str) {
    let refusal = sent(SONNET_4_5, chat.clone()).expect_err(&chat.to_string());
    assert_eq!((refusal.param.as_deref(), refusal.code), (Some(param), code), "{chat}");
}

fn asked() -> Asked {
    Asked { model: "claude/asked".to_owned(), id: "7".to_owned(), created: 1_700_000_000, ..Asked::default() }
}

/// The pieces of a stream that comes in these parts.
fn pieces(asked: Asked, parts: &[&[u8]]) -> Vec<Piece> {
    let (mut reader, mut stream, mut out) = (sse::Reader::default(), to_messages::stream(asked), Vec::new());
    for part in parts {
        reader.push(part, |event| stream.event(event, &mut out)).unwrap();
    }
    reader.end(|event| stream.event(event, &mut out));
    stream.end(&mut out);
    out
}

/// Events as Anthropic writes them.
fn written(events: &[Value]) -> String {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}

fn streamed(asked: Asked, events: &[Value]) -> Vec<Piece> {
    pieces(asked, &[written(events).as_bytes()])
}
