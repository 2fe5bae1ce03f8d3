use serde_json::{Value, json};

use crate::{SONNET_4_5, messages, refused, sent};

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn call(id: &str, arguments: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "get", "arguments": arguments } })
}

fn user(part: Value) -> Value {
    json!([{ "role": "user", "content": [part] }])
}

/// 1
#[test]
fn all_that_the_system_says_comes_first_one_block_per_part() {
    let sent = sent(
        SONNET_4_5,
        json!({ "messages": [
            { "role": "system", "content": "One." },
            { "role": "system", "content": [
                { "type": "text", "text": "Two.", "cache_control": { "type": "ephemeral" } },
                { "type": "text", "text": " \n" },
                { "type": "text", "text": "Three." },
            ] },
            { "role": "user", "content": "Hi" },
            { "role": "developer", "content": "Four." },
            { "role": "user", "content": "there" },
        ] }),
    );
    assert_eq!(
        sent.unwrap().body,
        json!({
            "model": SONNET_4_5,
            "max_tokens": 8192,
            "system": [
                text("One."),
                { "type": "text", "text": "Two.", "cache_control": { "type": "ephemeral" } },
                text("Three."),
                text("Four."),
            ],
            "messages": [{ "role": "user", "content": [text("Hi"), text("there")] }],
        })
    );
}

#[test]
fn a_chat_of_system_messages_alone_asks_the_last_of_them() {
    let chat = json!({ "messages": [
        { "role": "system", "content": "One." },
        { "role": "system", "content": "Two." },
    ] });
    let body = sent(SONNET_4_5, chat).unwrap().body;
    assert_eq!(body["system"], json!([text("One.")]));
    assert_eq!(body["messages"], user(text("Two.")));
    refused(json!({ "messages": [] }), "messages", "invalid_value");
    refused(json!({ "messages": [{ "role": "user", "content": " " }] }), "messages", "invalid_value");
}

/// 2
#[test]
fn text_of_nothing_but_whitespace_is_left_out() {
    let image =
        json!({ "type": "image_url", "image_url": { "url": "https://a.example/b.png", "detail": "high" } });
    assert_eq!(
        messages(json!([{ "role": "user", "content": [text(" \n\t"), image] }])),
        user(json!({ "type": "image", "source": { "type": "url", "url": "https://a.example/b.png" } }))
    );
}

/// 3
#[test]
fn data_urls_become_blocks_of_their_type() {
    let check = |url: &str, kind: &str, media_type: &str| {
        let part = json!({
            "type": "image_url", "image_url": { "url": url }, "cache_control": { "type": "ephemeral" },
        });
        let source = json!({ "type": "base64", "media_type": media_type, "data": "QUJD" });
        let block = json!({ "type": kind, "source": source, "cache_control": { "type": "ephemeral" } });
        assert_eq!(messages(user(part)), user(block), "{url}");
    };
    check("data:image/jpg;base64,QUJD", "image", "image/jpeg");
    check("data:image/png;charset=utf-8;base64,QUJD", "image", "image/png");
    check("DATA:Image/WebP;BASE64,QUJD", "image", "image/webp");
    check("data:image/gif;base64,QUJD", "image", "image/gif");
    check("data:application/pdf;base64,QUJD", "document", "application/pdf");
}

#[test]
fn an_image_url_may_be_a_bare_string() {
    let part = json!({ "type": "image_url", "image_url": "http://a.example/b.png" });
    let block = json!({ "type": "image", "source": { "type": "url", "url": "http://a.example/b.png" } });
    assert_eq!(messages(user(part)), user(block));
}

#[test]
fn images_that_claude_cannot_see_are_refused() {
    let check = |image: Value, param: &str, code: &str| {
        let chat = json!({ "messages": user(json!({ "type": "image_url", "image_url": image })) });
        refused(chat, &format!("messages[0].content[0].{param}"), code);
    };
    check(json!({ "url": "data:image/tiff;base64,QUJD" }), "image_url.url", "unsupported_image_type");
    check(json!({ "url": "data:image/png,QUJD" }), "image_url.url", "invalid_value");
    check(json!({ "url": "file:///etc/passwd" }), "image_url.url", "invalid_value");
    check(json!({ "url": 7 }), "image_url.url", "invalid_value");
    check(json!("ftp://a.example"), "image_url", "invalid_value");
    check(json!(null), "image_url", "missing_required_parameter");
}

