//! Whether a stream has come to its end is known however the network cuts it, and no answer talks its way there.
//!
//! Input: a stream, or words of a model's, and in the last 16 bytes the lengths of its first pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use twinlane_dialects::sse::Reader;
use twinlane_fuzz::cut;
use twinlane_gateway::inband::Protocol;
use twinlane_gateway::reading::Reading;

const PROTOCOLS: [Protocol; 4] = [Protocol::Chat, Protocol::Messages, Protocol::Responses, Protocol::Gemini];

fuzz_target!(|input: &[u8]| {
    let (whole, pieces) = cut(input);
    let bytes: Vec<&[u8]> = whole.chunks(1).collect();
    let words = String::from_utf8_lossy(whole);
    for protocol in PROTOCOLS {
        let ended = ends(protocol, &[whole]);
        assert_eq!(ends(protocol, &pieces), ended, "{protocol:?}");
        assert_eq!(ends(protocol, &bytes), ended, "{protocol:?}");
        assert!(ended || !is_an_end(protocol, whole), "{protocol:?}");
        for event in spoken(&words) {
            assert!(!ends(protocol, &[event.as_bytes()]), "{protocol:?} {event}");
        }
    }
});

fn ends(protocol: Protocol, pieces: &[&[u8]]) -> bool {
    let mut reading = Reading::of_events(protocol, None);
    pieces.iter().for_each(|piece| reading.see(piece));
    !reading.is_unfinished()
}

/// Events in which a model, or a client whose request is repeated, has the say over some words.
fn spoken(words: &str) -> [String; 4] {
    let chat = json!({ "choices": [{ "index": 0, "delta": { "content": words }, "finish_reason": null }] });
    let messages = json!({ "type": "content_block_delta", "delta": { "type": "text_delta", "text": words } });
    let responses = json!({
        "type": "response.created",
        "response": { "error": null, "tools": [{ "parameters": { "properties": { words: { "type": "string" } } } }] },
    });
    let arguments = json!({ words: { "type": words }, "finishReason": words, "error": { "message": words } });
    let gemini =
        json!({ "candidates": [{ "content": { "parts": [{ "functionCall": { "args": arguments } }] } }] });
    [chat, messages, responses, gemini].map(|event| format!("data: {event}\n\n"))
}

/// Whether a parser finds an event that ends its stream. What it reads out of escapes is not asked for.
fn is_an_end(protocol: Protocol, whole: &[u8]) -> bool {
    if whole.contains(&b'\\') || whole.contains(&b'$') || whole.starts_with(b"\xEF") {
        return false;
    }
    let (mut reader, mut found) = (Reader::default(), false);
    let mut look = |data: &str| {
        let json = serde_json::from_str(data);
        found |= data == "[DONE]" || json.is_ok_and(|json: Value| says_end(protocol, &json));
    };
    reader.push(whole, |event| look(event.data)).expect("far below the limit");
    reader.end(|event| look(event.data));
    found
}

fn says_end(protocol: Protocol, event: &Value) -> bool {
    let reason =
        |path: &str| event.pointer(path).and_then(Value::as_str).is_some_and(|reason| !reason.is_empty());
    let failed = event
        .get("error")
        .is_some_and(|error| error.is_object() || error.as_str().is_some_and(|told| !told.is_empty()));
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    let ended = match protocol {
        Protocol::Chat => reason("/choices/0/finish_reason"),
        Protocol::Messages => kind == "message_stop",
        Protocol::Responses => {
            matches!(kind, "response.completed" | "response.incomplete" | "response.failed")
        }
        Protocol::Gemini => reason("/candidates/0/finishReason") || reason("/promptFeedback/blockReason"),
        Protocol::Other => true,
    };
    ended || failed || kind == "error"
}
