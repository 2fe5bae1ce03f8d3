use serde_json::{Value, json};

use crate::{OPUS_5, OPUS_5_5, SONNET_4, SONNET_4_5, messages, refused, sent, with};

fn function(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } })
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "input_schema": { "type": "object" } })
}

#[test]
fn tools_keep_every_keyword_of_their_schemas() {
    let check = |given: Value, expected: Value| {
        let tools = with(SONNET_4_5, json!({ "tools": [given] })).body["tools"].take();
        assert_eq!(tools.to_string(), json!([expected]).to_string(), "{given}");
    };
    let schema = json!({
        "type": "object", "properties": { "a": { "type": "integer", "minimum": 1 } }, "additionalProperties": true,
        "definitions": { "b": {} },
    });
    check(
        json!({ "type": "function", "function": { "name": "get", "description": "Gets.", "parameters": schema } }),
        json!({ "name": "get", "description": "Gets.", "input_schema": schema }),
    );
    check(
        json!({ "type": "function", "function": { "name": "get" } }),
        json!({ "name": "get", "input_schema": { "type": "object", "properties": {} } }),
    );
    check(
        json!({ "type": "function", "function": { "name": "get", "parameters": { "properties": {} } } }),
        json!({ "name": "get", "input_schema": { "properties": {}, "type": "object" } }),
    );
    check(
        json!({ "type": "function", "function": { "name": "get" }, "cache_control": { "type": "ephemeral" } }),
        json!({
            "name": "get", "input_schema": { "type": "object", "properties": {} },
            "cache_control": { "type": "ephemeral" },
        }),
    );
    let native = json!({ "type": "web_search_20250305", "name": "web_search", "max_uses": 2 });
    check(native.clone(), native);
    let native = json!({ "name": "get", "input_schema": { "type": "object" }, "input_examples": [{}] });
    check(native.clone(), native);
}

#[test]
fn strict_tools_have_a_schema_that_can_be_kept_to() {
    let strict = json!({ "type": "function", "function": { "name": "get", "strict": true, "parameters": {
        "type": "object", "properties": { "a": { "type": "integer", "minimum": 1 } },
    } } });
    assert_eq!(
        with(SONNET_4_5, json!({ "tools": [strict] })).body["tools"][0],
        json!({
            "name": "get",
            "input_schema": {
                "type": "object",
                "properties": { "a": { "type": "integer", "description": "{minimum: 1}" } },
                "additionalProperties": false,
            },
            "strict": true,
        })
    );
    let old = with(SONNET_4, json!({ "tools": [strict] }));
    assert_eq!(old.body["tools"][0].get("strict"), None);
    assert_eq!(old.dropped, ["tools[].function.strict"]);
}

#[test]
fn tools_that_are_none_are_refused() {
    let check = |tool: Value, param: &str, code: &str| {
        let chat = json!({ "messages": [{ "role": "user", "content": "Hi" }], "tools": [tool] });
        refused(chat, &format!("tools[0]{param}"), code);
    };
    check(json!("get"), "", "invalid_value");
    check(json!({ "type": "custom", "custom": { "name": "get" } }), ".type", "unsupported_tool");
    check(json!({ "type": "function" }), ".type", "unsupported_tool");
    check(json!({ "type": "function", "function": {} }), ".function.name", "missing_required_parameter");
    check(
        json!({ "type": "function", "function": { "name": "get", "parameters": { "type": "array" } } }),
        ".function.parameters",
        "invalid_value",
    );
}

/// 11, 12
#[test]
fn the_choice_among_tools_is_kept() {
    let check = |parameters: Value, expected: Value| {
        let mut all = parameters.clone();
        all["tools"] = json!([function("get"), function("set")]);
        let sent = with(SONNET_4_5, all);
        assert_eq!(sent.body["tool_choice"], expected, "{parameters}");
        assert_eq!(sent.body["tools"], json!([tool("get"), tool("set")]), "{parameters}");
    };
    let set = json!({ "type": "function", "function": { "name": "set" } });
    check(json!({}), Value::Null);
    check(json!({ "tool_choice": "none" }), json!({ "type": "none" }));
    check(json!({ "tool_choice": "auto" }), json!({ "type": "auto" }));
    check(json!({ "tool_choice": "required" }), json!({ "type": "any" }));
    check(json!({ "tool_choice": set }), json!({ "type": "tool", "name": "set" }));
    check(json!({ "function_call": { "name": "set" } }), json!({ "type": "tool", "name": "set" }));
    check(json!({ "function_call": "auto" }), json!({ "type": "auto" }));
    check(json!({ "parallel_tool_calls": true }), Value::Null);
    check(
        json!({ "parallel_tool_calls": false }),
        json!({ "type": "auto", "disable_parallel_tool_use": true }),
    );
    check(
        json!({ "parallel_tool_calls": false, "tool_choice": "required" }),
        json!({ "type": "any", "disable_parallel_tool_use": true }),
    );
    check(json!({ "parallel_tool_calls": false, "tool_choice": "none" }), json!({ "type": "none" }));
}

#[test]
fn a_choice_among_some_tools_leaves_only_those() {
    let allowed = |mode: &str| {
        let allowed = json!({ "mode": mode, "tools": [function("set")] });
        json!({ "type": "allowed_tools", "allowed_tools": allowed })
    };
    for (mode, expected) in [("auto", "auto"), ("required", "any")] {
        let tools = json!([function("get"), function("set")]);
        let body = with(SONNET_4_5, json!({ "tools": tools, "tool_choice": allowed(mode) })).body;
        assert_eq!(body["tools"], json!([tool("set")]));
        assert_eq!(body["tool_choice"], json!({ "type": expected }));
    }
}

