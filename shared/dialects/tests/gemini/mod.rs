//! What the tests of both Gemini codecs share.

use proptest::prelude::*;
use serde_json::{Value, json};
use twinlane_dialects::sse::Reader;
use twinlane_dialects::{Asked, Piece, Quirks, Target, ToChat};

/// A target that serves a model.
pub(crate) fn target(model: &str) -> Target<'_> {
    Target { model, asked_model: "asked-model", quirks: Quirks::default(), id: "call-id", now: 1700 }
}

/// What a reply remembers of a request to that target.
pub(crate) fn asked() -> Asked {
    Asked { model: "asked-model".to_owned(), id: "call-id".to_owned(), created: 1700, ..Asked::default() }
}

/// The pieces of a stream that comes in these bytes.
pub(crate) fn pieces_of(mut stream: impl ToChat, bytes: &[&[u8]]) -> Vec<Piece> {
    let (mut reader, mut pieces) = (Reader::default(), Vec::new());
    for bytes in bytes {
        reader.push(bytes, |event| stream.event(event, &mut pieces)).unwrap();
    }
    reader.end(|event| stream.event(event, &mut pieces));
    stream.end(&mut pieces);
    pieces
}

/// The pieces of a stream that comes at once.
pub(crate) fn pieces(stream: impl ToChat, text: &str) -> Vec<Piece> {
    pieces_of(stream, &[text.as_bytes()])
}

/// Words that the codecs look for, so that arbitrary JSON comes upon their paths.
const WORDS: &[&str] = &[
    "messages",
    "role",
    "user",
    "assistant",
    "tool",
    "content",
    "type",
    "text",
    "image_url",
    "url",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "id",
    "contents",
    "parts",
    "model",
    "functionCall",
    "functionResponse",
    "args",
    "response",
    "inlineData",
    "mimeType",
    "data",
    "generationConfig",
    "tools",
    "functionDeclarations",
    "candidates",
    "finishReason",
    "usageMetadata",
    "choices",
    "delta",
    "message",
    "error",
    "usage",
    "index",
    "thoughtSignature",
    "logprobs",
    "output",
    "data:image/png;base64,AA",
    "embeddings",
    "values",
    "input",
    "google",
    "finish_reason",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![8 => proptest::sample::select(WORDS).prop_map(str::to_owned), 1 => "[a-zé]{0,3}"]
}

/// JSON of any shape.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((word(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A body that is well formed down to its messages, in either format.
pub(crate) fn chat_body() -> impl Strategy<Value = Value> {
    (any_json(), any_json()).prop_map(|(one, other)| {
        json!({
            "messages": [
                {"role": "user", "content": [one]},
                {"role": "assistant", "tool_calls": [one], "content": other},
                {"role": "tool", "tool_call_id": "id", "content": other},
            ],
            "contents": [{"role": "model", "parts": [one]}, {"parts": [other]}],
            "tools": [other],
        })
    })
}
