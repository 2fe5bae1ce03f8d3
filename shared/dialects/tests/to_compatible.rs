//! Providers of chat, each with its deviations.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

use serde_json::{Value, json};
use twinlane_dialects::{Asked, Outgoing, Refusal, Target, quirks, to_compatible};

fn request(provider: &str, mut fields: Value) -> Result<Outgoing, Refusal> {
    let fields = fields.as_object_mut().unwrap();
    fields.entry("messages").or_insert_with(|| json!([{ "role": "user", "content": "hi" }]));
    let target =
        Target { model: "real", asked_model: "p/real", quirks: quirks::of(provider), id: "1", now: 7 };
    to_compatible::request(Value::Object(std::mem::take(fields)), &target)
}

/// What is sent, but for the model and the messages, and what is named as dropped.
fn check(provider: &str, fields: Value, sent: Value, dropped: &[&str]) {
    let mut outgoing = request(provider, fields).unwrap();
    let body = outgoing.body.as_object_mut().unwrap();
    assert_eq!(body.remove("model").unwrap(), "real");
    body.remove("messages").unwrap();
    assert_eq!(outgoing.body, sent, "{provider}");
    assert_eq!(outgoing.dropped, dropped, "{provider}");
}

/// What becomes of messages, and what is named as dropped.
fn check_messages(provider: &str, messages: Value, sent: Value, dropped: &[&str]) {
    let outgoing = request(provider, json!({ "messages": messages })).unwrap();
    assert_eq!(outgoing.body["messages"], sent, "{provider}");
    assert_eq!(outgoing.dropped, dropped, "{provider}");
}

#[test]
fn what_a_provider_refuses_is_left_out_and_named() {
    check(
        "groq",
        json!({ "logit_bias": { "1": 2 }, "n": 1, "logprobs": false, "seed": 1 }),
        json!({ "seed": 1 }),
        &["logit_bias"],
    );
    check(
        "pplx",
        json!({ "tools": [{}], "stop": ["a"], "top_p": 0.5 }),
        json!({ "top_p": 0.5 }),
        &["stop", "tools"],
    );
    check("fireworks", json!({ "seed": 1 }), json!({}), &["seed"]);
    check(
        "mistral",
        json!({ "stream": true, "stream_options": { "include_usage": true }, "store": false, "user": "u" }),
        json!({ "stream": true }),
        &["user"],
    );
    check(
        "openai",
        json!({ "anything": 1, "logit_bias": {} }),
        json!({ "anything": 1, "logit_bias": {} }),
        &[],
    );
}

#[test]
fn several_choices_of_a_provider_that_makes_one_are_refused() {
    let refusal = request("groq", json!({ "n": 2 })).unwrap_err();
    assert_eq!((refusal.param.as_deref(), refusal.code), (Some("n"), "unsupported_parameter"));
}

#[test]
fn the_limit_has_the_providers_name() {
    check("openai", json!({ "max_tokens": 5 }), json!({ "max_completion_tokens": 5 }), &[]);
    check(
        "openai",
        json!({ "max_tokens": 5, "max_completion_tokens": 6 }),
        json!({ "max_completion_tokens": 6 }),
        &[],
    );
    check("mistral", json!({ "max_completion_tokens": 5 }), json!({ "max_tokens": 5 }), &[]);
    check(
        "deepseek",
        json!({ "max_tokens": 5, "max_completion_tokens": 6 }),
        json!({ "max_tokens": 6 }),
        &[],
    );
    check(
        "deepseek",
        json!({ "max_tokens": 5, "max_completion_tokens": null }),
        json!({ "max_tokens": 5 }),
        &[],
    );
    for client in [json!({ "max_tokens": 5 }), json!({ "max_completion_tokens": 5 })] {
        check("groq", client.clone(), client, &[]);
    }
}

#[test]
fn fields_are_renamed_where_they_stand() {
    let body = json!({ "model": "x", "seed": 1, "messages": [], "tool_choice": "required", "tools": [{}] });
    let sent = request("mistral", body).unwrap().body;
    let expected = r#"{"model":"real","random_seed":1,"messages":[],"tool_choice":"any","tools":[{}]}"#;
    assert_eq!(sent.to_string(), expected);
    check("mistral", json!({ "seed": 1, "random_seed": 2 }), json!({ "random_seed": 2 }), &[]);
}

#[test]
fn groqs_temperature_is_above_nought() {
    check("groq", json!({ "temperature": 0 }), json!({ "temperature": 1e-8 }), &[]);
    check("groq", json!({ "temperature": 0.2 }), json!({ "temperature": 0.2 }), &[]);
    check("openai", json!({ "temperature": 0 }), json!({ "temperature": 0 }), &[]);
}

#[test]
fn no_tools_are_no_tools() {
    check("mistral", json!({ "tools": [], "tool_choice": "auto" }), json!({}), &[]);
}

#[test]
fn a_text_format_is_left_out_for_fireworks() {
    check("fireworks", json!({ "response_format": { "type": "text" } }), json!({}), &[]);
}

