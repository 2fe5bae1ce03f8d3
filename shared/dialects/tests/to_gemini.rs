//! Chat clients, served by Gemini: fixtures 25 to 35, and what else the tables say.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking; cases are written in place"
)]

mod gemini;

use serde_json::{Value, json};
use twinlane_dialects::to_gemini::{
    count_request, embeddings_reply, embeddings_request, reply, request, stream,
};
use twinlane_dialects::{Asked, Outgoing, Piece, Refusal};

use gemini::{asked, pieces, target};

fn sent(model: &str, chat: Value) -> Outgoing {
    request(chat, &target(model)).unwrap()
}

fn refused(chat: Value) -> Refusal {
    request(chat, &target("gemini-2.5-pro")).unwrap_err()
}

/// The contents that messages become.
fn check_contents(model: &str, messages: Value, expected: &Value) {
    assert_eq!(&sent(model, json!({ "messages": messages })).body["contents"], expected);
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

/// The chunks' deltas with their finish reasons, and whether the stream came to its end.
fn streamed(events: &str) -> Vec<Piece> {
    pieces(stream(asked()), events)
}

fn deltas(pieces: &[Piece]) -> Vec<Value> {
    let chunks = pieces.iter().filter_map(|piece| match piece {
        Piece::Chunk(chunk) => chunk["choices"].get(0).map(|choice| choice["delta"].clone()),
        _ => None,
    });
    chunks.collect()
}

fn event(body: &Value) -> String {
    format!("data: {body}\r\n\r\n")
}

// Fixture 25.
#[test]
fn a_signature_comes_back_with_the_first_call_only() {
    let body = json!({"responseId": "r", "modelVersion": "gemini-3-pro", "candidates": [{"finishReason": "STOP",
    "content": {"parts": [
        {"functionCall": {"name": "a", "args": {"x": 1}}, "thoughtSignature": "c2ln+/=="},
        {"functionCall": {"name": "b", "args": {}}},
    ]}}]});
    let completion = reply(body, &asked()).unwrap();
    let calls = completion["choices"][0]["message"]["tool_calls"].clone();
    assert_eq!(
        calls,
        json!([
            {"id": "call_r_0__thought__c2ln+/==", "type": "function",
             "function": {"name": "a", "arguments": "{\"x\":1}"}},
            {"id": "call_r_1", "type": "function", "function": {"name": "b", "arguments": "{}"}},
        ])
    );
    check_contents(
        "gemini-3-pro-preview",
        json!([
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": null, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_r_0__thought__c2ln+/==", "content": "1"},
            {"role": "tool", "tool_call_id": "call_r_1", "content": "[2]"},
        ]),
        &json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "a", "args": {"x": 1}}, "thoughtSignature": "c2ln+/=="},
                {"functionCall": {"name": "b", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "a", "response": {"output": "1"}}},
                {"functionResponse": {"name": "b", "response": {"output": [2]}}},
            ]},
        ]),
    );
}

#[test]
fn a_signature_of_googles_chat_api_is_taken_too() {
    let mut signed = call("x", "a", "{}");
    signed["extra_content"] = json!({"google": {"thought_signature": "sig"}});
    let messages = json!([{"role": "assistant", "tool_calls": [signed]}]);
    let contents = sent("gemini-3-pro", json!({ "messages": messages })).body["contents"].clone();
    assert_eq!(contents[0]["parts"][0]["thoughtSignature"], "sig");
}

#[test]
fn an_answer_without_calls_keeps_its_signature() {
    let body = json!({"candidates": [{"finishReason": "STOP", "content": {"parts": [
        {"text": "hi"}, {"text": "", "thoughtSignature": "s"},
    ]}}]});
    let message = reply(body, &asked()).unwrap()["choices"][0]["message"].clone();
    assert_eq!(message["content"], "hi");
    check_contents(
        "gemini-3-pro",
        json!([message]),
        &json!([{"role": "model", "parts": [{"text": "hi", "thoughtSignature": "s"}]}]),
    );
}

