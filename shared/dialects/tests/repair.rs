//! Repair: what providers that call themselves compatible send, and what leaves. Numbers are those of the fixtures.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use twinlane_dialects::sse::Reader;
use twinlane_dialects::{Asked, Piece, ToChat, repair};

fn asked() -> Asked {
    Asked { model: "m".to_owned(), id: "1".to_owned(), created: 7, ..Asked::default() }
}

/// The pieces of a stream whose bytes come in these parts.
fn pieces(parts: &[&[u8]]) -> Vec<Piece> {
    let (mut reader, mut repair, mut out) = (Reader::default(), repair::stream(asked()), Vec::new());
    for part in parts {
        reader.push(part, |event| repair.event(event, &mut out)).unwrap();
    }
    reader.end(|event| repair.event(event, &mut out));
    repair.end(&mut out);
    out
}

fn chunk(choice: Value) -> Value {
    json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice] })
}

fn delta(delta: Value) -> Value {
    chunk(json!({ "index": 0, "delta": delta, "finish_reason": null }))
}

fn finish(reason: &str) -> Value {
    chunk(json!({ "index": 0, "delta": {}, "finish_reason": reason }))
}

fn lines(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

fn of(chunks: &[Value]) -> Vec<Piece> {
    pieces(&[lines(chunks).as_bytes(), b"data: [DONE]\n\n"])
}

/// The deltas of the chunks' first choices, and how the stream ended.
fn deltas(pieces: &[Piece]) -> Vec<Value> {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Chunk(chunk) => match &chunk["choices"][0] {
                choice if choice["finish_reason"].is_string() => choice["finish_reason"].clone(),
                Value::Null => json!({ "usage": chunk["usage"] }),
                choice => choice["delta"].clone(),
            },
            Piece::Done => json!("DONE"),
            Piece::Failed(told) => json!({ "failed": told.code }),
            Piece::Ping => json!("PING"),
        })
        .collect()
}

fn check(chunks: &[Value], expected: Value) {
    assert_eq!(Value::from(deltas(&of(chunks))), expected);
}

fn call(index: Value, id: Value, name: Value, arguments: Value) -> Value {
    let mut call = json!({ "function": {} });
    for (field, value) in [("index", index), ("id", id)] {
        if !value.is_null() {
            call[field] = value;
        }
    }
    for (field, value) in [("name", name), ("arguments", arguments)] {
        if !value.is_null() {
            call["function"][field] = value;
        }
    }
    delta(json!({ "tool_calls": [call] }))
}

fn begun(index: u64, id: &str, name: &str, arguments: &str) -> Value {
    json!({ "tool_calls": [{
        "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": arguments },
    }] })
}

fn more(index: u64, arguments: &str) -> Value {
    json!({ "tool_calls": [{ "index": index, "function": { "arguments": arguments } }] })
}

const NULL: Value = Value::Null;

#[test]
fn f33_a_clean_stream_passes() {
    let chunks = [
        delta(json!({ "role": "assistant", "content": "" })),
        delta(json!({ "content": "hi" })),
        finish("stop"),
    ];
    let mut expected: Vec<_> = chunks.iter().cloned().map(Piece::Chunk).collect();
    expected.push(Piece::Done);
    assert_eq!(of(&chunks), expected);
}

#[test]
fn f34_geminis_tool_calls_without_index_are_numbered_and_end_in_tool_calls() {
    let calls = delta(json!({ "role": "assistant", "tool_calls": [
        { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } },
        { "id": "b", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } },
    ] }));
    check(
        &[calls, finish("stop")],
        json!([
            { "role": "assistant", "tool_calls": [
                { "index": 0, "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } },
                { "index": 1, "id": "b", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } },
            ] },
            "tool_calls",
            "DONE",
        ]),
    );
}

#[test]
fn f34_geminis_array_error_ends_the_stream() {
    let error = json!([{ "error": { "code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED" } }]);
    check(
        &[delta(json!({ "content": "a" })), error],
        json!([{ "content": "a" }, { "failed": "RESOURCE_EXHAUSTED" }]),
    );
}

#[test]
fn f36_name_and_arguments_in_one_chunk_stay_together() {
    check(
        &[call(json!(0), json!("a"), json!("f"), json!("{\"x\":1}")), finish("tool_calls")],
        json!([begun(0, "a", "f", "{\"x\":1}"), "tool_calls", "DONE"]),
    );
}

#[test]
fn f37_content_beside_no_tool_calls_is_content() {
    check(
        &[
            delta(json!({ "content": "a", "tool_calls": [] })),
            delta(json!({ "content": "b", "tool_calls": null })),
            finish("stop"),
        ],
        json!([{ "content": "a" }, { "content": "b" }, "stop", "DONE"]),
    );
}

