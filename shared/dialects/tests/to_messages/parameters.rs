use serde_json::{Value, json};

use crate::{OPUS_4_6, OPUS_4_7, OPUS_5, OPUS_5_5, SONNET_4, SONNET_4_5, refused, sent, with};

fn merged(a: &Value, b: &Value) -> Value {
    let (a, b) = (a.as_object().unwrap(), b.as_object().unwrap());
    a.clone().into_iter().chain(b.clone()).collect::<serde_json::Map<_, _>>().into()
}

/// 8
#[test]
fn sampling_is_what_the_model_takes() {
    let check = |model: &str, parameters: Value, expected: Value, dropped: &[&str]| {
        let sent = with(model, parameters.clone());
        let names = ["temperature", "top_p", "top_k"];
        let sampling: serde_json::Map<_, _> = sent
            .body
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .collect();
        assert_eq!(Value::Object(sampling).to_string(), expected.to_string(), "{model} {parameters}");
        assert_eq!(sent.dropped, dropped, "{model} {parameters}");
    };
    let both = json!({ "temperature": 0.5, "top_p": 0.9 });
    check(SONNET_4, json!({ "temperature": 1.7 }), json!({ "temperature": 1 }), &[]);
    check(SONNET_4, both.clone(), both.clone(), &[]);
    check(SONNET_4_5, both.clone(), json!({ "temperature": 0.5 }), &["top_p"]);
    check("claude-opus-4-1", both.clone(), json!({ "temperature": 0.5 }), &["top_p"]);
    check(OPUS_4_6, both.clone(), json!({ "temperature": 0.5 }), &["top_p"]);
    check(
        SONNET_4_5,
        json!({ "temperature": null, "top_p": 0.9, "top_k": 4 }),
        json!({ "top_p": 0.9, "top_k": 4 }),
        &[],
    );
    check(OPUS_4_7, merged(&both, &json!({ "top_k": 4 })), json!({}), &["temperature", "top_p", "top_k"]);
    check(OPUS_5, both.clone(), json!({}), &["temperature", "top_p"]);
    let thinking = merged(&both, &json!({ "top_k": 4, "reasoning_effort": "low" }));
    check(SONNET_4_5, thinking, json!({}), &["temperature", "top_p", "top_k"]);
    check(OPUS_4_6, json!({ "top_p": 0.95, "reasoning_effort": "low" }), json!({ "top_p": 0.95 }), &[]);
}