// Fixture 26.
#[test]
fn a_foreign_history_is_excused_once_per_turn_and_only_for_gemini_3() {
    let messages = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "", "tool_calls": [call("1", "a", "{}"), call("2", "a", "{}")]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {"role": "tool", "tool_call_id": "2", "content": "y"},
        {"role": "assistant", "tool_calls": [call("3", "a", "{}")]},
        {"role": "tool", "tool_call_id": "3", "content": "z"},
    ]);
    let excused = |model: &str| {
        let body = sent(model, json!({ "messages": messages })).body.to_string();
        body.matches(r#""thoughtSignature":"skip_thought_signature_validator""#).count()
    };
    assert_eq!(excused("gemini-3-flash"), 2);
    assert_eq!(excused("gemini-2.5-flash"), 0);
}

// Fixture 27.
#[test]
fn results_of_tools_stand_in_the_order_of_their_calls() {
    check_contents(
        "gemini-2.5-pro",
        json!([
            {"role": "assistant", "tool_calls": [call("1", "a", ""), call("2", "b", "no json"), call("3", "a", "[]")]},
            {"role": "tool", "tool_call_id": "3", "content": "third"},
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "fi"}, {"type": "text", "text": "rst"}]},
            {"role": "tool", "tool_call_id": "2", "content": "{\"n\": 2}"},
            {"role": "user", "content": "and?"},
        ]),
        &json!([
            {"role": "model", "parts": [
                {"functionCall": {"name": "a", "args": {}}},
                {"functionCall": {"name": "b", "args": {}}},
                {"functionCall": {"name": "a", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "a", "response": {"output": "fi\nrst"}}},
                {"functionResponse": {"name": "b", "response": {"output": {"n": 2}}}},
                {"functionResponse": {"name": "a", "response": {"output": "third"}}},
            ]},
            // Gemini 3 refuses text beside results, so the question is a content of its own.
            {"role": "user", "parts": [{"text": "and?"}]},
        ]),
    );
}

#[test]
fn a_result_without_a_call_needs_a_name() {
    let messages = |message: Value| json!({ "messages": [message] });
    let refusal = refused(messages(json!({"role": "tool", "tool_call_id": "1", "content": "x"})));
    assert_eq!(refusal.param.as_deref(), Some("messages[0].tool_call_id"));
    let named = messages(json!({"role": "function", "name": "f", "content": "x"}));
    let contents = sent("gemini-2.5-pro", named).body["contents"].clone();
    assert_eq!(contents[0]["parts"][0]["functionResponse"]["name"], "f");
}

// Fixture 28.
#[test]
fn calls_are_counted_over_the_whole_stream() {
    let part = |name: &str| json!({"functionCall": {"name": name, "args": {"a": 1}}});
    let one = json!({"responseId": "r", "candidates": [{"content": {"parts": [{"text": "so"}, part("x")]}}]});
    let two = json!({"responseId": "r", "candidates": [{"content": {"parts": [part("y")]}, "finishReason": "STOP"}]});
    let pieces = streamed(&format!("{}{}", event(&one), event(&two)));
    let called = |index: u64, name: &str| {
        json!({"tool_calls": [{"id": format!("call_r_{index}"), "type": "function",
            "function": {"name": name, "arguments": "{\"a\":1}"}, "index": index}]})
    };
    let expected = [
        json!({"role": "assistant", "content": ""}),
        json!({"content": "so"}),
        called(0, "x"),
        called(1, "y"),
        json!({}),
    ];
    assert_eq!(deltas(&pieces), expected);
    assert_eq!(finish(&pieces), ("tool_calls".to_owned(), "STOP".to_owned()));
    assert_eq!(pieces.last(), Some(&Piece::Done));
}

