//! What holds for any request, any answer and any stream.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use twinlane_dialects::{Asked, Piece, to_messages};

use crate::{SONNET_4, SONNET_4_5, asked, pieces, sent, streamed, written};

/// The words that requests, answers and events are made of: random ones would not get past the first check.
const WORDS: &[&str] = &[
    "messages",
    "role",
    "content",
    "system",
    "user",
    "assistant",
    "tool",
    "function",
    "type",
    "text",
    "image_url",
    "url",
    "data:image/png;base64,QUJD",
    "file",
    "file_data",
    "tool_calls",
    "id",
    "name",
    "arguments",
    "{\"a\":1}",
    "tool_call_id",
    "tools",
    "parameters",
    "tool_choice",
    "required",
    "response_format",
    "json_schema",
    "schema",
    "properties",
    "anyOf",
    "oneOf",
    "$ref",
    "$defs",
    "items",
    "reasoning_effort",
    "high",
    "max_tokens",
    "stop",
    "reasoning_details",
    "reasoning.text",
    "signature",
    "stream",
    "delta",
    "index",
    "content_block",
    "message",
    "usage",
    "input_tokens",
    "error",
    "stop_reason",
    "refusal",
    "stop_details",
    "tool_use",
    "thinking",
    "input",
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "text_delta",
    "thinking_delta",
    "signature_delta",
    "input_json_delta",
    "partial_json",
    "redacted_thinking",
    "data",
    "citations",
    "object",
    "allowed_tools",
    "mode",
    "function_call",
    "é",
];

fn json() -> impl Strategy<Value = Value> {
    let word = proptest::sample::select(WORDS);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..4).prop_map(Value::from),
        word.clone().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let fields = prop::collection::vec((word.clone(), inner.clone()), 0..6);
        let object = |fields: Vec<(&str, Value)>| {
            Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
            )
        };
        prop_oneof![prop::collection::vec(inner, 0..4).prop_map(Value::from), fields.prop_map(object)]
    })
}

/// A block as Anthropic sends it, of a kind that a client gets to see.
fn block() -> impl Strategy<Value = Value> {
    let text = "[a-zé✓ ]{1,12}";
    prop_oneof![
        text.prop_map(|text| json!({ "type": "text", "text": text })),
        (text, "[a-z]{1,8}").prop_map(
            |(text, signature)| json!({ "type": "thinking", "thinking": text, "signature": signature })
        ),
        "[a-z]{1,8}".prop_map(|data| json!({ "type": "redacted_thinking", "data": data })),
        ("[a-z]{1,8}", json()).prop_map(|(id, input)| {
            json!({ "type": "tool_use", "id": id, "name": "get", "input": { "a": input } })
        }),
    ]
}

fn message(blocks: &[Value]) -> Value {
    let called = blocks.iter().any(|block| block["type"] == "tool_use");
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": blocks,
        "stop_reason": if called { "tool_use" } else { "end_turn" },
        "usage": { "input_tokens": 3, "output_tokens": 4 },
    })
}

/// The same message as a stream, its texts cut in two.
fn events(message: &Value) -> Vec<Value> {
    let mut events = vec![json!({ "type": "message_start", "message": {
        "id": message["id"], "model": message["model"], "usage": { "input_tokens": 3, "output_tokens": 0 },
    } })];
    for (index, block) in message["content"].as_array().unwrap().iter().enumerate() {
        let (empty, deltas) = cut(block);
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": empty }));
        events.extend(
            deltas
                .into_iter()
                .map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta })),
        );
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    let end = json!({ "stop_reason": message["stop_reason"] });
    events.push(json!({ "type": "message_delta", "delta": end, "usage": { "output_tokens": 4 } }));
    events.push(json!({ "type": "message_stop" }));
    events
}

/// A block as it begins, and the deltas that complete it.
fn cut(block: &Value) -> (Value, Vec<Value>) {
    let mut empty = block.clone();
    let halves = |kind: &str, field: &str, text: &str| {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let (first, second) = text.split_at(middle);
        [json!({ "type": kind, field: first }), json!({ "type": kind, field: second })].to_vec()
    };
    let text = |field: &str| block[field].as_str().unwrap();
    let deltas = match text("type") {
        "text" => {
            empty["text"] = "".into();
            halves("text_delta", "text", text("text"))
        }
        "thinking" => {
            empty["thinking"] = "".into();
            empty["signature"] = "".into();
            let mut deltas = halves("thinking_delta", "thinking", text("thinking"));
            deltas.push(json!({ "type": "signature_delta", "signature": block["signature"] }));
            deltas
        }
        "tool_use" => {
            empty["input"] = json!({});
            halves("input_json_delta", "partial_json", &block["input"].to_string())
        }
        _ => Vec::new(),
    };
    (empty, deltas)
}

/// Puts a stream's deltas together, as a client does.
fn gathered(pieces: &[Piece]) -> Value {
    let (mut message, mut finish, mut usage) = (Map::new(), Value::Null, Value::Null);
    for piece in pieces {
        let Piece::Chunk(chunk) = piece else { continue };
        if let Some(told) = chunk.get("usage") {
            usage = told.clone();
        }
        let Some(choice) = chunk["choices"].get(0) else { continue };
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
        for (field, value) in choice["delta"].as_object().unwrap() {
            gather(&mut message, field, value);
        }
    }
    json!({ "message": message, "finish_reason": finish, "usage": usage })
}

