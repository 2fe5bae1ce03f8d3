//! The request's way to chat.

use serde_json::{Value, json};

use super::{NONE, sent, target};
use crate::Quirks;
use crate::from_messages::{for_counting, request};

/// The chat messages that these messages become.
fn check_messages(messages: &Value, quirks: Quirks, expected: &Value) {
    let outgoing = sent(json!({ "messages": messages }), quirks).unwrap();
    assert_eq!(&outgoing.body["messages"], expected);
}

/// What settings become, next to one message.
fn check_settings(settings: &Value, expected: &Value, dropped: &[&str]) {
    let mut body = settings.clone();
    body["messages"] = json!([{ "role": "user", "content": "x" }]);
    let outgoing = sent(body, NONE).unwrap();
    let mut chat = outgoing.body;
    chat.as_object_mut().unwrap().retain(|name, _| name != "messages" && name != "model");
    assert_eq!((&chat, outgoing.dropped), (expected, dropped.iter().map(|&name| name.to_owned()).collect()));
}

fn check_refused(body: &Value, param: &str, code: &str) {
    let refusal = request(body.clone(), &target(NONE)).expect_err(&body.to_string());
    assert_eq!((refusal.param.as_deref(), refusal.code), (Some(param), code), "{}", refusal.message);
}

#[test]
fn a_whole_request_becomes_a_chat_request() {
    let body = json!({
        "model": "openai/gpt-x",
        "max_tokens": 100,
        "temperature": 0.30,
        "system": [{ "type": "text", "text": "Be kind." }, { "type": "text", "text": "Be brief." }],
        "messages": [{ "role": "user", "content": "Hello" }],
        "stream": true,
    });
    let outgoing = request(body, &target(Quirks { max_completion_tokens: true, ..NONE })).unwrap();
    assert_eq!(
        outgoing.body,
        json!({
            "model": "gpt-x",
            "messages": [
                { "role": "system", "content": "Be kind.\n\nBe brief." },
                { "role": "user", "content": "Hello" },
            ],
            "max_completion_tokens": 100,
            "temperature": 0.30,
            "stream": true,
            "stream_options": { "include_usage": true },
        })
    );
    assert!(outgoing.dropped.is_empty() && outgoing.asked.stream);
    assert_eq!((outgoing.asked.model.as_str(), outgoing.asked.id.as_str()), ("openai/gpt-x", "call1"));
}

#[test]
fn numbers_keep_their_digits() {
    let body = r#"{"max_tokens":8,"temperature":0.30000000000000000001,"messages":[{"role":"assistant","content":
        [{"type":"tool_use","id":"a","name":"f","input":{"n":1.10,"big":123456789012345678901234567890}}]}]}"#;
    let chat = request(serde_json::from_str(body).unwrap(), &target(NONE)).unwrap().body;
    assert_eq!(chat["temperature"].to_string(), "0.30000000000000000001");
    let arguments = &chat["messages"][0]["tool_calls"][0]["function"]["arguments"];
    assert_eq!(arguments, r#"{"n":1.10,"big":123456789012345678901234567890}"#);
}

#[test]
fn a_tools_result_is_one_message_and_its_image_follows_as_the_users() {
    // 46.
    check_messages(
        &json!([{ "role": "user", "content": [
            { "type": "text", "text": "And now?" },
            { "type": "tool_result", "tool_use_id": "a", "content": [
                { "type": "text", "text": "one" },
                { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } },
                { "type": "text", "text": "two" },
            ] },
            { "type": "tool_result", "tool_use_id": "b", "is_error": true, "content": "no such file" },
            { "type": "tool_result", "tool_use_id": "c" },
        ] }]),
        NONE,
        &json!([
            { "role": "tool", "tool_call_id": "a", "content": "one\ntwo" },
            { "role": "tool", "tool_call_id": "b", "content": "Error: no such file" },
            { "role": "tool", "tool_call_id": "c", "content": "" },
            { "role": "user", "content": [
                { "type": "text", "text": "And now?" },
                { "type": "text", "text": "[tool result a]" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
            ] },
        ]),
    );
}

#[test]
fn calls_of_tools_go_beside_the_text() {
    check_messages(
        &json!([
            { "role": "assistant", "content": [
                { "type": "text", "text": "Let me see." },
                { "type": "tool_use", "id": "a", "name": "look", "input": { "at": "x" } },
                { "type": "tool_use", "id": "b", "name": "listen" },
            ] },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "c", "name": "f", "input": {} }] },
        ]),
        NONE,
        &json!([
            { "role": "assistant", "content": "Let me see.", "tool_calls": [
                { "id": "a", "type": "function", "function": { "name": "look", "arguments": "{\"at\":\"x\"}" } },
                { "id": "b", "type": "function", "function": { "name": "listen", "arguments": "{}" } },
            ] },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } },
            ] },
        ]),
    );
}

