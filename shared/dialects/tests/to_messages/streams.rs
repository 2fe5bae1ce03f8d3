use serde_json::{Value, json};
use twinlane_dialects::{Asked, Piece, Told};

use crate::{asked, pieces, streamed};

fn start() -> Value {
    json!({ "type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-real", "content": [],
        "usage": { "input_tokens": 3, "cache_read_input_tokens": 100, "output_tokens": 1 },
    } })
}

fn open(index: u64, block: Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: u64, delta: Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn close(index: u64) -> Value {
    json!({ "type": "content_block_stop", "index": index })
}

fn finish(stop_reason: &str, usage: Value) -> [Value; 2] {
    [
        json!({ "type": "message_delta", "delta": { "stop_reason": stop_reason }, "usage": usage }),
        json!({ "type": "message_stop" }),
    ]
}

/// A whole stream around these events.
fn whole(events: &[Value], stop_reason: &str) -> Vec<Value> {
    [&[start()], events, &finish(stop_reason, json!({ "output_tokens": 9 }))].concat()
}

fn chunk(choice: Value) -> Piece {
    Piece::Chunk(json!({
        "id": "msg_1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "claude-real",
        "choices": [choice],
    }))
}

fn said(delta: Value) -> Piece {
    chunk(json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": null }))
}

fn ended(reason: &str, native: &str) -> Piece {
    chunk(json!({
        "index": 0, "delta": {}, "logprobs": null, "finish_reason": reason, "native_finish_reason": native,
    }))
}

/// The deltas of a stream of these events, between the role and the finish.
fn deltas(asked: Asked, events: &[Value]) -> Vec<Value> {
    let pieces = streamed(asked, &whole(events, "end_turn"));
    let delta = |piece: &Piece| match piece {
        Piece::Chunk(chunk) => chunk["choices"][0]["delta"].clone(),
        _ => Value::Null,
    };
    let deltas: Vec<_> = pieces.iter().map(delta).collect();
    assert_eq!(deltas[0], json!({ "role": "assistant", "content": "" }));
    assert_eq!(pieces.last(), Some(&Piece::Done));
    // Behind: the finish, the usage, Done.
    deltas[1..deltas.len() - 3].to_vec()
}

fn usage(pieces: &[Piece]) -> Vec<Value> {
    let usage = |piece: &Piece| match piece {
        Piece::Chunk(chunk) => chunk.get("usage").cloned(),
        _ => None,
    };
    pieces.iter().filter_map(usage).collect()
}

fn tool(index: u64, id: &str) -> Value {
    open(index, json!({ "type": "tool_use", "id": id, "name": "get", "input": {} }))
}

fn arguments(index: u64, json: &str) -> Value {
    delta(index, json!({ "type": "input_json_delta", "partial_json": json }))
}

fn called(n: u64, id: &str) -> Value {
    json!({ "tool_calls": [{
        "index": n, "id": id, "type": "function", "function": { "name": "get", "arguments": "" },
    }] })
}

fn argued(n: u64, fragment: &str) -> Value {
    json!({ "tool_calls": [{ "index": n, "function": { "arguments": fragment } }] })
}

/// 15, 23
#[test]
fn a_stream_tells_thoughts_words_and_calls_in_order() {
    let events = [
        json!({ "type": "ping" }),
        open(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(0, json!({ "type": "thinking_delta", "thinking": "Hm." })),
        delta(0, json!({ "type": "signature_delta", "signature": "s" })),
        close(0),
        open(1, json!({ "type": "redacted_thinking", "data": "d" })),
        close(1),
        open(2, json!({ "type": "text", "text": "" })),
        delta(2, json!({ "type": "text_delta", "text": "I look." })),
        close(2),
        tool(3, "toolu_1"),
        arguments(3, "{\"n\":"),
        arguments(3, "1}"),
        close(3),
        tool(4, "toolu_2"),
        arguments(4, "{}"),
        close(4),
    ];
    let pieces = streamed(asked(), &whole(&events, "tool_use"));
    let usage = json!({
        "id": "msg_1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "claude-real",
        "choices": [],
        "usage": {
            "prompt_tokens": 103, "completion_tokens": 9, "total_tokens": 112,
            "prompt_tokens_details": { "cached_tokens": 100 },
            "completion_tokens_details": { "reasoning_tokens": 0 },
        },
    });
    let thought = json!({ "type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 0 });
    let sealed = json!({ "type": "reasoning.encrypted", "data": "d", "index": 1 });
    assert_eq!(
        pieces,
        [
            said(json!({ "role": "assistant", "content": "" })),
            Piece::Ping,
            said(json!({ "reasoning_content": "Hm." })),
            said(json!({ "reasoning_details": [thought] })),
            said(json!({ "reasoning_details": [sealed] })),
            said(json!({ "content": "I look." })),
            said(called(0, "toolu_1")),
            said(argued(0, "{\"n\":")),
            said(argued(0, "1}")),
            said(called(1, "toolu_2")),
            said(argued(1, "{}")),
            ended("tool_calls", "tool_use"),
            Piece::Chunk(usage),
            Piece::Done,
        ]
    );
}

/// 16, 17
#[test]
fn arguments_are_whole_however_they_come() {
    let check = |events: &[Value], fragments: &[&str]| {
        let mut expected = vec![called(0, "a")];
        expected.extend(fragments.iter().map(|fragment| argued(0, fragment)));
        assert_eq!(deltas(asked(), events), expected, "{events:?}");
    };
    check(&[tool(1, "a"), close(1)], &["{}"]);
    check(&[tool(1, "a"), arguments(1, ""), close(1)], &["{}"]);
    check(&[tool(1, "a"), arguments(1, ""), arguments(1, "{\"n\":1}"), close(1)], &["{\"n\":1}"]);
    let at_once = open(1, json!({ "type": "tool_use", "id": "a", "name": "get", "input": { "n": 1 } }));
    check(&[at_once, close(1)], &["{\"n\":1}"]);
    check(&[tool(1, "a"), arguments(7, "{}"), arguments(1, "{ }"), close(1)], &["{ }"]);
}

/// 18
#[test]
fn blocks_that_are_not_the_clients_are_passed_over_with_their_deltas() {
    let events = [
        open(0, json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": {} })),
        arguments(0, "{\"query\":\"x\"}"),
        close(0),
        open(1, json!({ "type": "web_search_tool_result", "tool_use_id": "s", "content": [] })),
        close(1),
        open(2, json!({ "type": "hologram" })),
        delta(2, json!({ "type": "text_delta", "text": "no" })),
        close(2),
        open(3, json!({ "type": "text", "text": "So" })),
        delta(3, json!({ "type": "citations_delta", "citation": { "type": "char_location" } })),
        delta(3, json!({ "type": "text_delta", "text": ": yes." })),
        close(3),
        json!({ "type": "something_new" }),
    ];
    assert_eq!(deltas(asked(), &events), [json!({ "content": "So" }), json!({ "content": ": yes." })]);
}

/// 19
#[test]
fn a_refusal_in_a_stream_says_why() {
    let details = json!({ "type": "refusal", "category": null, "explanation": "No." });
    let events = [
        start(),
        json!({ "type": "message_delta", "delta": { "stop_reason": "refusal", "stop_details": details } }),
        json!({ "type": "message_stop" }),
    ];
    let pieces = streamed(asked(), &events);
    assert_eq!(pieces[1..3], [said(json!({ "refusal": "No." })), ended("content_filter", "refusal")]);
}

/// 20
#[test]
fn usage_is_told_once_and_the_last_word_counts() {
    let check = |deltas: &[Value], prompt: u64, cached: u64, completion: u64| {
        let mut events = vec![start()];
        events.extend(
            deltas.iter().map(|usage| json!({ "type": "message_delta", "delta": {}, "usage": usage })),
        );
        events.push(json!({ "type": "message_stop" }));
        let told = usage(&streamed(asked(), &events));
        assert_eq!(told.len(), 1);
        let told = &told[0];
        assert_eq!(told["prompt_tokens"], prompt, "{deltas:?}");
        assert_eq!(told["prompt_tokens_details"]["cached_tokens"], cached, "{deltas:?}");
        assert_eq!(told["completion_tokens"], completion, "{deltas:?}");
        assert_eq!(told["total_tokens"], prompt + completion, "{deltas:?}");
    };
    check(&[json!({ "output_tokens": 9 })], 103, 100, 9);
    check(&[json!({ "input_tokens": null, "output_tokens": 9 })], 103, 100, 9);
    check(&[json!({ "output_tokens": 5 }), json!({ "output_tokens": 9 })], 103, 100, 9);
    check(
        &[json!({ "input_tokens": 3883, "cache_read_input_tokens": 30464, "output_tokens": 9 })],
        34347,
        30464,
        9,
    );
    check(&[], 103, 100, 1);
}

#[test]
fn unknown_usage_is_not_told_as_none() {
    let events = [
        json!({ "type": "message_start", "message": { "id": "msg_1", "model": "m" } }),
        json!({ "type": "message_stop" }),
    ];
    let pieces = streamed(asked(), &events);
    assert_eq!(usage(&pieces), Vec::<Value>::new());
    assert_eq!(pieces.last(), Some(&Piece::Done));
}

fn failed(pieces: &[Piece]) -> &Told {
    match pieces.last() {
        Some(Piece::Failed(told)) => told,
        other => panic!("{other:?}"),
    }
}

/// 21
#[test]
fn an_error_ends_the_stream_as_an_error() {
    let check = |named: &str, status: u16, kind: &str| {
        let error = json!({ "type": "error", "error": { "type": named, "message": "No more." } });
        let events = [start(), open(0, json!({ "type": "text", "text": "I" })), error, close(0)];
        let pieces = streamed(asked(), &[&events[..], &finish("end_turn", json!({}))].concat());
        let told = failed(&pieces);
        assert_eq!((told.status, told.kind.as_str()), (status, kind), "{named}");
        assert_eq!((told.message.as_str(), told.code.as_deref()), ("No more.", Some(named)));
        assert_eq!(pieces.len(), 3);
    };
    check("invalid_request_error", 400, "invalid_request_error");
    check("authentication_error", 401, "authentication_error");
    check("billing_error", 402, "insufficient_quota");
    check("permission_error", 403, "permission_error");
    check("not_found_error", 404, "not_found_error");
    check("request_too_large", 413, "invalid_request_error");
    check("rate_limit_error", 429, "rate_limit_error");
    check("api_error", 500, "api_error");
    check("timeout_error", 504, "timeout_error");
    check("overloaded_error", 529, "overloaded_error");
}

/// 22
#[test]
fn a_stream_that_is_cut_is_never_a_clean_end() {
    let events = whole(&[tool(0, "a"), arguments(0, "{\"n\":1}"), close(0)], "tool_use");
    for cut in 0..events.len() {
        let pieces = streamed(asked(), &events[..cut]);
        let told = failed(&pieces);
        assert_eq!((told.status, told.kind.as_str()), (502, "upstream_error"), "{cut}");
        assert_eq!(told.code.as_deref(), Some("stream_truncated"), "{cut}");
        assert!(!pieces.contains(&Piece::Done), "{cut}");
    }
}

#[test]
fn nothing_follows_the_end() {
    let mut events = whole(&[], "end_turn");
    events.extend(whole(&[open(0, json!({ "type": "text", "text": "again" }))], "end_turn"));
    assert_eq!(streamed(asked(), &events), streamed(asked(), &whole(&[], "end_turn")));
}

#[test]
fn the_input_of_the_emulating_tool_is_streamed_as_the_answer() {
    let asked = Asked { json_tool: true, ..asked() };
    let answer = open(0, json!({ "type": "tool_use", "id": "a", "name": "json_response", "input": {} }));
    let events = [answer.clone(), arguments(0, "{\"a\":"), arguments(0, "1}"), close(0)];
    assert_eq!(deltas(asked.clone(), &events), [json!({ "content": "{\"a\":" }), json!({ "content": "1}" })]);
    assert_eq!(deltas(asked.clone(), &[answer, close(0)]), [json!({ "content": "{}" })]);
    let pieces = streamed(asked, &whole(&events, "tool_use"));
    assert_eq!(pieces[3], ended("stop", "tool_use"));
}

#[test]
fn names_that_were_changed_are_the_clients_again() {
    let asked = Asked { tool_names: [("get".to_owned(), "ge.t".to_owned())].into(), ..asked() };
    let deltas = deltas(asked, &[tool(0, "a"), close(0)]);
    assert_eq!(deltas[0]["tool_calls"][0]["function"]["name"], "ge.t");
}

#[test]
fn a_stream_without_its_beginning_still_begins_with_the_role() {
    let events = [delta(0, json!({ "type": "text_delta", "text": "Hi" }))];
    let pieces = streamed(asked(), &[&events[..], &finish("end_turn", json!({}))].concat());
    let Piece::Chunk(first) = &pieces[0] else { panic!("{pieces:?}") };
    assert_eq!(first["choices"][0]["delta"]["role"], "assistant");
    assert_eq!((&first["id"], &first["model"]), (&json!("chatcmpl-7"), &json!("claude/asked")));
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    let text = [
        "event: content_block_start\ndata: [1]\n\n",
        "event: error\ndata: 7\n\n",
        "data: [DONE]\n\n",
        "event: ping\ndata: {}\n\n",
    ];
    let pieces = pieces(asked(), &[text.concat().as_bytes()]);
    assert_eq!(pieces.len(), 2);
    assert_eq!(pieces[0], Piece::Ping);
}
