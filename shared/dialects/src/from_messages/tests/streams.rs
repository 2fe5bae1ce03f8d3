//! A stream's way back.

use serde_json::{Value, json};

use super::{call, chunk, events, finish};
use crate::{Piece, Told};

/// One line per event: what a client makes of the stream.
fn told(pieces: Vec<Piece>) -> Vec<String> {
    events(pieces).iter().map(line).collect()
}

fn line(event: &Value) -> String {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let index = &event["index"];
    match event["type"].as_str().unwrap() {
        "content_block_start" => match text("/content_block/type").as_str() {
            "tool_use" => {
                format!("{index} tool {} {}", text("/content_block/id"), text("/content_block/name"))
            }
            kind => format!("{index} {kind}"),
        },
        "content_block_delta" => {
            let delta = event["delta"].as_object().unwrap();
            format!("{index} + {}", delta.values().nth(1).unwrap().as_str().unwrap())
        }
        "content_block_stop" => format!("{index} end"),
        "message_delta" => format!("{} {}", text("/delta/stop_reason"), event["usage"]["output_tokens"]),
        "error" => format!("error {}", text("/error/type")),
        kind => kind.to_owned(),
    }
}

#[test]
fn a_stream_is_written_event_by_event() {
    let usage = Piece::Chunk(json!({ "choices": [], "usage": {
        "prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14,
    } }));
    let written = events(vec![
        chunk(json!({ "role": "assistant", "content": "" })),
        Piece::Ping,
        chunk(json!({ "content": "Hi" })),
        finish("stop"),
        usage,
        Piece::Done,
    ]);
    assert_eq!(
        written,
        [
            json!({ "type": "message_start", "message": {
                "id": "msg_9", "type": "message", "role": "assistant", "model": "m", "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 5, "output_tokens": 0 },
            } }),
            json!({ "type": "ping" }),
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "Hi" } }),
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({
                "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
                "usage": {
                    "input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                    "output_tokens": 4,
                },
            }),
            json!({ "type": "message_stop" }),
        ]
    );
}

#[test]
fn arguments_in_the_chunk_of_the_name_are_not_lost() {
    // 36, 37, 38, 39.
    let pieces = vec![
        chunk(json!({ "content": "a", "tool_calls": [] })),
        call(json!({ "index": 0, "id": "x", "function": { "name": "f", "arguments": "{\"a\"" } })),
        chunk(json!({ "content": "" })),
        finish(""),
        call(json!({ "index": 0, "id": "x", "function": { "name": "f", "arguments": ":1}" } })),
        finish("tool_calls"),
        Piece::Done,
    ];
    let expected = [
        "message_start",
        "0 text",
        "0 + a",
        "0 end",
        "1 tool x f",
        "1 + {\"a\"",
        "1 + :1}",
        "1 end",
        "tool_use 2",
        "message_stop",
    ];
    assert_eq!(told(pieces), expected);
}

#[test]
fn usage_is_taken_wherever_it_comes() {
    // 40.
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 77, "total_tokens": 78 });
    let in_finish = Piece::Chunk(json!({
        "choices": [{ "index": 0, "delta": { "content": "a" }, "finish_reason": "stop" }], "usage": usage,
    }));
    let zeros =
        Piece::Chunk(json!({ "choices": [], "usage": { "prompt_tokens": 0, "completion_tokens": 0 } }));
    let written = told(vec![in_finish, zeros, Piece::Done]);
    assert_eq!(written[4..], ["end_turn 77", "message_stop"]);
    let without = told(vec![chunk(json!({ "content": "twelve bytes" })), finish("stop"), Piece::Done]);
    assert_eq!(without[4..], ["end_turn 3", "message_stop"]);
}

#[test]
fn reasoning_alone_is_an_answer() {
    // 41.
    let detail = json!([{ "type": "reasoning.text", "signature": "sig", "index": 0 }]);
    let pieces = vec![
        chunk(json!({ "reasoning_content": "Hm" })),
        chunk(json!({ "reasoning": "." })),
        chunk(json!({ "reasoning_details": detail })),
        finish("length"),
        Piece::Done,
    ];
    let expected = [
        "message_start",
        "0 thinking",
        "0 + Hm",
        "0 + .",
        "0 + sig",
        "0 end",
        "max_tokens 1",
        "message_stop",
    ];
    assert_eq!(told(pieces), expected);
}