#[test]
fn thoughts_go_back_only_to_those_who_want_them() {
    // 47.
    let turn = || {
        json!([{ "role": "assistant", "content": [
            { "type": "thinking", "thinking": "Hm.", "signature": "sig" },
            { "type": "redacted_thinking", "data": "xyz" },
            { "type": "text", "text": "Yes." },
        ] }])
    };
    check_messages(&turn(), NONE, &json!([{ "role": "assistant", "content": "Yes." }]));
    check_messages(
        &turn(),
        Quirks { reasoning_echo: true, ..NONE },
        &json!([{ "role": "assistant", "content": "Yes.", "reasoning_content": "Hm." }]),
    );
    check_messages(
        &turn(),
        Quirks { reasoning_details: true, ..NONE },
        &json!([{ "role": "assistant", "content": "Yes.", "reasoning_details": [
            { "type": "reasoning.text", "text": "Hm.", "signature": "sig", "index": 0 },
            { "type": "reasoning.encrypted", "data": "xyz", "index": 1 },
        ] }]),
    );
}

#[test]
fn documents_go_where_files_are_understood() {
    let document =
        |source: Value| json!([{ "role": "user", "content": [{ "type": "document", "source": source }] }]);
    let pdf = || json!({ "type": "base64", "media_type": "application/pdf", "data": "JVBE" });
    check_messages(
        &document(pdf()),
        Quirks { file_parts: true, ..NONE },
        &json!([{ "role": "user", "content": [{ "type": "file", "file": {
            "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE",
        } }] }]),
    );
    check_messages(
        &document(json!({ "type": "text", "media_type": "text/plain", "data": "words" })),
        NONE,
        &json!([{ "role": "user", "content": "words" }]),
    );
    check_refused(
        &json!({ "max_tokens": 1, "messages": document(pdf()) }),
        "messages[0].content[0].type",
        "unsupported_content_part",
    );
}

#[test]
fn cache_breakpoints_stay_where_they_are_understood() {
    let body = json!({
        "system": [{ "type": "text", "text": "a", "cache_control": { "type": "ephemeral" } }, { "type": "text", "text": "b" }],
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "c", "cache_control": { "type": "ephemeral" } }] }],
    });
    let plain = sent(body.clone(), NONE).unwrap();
    assert_eq!(plain.body["messages"][0]["content"], "a\n\nb");
    assert_eq!(plain.body["messages"][1]["content"], "c");
    let kept = sent(body, Quirks { cache_control: true, ..NONE }).unwrap();
    assert_eq!(
        kept.body["messages"][0]["content"],
        json!([{ "type": "text", "text": "a", "cache_control": { "type": "ephemeral" } }, { "type": "text", "text": "b" }]),
    );
    assert_eq!(kept.body["messages"][1]["content"][0]["cache_control"], json!({ "type": "ephemeral" }));
}

#[test]
fn instructions_may_stand_among_the_messages() {
    check_messages(
        &json!([
            { "role": "user", "content": "a" },
            { "role": "system", "content": [{ "type": "text", "text": "b" }] },
        ]),
        NONE,
        &json!([{ "role": "user", "content": "a" }, { "role": "system", "content": "b" }]),
    );
}

#[test]
fn tools_and_the_choice_among_them_are_translated() {
    check_settings(
        &json!({
            "tools": [
                { "name": "f", "description": "d", "input_schema": { "type": "object" }, "cache_control": {} },
                { "type": "web_search_20250305", "name": "web_search" },
                { "type": "custom", "name": "g", "input_schema": {}, "strict": true },
            ],
            "tool_choice": { "type": "tool", "name": "g", "disable_parallel_tool_use": true },
        }),
        &json!({
            "parallel_tool_calls": false,
            "tool_choice": { "type": "function", "function": { "name": "g" } },
            "tools": [
                { "type": "function", "function": {
                    "name": "f", "description": "d", "parameters": { "type": "object" },
                } },
                { "type": "function", "function": { "name": "g", "parameters": {}, "strict": true } },
            ],
        }),
        &["tools[1]"],
    );
    for (choice, expected) in [("auto", "auto"), ("any", "required"), ("none", "none")] {
        let tools = json!([{ "name": "f", "input_schema": {} }]);
        let chat = sent(json!({ "messages": [], "tools": tools, "tool_choice": { "type": choice } }), NONE);
        assert_eq!(chat.unwrap().body["tool_choice"], expected);
    }
}

#[test]
fn a_choice_without_a_tool_is_left_out_or_refused() {
    let search = json!([{ "type": "web_search_20250305", "name": "web_search" }]);
    check_settings(&json!({ "tools": search, "tool_choice": { "type": "auto" } }), &json!({}), &["tools[0]"]);
    check_refused(
        &json!({
            "max_tokens": 1, "messages": [], "tools": search,
            "tool_choice": { "type": "tool", "name": "web_search" },
        }),
        "tool_choice.name",
        "unsupported_parameter",
    );
}