fn finish(pieces: &[Piece]) -> (String, String) {
    let choice = pieces.iter().rev().find_map(|piece| match piece {
        Piece::Chunk(chunk) => chunk["choices"].get(0).cloned(),
        _ => None,
    });
    let choice = choice.unwrap();
    let text = |name: &str| choice[name].as_str().unwrap().to_owned();
    (text("finish_reason"), text("native_finish_reason"))
}

// Fixture 29.
#[test]
fn cumulative_usage_is_told_once() {
    let events: String = [1, 2, 5]
        .iter()
        .map(|count| {
            event(&json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": count, "thoughtsTokenCount": 3,
                    "toolUsePromptTokenCount": 2, "cachedContentTokenCount": 4}}))
        })
        .collect();
    let pieces = streamed(&events);
    let usages: Vec<_> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Chunk(chunk) => chunk.get("usage"),
            _ => None,
        })
        .collect();
    assert_eq!(
        usages,
        [&json!({"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 3}})]
    );
}

// Fixture 30.
#[test]
fn a_blocked_prompt_is_an_empty_filtered_answer() {
    let body = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}, "modelVersion": "m", "responseId": "r"});
    assert_eq!(
        reply(body.clone(), &asked()).unwrap(),
        json!({"id": "r", "object": "chat.completion", "created": 1700, "model": "m", "choices": [{
            "index": 0, "message": {"role": "assistant", "content": ""}, "logprobs": null,
            "finish_reason": "content_filter", "native_finish_reason": "PROHIBITED_CONTENT",
        }], "usage": {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}})
    );
    let pieces = streamed(&event(&body));
    assert_eq!(finish(&pieces), ("content_filter".to_owned(), "PROHIBITED_CONTENT".to_owned()));
    assert_eq!(pieces.last(), Some(&Piece::Done));
}

// Fixture 31.
#[test]
fn a_limit_spent_on_thoughts_gives_empty_content() {
    let body = json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}], "role": "model"},
        "finishReason": "MAX_TOKENS", "index": 0}]});
    let choice = reply(body, &asked()).unwrap()["choices"][0].clone();
    assert_eq!(choice["message"], json!({"role": "assistant", "content": "", "reasoning_content": "hm"}));
    assert_eq!(choice["finish_reason"], "length");
    let body = json!({"candidates": [{"finishReason": "MAX_TOKENS"}]});
    assert_eq!(reply(body, &asked()).unwrap()["choices"][0]["message"]["content"], "");
}

// Fixture 32.
#[test]
fn a_json_schema_goes_as_it_is() {
    let schema = json!({"type": "object", "$defs": {"a": {"type": ["string", "null"]}},
        "properties": {"x": {"$ref": "#/$defs/a"}}, "additionalProperties": false});
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}});
    let chat = json!({"messages": [{"role": "user", "content": "x"}], "response_format": format});
    let config = sent("gemini-2.5-pro", chat).body["generationConfig"].clone();
    assert_eq!(config, json!({"responseJsonSchema": schema, "responseMimeType": "application/json"}));
}

// Fixture 33.
#[test]
fn the_kind_of_media_is_written_before_the_data() {
    let url = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let content = json!([{"type": "text", "text": "see"}, url("data:image/jpg;base64,AAAA")]);
    let body =
        sent("gemini-2.5-pro", json!({"messages": [{"role": "user", "content": content}]})).body.to_string();
    let expected = r#"{"contents":[{"role":"user","parts":[{"text":"see"},{"inlineData":{"mimeType":"image/jpeg","data":"AAAA"}}]}]}"#;
    assert_eq!(body, expected);
}