#[test]
fn numbers_keep_their_digits() {
    let chat = r#"{"messages":[{"role":"user","content":"Hi"}],"temperature":0.10,"top_k":40}"#;
    let body = sent(SONNET_4, serde_json::from_str(chat).unwrap()).unwrap().body.to_string();
    assert!(body.contains(r#""temperature":0.10,"top_k":40"#), "{body}");
}

/// 9
#[test]
fn effort_is_told_in_the_words_of_the_model() {
    let check = |model: &str, effort: &str, expected: Value, dropped: &[&str]| {
        let sent = with(model, json!({ "reasoning_effort": effort, "max_tokens": 32000 }));
        let told = json!([sent.body["thinking"], sent.body["output_config"]["effort"]]);
        assert_eq!(told, expected, "{model} {effort}");
        assert_eq!(sent.dropped, dropped, "{model} {effort}");
    };
    let budget = |tokens: u64| json!([{ "type": "enabled", "budget_tokens": tokens }, null]);
    let adaptive = |effort: &str| json!([{ "type": "adaptive" }, effort]);
    let shown = |effort: &str| json!([{ "type": "adaptive", "display": "summarized" }, effort]);
    let nothing = json!([null, null]);

    for (effort, tokens) in
        [("minimal", 1024), ("low", 1024), ("medium", 2048), ("high", 4096), ("xhigh", 8192), ("max", 16384)]
    {
        check("claude-3-7-sonnet-latest", effort, budget(tokens), &[]);
        check(SONNET_4_5, effort, budget(tokens), &[]);
    }
    check(SONNET_4_5, "none", nothing.clone(), &[]);
    for (effort, word) in [("minimal", "low"), ("medium", "medium"), ("xhigh", "high"), ("max", "max")] {
        check(OPUS_4_6, effort, adaptive(word), &[]);
    }
    check(OPUS_4_6, "none", nothing.clone(), &[]);
    check(OPUS_4_7, "xhigh", shown("xhigh"), &[]);
    check(OPUS_4_7, "none", nothing.clone(), &[]);
    check(OPUS_5, "low", shown("low"), &[]);
    check(OPUS_5, "none", json!([{ "type": "disabled" }, null]), &[]);
    check("claude-sonnet-5-5", "none", json!([{ "type": "between_tools" }, null]), &[]);
    check(OPUS_5_5, "none", json!([null, "low"]), &["reasoning_effort"]);
    check("claude-3-5-haiku-latest", "high", nothing.clone(), &["reasoning_effort"]);
    check("claude-3-5-haiku-latest", "none", nothing, &[]);
    refused(
        json!({ "messages": [{ "role": "user", "content": "Hi" }], "reasoning_effort": "huge" }),
        "reasoning_effort",
        "invalid_value",
    );
}

/// 9
#[test]
fn a_budget_fits_into_the_answer() {
    let check = |effort: &str, max_tokens: u64, expected: Option<u64>| {
        let sent =
            with(SONNET_4_5, json!({ "reasoning_effort": effort, "max_completion_tokens": max_tokens }));
        assert_eq!(sent.body["thinking"]["budget_tokens"].as_u64(), expected, "{effort} {max_tokens}");
        assert_eq!(sent.dropped.is_empty(), expected.is_some(), "{effort} {max_tokens}");
    };
    check("low", 1024, None);
    check("low", 1025, Some(1024));
    check("xhigh", 4096, Some(4095));
    check("high", 8192, Some(4096));
    check("high", 0, None);
}

#[test]
fn without_a_limit_the_model_gets_one() {
    let check = |model: &str, parameters: Value, expected: u64| {
        assert_eq!(with(model, parameters).body["max_tokens"], expected, "{model}");
    };
    check(SONNET_4_5, json!({}), 8192);
    check("claude-3-haiku-20240307", json!({}), 4096);
    check("glm-4.6", json!({}), 4096);
    check(SONNET_4_5, json!({ "max_tokens": 5 }), 5);
    check(SONNET_4_5, json!({ "max_tokens": 5, "max_completion_tokens": 6 }), 6);
    // Thoughts have room of their own.
    check(SONNET_4_5, json!({ "reasoning_effort": "xhigh" }), 8192 + 8192);
    check("claude-3-5-haiku-latest", json!({ "reasoning_effort": "xhigh" }), 8192);
}

#[test]
fn calls_without_a_signed_thought_switch_the_budget_off() {
    let chat = |thoughts: Value| {
        json!({ "reasoning_effort": "low", "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "thinking_blocks": thoughts, "tool_calls": [
                { "id": "a", "type": "function", "function": { "name": "get", "arguments": "{}" } },
            ] },
            { "role": "tool", "tool_call_id": "a", "content": "4" },
        ] })
    };
    let bare = sent(SONNET_4_5, chat(json!([]))).unwrap();
    assert_eq!((bare.body.get("thinking"), bare.dropped), (None, vec!["reasoning_effort".to_owned()]));
    let signed =
        sent(SONNET_4_5, chat(json!([{ "type": "thinking", "thinking": "", "signature": "s" }]))).unwrap();
    assert_eq!(signed.body["thinking"]["budget_tokens"], 1024);
    let adaptive = sent(OPUS_4_6, chat(json!([]))).unwrap();
    assert_eq!(adaptive.body["thinking"]["type"], "adaptive");
}

/// 10
#[test]
fn a_schema_is_asked_for_as_structured_output() {
    let format = json!({ "type": "json_schema", "json_schema": { "name": "person", "strict": true, "schema": {
        "type": "object",
        "properties": {
            "age": { "type": "integer", "minimum": 1, "maximum": 150, "description": "In years." },
            "name": { "type": "string", "pattern": "^[A-Z]" },
            "home": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
        },
        "required": ["age", "name", "home"],
    } } });
    let sent = with(SONNET_4_5, json!({ "response_format": format, "reasoning_effort": "low" }));
    assert_eq!(
        sent.body["output_config"],
        json!({ "format": { "type": "json_schema", "schema": {
        "type": "object",
        "properties": {
            "age": { "type": "integer", "description": "In years.\n\n{minimum: 1, maximum: 150}" },
            "name": { "type": "string", "description": "{pattern: ^[A-Z]}" },
            "home": {
                "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"],
                "additionalProperties": false,
            },
        },
        "required": ["age", "name", "home"],
        "additionalProperties": false,
    } } })
    );
    assert!(!sent.asked.json_tool);
}

