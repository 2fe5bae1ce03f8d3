use serde_json::{Value, json};
use twinlane_dialects::{Asked, to_messages};

use crate::asked;

fn message(content: Value, stop_reason: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-real", "content": content,
        "stop_reason": stop_reason, "stop_sequence": null, "usage": { "input_tokens": 3, "output_tokens": 4 },
    })
}

fn choice(content: Value, stop_reason: &str) -> Value {
    to_messages::reply(message(content, stop_reason), &asked()).unwrap()["choices"][0].take()
}

/// 15
#[test]
fn thoughts_words_and_calls_are_told_apart() {
    let content = json!([
        { "type": "thinking", "thinking": "Hm. ", "signature": "s" },
        { "type": "redacted_thinking", "data": "d" },
        { "type": "thinking", "thinking": "Ah.", "signature": "t" },
        { "type": "text", "text": "I " },
        { "type": "text", "text": "look." },
        { "type": "tool_use", "id": "toolu_1", "name": "a_b", "input": { "n": 1 } },
    ]);
    let asked = Asked { tool_names: [("a_b".to_owned(), "a.b".to_owned())].into(), ..asked() };
    let completion = to_messages::reply(message(content, "tool_use"), &asked).unwrap();
    assert_eq!(
        completion,
        json!({
            "id": "msg_1", "object": "chat.completion", "created": 1_700_000_000, "model": "claude-real",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "I look.",
                    "refusal": null,
                    "reasoning_content": "Hm. Ah.",
                    "reasoning_details": [
                        { "type": "reasoning.text", "text": "Hm. ", "signature": "s", "index": 0 },
                        { "type": "reasoning.encrypted", "data": "d", "index": 1 },
                        { "type": "reasoning.text", "text": "Ah.", "signature": "t", "index": 2 },
                    ],
                    "tool_calls": [{
                        "id": "toolu_1", "type": "function",
                        "function": { "name": "a.b", "arguments": "{\"n\":1}" },
                    }],
                },
                "logprobs": null,
                "finish_reason": "tool_calls",
                "native_finish_reason": "tool_use",
            }],
            "usage": {
                "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
                "prompt_tokens_details": { "cached_tokens": 0 },
                "completion_tokens_details": { "reasoning_tokens": 0 },
            },
        })
    );
}

#[test]
fn an_answer_without_words_is_empty_and_one_of_calls_alone_is_null() {
    assert_eq!(choice(json!([]), "end_turn")["message"]["content"], "");
    let call = json!([{ "type": "tool_use", "id": "a", "name": "get", "input": {} }]);
    let choice = choice(call, "tool_use");
    assert_eq!(choice["message"]["content"], Value::Null);
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], "{}");
}

#[test]
fn every_reason_to_stop_has_its_word() {
    for (native, expected) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
    ] {
        let choice = choice(json!([]), native);
        assert_eq!(
            (&choice["finish_reason"], &choice["native_finish_reason"]),
            (&json!(expected), &json!(native))
        );
    }
}

/// 18
#[test]
fn tools_that_the_provider_runs_are_not_the_clients() {
    let content = json!([
        { "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": { "query": "x" } },
        { "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [] },
        { "type": "text", "text": "Né ", "citations": null },
        { "type": "text", "text": "there.", "citations": [
            { "type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "x" },
            { "type": "char_location", "document_index": 0 },
        ] },
    ]);
    let choice = choice(content, "end_turn");
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(
        choice["message"],
        json!({
            "role": "assistant",
            "content": "Né there.",
            "refusal": null,
            "annotations": [{
                "type": "url_citation",
                "url_citation": { "start_index": 3, "end_index": 9, "url": "https://a.example", "title": "A" },
            }],
        })
    );
}

/// 19
#[test]
fn a_refusal_says_why() {
    let mut body = message(json!([]), "refusal");
    body["stop_details"] = json!({ "type": "refusal", "category": "cyber", "explanation": "No." });
    let completion = to_messages::reply(body, &asked()).unwrap();
    assert_eq!(completion["choices"][0]["message"]["refusal"], "No.");
    assert_eq!(completion["choices"][0]["finish_reason"], "content_filter");
}

/// 20
#[test]
fn cached_tokens_are_part_of_the_prompt() {
    let mut body = message(json!([]), "end_turn");
    body["usage"] = json!({
        "input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 7, "output_tokens": 50,
        "output_tokens_details": { "thinking_tokens": 20 },
    });
    assert_eq!(
        to_messages::reply(body, &asked()).unwrap()["usage"],
        json!({
            "prompt_tokens": 117, "completion_tokens": 50, "total_tokens": 167,
            "prompt_tokens_details": { "cached_tokens": 100, "cache_write_tokens": 7 },
            "completion_tokens_details": { "reasoning_tokens": 20 },
        })
    );
}

#[test]
fn the_input_of_the_emulating_tool_is_the_answer() {
    let asked = Asked { json_tool: true, ..asked() };
    let answer = json!({ "type": "tool_use", "id": "a", "name": "json_response", "input": { "a": [1, 2] } });
    let completion = to_messages::reply(message(json!([answer]), "tool_use"), &asked).unwrap();
    let choice = &completion["choices"][0];
    assert_eq!(
        choice["message"],
        json!({ "role": "assistant", "content": "{\"a\":[1,2]}", "refusal": null })
    );
    assert_eq!(
        (&choice["finish_reason"], &choice["native_finish_reason"]),
        (&json!("stop"), &json!("tool_use"))
    );
}

#[test]
fn what_the_provider_leaves_out_is_filled_in() {
    let completion = to_messages::reply(json!({ "content": [7, null, { "type": 7 }] }), &asked()).unwrap();
    assert_eq!((&completion["id"], &completion["model"]), (&json!("chatcmpl-7"), &json!("claude/asked")));
    assert_eq!(completion["choices"][0]["finish_reason"], "stop");
}

#[test]
fn an_error_in_place_of_a_message_is_an_error() {
    let error =
        json!({ "type": "error", "error": { "type": "not_found_error", "message": "No such model." } });
    let told = to_messages::reply(error, &asked()).unwrap_err();
    assert_eq!(
        (told.status, told.message.as_str(), told.kind.as_str()),
        (404, "No such model.", "not_found_error")
    );
    let told = to_messages::reply(json!({ "type": "message" }), &asked()).unwrap_err();
    assert_eq!((told.status, told.code.as_deref()), (502, Some("unreadable_reply")));
}
