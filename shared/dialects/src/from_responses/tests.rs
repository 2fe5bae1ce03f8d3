//! What the tests of the three parts have in common, and what holds for any input. Numbers at the tests are those of the
//! specification's fixtures.

mod replies;
mod requests;
mod streams;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::from_responses::{reply, request, stream};
use crate::{Asked, FromChat, Outgoing, Piece, Quirks, Refusal, Target, sse};

const NONE: Quirks = Quirks::NONE;

fn target(quirks: Quirks) -> Target<'static> {
    Target { model: "m", asked_model: "p/m", quirks, id: "call1", now: 7 }
}

fn asked() -> Asked {
    Asked { model: "p/m".to_owned(), id: "call1".to_owned(), created: 7, ..Asked::default() }
}

fn sent(body: Value, quirks: Quirks) -> Result<Outgoing, Refusal> {
    request(body, &target(quirks))
}

fn completion(message: Value, finish: &str) -> Value {
    let mut completion = json!({
        "id": "chatcmpl-9", "model": "m1", "created": 11,
        "choices": [{ "index": 0, "finish_reason": finish }],
        "usage": { "prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8,
            "prompt_tokens_details": { "cached_tokens": 2 }, "completion_tokens_details": { "reasoning_tokens": 1 } },
    });
    completion["choices"][0]["message"] = message;
    completion
}

fn events_of(asked: Asked, pieces: Vec<Piece>) -> Vec<Value> {
    let (mut stream, mut out) = (stream(asked), Vec::new());
    for piece in pieces {
        stream.piece(piece, &mut out);
    }
    let (mut reader, mut events) = (sse::Reader::default(), Vec::new());
    let keep = |event: &sse::Event<'_>| {
        let data: Value = serde_json::from_str(event.data).unwrap();
        assert_eq!(data["type"], event.name);
        assert_eq!(data["sequence_number"], events.len());
        events.push(data);
    };
    reader.push(&out, keep).unwrap();
    events
}

fn events(pieces: Vec<Piece>) -> Vec<Value> {
    events_of(asked(), pieces)
}

fn chunk(delta: Value) -> Piece {
    let mut chunk = json!({ "id": "chatcmpl-9", "model": "m1", "created": 11, "choices": [{ "index": 0 }] });
    chunk["choices"][0]["delta"] = delta;
    Piece::Chunk(chunk)
}

fn call(call: Value) -> Piece {
    let mut delta = json!({ "tool_calls": [null] });
    delta["tool_calls"][0] = call;
    chunk(delta)
}

fn finish(reason: &str) -> Piece {
    Piece::Chunk(json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }], "usage": {
        "prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8,
    } }))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "(message|input_text|input_image|user|assistant|function|custom|function_call|function_call_output|reasoning|auto|)"
            .prop_map(Value::from),
    ];
    let name = "(input|content|role|type|text|format|tools|name|parameters|tool_choice|reasoning|output|call_id|arguments\
        |summary|image_url|index|delta|choices|usage|tool_calls|function|finish_reason|reasoning_details|error|message)";
    leaf.prop_recursive(5, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_is_json_makes_it_panic(body in any_json(), chunks in prop::collection::vec(any_json(), 0..4)) {
        let _ = sent(body.clone(), NONE);
        let _ = sent(body.clone(), Quirks { reasoning_echo: true, reasoning_details: true, file_parts: true, ..NONE });
        prop_assert!(reply(body, &asked())["output"].is_array());
        events(chunks.into_iter().map(Piece::Chunk).chain([Piece::Done]).collect());
    }

    #[test]
    fn what_was_answered_comes_back_as_it_was_said(
        said in "[a-z ]{1,9}", thought in "[a-z ]{0,9}", names in prop::collection::vec("[a-z]{1,5}", 0..3),
    ) {
        let calls: Vec<_> = names.iter().enumerate().map(|(at, name)| json!({
            "id": format!("c{at}"), "type": "function", "function": { "name": name, "arguments": "{\"a\":1.0}" },
        })).collect();
        let mut message = json!({ "role": "assistant", "content": said });
        if !thought.is_empty() {
            message["reasoning_content"] = thought.into();
        }
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        let answer = reply(completion(message.clone(), "stop"), &asked());
        let sent = sent(json!({ "input": answer["output"] }), Quirks { reasoning_echo: true, ..NONE }).unwrap();
        prop_assert_eq!(&sent.body["messages"][0], &message);
    }
}