#[test]
fn an_object_of_any_schema_is_asked_for_in_words() {
    let body = with(SONNET_4_5, json!({ "response_format": { "type": "json_object" } })).body;
    let please = json!([{ "type": "text", "text": "Respond with one JSON object and nothing else." }]);
    assert_eq!((&body["system"], body.get("output_config")), (&please, None));
    let text = with(SONNET_4_5, json!({ "response_format": { "type": "text" } })).body;
    assert_eq!(text, with(SONNET_4_5, json!({})).body);
}

#[test]
fn wrong_values_are_refused_by_name() {
    let check = |parameters: Value, param: &str, code: &str| {
        refused(
            merged(&json!({ "messages": [{ "role": "user", "content": "Hi" }] }), &parameters),
            param,
            code,
        );
    };
    // 13
    check(json!({ "n": 2 }), "n", "unsupported_parameter");
    for (name, value) in [
        ("n", json!("one")),
        ("max_tokens", json!("many")),
        ("max_tokens", json!(1.5)),
        ("temperature", json!("hot")),
        ("stop", json!([7])),
        ("stream", json!("yes")),
        ("user", json!(7)),
        ("parallel_tool_calls", json!("no")),
        ("response_format", json!("json")),
        ("tools", json!({})),
        ("tool_choice", json!("some")),
        ("reasoning_effort", json!(7)),
    ] {
        check(json!({ name: value }), name, "invalid_value");
    }
    check(json!({ "response_format": { "type": "xml" } }), "response_format.type", "invalid_value");
    check(
        json!({ "response_format": { "type": "json_schema" } }),
        "response_format.json_schema.schema",
        "invalid_value",
    );
}

#[test]
fn what_has_another_name_is_renamed() {
    let body = with(
        SONNET_4_5,
        json!({
            "stop": ["\n", "END"], "user": "u", "safety_identifier": "s", "service_tier": "default", "stream": true,
            "stream_options": { "include_usage": true },
        }),
    );
    assert_eq!(body.body["stop_sequences"], json!(["END"]));
    assert_eq!(body.body["metadata"], json!({ "user_id": "u" }));
    assert_eq!(body.body["service_tier"], "standard_only");
    assert_eq!(body.body["stream"], true);
    assert_eq!(body.dropped, ["stop"]);
    assert!(body.asked.stream && body.asked.include_usage);
    let body =
        with(SONNET_4_5, json!({ "stop": "END", "safety_identifier": "s", "service_tier": "auto" })).body;
    assert_eq!(body["stop_sequences"], json!(["END"]));
    assert_eq!(body["metadata"], json!({ "user_id": "s" }));
    assert_eq!(body["service_tier"], "auto");
    assert_eq!(body.get("stream"), None);
}

/// 24
#[test]
fn whether_usage_is_wanted_is_remembered() {
    let check = |options: Value, expected: bool| {
        let sent = with(SONNET_4_5, json!({ "stream": true, "stream_options": options }));
        assert_eq!(sent.asked.include_usage, expected, "{options}");
        assert_eq!(sent.body.get("stream_options"), None);
        assert!(sent.dropped.is_empty());
    };
    check(json!({ "include_usage": true }), true);
    check(json!({ "include_usage": false }), false);
    check(json!(null), false);
}

#[test]
fn what_is_dropped_is_named_where_it_asked_for_something() {
    let sent = with(
        SONNET_4_5,
        json!({
            "seed": 7, "logit_bias": { "1": 2 }, "logprobs": true, "top_logprobs": 2, "presence_penalty": 0.5,
            "store": true, "verbosity": "low", "prompt_cache_key": "k", "service_tier": "flex",
            "metadata": { "a": "b" },
            "unheard_of": 1,
        }),
    );
    assert_eq!(
        sent.dropped,
        [
            "service_tier",
            "seed",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "presence_penalty",
            "store",
            "verbosity",
            "prompt_cache_key",
            "metadata",
            "unheard_of",
        ]
    );
    let idle = with(
        SONNET_4_5,
        json!({
            "n": 1, "logprobs": false, "presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {},
            "store": false,
            "modalities": ["text"], "seed": null, "tools": [],
        }),
    );
    assert_eq!(idle.dropped, Vec::<String>::new());
}

#[test]
fn the_reply_knows_the_call() {
    let asked = with(SONNET_4_5, json!({})).asked;
    assert_eq!(asked.model, format!("claude/{SONNET_4_5}"));
    assert_eq!((asked.id.as_str(), asked.created, asked.stream), ("7", 1_700_000_000, false));
}