#[test]
fn media_of_every_kind_find_their_field() {
    let check = |part: Value, expected: Value| {
        let content = json!([{"type": "text", "text": "see"}, part]);
        let body = sent("gemini-2.5-pro", json!({"messages": [{"role": "user", "content": content}]})).body;
        assert_eq!(body["contents"][0]["parts"][1], expected);
    };
    check(
        json!({"type": "image_url", "image_url": {"url": "https://x.test/a.webp?b", "detail": "low"}}),
        json!({"fileData": {"mimeType": "image/webp", "fileUri": "https://x.test/a.webp?b"}}),
    );
    check(
        json!({"type": "image_url", "image_url": "https://x.test/a"}),
        json!({"fileData": {"fileUri": "https://x.test/a"}}),
    );
    check(
        json!({"type": "image_url", "image_url": {"url": "gs://b/a", "format": "image/png"}}),
        json!({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a"}}),
    );
    check(
        json!({"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}),
        json!({"inlineData": {"mimeType": "audio/mpeg", "data": "AA"}}),
    );
    check(
        json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "AA"}}),
        json!({"inlineData": {"mimeType": "application/pdf", "data": "AA"}}),
    );
    check(
        json!({"type": "file", "file": {"file_data": "data:text/csv;base64,AA"}}),
        json!({"inlineData": {"mimeType": "text/csv", "data": "AA"}}),
    );
    let uri = "https://generativelanguage.googleapis.com/v1beta/files/x";
    check(
        json!({"type": "file", "file": {"file_id": uri, "format": "video/mp4"}}),
        json!({"fileData": {"mimeType": "video/mp4", "fileUri": uri}}),
    );
}

#[test]
fn media_that_cannot_be_read_are_refused_by_their_path() {
    let check = |part: Value, code: &str, param: &str| {
        let refusal = refused(json!({"messages": [{"role": "user", "content": [part]}]}));
        assert_eq!((refusal.code, refusal.param.unwrap()), (code, format!("messages[0].content[0].{param}")));
    };
    check(json!({"type": "image_url", "image_url": {"url": "gs://b/a"}}), "invalid_value", "image_url.url");
    check(
        json!({"type": "image_url", "image_url": {"url": "data:image/png,x"}}),
        "invalid_value",
        "image_url.url",
    );
    check(
        json!({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}),
        "invalid_value",
        "image_url.url",
    );
    check(json!({"type": "file", "file": {"file_id": "file-1"}}), "unsupported_content_part", "file.file_id");
    check(json!({"type": "hologram"}), "unsupported_content_part", "type");
    check(json!({"type": "text"}), "missing_required_parameter", "text");
}

#[test]
fn an_image_alone_gets_a_word_beside_it_and_nobody_is_silent() {
    let image = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]);
    check_contents(
        "gemini-2.5-pro",
        json!([{"role": "user", "content": image}]),
        &json!([{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AA"}}, {"text": " "}]}]),
    );
    let silence = json!([{"role": "user", "parts": [{"text": " "}]}]);
    check_contents("gemini-2.5-pro", json!([]), &silence);
    check_contents("gemini-2.5-pro", json!([{"role": "assistant", "content": ""}]), &silence);
}

#[test]
fn instructions_from_everywhere_are_one_part_each() {
    let body = sent(
        "gemini-2.5-pro",
        json!({"messages": [
            {"role": "system", "content": "one"},
            {"role": "developer", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}]},
            {"role": "user", "content": ""},
            {"role": "user", "content": "hi", "name": "eve"},
            {"role": "system", "content": "four"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "reasoning_content": "hm"},
        ]}),
    );
    assert_eq!(
        body.body,
        json!({"systemInstruction": {"parts": [{"text": "one"}, {"text": "two"}, {"text": "three"}, {"text": "four"}]},
        "contents": [
            {"role": "user", "parts": [{"text": ""}, {"text": "hi"}]},
            {"role": "model", "parts": [{"text": "no"}]},
        ]})
    );
    assert_eq!(body.dropped, ["messages[3].name"]);
}

