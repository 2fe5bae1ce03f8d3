//! What the tests of the three parts have in common, and what holds for any input. Numbers at the tests are those of the
//! specification's fixtures.

mod replies;
mod requests;
mod streams;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::from_messages::{for_counting, reply, request, stream};
use crate::{Asked, FromChat, Outgoing, Piece, Quirks, Refusal, Target, sse};

const NONE: Quirks = Quirks::NONE;

fn target(quirks: Quirks) -> Target<'static> {
    Target { model: "gpt-x", asked_model: "openai/gpt-x", quirks, id: "call1", now: 7 }
}

fn asked() -> Asked {
    let target = target(NONE);
    Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        prompt_estimate: 5,
        ..Asked::default()
    }
}

fn sent(body: Value, quirks: Quirks) -> Result<Outgoing, Refusal> {
    for_counting(body, &target(quirks))
}

fn completion(message: Value, finish: &str, usage: Value) -> Value {
    let mut completion = json!({
        "id": "chatcmpl-9", "model": "gpt-x-1", "choices": [{ "index": 0, "finish_reason": finish }],
    });
    completion["usage"] = usage;
    completion["choices"][0]["message"] = message;
    completion
}

/// The stream of these pieces, as `name data` per event.
fn events(pieces: Vec<Piece>) -> Vec<Value> {
    let (mut stream, mut out) = (stream(asked()), Vec::new());
    for piece in pieces {
        stream.piece(piece, &mut out);
    }
    let (mut reader, mut events) = (sse::Reader::default(), Vec::new());
    let mut keep = |event: &sse::Event<'_>| {
        let data: Value = serde_json::from_str(event.data).unwrap();
        // 49.
        assert_eq!(data["type"], event.name);
        events.push(data);
    };
    reader.push(&out, &mut keep).unwrap();
    assert!(out.is_empty() || out.ends_with(b"\n\n"), "whole events only");
    events
}

fn chunk(delta: Value) -> Piece {
    let mut chunk = json!({ "id": "chatcmpl-9", "model": "m", "choices": [{ "index": 0 }] });
    chunk["choices"][0]["delta"] = delta;
    Piece::Chunk(chunk)
}

fn finish(reason: &str) -> Piece {
    Piece::Chunk(json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }))
}

fn call(call: Value) -> Piece {
    let mut delta = json!({ "tool_calls": [null] });
    delta["tool_calls"][0] = call;
    chunk(delta)
}

/// What a client puts together from the events' text, by block.
fn sums(events: &[Value]) -> Vec<String> {
    let mut sums: Vec<String> = Vec::new();
    for event in events {
        let at = usize::try_from(event["index"].as_u64().unwrap_or_default()).unwrap();
        match event["type"].as_str().unwrap() {
            "content_block_start" => sums.push(String::new()),
            "content_block_delta" => {
                let delta = event["delta"].as_object().unwrap();
                sums[at].push_str(delta.values().nth(1).unwrap().as_str().unwrap());
            }
            _ => {}
        }
    }
    sums
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "(text|image|base64|url|user|assistant|tool_use|tool_result|auto|document|)".prop_map(Value::from),
    ];
    let name = "(messages|content|role|type|source|system|tools|name|input_schema|tool_choice|thinking|max_tokens\
        |output_config|format|metadata|stop_sequences|stream|input|text|id|tool_use_id|index|delta|choices|usage\
        |tool_calls|function|arguments|finish_reason|reasoning_details|error|message)";
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
        let _ = request(body.clone(), &target(NONE));
        let _ = for_counting(body.clone(), &target(Quirks { cache_control: true, file_parts: true, ..NONE }));
        prop_assert!(reply(body, &asked())["content"].is_array());
        events(chunks.into_iter().map(Piece::Chunk).chain([Piece::Done]).collect());
    }

    #[test]
    fn however_calls_are_cut_and_mixed_their_arguments_arrive_whole(
        order in prop::collection::vec((0u64..3, 1usize..9), 0..40),
    ) {
        let arguments = ["{\"city\":\"Zürich\",\"n\":[1,{\"a\":2}]}", "{}", "{\"s\":\"}{\"}"];
        let mut rest: Vec<Vec<char>> = arguments.iter().map(|text| text.chars().collect()).collect();
        let mut pieces = vec![];
        for n in 0u64..3 {
            pieces.push(call(json!({ "index": n, "id": format!("c{n}"), "function": { "name": "f", "arguments": "" } })));
        }
        for (n, len) in order.into_iter().chain([(0, 99), (1, 99), (2, 99)]) {
            let rest = &mut rest[usize::try_from(n).unwrap()];
            let part: String = rest.drain(..len.min(rest.len())).collect();
            pieces.push(call(json!({ "index": n, "function": { "arguments": part } })));
        }
        pieces.extend([finish("tool_calls"), Piece::Done]);
        prop_assert_eq!(sums(&events(pieces)), arguments);
    }

    #[test]
    fn what_was_answered_comes_back_as_it_was_said(
        said in "[a-z ]{0,9}", thought in "[a-z ]{0,9}", names in prop::collection::vec("[a-z]{1,5}", 0..3),
    ) {
        let calls: Vec<_> = names.iter().enumerate().map(|(at, name)| json!({
            "id": format!("c{at}"), "type": "function", "function": { "name": name, "arguments": "{\"a\":1.0}" },
        })).collect();
        let content = if said.is_empty() && !calls.is_empty() { Value::Null } else { said.into() };
        let mut message = json!({ "role": "assistant", "content": content });
        if !thought.is_empty() {
            message["reasoning_content"] = thought.into();
        }
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        let answer = reply(completion(message.clone(), "stop", Value::Null), &asked());
        let next = json!({ "messages": [{ "role": "assistant", "content": answer["content"] }] });
        let sent = sent(next, Quirks { reasoning_echo: true, ..NONE }).unwrap();
        prop_assert_eq!(&sent.body["messages"][0], &message);
    }
}