#[test]
fn f39_an_empty_reason_is_none() {
    check(
        &[chunk(json!({ "index": 0, "delta": { "content": "a" }, "finish_reason": "" })), finish("stop")],
        json!([{ "content": "a" }, "stop", "DONE"]),
    );
}

#[test]
fn f40_usage_leaves_in_a_last_chunk_wherever_it_came() {
    let usage = |completion: u64| json!({ "prompt_tokens": 3, "completion_tokens": completion, "total_tokens": 9, "cost": 0.1 });
    let with = |mut chunk: Value, usage: Value| {
        chunk["usage"] = usage;
        chunk
    };
    let alone = with(json!({ "id": "c", "model": "m", "created": 1, "choices": [] }), usage(2));
    let expected = json!([{ "content": "a" }, "stop", { "usage": usage(2) }, "DONE"]);
    let text = || delta(json!({ "content": "a" }));
    check(&[text(), finish("stop"), alone], expected.clone());
    check(&[text(), with(finish("stop"), usage(2))], expected.clone());
    check(&[with(text(), usage(1)), with(finish("stop"), usage(2))], expected.clone());
    check(&[with(text(), NULL), with(finish("stop"), usage(2)), with(delta(json!({})), json!({}))], expected);
    let groq = json!({ "id": "c", "choices": [], "x_groq": { "usage": usage(2) } });
    check(
        &[text(), finish("stop"), groq],
        json!([{ "content": "a" }, "stop", { "usage": usage(2) }, "DONE"]),
    );
    check(&[text(), finish("stop")], json!([{ "content": "a" }, "stop", "DONE"]));
}

#[test]
fn f41_reasoning_alone_passes() {
    check(
        &[delta(json!({ "reasoning_content": "hm" })), finish("length")],
        json!([{ "reasoning_content": "hm" }, "length", "DONE"]),
    );
}

#[test]
fn f42_interleaved_calls_keep_their_numbers() {
    check(
        &[
            call(json!(1), json!("a"), json!("f"), json!("")),
            call(json!(2), json!("b"), json!("g"), json!("")),
            call(json!(1), NULL, NULL, json!("{}")),
            call(json!(2), json!("b"), json!("g"), json!("[]")),
            finish("tool_use"),
        ],
        json!([
            begun(0, "a", "f", ""),
            begun(1, "b", "g", ""),
            more(0, "{}"),
            more(1, "[]"),
            "tool_calls",
            "DONE"
        ]),
    );
}

#[test]
fn f43_fragments_without_index_go_on_with_their_call() {
    check(
        &[
            call(NULL, json!("a"), json!("f"), json!("{")),
            call(NULL, NULL, NULL, json!("}")),
            call(NULL, NULL, json!("g"), json!("{}")),
            call(NULL, json!("a"), NULL, json!(" ")),
            finish("eos"),
        ],
        json!([
            begun(0, "a", "f", "{"),
            more(0, "}"),
            begun(1, "call_1_0_1", "g", "{}"),
            more(0, " "),
            "tool_calls",
            "DONE"
        ]),
    );
}

#[test]
fn calls_that_are_all_numbered_nought_are_told_apart_by_their_ids() {
    check(
        &[
            call(json!(0), json!("a"), json!("f"), json!("{}")),
            call(json!(0), json!("b"), json!("f"), json!("{")),
            call(json!(0), NULL, NULL, json!("}")),
            finish("stop"),
        ],
        json!([begun(0, "a", "f", "{}"), begun(1, "b", "f", "{"), more(1, "}"), "tool_calls", "DONE"]),
    );
}

#[test]
fn arguments_are_strings() {
    check(
        &[call(json!(0), json!("a"), json!("f"), json!({ "x": 1.5 })), finish("tool_calls")],
        json!([begun(0, "a", "f", "{\"x\":1.5}"), "tool_calls", "DONE"]),
    );
}

#[test]
fn f44_an_error_in_the_stream_ends_it() {
    let error = json!({ "error": { "code": 502, "message": "Provider gone" }, "choices": [{ "finish_reason": "error" }] });
    check(&[error, delta(json!({ "content": "late" }))], json!([{ "failed": "502" }]));
    let in_choice =
        chunk(json!({ "index": 0, "error": { "code": 429, "message": "m" }, "finish_reason": "error" }));
    check(&[in_choice], json!([{ "failed": "429" }]));
    let named = deltas(&pieces(&[b"event: error\ndata: {\"message\":\"m\",\"code\":\"x\"}\n\n"]));
    assert_eq!(named, [json!({ "failed": "x" })]);
    assert_eq!(deltas(&pieces(&[b"event: error\ndata: gone\n\n"])), [json!({ "failed": "upstream_error" })]);
}