#[test]
fn parameters_find_their_names_and_keep_their_digits() {
    let chat = r#"{"model": "g", "messages": [], "max_tokens": 5, "max_completion_tokens": 6, "temperature": 0.10,
        "top_p": 1.0, "top_k": 40, "seed": 12345678901234567890123, "presence_penalty": -0.5, "frequency_penalty": 1e-1,
        "stop": ["a", "b", "c", "d", "e", "f"], "n": 2, "logprobs": true, "top_logprobs": 3,
        "modalities": ["text", "image"], "parallel_tool_calls": false, "user": "u", "store": null,
        "reasoning_effort": "low", "stream_options": {"include_usage": true}}"#;
    let outgoing = sent("gemini-2.5-pro", serde_json::from_str(chat).unwrap());
    assert_eq!(
        outgoing.body["generationConfig"].to_string(),
        concat!(
            r#"{"maxOutputTokens":6,"temperature":0.10,"topP":1.0,"topK":40,"seed":12345678901234567890123,"#,
            r#""presencePenalty":-0.5,"frequencyPenalty":1e-1,"logprobs":3,"candidateCount":2,"#,
            r#""stopSequences":["a","b","c","d","e"],"responseLogprobs":true,"responseModalities":["TEXT","IMAGE"],"#,
            r#""thinkingConfig":{"thinkingBudget":1024,"includeThoughts":true}}"#,
        )
    );
    assert_eq!(outgoing.dropped, ["stop[5]", "parallel_tool_calls", "user"]);
    assert!(outgoing.asked.include_usage);
}

#[test]
fn a_parameter_that_is_wrong_is_refused() {
    let check = |name: &str, value: Value, param: &str| {
        let mut chat = json!({"messages": []});
        chat[name] = value;
        assert_eq!(refused(chat).param.as_deref(), Some(param));
    };
    check("temperature", json!("hot"), "temperature");
    check("stop", json!([1]), "stop");
    check("response_format", json!({"type": "xml"}), "response_format.type");
    check("response_format", json!({"type": "json_schema"}), "response_format.json_schema");
    check("tools", json!([{"type": "function"}]), "tools[0].function");
    check("tools", json!([{"type": "function", "function": {}}]), "tools[0].function.name");
    check("tool_choice", json!("maybe"), "tool_choice");
    check("reasoning_effort", json!("enormous"), "reasoning_effort");
    check("messages", json!({}), "messages");
    check("messages", json!([{"role": "wizard"}]), "messages[0].role");
    assert_eq!(refused(json!({})).code, "missing_required_parameter");
    assert_eq!(refused(json!([])).param.as_deref(), Some("body"));
    let refusal = refused(json!({"messages": [], "stream": true, "n": 2}));
    assert_eq!((refusal.param.as_deref(), refusal.code), (Some("n"), "unsupported_parameter"));
}

#[test]
fn tools_are_declared_and_chosen() {
    let function = |name: &str| json!({"type": "function", "function": {"name": name, "strict": true}});
    let check = |choice: Value, expected: Value| {
        let chat = json!({"messages": [], "tools": [function("a"), function("b")], "tool_choice": choice});
        let body = sent("gemini-2.5-pro", chat).body;
        assert_eq!(body["toolConfig"]["functionCallingConfig"], expected);
    };
    check(json!("none"), json!({"mode": "NONE"}));
    check(json!("auto"), json!({"mode": "AUTO"}));
    check(json!("required"), json!({"mode": "ANY"}));
    check(function("b"), json!({"mode": "ANY", "allowedFunctionNames": ["b"]}));
    check(Value::Null, Value::Null);

    let schema = json!({"$schema": "s", "type": "object", "properties": {"p": {"const": 1}}});
    let chat = json!({"messages": [], "tools": [
        {"type": "function", "function": {"name": "a", "description": "d", "parameters": schema}},
        {"type": "function", "function": {"name": "b", "parameters": {}}},
        {"type": "web_search"},
        {"googleSearch": {}},
    ], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function("a")]}}});
    let outgoing = sent("gemini-2.5-pro", chat);
    assert_eq!(
        outgoing.body["tools"],
        json!([
            {"functionDeclarations": [{"name": "a", "description": "d", "parametersJsonSchema": schema}]},
            {"googleSearch": {}},
        ])
    );
    assert_eq!(outgoing.body["toolConfig"], json!({"functionCallingConfig": {"mode": "ANY"}}));
    assert_eq!(outgoing.dropped, ["tools[2]"]);
    let without = sent("gemini-2.5-pro", json!({"messages": [], "tools": [], "tool_choice": "auto"}));
    assert_eq!((without.body.get("tools"), without.body.get("toolConfig")), (None, None));
}

