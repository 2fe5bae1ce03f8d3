//! The request's way to chat.

use serde_json::{Value, json};

use super::{NONE, sent};
use crate::Quirks;

fn check_messages(input: &Value, quirks: Quirks, expected: &Value) {
    let outgoing = sent(json!({ "input": input }), quirks).unwrap();
    assert_eq!(&outgoing.body["messages"], expected);
    assert!(outgoing.dropped.is_empty());
}

fn check_settings(settings: &Value, expected: &Value, dropped: &[&str]) {
    let mut body = settings.clone();
    body["input"] = "x".into();
    let outgoing = sent(body, NONE).unwrap();
    let mut chat = outgoing.body;
    chat.as_object_mut().unwrap().retain(|name, _| name != "messages" && name != "model");
    assert_eq!((&chat, outgoing.dropped), (expected, dropped.iter().map(|&name| name.to_owned()).collect()));
}

fn check_refused(body: &Value, param: &str, code: &str) {
    let refusal = sent(body.clone(), NONE).expect_err(&body.to_string());
    assert_eq!((refusal.param.as_deref(), refusal.code), (Some(param), code), "{}", refusal.message);
}

/// What Codex sends in its second turn.
fn codex() -> Value {
    json!({
        "model": "p/m",
        "instructions": "You are Codex.",
        "input": [
            { "type": "message", "role": "developer", "content": [{ "type": "input_text", "text": "Be careful." }] },
            { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "List files." }] },
            { "type": "reasoning", "summary": [{ "type": "summary_text", "text": "ls." }], "encrypted_content": "gAAA" },
            { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "I look." }] },
            { "type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{\"cmd\":\"ls\"}" },
            { "type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** \"Begin\"" },
            { "type": "function_call_output", "call_id": "c1", "output": "a.txt" },
            { "type": "custom_tool_call_output", "call_id": "c2", "output": [{ "type": "input_text", "text": "ok" }] },
        ],
        "tools": [
            { "type": "function", "name": "shell", "description": "d", "strict": false, "parameters": { "type": "object" } },
            { "type": "custom", "name": "apply_patch", "description": "Patch.", "format": {
                "type": "grammar", "syntax": "lark", "definition": "start: x",
            } },
            { "type": "web_search" },
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": true,
        "reasoning": { "effort": "medium", "summary": "auto" },
        "store": false,
        "stream": true,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "text": { "verbosity": "low" },
    })
}

#[test]
fn what_codex_sends_becomes_a_chat_request() {
    // 55: the ids of the calls stay.
    let outgoing = sent(codex(), Quirks { reasoning_echo: true, ..NONE }).unwrap();
    assert_eq!(
        outgoing.body,
        json!({
            "model": "m",
            "messages": [
                { "role": "system", "content": "You are Codex.\n\nBe careful." },
                { "role": "user", "content": "List files." },
                { "role": "assistant", "content": "I look.", "reasoning_content": "ls.", "tool_calls": [
                    { "id": "c1", "type": "function", "function": { "name": "shell", "arguments": "{\"cmd\":\"ls\"}" } },
                    { "id": "c2", "type": "function", "function": {
                        "name": "apply_patch", "arguments": "{\"input\":\"*** \\\"Begin\\\"\"}",
                    } },
                ] },
                { "role": "tool", "tool_call_id": "c1", "content": "a.txt" },
                { "role": "tool", "tool_call_id": "c2", "content": "ok" },
            ],
            "tool_choice": "auto",
            "parallel_tool_calls": true,
            "tools": [
                { "type": "function", "function": {
                    "name": "shell", "description": "d", "parameters": { "type": "object" }, "strict": false,
                } },
                { "type": "function", "function": {
                    "name": "apply_patch",
                    "description": "Patch.\n\nThe input keeps to this grammar:\nstart: x",
                    "parameters": {
                        "type": "object", "properties": { "input": { "type": "string" } },
                        "required": ["input"], "additionalProperties": false,
                    },
                } },
            ],
            "reasoning_effort": "medium",
            "verbosity": "low",
            "stream": true,
            "stream_options": { "include_usage": true },
        })
    );
    assert_eq!(outgoing.dropped, ["tools[2]", "include"]);
    assert!(outgoing.asked.custom_tools.contains("apply_patch"));
    assert_eq!(outgoing.asked.repeated["instructions"], "You are Codex.");
}

