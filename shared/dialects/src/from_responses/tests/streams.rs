//! A stream's way back.

use serde_json::{Value, json};

use super::{asked, call, chunk, events, events_of, finish};
use crate::from_responses::stream;
use crate::{FromChat, Piece, Told};

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap().trim_start_matches("response.")).collect()
}

#[test]
fn a_stream_has_all_its_events_in_order() {
    // 52, 55.
    let written = events(vec![
        chunk(json!({ "role": "assistant", "content": "" })),
        chunk(json!({ "reasoning_content": "Hm." })),
        chunk(json!({ "content": "He" })),
        chunk(json!({ "content": "llo" })),
        call(json!({ "index": 0, "id": "a", "function": { "name": "f", "arguments": "" } })),
        call(json!({ "index": 0, "function": { "arguments": "{\"n\":1}" } })),
        finish("tool_calls"),
        Piece::Done,
    ]);
    assert_eq!(
        names(&written),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    assert_eq!(written[8]["item"]["content"], json!([]));
    assert_eq!(
        written[11],
        json!({
            "type": "response.output_text.delta", "sequence_number": 11, "item_id": "msg_call1_1", "output_index": 1,
            "content_index": 0, "delta": "llo", "logprobs": [],
        })
    );
    assert_eq!(written[12]["text"], "Hello");
    assert_eq!(written[17]["arguments"], "{\"n\":1}");
    let output = &written[19]["response"]["output"];
    let done: Vec<_> = [7, 14, 18].iter().map(|&at| written[at]["item"].clone()).collect();
    assert_eq!((output, &written[19]["response"]["usage"]["total_tokens"]), (&Value::from(done), &json!(8)));
    assert_eq!(output[2]["call_id"], "a");
}

#[test]
fn a_thought_that_its_signature_tells_again_is_told_once() {
    // Claude's stream says it so, and clients that send the details back need them whole.
    let detail = json!([{ "type": "reasoning.text", "text": "Hm. So.", "signature": "sig", "index": 0 }]);
    let written = events(vec![
        chunk(json!({ "reasoning_content": "Hm." })),
        chunk(json!({ "reasoning_content": " So." })),
        chunk(json!({ "reasoning_details": detail })),
        chunk(json!({ "content": "Yes." })),
        finish("stop"),
        Piece::Done,
    ]);
    let thought = &written.last().unwrap()["response"]["output"][0];
    assert_eq!(thought["summary"][0]["text"], "Hm. So.");
    assert_eq!(thought["encrypted_content"], "twinlane.signature:sig");
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    // 56.
    let written = events(vec![
        call(json!({ "index": 0, "id": "a", "function": { "name": "f", "arguments": "" } })),
        call(json!({ "index": 0, "function": { "arguments": "" } })),
        finish("tool_calls"),
        Piece::Done,
    ]);
    assert_eq!(
        names(&written)[3..6],
        ["function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
    );
    assert_eq!((&written[3]["delta"], &written[4]["arguments"]), (&json!("{}"), &json!("{}")));
}

#[test]
fn free_text_is_taken_out_of_its_json() {
    let mut asked = asked();
    asked.custom_tools.insert("patch".to_owned());
    let pieces = vec![
        call(json!({ "index": 0, "id": "a", "function": { "name": "patch", "arguments": "{\"input\":" } })),
        call(json!({ "index": 0, "function": { "arguments": "\"x\\ny\"}" } })),
        finish("tool_calls"),
        Piece::Done,
    ];
    let written = events_of(asked, pieces);
    let expected = [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ];
    assert_eq!(names(&written)[2..6], expected);
    assert_eq!((&written[3]["delta"], &written[4]["input"]), (&json!("x\ny"), &json!("x\ny")));
    assert_eq!(written[5]["item"]["input"], "x\ny");
}

#[test]
fn the_last_event_says_how_it_ended() {
    // 53, 54, and refusals.
    let check = |last: Vec<Piece>, name: &str, code: Option<&str>| {
        let mut pieces = vec![chunk(json!({ "content": "a" }))];
        pieces.extend(last);
        let written = events(pieces);
        let event = written.last().unwrap();
        assert_eq!(event["type"], name);
        assert_eq!(event["response"]["error"]["code"].as_str(), code);
        assert_eq!(event["response"]["output"][0]["content"][0]["text"], "a");
    };
    check(vec![finish("stop"), Piece::Done], "response.completed", None);
    check(vec![finish("length"), Piece::Done], "response.incomplete", None);
    check(vec![finish("content_filter"), Piece::Done], "response.failed", Some("invalid_prompt"));
    check(vec![Piece::Done], "response.failed", Some("stream_truncated"));
    check(vec![finish(""), Piece::Done], "response.failed", Some("stream_truncated"));
    let limited = Told { status: 429, message: "slow".to_owned(), ..Told::default() };
    check(
        vec![Piece::Failed(limited), finish("stop"), Piece::Done],
        "response.failed",
        Some("rate_limit_exceeded"),
    );
    let error = json!({ "error": { "message": "m", "code": "context_length_exceeded" } });
    check(vec![Piece::Chunk(error), Piece::Done], "response.failed", Some("context_length_exceeded"));
}

#[test]
fn a_stream_that_fails_at_once_begins_before_it_ends() {
    assert_eq!(names(&events(vec![Piece::Done])), ["created", "in_progress", "failed"]);
}

#[test]
fn a_refusal_is_a_part_of_its_own() {
    let written = events(vec![chunk(json!({ "refusal": "No." })), finish("stop"), Piece::Done]);
    assert_eq!(names(&written)[3..6], ["content_part.added", "refusal.delta", "refusal.done"]);
    assert_eq!(
        written.last().unwrap()["response"]["output"][0]["content"],
        json!([{ "type": "refusal", "refusal": "No." }])
    );
}

#[test]
fn keep_alives_are_comments_without_a_blank_line() {
    let mut out = Vec::new();
    stream(asked()).piece(Piece::Ping, &mut out);
    assert_eq!(out, b": keep-alive\n");
}