#[test]
fn names_that_google_does_not_take_come_back_as_they_were() {
    let name = "9 füße";
    let tool = json!({"type": "function", "function": {"name": name}});
    let chat = json!({"tools": [tool], "tool_choice": tool, "messages": [
        {"role": "assistant", "tool_calls": [call("1", name, "{}")]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
    ]});
    let Outgoing { body, asked, .. } = sent("gemini-2.5-pro", chat);
    let sent = body["tools"][0]["functionDeclarations"][0]["name"].as_str().unwrap().to_owned();
    assert!(sent.starts_with("_9_f__e_") && sent.is_ascii(), "{sent}");
    assert_eq!(body.to_string().matches(&sent).count(), 4, "in the declaration, choice, call and result");
    let answer = json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": sent}}]}}]});
    let message = reply(answer, &asked).unwrap()["choices"][0]["message"].clone();
    assert_eq!(message["tool_calls"][0]["function"]["name"], name);
}

#[test]
fn googles_own_words_pass() {
    let outgoing = sent(
        "gemini-2.5-pro",
        json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
            "tools": [{"type": "function", "function": {"name": "a"}}], "temperature": 1,
            "safety_settings": [{"category": "c"}], "cached_content": "cachedContents/x",
            "extra_body": {"google": {"thinking_config": {"thinkingBudget": 5}}},
            "google": {"labels": {"a_b": "c"}, "generation_config": {"audioTimestamp": true}, "contents": []}}),
    );
    assert_eq!(
        outgoing.body,
        json!({"contents": [{"role": "user", "parts": [{"text": "u"}]}],
            "generationConfig": {"temperature": 1, "thinkingConfig": {"thinkingBudget": 5}, "audioTimestamp": true},
            "labels": {"a_b": "c"}, "safetySettings": [{"category": "c"}], "cachedContent": "cachedContents/x"})
    );
    assert_eq!(outgoing.dropped, ["google.contents", "messages.system", "tools"]);
}

#[test]
fn counting_wraps_the_request() {
    let chat = json!({"messages": [{"role": "user", "content": "u"}]});
    let body = count_request(chat, &target("gemini-2.5-pro")).unwrap().body;
    assert_eq!(
        body,
        json!({"generateContentRequest": {"contents": [{"role": "user", "parts": [{"text": "u"}]}],
            "model": "models/gemini-2.5-pro"}})
    );
}

#[test]
fn every_reason_has_a_word_in_chat() {
    let check = |native: &str, called: bool, expected: &str| {
        let part = if called { json!({"functionCall": {"name": "f"}}) } else { json!({"text": "x"}) };
        let body = json!({"candidates": [{"content": {"parts": [part]}, "finishReason": native}]});
        let whole = reply(body.clone(), &asked()).unwrap()["choices"][0].clone();
        assert_eq!(
            (&whole["finish_reason"], &whole["native_finish_reason"]),
            (&json!(expected), &json!(native))
        );
        assert_eq!(finish(&streamed(&event(&body))), (expected.to_owned(), native.to_owned()));
    };
    check("STOP", false, "stop");
    check("STOP", true, "tool_calls");
    check("MAX_TOKENS", true, "length");
    for native in
        ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"]
    {
        check(native, false, "content_filter");
    }
    check("SAFETY", true, "content_filter");
}

#[test]
fn a_malformed_call_is_no_call() {
    // Its candidate has no parts, and nothing that a client could run.
    let body = json!({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]});
    let choice = reply(body, &asked()).unwrap()["choices"][0].clone();
    assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("stop"), &json!("")));
}