fn gather(message: &mut Map<String, Value>, field: &str, value: &Value) {
    match (message.get_mut(field), value) {
        (None, _) => drop(message.insert(field.to_owned(), value.clone())),
        (Some(Value::String(so_far)), Value::String(more)) => so_far.push_str(more),
        (Some(Value::Array(list)), Value::Array(more)) => {
            for item in more {
                match list.iter_mut().find(|known| known["index"] == item["index"]) {
                    Some(known) => {
                        let so_far = known["function"]["arguments"].as_str().unwrap().to_owned();
                        let more = item["function"]["arguments"].as_str().unwrap();
                        known["function"]["arguments"] = (so_far + more).into();
                    }
                    None => list.push(item.clone()),
                }
            }
        }
        other => panic!("{other:?}"),
    }
}

/// A completion as a client would have gathered it from a stream.
fn as_gathered(mut completion: Value) -> Value {
    let message = completion["choices"][0]["message"].as_object_mut().unwrap();
    message.shift_remove("refusal");
    if message["content"].is_null() {
        message["content"] = "".into();
    }
    if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
        for (index, call) in calls.iter_mut().enumerate() {
            call["index"] = index.into();
        }
    }
    json!({
        "message": completion["choices"][0]["message"],
        "finish_reason": completion["choices"][0]["finish_reason"],
        "usage": completion["usage"],
    })
}

proptest! {
    /// 58
    #[test]
    fn any_split_of_a_stream_gives_the_same_pieces(
        blocks in prop::collection::vec(block(), 0..5),
        at in any::<prop::sample::Index>(),
        and in any::<prop::sample::Index>(),
    ) {
        let text = written(&events(&message(&blocks)));
        let bytes = text.as_bytes();
        let (first, second) = (at.index(bytes.len()), and.index(bytes.len()));
        let (first, second) = (first.min(second), first.max(second));
        let split = [&bytes[..first], &bytes[first..second], &bytes[second..]];
        prop_assert_eq!(pieces(asked(), &split), pieces(asked(), &[bytes]));
    }

    #[test]
    fn a_stream_tells_what_the_whole_answer_tells(blocks in prop::collection::vec(block(), 0..5)) {
        let message = message(&blocks);
        let pieces = streamed(asked(), &events(&message));
        prop_assert_eq!(pieces.last(), Some(&Piece::Done));
        let whole = as_gathered(to_messages::reply(message, &asked()).unwrap());
        prop_assert_eq!(gathered(&pieces), whole);
    }

    /// What the model said comes back to it as it was, but for the order that Anthropic demands.
    #[test]
    fn an_answer_that_goes_back_is_what_was_said(blocks in prop::collection::vec(block(), 1..5)) {
        let mut completion = to_messages::reply(message(&blocks), &asked()).unwrap();
        let answer = completion["choices"][0]["message"].take();
        let user = |text: &str| json!({ "role": "user", "content": text });
        let chat = json!({ "messages": [user("Hi"), answer, user("So?")] });
        let mut body = sent(SONNET_4_5, chat).unwrap().body;
        let kind = |block: &Value, kinds: &[&str]| kinds.iter().any(|kind| block["type"] == *kind);
        let text: String = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
        let mut expected: Vec<_> =
            blocks.iter().filter(|block| kind(block, &["thinking", "redacted_thinking"])).cloned().collect();
        if !text.trim().is_empty() {
            expected.push(json!({ "type": "text", "text": text }));
        }
        expected.extend(blocks.iter().filter(|block| kind(block, &["tool_use"])).cloned());
        let back = if expected.is_empty() { json!([]) } else { body["messages"][1]["content"].take() };
        prop_assert_eq!(back, Value::Array(expected));
    }

    #[test]
    fn no_request_panics(chat in json(), messages in prop::collection::vec(json(), 0..4)) {
        drop(sent(SONNET_4_5, chat.clone()));
        let mut chat = if chat.is_object() { chat } else { json!({}) };
        chat["messages"] = messages.into();
        drop(sent(SONNET_4_5, chat.clone()));
        drop(sent(SONNET_4, chat));
    }

    #[test]
    fn no_message_of_a_known_role_panics(role in "(system|user|assistant|tool|function)", message in json()) {
        let mut message = if message.is_object() { message } else { json!({ "content": message }) };
        message["role"] = role.into();
        message["tool_call_id"] = "a".into();
        drop(sent(SONNET_4, json!({ "messages": [message] })));
    }

    #[test]
    fn no_answer_and_no_stream_panics(
        body in json(),
        events in prop::collection::vec((proptest::sample::select(WORDS), json()), 0..8),
    ) {
        let asked = Asked { json_tool: true, ..asked() };
        drop(to_messages::reply(json!({ "content": [body] }), &asked));
        drop(to_messages::reply(body, &asked));
        let text: String = events.iter().map(|(name, data)| format!("event: {name}\ndata: {data}\n\n")).collect();
        let pieces = pieces(asked, &[text.as_bytes()]);
        prop_assert!(matches!(pieces.last(), Some(Piece::Done | Piece::Failed(_))));
    }
}