#[test]
fn files_become_documents() {
    let check = |file: Value, block: Value| {
        assert_eq!(messages(user(json!({ "type": "file", "file": file }))), user(block), "{file}");
    };
    let pdf = json!({ "type": "base64", "media_type": "application/pdf", "data": "QUJD" });
    check(
        json!({ "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD" }),
        json!({ "type": "document", "source": pdf, "title": "a.pdf" }),
    );
    check(json!({ "file_data": "QUJD" }), json!({ "type": "document", "source": pdf }));
    let plain = json!({ "type": "text", "media_type": "text/plain", "data": "a,b\nc" });
    check(
        json!({ "filename": "a.csv", "file_data": "data:text/csv;base64,YSxiCmM=" }),
        json!({ "type": "document", "source": plain, "title": "a.csv" }),
    );
    let png = json!({ "type": "base64", "media_type": "image/png", "data": "QUJD" });
    check(
        json!({ "filename": "a.png", "file_data": "data:image/png;base64,QUJD" }),
        json!({ "type": "image", "source": png }),
    );
}

/// 14
#[test]
fn parts_that_claude_cannot_take_are_refused_by_name() {
    let check = |part: Value, param: &str| {
        let chat = json!({ "messages": [{ "role": "user", "content": [text("a"), part] }] });
        refused(chat, &format!("messages[0].content[1].{param}"), "unsupported_content_part");
    };
    check(json!({ "type": "input_audio", "input_audio": { "data": "QUJD", "format": "wav" } }), "type");
    check(json!({ "type": "video_url", "video_url": { "url": "https://a.example" } }), "type");
    check(json!({ "type": "hologram" }), "type");
    check(json!({ "type": "file", "file": { "file_id": "file-1" } }), "file.file_id");
    check(
        json!({ "type": "file", "file": { "file_data": "data:application/zip;base64,QUJD" } }),
        "file.file_data",
    );
    let audio = json!({ "messages": [{ "role": "assistant", "audio": { "id": "a" } }] });
    refused(audio, "messages[0].audio", "unsupported_content_part");
}

#[test]
fn what_is_no_chat_is_refused_where_it_is_wrong() {
    let missing = "missing_required_parameter";
    for (message, param, code) in [
        (json!("Hi"), "messages[0]", "invalid_value"),
        (json!({ "content": "Hi" }), "messages[0].role", missing),
        (json!({ "role": "robot" }), "messages[0].role", "invalid_value"),
        (json!({ "role": "user" }), "messages[0].content", missing),
        (json!({ "role": "user", "content": 7 }), "messages[0].content", "invalid_value"),
        (json!({ "role": "user", "content": ["Hi"] }), "messages[0].content[0]", "invalid_value"),
        (json!({ "role": "user", "content": [{ "text": "Hi" }] }), "messages[0].content[0].type", missing),
        (json!({ "role": "user", "content": [{ "type": "text" }] }), "messages[0].content[0].text", missing),
        (json!({ "role": "tool", "content": "4" }), "messages[0].tool_call_id", missing),
        (json!({ "role": "assistant", "tool_calls": {} }), "messages[0].tool_calls", "invalid_value"),
        (json!({ "role": "assistant", "tool_calls": [{}] }), "messages[0].tool_calls[0].id", missing),
        (
            json!({ "role": "assistant", "tool_calls": [{ "id": "a" }] }),
            "messages[0].tool_calls[0].function.name",
            missing,
        ),
    ] {
        refused(json!({ "messages": [message] }), param, code);
    }
    refused(json!({ "messages": "Hi" }), "messages", "invalid_value");
    assert_eq!(sent(SONNET_4_5, json!([])).unwrap_err().param, None);
}

/// 4
#[test]
fn arguments_always_become_an_object() {
    let check = |arguments: &str, input: Value| {
        let chat = json!([
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": null, "tool_calls": [call("a", arguments)] },
        ]);
        assert_eq!(messages(chat)[1]["content"][0]["input"].to_string(), input.to_string(), "{arguments}");
    };
    check("", json!({}));
    check("{\"n\":1.50}", serde_json::from_str("{\"n\":1.50}").unwrap());
    check("[]", json!({ "_arguments": "[]" }));
    check("{\"n\": 1", json!({ "_arguments": "{\"n\": 1" }));
    check("null", json!({ "_arguments": "null" }));
}

/// 5
#[test]
fn results_of_tools_and_the_words_after_them_are_one_message() {
    let chat = json!([
        { "role": "user", "content": "Hi" },
        { "role": "assistant", "content": "I look.", "tool_calls": [call("a", "{}"), call("b", "{}")] },
        { "role": "tool", "tool_call_id": "a", "content": "4" },
        { "role": "tool", "tool_call_id": "b", "content": [
            { "type": "text", "text": "5" },
            { "type": "image_url", "image_url": { "url": "https://a.example/b.png" } },
        ] },
        { "role": "user", "content": "And?" },
    ]);
    let image = json!({ "type": "image", "source": { "type": "url", "url": "https://a.example/b.png" } });
    assert_eq!(
        messages(chat),
        json!([
            { "role": "user", "content": [text("Hi")] },
            { "role": "assistant", "content": [
                text("I look."),
                { "type": "tool_use", "id": "a", "name": "get", "input": {} },
                { "type": "tool_use", "id": "b", "name": "get", "input": {} },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "a", "content": "4" },
                { "type": "tool_result", "tool_use_id": "b", "content": [text("5"), image] },
                text("And?"),
            ] },
        ])
    );
}