#[test]
fn images_and_probabilities_are_kept() {
    let body = json!({"candidates": [{"index": 1, "content": {"parts": [
        {"inlineData": {"mimeType": "image/png", "data": "AA"}},
        {"inlineData": {"mimeType": "image/png", "data": "draft"}, "thought": true},
        {"executableCode": {"code": "1"}},
    ]}, "logprobsResult": {"chosenCandidates": [{"token": "a", "logProbability": -0.125}],
        "topCandidates": [{"candidates": [{"token": "b", "logProbability": -1}]}]}}]});
    let choice = reply(body, &asked()).unwrap()["choices"][0].clone();
    let images = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]);
    assert_eq!(choice["message"], json!({"role": "assistant", "content": "", "images": images}));
    let expected = r#"{"content":[{"token":"a","logprob":-0.125,"bytes":null,"top_logprobs":[{"token":"b","logprob":-1,"bytes":null}]}],"refusal":null}"#;
    assert_eq!(choice["logprobs"].to_string(), expected);
    assert_eq!(choice["index"], 1);
}

#[test]
fn what_is_no_answer_is_an_error() {
    let check = |body: Value, status: u16, code: &str| {
        let told = reply(body.clone(), &asked()).unwrap_err();
        assert_eq!((told.status, told.code.as_deref()), (status, Some(code)));
        let pieces = streamed(&event(&body));
        assert_eq!(pieces.last(), Some(&Piece::Failed(told)));
    };
    check(json!({"usageMetadata": {"promptTokenCount": 1}}), 502, "empty_upstream_response");
    let error = json!({"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}});
    check(error.clone(), 429, "RESOURCE_EXHAUSTED");
    // Without alt=sse, and from the compatible API, an error is the one item of an array (fixture 34).
    check(json!([error]), 429, "RESOURCE_EXHAUSTED");
}

#[test]
fn a_stream_without_a_reason_was_cut_off() {
    let cut = streamed(&event(&json!({"candidates": [{"content": {"parts": [{"text": "hal"}]}}]})));
    let Some(Piece::Failed(told)) = cut.last() else { panic!("{cut:?}") };
    assert_eq!((told.status, told.code.as_deref()), (502, Some("stream_truncated")));
    assert!(!cut.contains(&Piece::Done));
}

#[test]
fn an_error_in_the_stream_ends_it() {
    let begun = event(&json!({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}));
    let error = event(&json!({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}));
    let pieces = streamed(&format!("{begun}{error}{begun}"));
    assert_eq!(pieces.len(), 3);
    assert!(matches!(&pieces[2], Piece::Failed(told) if told.status == 503 && told.message == "busy"));
}

#[test]
fn a_stream_says_what_a_reply_says() {
    let parts = json!([{"text": "hm", "thought": true}, {"text": "a"}, {"text": ""}, {"text": "b"}]);
    let body = json!({"responseId": "r", "modelVersion": "m", "candidates": [{"content": {"parts": parts},
        "finishReason": "STOP", "index": 0}]});
    let noise = "data: not json\n\n: comment\n\n";
    let pieces = streamed(&format!("{noise}{}", event(&body)));
    let expected = [
        json!({"role": "assistant", "content": ""}),
        json!({"reasoning_content": "hm"}),
        json!({"content": "a"}),
        json!({"content": "b"}),
        json!({}),
    ];
    assert_eq!(deltas(&pieces), expected);
    let Piece::Chunk(first) = &pieces[0] else { panic!("{pieces:?}") };
    assert_eq!((&first["id"], &first["model"], &first["created"]), (&json!("r"), &json!("m"), &json!(1700)));
}

#[test]
fn embeddings_go_in_one_batch_and_come_back_in_order() {
    let request = json!({"model": "e", "input": ["one", "two"], "dimensions": 2, "user": "u"});
    let outgoing = embeddings_request(request, &target("gemini-embedding-001")).unwrap();
    let item = |text: &str| json!({"model": "models/gemini-embedding-001", "outputDimensionality": 2, "content": {"parts": [{"text": text}]}});
    assert_eq!(outgoing.body, json!({"requests": [item("one"), item("two")]}));
    assert_eq!(outgoing.dropped, ["user"]);
    let body = r#"{"embeddings": [{"values": [1.0, -0.250]}, {"values": [0.5, 2]}]}"#;
    let reply = embeddings_reply(serde_json::from_str(body).unwrap(), &outgoing.asked).to_string();
    assert_eq!(
        reply,
        concat!(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,-0.250]},"#,
            r#"{"object":"embedding","index":1,"embedding":[0.5,2]}],"model":"asked-model","#,
            r#""usage":{"prompt_tokens":2,"total_tokens":2}}"#
        )
    );
}

