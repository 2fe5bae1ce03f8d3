//! A whole reply's way back.

use serde_json::{Value, json};

use super::{asked, completion};
use crate::from_messages::reply;

#[test]
fn a_completion_becomes_a_message() {
    // 48.
    let usage = json!({
        "prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150,
        "prompt_tokens_details": { "cached_tokens": 100, "cache_write_tokens": 10 },
    });
    let message = json!({
        "reasoning_content": "Hm.", "content": "Let me see.",
        "tool_calls": [{ "id": "a", "function": { "name": "f", "arguments": "{\"n\":1.50}" } }],
    });
    assert_eq!(
        reply(completion(message, "stop", usage), &asked()),
        json!({
            "id": "msg_9", "type": "message", "role": "assistant", "model": "gpt-x-1",
            "content": [
                { "type": "thinking", "thinking": "Hm.", "signature": "" },
                { "type": "text", "text": "Let me see." },
                { "type": "tool_use", "id": "a", "name": "f", "input": { "n": serde_json::from_str::<Value>("1.50").unwrap() } },
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {
                "input_tokens": 10, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100,
                "output_tokens": 30,
            },
        })
    );
}

#[test]
fn reasons_to_stop_are_translated() {
    let check = |message: Value, finish: &str, expected: &str| {
        let message = reply(completion(message, finish, Value::Null), &asked());
        assert_eq!(message["stop_reason"], expected, "{finish}");
    };
    check(json!({ "content": "a" }), "stop", "end_turn");
    check(json!({ "content": "a" }), "", "end_turn");
    check(json!({ "content": "a" }), "eos", "end_turn");
    check(json!({ "content": "a" }), "length", "max_tokens");
    check(json!({ "content": "a" }), "content_filter", "refusal");
    check(json!({ "content": null, "refusal": "No." }), "stop", "refusal");
    check(json!({ "tool_calls": [{ "id": "a", "function": { "name": "f" } }] }), "tool_calls", "tool_use");
    check(json!({ "function_call": { "name": "f", "arguments": "{}" } }), "function_call", "tool_use");
}

#[test]
fn arguments_that_are_no_object_are_kept_as_they_are() {
    let check = |arguments: &str, expected: Value| {
        let message =
            json!({ "tool_calls": [{ "id": "a", "function": { "name": "f", "arguments": arguments } }] });
        let message = reply(completion(message, "length", Value::Null), &asked());
        assert_eq!(message["content"][0]["input"], expected);
    };
    check("", json!({}));
    check("{\"a\":1}", json!({ "a": 1 }));
    check("{\"a\":", json!({ "_arguments": "{\"a\":" }));
    check("[]", json!({ "_arguments": "[]" }));
}

#[test]
fn usage_is_summed_up_or_estimated_where_it_is_missing() {
    let usage = |usage: Value| {
        reply(completion(json!({ "content": "eight by" }), "stop", usage), &asked())["usage"].take()
    };
    let by_sum = usage(json!({ "prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 9 }));
    assert_eq!((&by_sum["input_tokens"], &by_sum["output_tokens"]), (&json!(3), &json!(6)));
    assert_eq!(usage(Value::Null), json!({ "input_tokens": 5, "output_tokens": 2 }));
}