#[test]
fn f45_a_stream_without_its_finish_is_no_answer() {
    let cut = json!([{ "content": "a" }, { "failed": "stream_truncated" }]);
    check(&[delta(json!({ "content": "a" }))], cut.clone());
    let text = lines(&[delta(json!({ "content": "a" }))]);
    assert_eq!(Value::from(deltas(&pieces(&[text.as_bytes()]))), cut);
    assert_eq!(deltas(&pieces(&[])), [json!({ "failed": "stream_truncated" })]);
    let second = chunk(json!({ "index": 1, "delta": { "content": "b" }, "finish_reason": null }));
    check(&[finish("stop"), second], json!(["stop", { "content": "b" }, { "failed": "stream_truncated" }]));
}

#[test]
fn a_finished_stream_needs_no_done() {
    let text = lines(&[finish("stop")]);
    assert_eq!(deltas(&pieces(&[text.as_bytes()])), [json!("stop"), json!("DONE")]);
}

#[test]
fn reasons_are_openais_and_the_providers_own_stands_beside() {
    let check = |native: &str, reason: &str| {
        let Piece::Chunk(chunk) = of(&[finish(native)]).remove(0) else { panic!("{native}") };
        assert_eq!(chunk["choices"][0]["finish_reason"], reason, "{native}");
        let told = &chunk["choices"][0]["native_finish_reason"];
        assert_eq!(told.as_str(), (native != reason).then_some(native));
    };
    for same in ["stop", "length", "tool_calls", "content_filter", "function_call"] {
        check(same, same);
    }
    for stop in
        ["eos", "end_turn", "COMPLETE", "stop_sequence", "insufficient_system_resource", "error", "what"]
    {
        check(stop, "stop");
    }
    check("model_length", "length");
    check("max_tokens", "length");
    check("tool_use", "tool_calls");
}

#[test]
fn nothing_follows_a_finish() {
    check(&[finish("stop"), delta(json!({ "content": "late" })), finish("length")], json!(["stop", "DONE"]));
    let after_done =
        pieces(&[lines(&[finish("stop")]).as_bytes(), b"data: [DONE]\n\ndata: {\"error\":\"late\"}\n\n"]);
    assert_eq!(deltas(&after_done), [json!("stop"), json!("DONE")]);
}

#[test]
fn what_is_missing_is_put_there() {
    let bare = json!({ "choices": [{ "finish_reason": "stop" }] });
    let expected = json!({
        "choices": [{ "finish_reason": "stop", "index": 0, "delta": {} }],
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m",
    });
    assert_eq!(of(&[bare]), [Piece::Chunk(expected), Piece::Done]);
    check(
        &[json!({ "id": "c" }), json!({ "choices": null }), json!(7), finish("stop")],
        json!(["stop", "DONE"]),
    );
}

#[test]
fn the_first_id_and_role_are_the_only_ones() {
    let with_id = |id: &str, mut chunk: Value| {
        chunk["id"] = id.into();
        chunk
    };
    let said = |content: &str| delta(json!({ "role": "assistant", "content": content }));
    let read = of(&[with_id("x", said("a")), with_id("y", said("b")), with_id("z", finish("stop"))]);
    let ids = read.iter().filter_map(|piece| match piece {
        Piece::Chunk(chunk) => chunk["id"].as_str(),
        _ => None,
    });
    assert_eq!(ids.collect::<Vec<_>>(), ["x", "x", "x"]);
    assert_eq!(
        deltas(&read)[..2],
        [json!({ "role": "assistant", "content": "a" }), json!({ "content": "b" })]
    );
}

#[test]
fn azures_verdict_on_the_prompt_passes() {
    let verdict = json!({
        "id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{ "prompt_index": 0 }],
    });
    let read = of(&[verdict, finish("stop")]);
    let Piece::Chunk(first) = &read[0] else { panic!("{read:?}") };
    assert_eq!(
        (&first["choices"], &first["prompt_filter_results"][0]["prompt_index"]),
        (&json!([]), &json!(0))
    );
}