#[test]
fn embeddings_in_base64_are_written_so() {
    let request = json!({"input": "one", "encoding_format": "base64"});
    let asked = embeddings_request(request, &target("e")).unwrap().asked;
    let body = json!({"embeddings": [{"values": [1.0, -0.25]}], "usageMetadata": {"promptTokenCount": 9}});
    let reply = embeddings_reply(body, &asked);
    assert_eq!(reply["data"][0]["embedding"], "AACAPwAAgL4=");
    assert_eq!(reply["usage"]["prompt_tokens"], 9);
}

#[test]
fn tokens_cannot_be_embedded() {
    let check = |input: Value, code: &str| {
        let refusal = embeddings_request(json!({ "input": input }), &target("e")).unwrap_err();
        assert_eq!((refusal.code, refusal.param.as_deref()), (code, Some("input")));
    };
    check(json!([1, 2]), "unsupported_parameter");
    check(json!([[1], [2]]), "unsupported_parameter");
    check(json!([]), "invalid_value");
    check(json!(7), "invalid_value");
}

mod properties {
    use proptest::prelude::*;
    use twinlane_dialects::to_gemini::{error_of, model_path};

    use super::*;
    use crate::gemini::{any_json, chat_body, pieces_of};

    fn a_stream() -> String {
        let part =
            |part: Value| event(&json!({"responseId": "r", "candidates": [{"content": {"parts": [part]}}]}));
        let end = json!({"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1}});
        [
            part(json!({"text": "é\u{2028}\n"})),
            part(json!({"functionCall": {"name": "f", "args": {"a": "ü"}}, "thoughtSignature": "s"})),
            part(json!({"text": "hm", "thought": true})),
            event(&end),
        ]
        .concat()
    }

    proptest! {
        // Fixture 58.
        #[test]
        fn any_split_of_the_stream_gives_the_same_pieces(at in 0usize..600, and in 0usize..600) {
            let bytes = a_stream().into_bytes();
            let (at, and) = (at.min(and).min(bytes.len()), at.max(and).min(bytes.len()));
            let split = [&bytes[..at], &bytes[at..and], &bytes[and..]];
            prop_assert_eq!(pieces_of(stream(asked()), &split), pieces_of(stream(asked()), &[&bytes]));
        }

        #[test]
        fn no_request_and_no_reply_panics(body in any_json(), chat in chat_body()) {
            let _ = request(body.clone(), &target("gemini-3-pro"));
            let _ = request(chat, &target("gemini-3-pro"));
            let _ = embeddings_request(body.clone(), &target("e"));
            let _ = embeddings_reply(body.clone(), &Asked::default());
            let _ = (reply(body.clone(), &asked()), error_of(&body));
            let _ = streamed(&event(&json!({"candidates": [{"content": {"parts": [body.clone()]}}]})));
            let _ = streamed(&event(&body));
        }

        #[test]
        fn a_models_path_never_leaves_its_place(model in "[a-z./%\\\\ \u{0}\u{e9}]{0,12}") {
            let path = model_path(&model).unwrap_or_default();
            prop_assert!(!path.contains(".."), "{}", path);
            prop_assert!(path.is_empty() || path.matches('/').count() == 1, "{}", path);
        }
    }
}