/// 11
#[test]
fn a_forced_tool_is_worth_more_than_thinking() {
    let check = |model: &str, effort: Value, thinking: Value, dropped: &[&str]| {
        let parameters = json!({
            "tools": [function("get")], "tool_choice": "required", "reasoning_effort": effort, "max_tokens": 9000,
        });
        let sent = with(model, parameters);
        assert_eq!(sent.body["tool_choice"], json!({ "type": "any" }), "{model}");
        assert_eq!(sent.body["thinking"], thinking, "{model}");
        assert_eq!(sent.dropped, dropped, "{model}");
    };
    check(SONNET_4_5, json!("high"), Value::Null, &["reasoning_effort"]);
    check("claude-opus-4-6", json!("high"), Value::Null, &["reasoning_effort"]);
    check(OPUS_5, json!("high"), json!({ "type": "disabled" }), &["reasoning_effort"]);
    check(OPUS_5, json!(null), json!({ "type": "disabled" }), &[]);
    check(SONNET_4_5, json!(null), Value::Null, &[]);
}

#[test]
fn models_that_cannot_be_forced_get_the_named_tool_alone() {
    let tools = json!([function("get"), function("set")]);
    let any = with(OPUS_5_5, json!({ "tools": tools, "tool_choice": "required", "reasoning_effort": "low" }));
    assert_eq!(any.body["tool_choice"], json!({ "type": "auto" }));
    assert_eq!(any.body["tools"], json!([tool("get"), tool("set")]));
    assert_eq!(any.body["thinking"]["type"], "adaptive");
    assert_eq!(any.dropped, ["tool_choice"]);
    let one = with(OPUS_5_5, json!({ "tools": tools, "tool_choice": function("set") }));
    assert_eq!(one.body["tools"], json!([tool("set")]));
    assert_eq!(one.dropped, ["tool_choice"]);
}

/// 6
#[test]
fn calls_of_the_past_have_their_tools_declared() {
    let call = |id: &str, name: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": "{}" } });
    let chat = json!({ "messages": [
        { "role": "user", "content": "Hi" },
        { "role": "assistant", "tool_calls": [call("a", "get"), call("b", "set.it"), call("c", "get")] },
        { "role": "tool", "tool_call_id": "a", "content": "4" },
    ] });
    let sent = sent(SONNET_4_5, chat).unwrap();
    assert_eq!(sent.body["tools"], json!([tool("get"), tool("set_it")]));
    assert_eq!(sent.body["tool_choice"], json!({ "type": "none" }));
}

#[test]
fn no_tools_are_no_choice() {
    let none = with(SONNET_4_5, json!({ "tools": [], "tool_choice": "auto", "parallel_tool_calls": false }));
    assert_eq!((none.body.get("tools"), none.body.get("tool_choice")), (None, None));
    assert_eq!(none.dropped, Vec::<String>::new());
    assert_eq!(with(SONNET_4_5, json!({ "tool_choice": "required" })).dropped, ["tool_choice"]);
}

#[test]
fn names_are_cleaned_everywhere_and_remembered() {
    let long = "n".repeat(200);
    let chat = json!({
        "tools": [function("a.b"), function("a_b"), function(&long)],
        "tool_choice": { "type": "function", "function": { "name": "a.b" } },
        "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "tool_calls": [
                { "id": "x", "type": "function", "function": { "name": "a_b", "arguments": "" } },
            ] },
        ],
    });
    let sent = sent(SONNET_4_5, chat).unwrap();
    assert_eq!(sent.body["tools"], json!([tool("a_b"), tool("a_b_2"), tool(&"n".repeat(128))]));
    assert_eq!(sent.body["tool_choice"]["name"], "a_b");
    assert_eq!(sent.body["messages"][1]["content"][0]["name"], "a_b_2");
    assert_eq!(sent.asked.tool_name("a_b"), "a.b");
    assert_eq!(sent.asked.tool_name("a_b_2"), "a_b");
    assert_eq!(sent.asked.tool_name(&"n".repeat(128)), long);
}

#[test]
fn a_schema_is_emulated_by_a_tool_where_it_must_be() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "integer", "minimum": 1 } } });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": schema } });
    let alone = with(SONNET_4, json!({ "response_format": format }));
    assert!(alone.asked.json_tool);
    assert_eq!(alone.body["tools"][0]["name"], "json_response");
    assert_eq!(alone.body["tools"][0]["input_schema"], schema);
    let forced = json!({ "type": "tool", "name": "json_response", "disable_parallel_tool_use": true });
    assert_eq!(alone.body["tool_choice"], forced);
    assert_eq!(alone.body.get("output_config"), None);

    let beside = with(SONNET_4, json!({ "response_format": format, "tools": [function("json_response")] }));
    assert_eq!(beside.body["tools"][0]["name"], "json_response_2");
    assert_eq!(beside.body["tools"][1]["name"], "json_response");
    assert_eq!(beside.body["tool_choice"], json!({ "type": "any", "disable_parallel_tool_use": true }));
    assert_eq!(beside.asked.tool_name("json_response_2"), "json_response");

    let list =
        json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": { "type": "array" } } });
    let chat = json!({ "messages": [{ "role": "user", "content": "Hi" }], "response_format": list });
    assert_eq!(
        sent(SONNET_4, chat).unwrap_err().param.as_deref(),
        Some("response_format.json_schema.schema")
    );
}

#[test]
fn a_name_on_a_message_is_dropped_by_name() {
    let chat = json!({ "messages": [{ "role": "user", "name": "ann", "content": "Hi" }] });
    assert_eq!(sent(SONNET_4_5, chat).unwrap().dropped, ["messages[].name"]);
    assert_eq!(messages(json!([{ "role": "user", "name": "ann", "content": "Hi" }]))[0].get("name"), None);
}