#[test]
fn a_thread_is_refused_rather_than_forgotten() {
    let begun = |thread: Value| json!({ "max_tokens": 1, "messages": [], "thread": thread });
    check_refused(&begun(json!({ "type": "create" })), "thread", "thread_unsupported_request");
    let goes_on = begun(json!({ "type": "continue", "previous_message_id": "msg_1" }));
    check_refused(&goes_on, "thread", "thread_unsupported_request");
    assert!(sent(begun(Value::Null), NONE).is_ok());
}

#[test]
fn thinking_becomes_an_effort() {
    let check = |settings: Value, effort: Option<&str>| {
        let expected = effort.map_or_else(|| json!({}), |effort| json!({ "reasoning_effort": effort }));
        check_settings(&settings, &expected, &[]);
    };
    let budget = |tokens: u64| json!({ "thinking": { "type": "enabled", "budget_tokens": tokens } });
    check(budget(1024), Some("low"));
    check(budget(2048), Some("medium"));
    check(budget(8192), Some("high"));
    check(json!({ "thinking": { "type": "adaptive" } }), Some("high"));
    check(json!({ "thinking": { "type": "disabled" } }), None);
    check(json!({ "thinking": { "type": "disabled" }, "output_config": { "effort": "high" } }), None);
    check(json!({ "thinking": { "type": "adaptive" }, "output_config": { "effort": "low" } }), Some("low"));
    check(json!({ "output_config": { "effort": "max" } }), Some("xhigh"));
}

#[test]
fn settings_are_renamed_or_named_as_dropped() {
    let schema = || json!({ "type": "object", "properties": {} });
    let format = || {
        json!({ "response_format": {
            "type": "json_schema", "json_schema": { "name": "structured_output", "schema": schema() },
        } })
    };
    let asked_format = || json!({ "type": "json_schema", "schema": schema() });
    check_settings(&json!({ "output_config": { "format": asked_format() } }), &format(), &[]);
    check_settings(&json!({ "output_format": asked_format() }), &format(), &[]);
    check_settings(
        &json!({ "stop_sequences": ["a", "b", "c", "d", "e"] }),
        &json!({ "stop": ["a", "b", "c", "d"] }),
        &["stop_sequences[4]"],
    );
    check_settings(&json!({ "stop_sequences": [], "container": null }), &json!({}), &[]);
    check_settings(
        &json!({ "top_p": 0.5, "top_k": 3, "mcp_servers": [] }),
        &json!({ "top_p": 0.5 }),
        &["top_k", "mcp_servers"],
    );
    check_settings(
        &json!({ "metadata": { "user_id": "someone" } }),
        &json!({ "user": "2a59d59e3809f827ce709d3815e3950eef4a6a93af5557a93a7fdfba71460843" }),
        &[],
    );
}

#[test]
fn a_users_mistake_is_refused_by_its_path() {
    let refused = |messages: Value, param: &str, code: &str| {
        check_refused(&json!({ "max_tokens": 1, "messages": messages }), param, code);
    };
    let user =
        |block: Value| json!([{ "role": "user", "content": [{ "type": "text", "text": "x" }, block] }]);
    check_refused(&json!({ "messages": [] }), "max_tokens", "missing_required_parameter");
    check_refused(&json!({ "max_tokens": "1", "messages": [] }), "max_tokens", "invalid_value");
    check_refused(&json!({ "max_tokens": 1 }), "messages", "missing_required_parameter");
    refused(json!("x"), "messages", "invalid_value");
    refused(json!(["x"]), "messages[0]", "invalid_value");
    refused(json!([{ "role": "robot", "content": "x" }]), "messages[0].role", "invalid_value");
    refused(json!([{ "role": "user" }]), "messages[0].content", "missing_required_parameter");
    refused(user(json!({ "type": "text" })), "messages[0].content[1].text", "missing_required_parameter");
    refused(user(json!({ "type": "video" })), "messages[0].content[1].type", "unsupported_content_part");
    refused(
        user(json!({ "type": "image", "source": { "type": "file", "file_id": "f" } })),
        "messages[0].content[1].source.type",
        "invalid_value",
    );
    refused(
        user(json!({ "type": "tool_result", "tool_use_id": "a", "content": [{ "type": "x" }] })),
        "messages[0].content[1].content[0].type",
        "unsupported_content_part",
    );
    let tools = json!([{ "name": "f", "input_schema": {} }, { "name": 7 }]);
    check_refused(
        &json!({ "max_tokens": 1, "messages": [], "tools": tools }),
        "tools[1].name",
        "invalid_value",
    );
}

#[test]
fn counting_needs_no_limit_and_gives_an_estimate() {
    // 51. An image is not counted as the text it is written in.
    let image = json!({ "type": "base64", "media_type": "image/png", "data": "A".repeat(40_000) });
    let body = json!({ "messages": [{ "role": "user", "content": [
        { "type": "text", "text": "word ".repeat(400) }, { "type": "image", "source": image },
    ] }] });
    let outgoing = for_counting(body, &target(NONE)).unwrap();
    assert!((500..550).contains(&outgoing.asked.prompt_estimate), "{}", outgoing.asked.prompt_estimate);
    assert!(outgoing.body.get("max_tokens").is_none());
}