#[test]
fn mistrals_parts_are_content_and_reasoning() {
    let thinking =
        json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] }] });
    let text = json!({ "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] });
    check(
        &[delta(thinking), delta(text), finish("stop")],
        json!([{ "content": null, "reasoning_content": "hm" }, { "content": "ab" }, "stop", "DONE"]),
    );
}

#[test]
fn f59_streams_are_read_however_they_are_spelt() {
    let expected = of(&[delta(json!({ "content": "é" })), finish("stop")]);
    let (first, last) = (delta(json!({ "content": "é" })), finish("stop"));
    for text in [
        format!("data: {first}\r\n\r\ndata: {last}\r\n\r\ndata: [DONE]\r\n\r\n"),
        format!(
            "\u{feff}: hello\n\ndata:{first}\n\n: OPENROUTER PROCESSING\n\ndata:{last}\n\ndata:[DONE]\n\n"
        ),
        format!("id: 1\nevent: message\ndata: {first}\r\rdata: {last}\r\r"),
        format!(
            "data: {}\n\ndata: {last}\n\n",
            serde_json::to_string_pretty(&first).unwrap().replace('\n', "\ndata: ")
        ),
        format!("data: {first}\n\ndata: no json\n\ndata: {last}\n\ndata: [DONE]"),
    ] {
        assert_eq!(pieces(&[text.as_bytes()]), expected, "{text}");
    }
}

#[test]
fn f59_an_event_of_a_megabyte_passes() {
    let text = "x".repeat(1 << 20);
    check(&[delta(json!({ "content": text })), finish("stop")], json!([{ "content": text }, "stop", "DONE"]));
}

#[test]
fn a_whole_completion_is_put_right() {
    let body = json!({ "choices": [
        {
            "message": { "tool_calls": [{ "function": { "name": "f", "arguments": { "x": 1 } } }] },
            "finish_reason": "stop",
        },
        { "message": { "content": [{ "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "a" }] } },
        { "message": { "role": "assistant", "content": "b", "tool_calls": [] }, "finish_reason": "max_tokens" },
    ] });
    let expected = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "m", "choices": [
            {
                "index": 0,
                "message": { "role": "assistant", "content": null, "tool_calls": [{
                    "id": "call_1_0_0", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" },
                }] },
                "finish_reason": "tool_calls", "native_finish_reason": "stop",
            },
            {
                "index": 1, "message": { "role": "assistant", "content": "a", "reasoning_content": "hm" },
                "finish_reason": "stop",
            },
            {
                "index": 2, "message": { "role": "assistant", "content": "b" },
                "finish_reason": "length", "native_finish_reason": "max_tokens",
            },
        ],
    });
    assert_eq!(repair::completion(body, &asked()), expected);
    assert_eq!(repair::completion(expected.clone(), &asked()), expected);
}

/// Events like those that providers send, in any order.
fn any_stream() -> impl Strategy<Value = String> {
    let event = prop_oneof![
        Just(lines(&[delta(json!({ "content": "é" }))])),
        Just(lines(&[call(json!(0), json!("a"), json!("f"), json!("{}"))])),
        Just(lines(&[call(NULL, NULL, NULL, json!("}"))])),
        Just(lines(&[finish("stop")])),
        Just(lines(&[finish("")])),
        Just(lines(&[json!({ "error": "x" })])),
        Just(lines(&[json!({ "choices": [], "usage": { "prompt_tokens": 1 } })])),
        Just("data: [DONE]\r\n\r\n".to_owned()),
        Just(": comment\n\n".to_owned()),
        Just("data: {\ndata: }\n\n".to_owned()),
    ];
    proptest::collection::vec(event, 0..8).prop_map(|events| events.concat())
}

/// Any JSON, with the names of fields that mean something.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,4}|stop|text|thinking|error".prop_map(Value::from),
    ];
    let name = "choices|delta|message|tool_calls|function|arguments|name|id|index|content|usage|error|code|type|\
        finish_reason|thinking|text|x_groq|role";
    leaf.prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn f58_any_split_of_the_bytes_gives_the_same_pieces(text in any_stream(), at in 0usize..2000, and in 0usize..2000) {
        let bytes = text.as_bytes();
        let (first, second) = (at.min(and).min(bytes.len()), at.max(and).min(bytes.len()));
        let split = pieces(&[&bytes[..first], &bytes[first..second], &bytes[second..]]);
        prop_assert_eq!(split, pieces(&[bytes]));
    }

    #[test]
    fn no_event_panics_and_every_stream_ends_once(events in proptest::collection::vec(any_json(), 0..5)) {
        let read = of(&events);
        let ends = read.iter().filter(|piece| matches!(piece, Piece::Done | Piece::Failed(_))).count();
        prop_assert_eq!(ends, 1);
        prop_assert!(matches!(read.last(), Some(Piece::Done | Piece::Failed(_))));
    }

    #[test]
    fn no_completion_panics(body in any_json()) {
        let completion = repair::completion(body, &asked());
        prop_assert!(completion["choices"].is_array());
    }
}