#[test]
fn json_is_asked_for_in_words_too() {
    let format = json!({ "type": "json_object" });
    let sent = |messages: Value| {
        let body = json!({ "messages": messages, "response_format": format });
        request("groq", body).unwrap().body["messages"].take()
    };
    let user = json!({ "role": "user", "content": "hi" });
    let system = |content: Value| json!({ "role": "system", "content": content });
    assert_eq!(sent(json!([user])), json!([system(json!("Respond using JSON.")), user]));
    let polite = json!([system(json!("Be polite.")), user]);
    assert_eq!(sent(polite), json!([system(json!("Be polite.\n\nRespond using JSON.")), user]));
    let asks = json!([{ "role": "user", "content": [{ "type": "text", "text": "as Json please" }] }]);
    assert_eq!(sent(asks.clone()), asks);
}

#[test]
fn a_schema_is_told_in_words_where_only_objects_can_be_asked_for() {
    let format =
        json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "object" } } });
    let outgoing = request("deepseek", json!({ "response_format": format })).unwrap();
    assert_eq!(outgoing.body["response_format"], json!({ "type": "json_object" }));
    assert!(
        outgoing.body["messages"][0]["content"].as_str().unwrap().ends_with(r#"schema: {"type":"object"}"#)
    );
    assert_eq!(outgoing.dropped, ["response_format.json_schema"]);
}

#[test]
fn strict_providers_get_plain_messages() {
    let messages = json!([
        { "role": "developer", "content": "d" },
        { "role": "user", "name": "ann", "content": "u" },
        { "role": "assistant", "content": "a", "refusal": null, "annotations": [], "reasoning_content": "hm", "tool_calls": [] },
        { "role": "assistant", "content": null, "refusal": "no" },
        { "role": "assistant", "tool_calls": [{ "id": "call_abcdef", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "call_abcdef", "name": "f", "content": "t" },
    ]);
    let sent = json!([
        { "role": "system", "content": "d" },
        { "role": "user", "content": "u" },
        { "role": "assistant", "content": "a" },
        { "role": "assistant", "content": "no" },
        { "role": "assistant", "content": null, "tool_calls": [{ "id": "1711e7978", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "1711e7978", "name": "f", "content": "t" },
    ]);
    check_messages("mistral", messages, sent, &["messages[].name", "messages[].reasoning_content"]);
    let short = json!([{ "role": "tool", "tool_call_id": "aB3456789", "content": "t" }]);
    check_messages("mistral", short.clone(), short, &[]);
}

#[test]
fn f47_reasoning_is_sent_back_on_turns_that_called_tools() {
    let calls = json!([{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } }]);
    let turn = |reasoning: &str| json!([{ "role": "assistant", "content": null, "tool_calls": calls, "reasoning_content": reasoning }]);
    for provider in ["deepseek", "moonshot", "zai"] {
        check_messages(provider, turn("hm"), turn("hm"), &[]);
        check_messages(provider, turn(""), turn(" "), &[]);
        let said = json!([{ "role": "assistant", "content": "a" }]);
        check_messages(provider, said.clone(), said, &[]);
    }
    let without = json!([{ "role": "assistant", "content": null, "tool_calls": calls }]);
    check_messages("deepseek", without.clone(), turn(" "), &[]);
    check_messages("openai", without.clone(), without, &[]);
}

#[test]
fn bytes_pass_where_no_key_offends() {
    let check = |provider: &str, keys: &[&str], needs: bool| {
        let keys = ["model"].iter().chain(keys).copied();
        assert_eq!(to_compatible::needs_adapting(quirks::of(provider), keys.clone()), needs, "{provider}");
    };
    check("openai", &["messages", "temperature", "logit_bias"], false);
    check("openai", &["messages", "max_tokens"], true);
    check("openrouter", &["messages", "max_tokens", "provider"], false);
    check("somebody", &["messages", "max_tokens"], false);
    check("somebody", &["messages", "max_completion_tokens"], true);
    check("mistral", &["messages"], true);
    check("fireworks", &["messages", "seed"], true);
    check("together", &["messages", "seed", "response_format"], false);
    check("groq", &["temperature"], true);
}

#[test]
fn what_is_no_message_is_refused() {
    let refusal = request("openai", json!({ "messages": [{}, "hi"] })).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages[1]"));
}

#[test]
fn a_reply_that_is_an_error_or_nothing_is_one() {
    let asked = Asked::default();
    let check = |body: Value, status: u16, code: Option<&str>| {
        let told = to_compatible::reply(body, &asked).unwrap_err();
        assert_eq!((told.status, told.code.as_deref()), (status, code));
    };
    check(json!({ "error": { "code": 429, "message": "m" } }), 429, Some("429"));
    check(
        json!({ "choices": [{ "error": { "code": 503, "message": "m" }, "finish_reason": "error" }] }),
        503,
        Some("503"),
    );
    check(json!({ "choices": [] }), 502, Some("empty_upstream_response"));
    check(json!("hello"), 502, Some("empty_upstream_response"));
}

#[test]
fn a_reply_keeps_its_numbers_and_its_order() {
    let text = r#"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"logprobs":null,"finish_reason":"stop"}],"created":1,"model":"m","object":"chat.completion","usage":{"prompt_tokens":1,"cost":0.10},"x":12345678901234567890}"#;
    let reply = to_compatible::reply(serde_json::from_str(text).unwrap(), &Asked::default()).unwrap();
    let read: Value = serde_json::from_str(text).unwrap();
    assert_eq!(reply, read);
    assert!(reply.to_string().contains("0.10") && reply.to_string().contains("12345678901234567890"));
}