#[test]
fn results_come_before_words_and_may_be_empty() {
    let chat = json!([
        { "role": "assistant", "tool_calls": [call("a", "{}"), call("b", "{}")] },
        { "role": "tool", "tool_call_id": "a" },
        { "role": "user", "content": "Quick!" },
        { "role": "tool", "tool_call_id": "b", "content": [text(" ")] },
    ]);
    assert_eq!(
        messages(chat)[1]["content"],
        json!([
            { "type": "tool_result", "tool_use_id": "a", "content": "" },
            { "type": "tool_result", "tool_use_id": "b", "content": "" },
            text("Quick!"),
        ])
    );
}

#[test]
fn legacy_functions_become_calls_with_ids() {
    let turn = |n: u64| {
        [
            json!({ "role": "assistant", "content": null, "function_call": { "name": "get", "arguments": "{}" } }),
            json!({ "role": "function", "name": "get", "content": n.to_string() }),
        ]
    };
    let chat = [turn(1), turn(2)].concat();
    let messages = messages(chat.into());
    for n in 1..=2 {
        let id = format!("call_fn_{n}");
        assert_eq!(messages[2 * n - 2]["content"][0]["id"], id);
        assert_eq!(messages[2 * n - 1]["content"][0]["tool_use_id"], id);
        assert_eq!(messages[2 * n - 1]["content"][0]["content"], n.to_string());
    }
}

/// 7
#[test]
fn ids_are_cleaned_on_calls_and_results_alike() {
    let chat = json!([
        { "role": "assistant", "tool_calls": [call("get__thought__a+b/c=", "{}"), call("get__thought__a_b_c_", "{}")] },
        { "role": "tool", "tool_call_id": "get__thought__a_b_c_", "content": "5" },
        { "role": "tool", "tool_call_id": "get__thought__a+b/c=", "content": "4" },
    ]);
    let messages = messages(chat);
    let ids = |turn: usize, field: &str| {
        let blocks = messages[turn]["content"].as_array().unwrap();
        blocks.iter().map(|block| block[field].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, "id"), ["get__thought__a_b_c_", "get__thought__a_b_c__2"]);
    assert_eq!(ids(1, "tool_use_id"), ["get__thought__a_b_c__2", "get__thought__a_b_c_"]);
}

#[test]
fn signed_thoughts_go_back_first_and_others_not_at_all() {
    let check = |message: Value, thoughts: Value| {
        let mut message = message;
        message["role"] = "assistant".into();
        message["content"] = "So.".into();
        let mut expected = thoughts.as_array().unwrap().clone();
        expected.push(text("So."));
        assert_eq!(messages(json!([message]))[0]["content"], Value::Array(expected), "{message}");
    };
    let thought = json!([{ "type": "thinking", "thinking": "Hm.", "signature": "s" }]);
    let sealed = json!([{ "type": "redacted_thinking", "data": "d" }]);
    let detail = json!({ "type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 0 });
    check(json!({ "reasoning_details": [detail] }), thought.clone());
    check(json!({ "thinking_blocks": thought }), thought.clone());
    check(json!({ "thinking_blocks": sealed }), sealed.clone());
    check(json!({ "reasoning_details": [{ "type": "reasoning.encrypted", "data": "d" }] }), sealed.clone());
    let bare = json!({ "type": "reasoning.text", "signature": "s" });
    check(json!({ "reasoning_content": "Hm.", "reasoning_details": [bare] }), thought.clone());
    check(json!({ "reasoning_content": "Hm." }), json!([]));
    check(json!({ "thinking_blocks": [{ "type": "thinking", "thinking": "Hm." }] }), json!([]));
    check(json!({ "reasoning_details": [{ "type": "reasoning.text", "text": "Hm." }, 7] }), json!([]));
    let foreign = json!({ "type": "reasoning.encrypted", "data": "d", "format": "openai-responses-v1" });
    check(json!({ "reasoning_details": [foreign] }), json!([]));
}

#[test]
fn a_prefill_ends_without_a_space() {
    let chat = json!([
        { "role": "user", "content": "Hi" },
        { "role": "assistant", "content": "Hello " },
        { "role": "assistant", "content": [{ "type": "refusal", "refusal": "there \n" }] },
    ]);
    assert_eq!(messages(chat)[1], json!({ "role": "assistant", "content": [text("Hello "), text("there")] }));
}