#[test]
fn messages_need_no_type_and_strings_are_text() {
    check_messages(&json!("Hi"), NONE, &json!([{ "role": "user", "content": "Hi" }]));
    check_messages(
        &json!([{ "role": "user", "content": "a" }, { "role": "assistant", "content": "b" }]),
        NONE,
        &json!([{ "role": "user", "content": "a" }, { "role": "assistant", "content": "b" }]),
    );
}

#[test]
fn images_and_files_keep_their_place() {
    check_messages(
        &json!([{ "role": "user", "content": [
            { "type": "input_text", "text": "a" },
            { "type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low" },
            { "type": "input_file", "filename": "f.pdf", "file_data": "data:application/pdf;base64,AA" },
        ] }]),
        Quirks { file_parts: true, ..NONE },
        &json!([{ "role": "user", "content": [
            { "type": "text", "text": "a" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA", "detail": "low" } },
            { "type": "file", "file": { "filename": "f.pdf", "file_data": "data:application/pdf;base64,AA" } },
        ] }]),
    );
}

#[test]
fn an_image_that_a_tool_gave_back_follows_all_of_the_turns_results() {
    let call = |id: &str| json!({ "type": "function_call", "call_id": id, "name": "f", "arguments": "{}" });
    let output =
        |id: &str, output: Value| json!({ "type": "function_call_output", "call_id": id, "output": output });
    let image = json!([{ "type": "input_image", "image_url": "https://x/y.png" }]);
    let sent =
        sent(json!({ "input": [call("a"), call("b"), output("a", image), output("b", json!("two"))] }), NONE);
    assert_eq!(
        sent.unwrap().body["messages"].as_array().unwrap()[1..],
        [
            json!({ "role": "tool", "tool_call_id": "a", "content": "" }),
            json!({ "role": "tool", "tool_call_id": "b", "content": "two" }),
            json!({ "role": "user", "content": [
                { "type": "text", "text": "[tool result a]" },
                { "type": "image_url", "image_url": { "url": "https://x/y.png" } },
            ] }),
        ]
    );
}

#[test]
fn only_signatures_that_came_through_here_go_back() {
    let turn = |encrypted: &str| {
        json!([
            { "type": "reasoning", "summary": [{ "type": "summary_text", "text": "Hm." }], "encrypted_content": encrypted },
            { "role": "assistant", "content": "Yes." },
        ])
    };
    let quirks = Quirks { reasoning_details: true, ..NONE };
    check_messages(&turn("gAAAA"), quirks, &json!([{ "role": "assistant", "content": "Yes." }]));
    let detail = json!([{ "type": "reasoning.text", "text": "Hm.", "signature": "sig", "index": 0 }]);
    check_messages(
        &turn("twinlane.signature:sig"),
        quirks,
        &json!([{ "role": "assistant", "content": "Yes.", "reasoning_details": detail }]),
    );
}

#[test]
fn settings_are_renamed_or_named_as_dropped() {
    check_settings(
        &json!({ "max_output_tokens": 9, "top_p": 0.1 }),
        &json!({ "max_tokens": 9, "top_p": 0.1 }),
        &[],
    );
    let format = json!({ "type": "json_schema", "name": "n", "schema": {}, "strict": true });
    check_settings(
        &json!({ "text": { "format": format } }),
        &json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": {}, "strict": true } } }),
        &[],
    );
    check_settings(&json!({ "text": { "format": { "type": "text" } } }), &json!({}), &[]);
    check_settings(
        &json!({ "truncation": "disabled", "store": false, "service_tier": "auto", "metadata": null }),
        &json!({}),
        &[],
    );
    check_settings(
        &json!({ "truncation": "auto", "store": true, "max_tool_calls": 3 }),
        &json!({}),
        &["truncation", "store", "max_tool_calls"],
    );
}

#[test]
fn the_choice_among_tools_is_translated() {
    let check = |choice: Value, expected: Value, names: &[&str]| {
        let tool = |name: &str| json!({ "type": "function", "name": name });
        let body = json!({ "input": "x", "tools": [tool("f"), tool("g")], "tool_choice": choice });
        let chat = sent(body, NONE).unwrap().body;
        assert_eq!(chat["tool_choice"], expected);
        let tools = chat["tools"].as_array().unwrap().iter();
        assert_eq!(tools.map(|tool| tool["function"]["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
    };
    check(json!("required"), json!("required"), &["f", "g"]);
    let function = json!({ "type": "function", "name": "g" });
    check(function.clone(), json!({ "type": "function", "function": { "name": "g" } }), &["f", "g"]);
    check(
        json!({ "type": "allowed_tools", "mode": "required", "tools": [function] }),
        json!("required"),
        &["g"],
    );
    let hosted = json!({ "input": "x", "tools": [{ "type": "web_search" }], "tool_choice": "auto" });
    let outgoing = sent(hosted, NONE).unwrap();
    assert!(outgoing.body.get("tools").is_none() && outgoing.body.get("tool_choice").is_none());
    assert_eq!(outgoing.dropped, ["tools[0]"]);
}

#[test]
fn what_leans_on_a_stored_conversation_is_refused() {
    // 57.
    for name in ["previous_response_id", "conversation", "prompt"] {
        check_refused(&json!({ "input": "x", name: "y" }), name, "unsupported_parameter");
    }
    check_refused(&json!({ "input": "x", "background": true }), "background", "unsupported_parameter");
    check_refused(
        &json!({ "input": [{ "type": "item_reference", "id": "i" }] }),
        "input[0].type",
        "unsupported_content_part",
    );
    check_refused(&json!({ "input": [{ "id": "i" }] }), "input[0].type", "unsupported_content_part");
    check_refused(
        &json!({ "input": [{ "type": "compaction" }] }),
        "input[0].type",
        "unsupported_content_part",
    );
}

#[test]
fn a_users_mistake_is_refused_by_its_path() {
    check_refused(&json!({}), "input", "missing_required_parameter");
    check_refused(&json!({ "input": 7 }), "input", "invalid_value");
    check_refused(&json!({ "input": ["x"] }), "input[0]", "invalid_value");
    check_refused(
        &json!({ "input": [{ "type": "function_call", "name": "f", "arguments": "{}" }] }),
        "input[0].call_id",
        "missing_required_parameter",
    );
    check_refused(
        &json!({ "input": [{ "role": "user", "content": [{ "type": "input_image", "file_id": "f" }] }] }),
        "input[0].content[0].file_id",
        "unsupported_content_part",
    );
    check_refused(
        &json!({ "input": "x", "tools": [{ "type": "function" }] }),
        "tools[0].name",
        "missing_required_parameter",
    );
    check_refused(&json!({ "input": "x", "text": "y" }), "text", "invalid_value");
    check_refused(
        &json!({ "input": "x", "text": { "format": { "type": "xml" } } }),
        "text.format.type",
        "invalid_value",
    );
    check_refused(
        &json!({ "input": "x", "tool_choice": { "type": "file_search" } }),
        "tool_choice.type",
        "unsupported_parameter",
    );
}

#[test]
fn hosted_calls_of_earlier_turns_are_left_out_and_named() {
    let body =
        json!({ "input": [{ "type": "web_search_call", "id": "w" }, { "role": "user", "content": "x" }] });
    assert_eq!(sent(body, NONE).unwrap().dropped, ["input[].hosted_tool_call"]);
}