#[test]
fn calls_that_come_by_turns_are_written_one_after_the_other() {
    // 42.
    let pieces = vec![
        call(json!({ "index": 0, "id": "x", "function": { "name": "f", "arguments": "{\"a\"" } })),
        call(json!({ "index": 1, "id": "y", "function": { "name": "g", "arguments": "{}" } })),
        chunk(json!({ "content": "said meanwhile" })),
        call(json!({ "index": 0, "function": { "arguments": ":1}" } })),
        finish("tool_calls"),
        Piece::Done,
    ];
    let expected = [
        "message_start",
        "0 tool x f",
        "0 + {\"a\"",
        "0 + :1}",
        "0 end",
        "1 tool y g",
        "1 + {}",
        "1 end",
        "2 text",
        "2 + said meanwhile",
        "2 end",
        "tool_use 6",
        "message_stop",
    ];
    assert_eq!(told(pieces), expected);
}

#[test]
fn a_call_that_is_whole_does_not_hold_up_what_follows() {
    let pieces = vec![
        call(json!({ "index": 0, "id": "x", "function": { "name": "f", "arguments": "{}" } })),
        call(json!({ "index": 1, "id": "y", "function": { "name": "g", "arguments": "{" } })),
    ];
    assert_eq!(told(pieces), ["message_start", "0 tool x f", "0 + {}", "0 end", "1 tool y g", "1 + {"]);
}

#[test]
fn calls_are_told_apart_without_numbers() {
    // 43.
    let check = |calls: Vec<Value>, expected: &[&str]| {
        let mut pieces: Vec<_> = calls.into_iter().map(call).collect();
        pieces.extend([finish("stop"), Piece::Done]);
        let written = told(pieces);
        assert_eq!(written[1..written.len() - 2], *expected);
    };
    let two = ["0 tool x f", "0 + {}", "0 end", "1 tool y g", "1 + {}", "1 end"];
    let whole = |id: &str, name: &str| json!({ "id": id, "function": { "name": name, "arguments": "{}" } });
    check(vec![whole("x", "f"), whole("y", "g")], &two);
    let zeroth = |mut call: Value| {
        call["index"] = 0.into();
        call
    };
    check(vec![zeroth(whole("x", "f")), zeroth(whole("y", "g"))], &two);
    let nameless = ["0 tool toolu_call1_0 f", "0 + {}", "0 end", "1 tool toolu_call1_1 g", "1 + {}", "1 end"];
    check(vec![whole("", "f"), whole("", "g")], &nameless);
    let more = json!({ "function": { "arguments": "}" } });
    let begun = json!({ "id": "x", "function": { "name": "f", "arguments": "{" } });
    check(vec![begun, more], &["0 tool x f", "0 + {", "0 + }", "0 end"]);
    let object = json!({ "index": 3, "id": "x", "function": { "name": "f", "arguments": { "a": 1 } } });
    check(vec![object], &["0 tool x f", "0 + {\"a\":1}", "0 end"]);
}

#[test]
fn a_failure_never_looks_like_an_end() {
    // 44, 45.
    let check = |last: Vec<Piece>, expected: &[&str]| {
        let mut pieces = vec![chunk(json!({ "content": "a" }))];
        pieces.extend(last);
        assert_eq!(told(pieces)[3..], *expected);
    };
    let overloaded = Told { status: 529, message: "busy".to_owned(), ..Told::default() };
    check(vec![Piece::Failed(overloaded), Piece::Done], &["0 end", "error overloaded_error"]);
    check(vec![Piece::Done], &["0 end", "error api_error"]);
    check(vec![finish(""), Piece::Done], &["0 end", "error api_error"]);
    let error = json!({ "error": { "code": 429, "message": "slow down" } });
    check(vec![Piece::Chunk(error), finish("stop"), Piece::Done], &["0 end", "error rate_limit_error"]);
    let nameless = json!({ "index": 0, "id": "x", "function": { "arguments": "{}" } });
    check(vec![call(nameless), finish("stop"), Piece::Done], &["0 end", "error api_error"]);
    assert_eq!(told(vec![Piece::Done]), ["error api_error"]);
}
