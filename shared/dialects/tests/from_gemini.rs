//! Gemini clients, served by chat.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking; cases are written in place"
)]

mod gemini;

use serde_json::{Value, json};
use twinlane_dialects::from_gemini::{counted, for_counting, reply, request, stream};
use twinlane_dialects::{Asked, FromChat, Outgoing, Piece, Quirks, Refusal, Target, Told, to_gemini};

use gemini::{asked, pieces, target};

/// A provider that takes all that some do.
const RICH: Quirks = Quirks { file_parts: true, top_k: true, ..Quirks::NONE };

fn sent(body: Value) -> Outgoing {
    request(body, &Target { quirks: RICH, ..target("gpt") }).unwrap()
}

fn refused(body: Value) -> Refusal {
    request(body, &target("gpt")).unwrap_err()
}

/// The messages that contents become.
fn check_messages(contents: Value, expected: &Value) {
    assert_eq!(&sent(json!({ "contents": contents })).body["messages"], expected);
}

/// What a stream writes for pieces.
fn written(asked: Asked, pieces: Vec<Piece>) -> String {
    let (mut stream, mut out) = (stream(asked), Vec::new());
    for piece in pieces {
        stream.piece(piece, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The events in it.
fn events(text: &str) -> Vec<Value> {
    text.split("\n\n").filter_map(|event| event.trim_start().strip_prefix("data: ")).map(parsed).collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn chunk(choice: Value) -> Piece {
    Piece::Chunk(json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt",
        "choices": [choice]}))
}

fn delta(delta: Value) -> Piece {
    chunk(json!({"index": 0, "delta": delta, "finish_reason": null}))
}

fn finish(reason: &str) -> Piece {
    chunk(json!({"index": 0, "delta": {}, "finish_reason": reason}))
}

fn usage() -> Piece {
    Piece::Chunk(json!({"id": "chatcmpl-1", "model": "gpt", "choices": [], "usage": {"prompt_tokens": 10,
        "completion_tokens": 30, "total_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 12}}}))
}

#[test]
fn a_request_becomes_a_chat_request() {
    let outgoing = sent(json!({
        "model": "models/x",
        "stream": true,
        "systemInstruction": {"role": "user", "parts": [{"text": "be"}, {"text": "kind"}]},
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "safetySettings": [{"category": "c"}],
        "labels": null,
        "generationConfig": {"temperature": 0.5, "candidateCount": 1, "mediaResolution": "LOW"},
    }));
    assert_eq!(
        outgoing.body,
        json!({"model": "gpt", "messages": [
            {"role": "system", "content": "be\n\nkind"}, {"role": "user", "content": "hi"},
        ], "temperature": 0.5, "stream": true, "stream_options": {"include_usage": true}})
    );
    assert_eq!(outgoing.dropped, ["generationConfig.mediaResolution", "safetySettings"]);
    assert_eq!((outgoing.asked.model.as_str(), outgoing.asked.stream), ("asked-model", true));
}

#[test]
fn underscores_are_read_like_capitals() {
    let snake = json!({
        "system_instruction": "be kind",
        "contents": [
            {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "AA"}}]},
            {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"a_b": 1}}}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"output": "x"}}}]},
        ],
        "generation_config": {"max_output_tokens": 5, "response_mime_type": "application/json",
            "response_schema": {"type": "OBJECT", "properties": {"a_b": {"type": "STRING", "max_length": "3"}}}},
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
    });
    let schema = json!({"type": "object", "properties": {"a_b": {"type": "string", "maxLength": 3}}});
    assert_eq!(
        sent(snake).body,
        json!({"model": "gpt", "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{\"a_b\":1}"}}]},
            {"role": "tool", "tool_call_id": "call_0", "content": "x"},
        ],
        "max_completion_tokens": 5,
        "response_format": {"type": "json_schema", "json_schema": {"name": "structured_output", "schema": schema}},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}}})
    );
}

#[test]
fn results_come_first_and_find_their_calls() {
    let call = |name: &str, id: Value| json!({"functionCall": {"name": name, "id": id, "args": {}}});
    let response = |name: &str, id: Value, response: Value| json!({"functionResponse": {"name": name, "id": id, "response": response}});
    let written = |id: &str, name: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}});
    check_messages(
        json!([
            {"role": "model", "parts": [call("a", json!("x1")), call("b", Value::Null), call("b", Value::Null)]},
            {"role": "user", "parts": [
                {"text": "well?"},
                response("b", Value::Null, json!({"result": 1})),
                response("a", json!("x1"), json!({"output": {"n": 1.50}})),
                response("b", json!(""), json!({"error": "no"})),
            ]},
        ]),
        &json!([
            {"role": "assistant", "content": null,
             "tool_calls": [written("x1", "a"), written("call_1", "b"), written("call_2", "b")]},
            {"role": "tool", "tool_call_id": "call_1", "content": "{\"result\":1}"},
            {"role": "tool", "tool_call_id": "x1", "content": "{\"n\":1.5}"},
            {"role": "tool", "tool_call_id": "call_2", "content": "{\"error\":\"no\"}"},
            {"role": "user", "content": "well?"},
        ]),
    );
}

#[test]
fn media_of_a_result_follow_it() {
    check_messages(
        json!([
            {"role": "model", "parts": [{"functionCall": {"name": "a", "id": "1"}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "a", "id": "1", "response": {"output": "see"},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "AA"}}]}}]},
        ]),
        &json!([
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "see"},
            {"role": "user", "content": [
                {"type": "text", "text": "[tool result 1]"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
            ]},
        ]),
    );
}

#[test]
fn a_streamed_answer_kept_in_pieces_is_one_message() {
    check_messages(
        json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "hm", "thought": true, "thoughtSignature": "s"}]},
            {"role": "model", "parts": [{"text": "on"}]},
            {"role": "model", "parts": [{"text": "e"}, {"text": "", "thoughtSignature": "s"}]},
            {"parts": [{"text": "c"}]},
        ]),
        &json!([
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": "one"},
            {"role": "user", "content": "c"},
        ]),
    );
}

#[test]
fn thoughts_and_signatures_go_where_they_are_understood() {
    let contents = json!([{"role": "model", "parts": [
        {"text": "hm", "thought": true},
        {"functionCall": {"name": "f", "id": "1"}, "thoughtSignature": "s"},
    ]}]);
    let sent = |quirks: Quirks| {
        let target = Target { quirks, ..target("x") };
        request(json!({ "contents": contents }), &target).unwrap().body["messages"][0].clone()
    };
    let plain = sent(Quirks::default());
    assert_eq!((plain.get("reasoning_content"), plain["tool_calls"][0].get("extra_content")), (None, None));
    let rich = sent(Quirks { reasoning_echo: true, thought_signatures: true, ..Quirks::default() });
    assert_eq!(rich["reasoning_content"], "hm");
    assert_eq!(rich["tool_calls"][0]["extra_content"], json!({"google": {"thought_signature": "s"}}));
}

#[test]
fn media_of_every_kind_find_their_part() {
    let check = |part: Value, expected: Value| {
        let body = sent(json!({"contents": [{"parts": [{"text": "see"}, part]}]})).body;
        assert_eq!(body["messages"][0]["content"][1], expected);
    };
    let inline = |mime: &str| json!({"inlineData": {"mimeType": mime, "data": "A-_A"}});
    check(
        inline("image/png"),
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,A+/A"}}),
    );
    check(
        inline("video/mp4"),
        json!({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,A+/A"}}),
    );
    check(
        inline("audio/mpeg"),
        json!({"type": "input_audio", "input_audio": {"data": "A+/A", "format": "mp3"}}),
    );
    check(
        inline("application/pdf"),
        json!({"type": "file", "file": {"filename": "file.pdf", "file_data": "data:application/pdf;base64,A+/A"}}),
    );
    check(
        json!({"fileData": {"fileUri": "https://x.test/a.png"}}),
        json!({"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}),
    );
}

#[test]
fn what_chat_cannot_hold_is_refused_by_its_path() {
    let check = |body: Value, param: &str| assert_eq!(refused(body).param.as_deref(), Some(param));
    let part = |part: Value| json!({"contents": [{"parts": [part]}]});
    let file = |uri: &str| part(json!({"fileData": {"fileUri": uri, "mimeType": "image/png"}}));
    check(file("gs://b/a.png"), "contents[0].parts[0].fileData.fileUri");
    check(
        file("https://generativelanguage.googleapis.com/v1beta/files/x"),
        "contents[0].parts[0].fileData.fileUri",
    );
    check(
        part(json!({"fileData": {"fileUri": "https://x.test/a.pdf"}})),
        "contents[0].parts[0].fileData.fileUri",
    );
    check(part(json!({"inlineData": {"data": "AA"}})), "contents[0].parts[0].inlineData.mimeType");
    let pdf = json!({"inlineData": {"data": "AA", "mimeType": "application/pdf"}});
    check(part(pdf), "contents[0].parts[0].inlineData.mimeType");
    check(part(json!({"text": 1})), "contents[0].parts[0].text");
    let lonely = json!({"functionResponse": {"name": "f", "response": {}}});
    check(part(lonely), "contents[0].parts[0].functionResponse.name");
    check(json!({"contents": [{"role": "system", "parts": []}]}), "contents[0].role");
    check(json!({"contents": "hi"}), "contents");
    check(json!({}), "contents");
    check(json!({"contents": [], "cachedContent": "c"}), "cachedContent");
    check(json!({"contents": [], "generationConfig": {"topP": "x"}}), "generationConfig.topP");
    check(
        json!({"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "x"}}}),
        "toolConfig.functionCallingConfig.mode",
    );
}

#[test]
fn the_configuration_finds_its_names() {
    let check = |config: Value, expected: Value, dropped: &[&str]| {
        let outgoing = sent(json!({"contents": [], "generationConfig": config}));
        let Value::Object(mut body) = outgoing.body else { panic!("a body") };
        body.retain(|name, _| name != "model" && name != "messages");
        assert_eq!(
            (Value::Object(body), outgoing.dropped),
            (expected, dropped.iter().map(|s| (*s).to_owned()).collect())
        );
    };
    let thinking = |config: Value| json!({ "thinkingConfig": config });
    let effort = |effort: &str| json!({ "reasoning_effort": effort });
    check(
        json!({"topP": 1, "topK": 2, "seed": 3, "presencePenalty": 4, "frequencyPenalty": 5, "candidateCount": 2,
            "stopSequences": ["a"], "responseLogprobs": true, "logprobs": 6, "responseModalities": ["TEXT"]}),
        json!({"top_p": 1, "top_k": 2, "seed": 3, "presence_penalty": 4, "frequency_penalty": 5, "top_logprobs": 6,
            "n": 2, "logprobs": true, "stop": ["a"]}),
        &[],
    );
    check(
        json!({"stopSequences": ["a", "b", "c", "d", "e"], "responseModalities": ["TEXT", "IMAGE"]}),
        json!({"stop": ["a", "b", "c", "d"], "modalities": ["text", "image"]}),
        &["generationConfig.stopSequences[4]"],
    );
    check(
        json!({"responseMimeType": "application/json"}),
        json!({"response_format": {"type": "json_object"}}),
        &[],
    );
    check(json!({"responseMimeType": "text/plain"}), json!({}), &[]);
    check(json!({"responseMimeType": "text/x.enum"}), json!({}), &["generationConfig.responseMimeType"]);
    check(thinking(json!({"thinkingLevel": "LOW"})), effort("low"), &[]);
    check(thinking(json!({"thinkingBudget": 128})), effort("minimal"), &[]);
    check(thinking(json!({"thinkingBudget": 1024})), effort("low"), &[]);
    check(thinking(json!({"thinkingBudget": 8192})), effort("medium"), &[]);
    check(thinking(json!({"thinkingBudget": 24576})), effort("high"), &[]);
    check(thinking(json!({"thinkingBudget": -1})), json!({}), &[]);
    check(
        thinking(json!({"thinkingLevel": "HUGE"})),
        json!({}),
        &["generationConfig.thinkingConfig.thinkingLevel"],
    );
    check(thinking(json!({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"})), json!({}), &[]);
    check(
        thinking(json!({"thinkingBudget": 0})),
        json!({}),
        &["generationConfig.thinkingConfig.thinkingBudget"],
    );
}

#[test]
fn top_k_goes_to_those_who_know_it() {
    let body = json!({"contents": [], "generationConfig": {"topK": 40}});
    let outgoing = request(body, &target("gpt")).unwrap();
    assert_eq!(outgoing.body.get("top_k"), None);
    assert_eq!(outgoing.dropped, ["generationConfig.topK"]);
}

#[test]
fn functions_are_declared_and_chosen() {
    let tools = json!([
        {"functionDeclarations": [
            {"name": "a", "description": "d", "parameters": {"type": "OBJECT", "properties": {"x": {"type": "STRING"}}}},
            {"name": "b", "behavior": "BLOCKING"},
        ], "googleSearch": {}},
    ]);
    let function = |function: Value| json!({"type": "function", "function": function});
    let a = function(json!({"name": "a", "description": "d",
        "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}}));
    let check = |config: Value, tools_left: Value, choice: Value| {
        let outgoing =
            sent(json!({"contents": [], "tools": tools, "toolConfig": {"functionCallingConfig": config}}));
        assert_eq!((&outgoing.body["tools"], &outgoing.body["tool_choice"]), (&tools_left, &choice));
        assert_eq!(outgoing.dropped, ["tools[0].functionDeclarations[1].behavior", "tools[0].googleSearch"]);
    };
    let both = json!([a, function(json!({"name": "b"}))]);
    check(Value::Null, both.clone(), Value::Null);
    check(json!({"mode": "AUTO"}), both.clone(), json!("auto"));
    check(json!({"mode": "NONE"}), both.clone(), json!("none"));
    check(json!({"mode": "ANY"}), both.clone(), json!("required"));
    check(json!({"mode": "ANY", "allowedFunctionNames": ["a", "b"]}), both, json!("required"));
    check(json!({"mode": "ANY", "allowedFunctionNames": ["a"]}), json!([a]), function(json!({"name": "a"})));
}

#[test]
fn counting_reads_both_of_its_forms() {
    let contents = json!([{"parts": [{"text": "hi"}]}]);
    let whole = json!({"generateContentRequest": {"model": "models/x", "contents": contents, "systemInstruction": "s"}});
    let count = |body: Value| for_counting(body, &target("gpt")).unwrap().body["messages"].clone();
    assert_eq!(count(json!({ "contents": contents })), json!([{"role": "user", "content": "hi"}]));
    assert_eq!(count(whole)[0], json!({"role": "system", "content": "s"}));
    assert_eq!(counted(3), json!({"totalTokens": 3}));
}

fn completion() -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt", "choices": [{
        "index": 0, "finish_reason": "tool_calls", "logprobs": null, "message": {
            "role": "assistant", "content": "look", "reasoning_content": "hm",
            "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}],
            "tool_calls": [
                {"id": "1__thought__c2ln", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1.0}"}},
                {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{\"cut"}},
                {"id": "3", "type": "function", "function": {"name": "h", "arguments": ""}},
            ]}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 30, "total_tokens": 40,
            "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 12}}})
}

#[test]
fn a_completion_becomes_a_response() {
    assert_eq!(
        reply(completion(), &asked()),
        json!({"candidates": [{"content": {"parts": [
            {"text": "hm", "thought": true},
            {"text": "look"},
            {"inlineData": {"mimeType": "image/png", "data": "AA"}},
            {"functionCall": {"id": "1", "name": "f", "args": {"x": serde_json::from_str::<Value>("1.0").unwrap()}},
             "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "2", "name": "g", "args": {"_arguments": "{\"cut"}}},
            {"functionCall": {"id": "3", "name": "h", "args": {}}},
        ], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 18, "totalTokenCount": 40,
            "cachedContentTokenCount": 4, "thoughtsTokenCount": 12},
        "modelVersion": "gpt", "responseId": "chatcmpl-1"})
    );
}

#[test]
fn thoughts_are_told_to_those_who_asked() {
    let thoughts = |config: Value| {
        let asked = sent(json!({"contents": [], "generationConfig": config})).asked;
        reply(completion(), &asked).to_string().contains("thought\":true")
    };
    assert!(thoughts(json!({"thinkingConfig": {"includeThoughts": true}})));
    assert!(!thoughts(json!({"thinkingConfig": {"thinkingLevel": "HIGH"}})));
    assert!(!thoughts(Value::Null));
}

#[test]
fn every_reason_has_a_word_in_gemini() {
    let check = |choice: Value, expected: &str| {
        let reply = reply(json!({"choices": [choice]}), &asked());
        assert_eq!(reply["candidates"][0]["finishReason"], expected);
        assert_eq!(
            (&reply["modelVersion"], &reply["responseId"]),
            (&json!("asked-model"), &json!("call-id"))
        );
    };
    check(json!({"finish_reason": "stop"}), "STOP");
    check(json!({"finish_reason": "tool_calls"}), "STOP");
    check(json!({"finish_reason": null}), "STOP");
    check(json!({"finish_reason": "length"}), "MAX_TOKENS");
    check(json!({"finish_reason": "content_filter"}), "SAFETY");
    check(json!({"finish_reason": "content_filter", "native_finish_reason": "RECITATION"}), "RECITATION");
    check(json!({"finish_reason": "stop", "native_finish_reason": "end_turn"}), "STOP");
}

#[test]
fn a_stream_sends_calls_whole_and_ends_with_reason_and_usage() {
    let fragment = |fragment: Value| delta(json!({ "tool_calls": [fragment] }));
    let text = written(
        asked(),
        vec![
            delta(json!({"role": "assistant", "content": ""})),
            delta(json!({"reasoning_content": "hm"})),
            delta(json!({"content": "a\u{2028}b", "tool_calls": []})),
            fragment(json!({"index": 0, "id": "1", "function": {"name": "f", "arguments": "{\"a\""}})),
            Piece::Ping,
            fragment(json!({"index": 1, "id": "2", "function": {"name": "g", "arguments": ""}})),
            fragment(json!({"index": 0, "function": {"arguments": ":1}"}})),
            finish("tool_calls"),
            usage(),
            Piece::Done,
            delta(json!({"content": "late"})),
        ],
    );
    let begun = |part: Value| {
        json!({"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}],
            "modelVersion": "gpt", "responseId": "chatcmpl-1"})
    };
    let last = json!({"candidates": [{"content": {"parts": [
        {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "2", "name": "g", "args": {}}},
    ], "role": "model"}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 18, "totalTokenCount": 40,
        "thoughtsTokenCount": 12}, "modelVersion": "gpt", "responseId": "chatcmpl-1"});
    let expected =
        [begun(json!({"text": "hm", "thought": true})), begun(json!({"text": "a\u{2028}b"})), last];
    assert_eq!(events(&text), expected);
    assert!(text.contains(r"a\u2028b") && !text.contains("[DONE]"), "{text}");
    assert!(text.contains("\n\n\ndata: "), "the ping is an empty line: {text}");
}

#[test]
fn fragments_without_an_index_find_their_call() {
    let text = written(
        asked(),
        vec![
            delta(json!({"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{\"a\":"}}]})),
            delta(json!({"tool_calls": [{"function": {"arguments": "1}"}}]})),
            delta(json!({"tool_calls": [{"id": "2", "function": {"name": "g", "arguments": "{}"}}]})),
            finish("stop"),
            Piece::Done,
        ],
    );
    let parts = events(&text)[0]["candidates"][0]["content"]["parts"].clone();
    assert_eq!(
        parts,
        json!([
            {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
            {"functionCall": {"id": "2", "name": "g", "args": {}}},
        ])
    );
}

#[test]
fn a_failure_never_looks_like_an_end() {
    let told = Told { status: 429, message: "slow down".to_owned(), ..Told::default() };
    let call =
        delta(json!({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": "{"}}]}));
    let text = written(asked(), vec![delta(json!({"content": "a"})), call, Piece::Failed(told), Piece::Done]);
    let (_, error) = text.split_once("\n\n").unwrap();
    let expected =
        "data: {\"error\":{\"code\":429,\"message\":\"slow down\",\"status\":\"RESOURCE_EXHAUSTED\"}}\n\n";
    assert_eq!(error, expected);
}

mod properties {
    use proptest::prelude::*;

    use super::*;
    use crate::gemini::{any_json, chat_body, pieces_of};

    /// Messages that both formats can hold.
    fn conversation() -> impl Strategy<Value = Vec<Value>> {
        let turn =
            ("[a-z ]{1,9}", "[a-z]{1,9}", 0u32..9, any::<bool>()).prop_map(|(asked, said, n, calls)| {
                let question = json!({"role": "user", "content": asked});
                if !calls {
                    return vec![question, json!({"role": "assistant", "content": said})];
                }
                let function = json!({"name": said, "arguments": json!({ "n": n }).to_string()});
                let call = json!({"id": "", "type": "function", "function": function});
                vec![
                    question,
                    json!({"role": "assistant", "content": null, "tool_calls": [call]}),
                    json!({"role": "tool", "tool_call_id": "", "content": asked}),
                ]
            });
        proptest::collection::vec(turn, 1..4).prop_map(numbered)
    }

    /// Gives calls the ids that are made where Gemini's clients have none.
    fn numbered(turns: Vec<Vec<Value>>) -> Vec<Value> {
        let mut count = 0;
        let mut messages = turns.concat();
        for message in &mut messages {
            if message["tool_calls"].is_array() {
                message["tool_calls"][0]["id"] = format!("call_{count}").into();
            }
            if message["role"] == "tool" {
                message["tool_call_id"] = format!("call_{count}").into();
                count += 1;
            }
        }
        messages
    }

    proptest! {
        #[test]
        fn chat_comes_back_from_gemini_as_it_was(messages in conversation(), seed in any::<u64>()) {
            let chat = json!({"model": "gemini-2.5-pro", "messages": messages, "max_completion_tokens": 9,
                "temperature": 0.3, "seed": seed, "stop": ["x"], "reasoning_effort": "medium",
                "response_format": {"type": "json_object"}, "tool_choice": "required",
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]});
            let target = target("gemini-2.5-pro");
            let there = to_gemini::request(chat.clone(), &target).unwrap();
            prop_assert_eq!(&there.dropped, &Vec::<String>::new());
            let back = request(there.body, &target).unwrap();
            prop_assert_eq!(back.body, chat);
        }

        #[test]
        fn a_stream_that_is_written_is_read_again(words in proptest::collection::vec("\\PC{1,5}", 1..6), at in 0usize..400) {
            let mut said: Vec<_> = words.iter().map(|word| delta(json!({ "content": word }))).collect();
            said.extend([finish("stop"), usage(), Piece::Done]);
            let text = written(asked(), said);
            let at = at.min(text.len());
            let split = pieces_of(to_gemini::stream(asked()), &[&text.as_bytes()[..at], &text.as_bytes()[at..]]);
            prop_assert_eq!(&split, &pieces(to_gemini::stream(asked()), &text));
            let read: String = split.iter().filter_map(|piece| match piece {
                Piece::Chunk(chunk) => chunk["choices"][0]["delta"]["content"].as_str(),
                _ => None,
            }).collect();
            prop_assert_eq!(read, words.concat());
            prop_assert_eq!(split.last(), Some(&Piece::Done));
        }

        #[test]
        fn no_request_and_no_reply_panics(body in any_json(), contents in chat_body()) {
            let _ = request(body.clone(), &target("x"));
            let _ = request(contents, &target("x"));
            let _ = for_counting(body.clone(), &target("x"));
            let _ = reply(body.clone(), &asked());
            let _ = reply(json!({"choices": [{"message": body.clone(), "delta": body.clone()}]}), &asked());
            let _ = written(asked(), vec![Piece::Chunk(body.clone()), delta(body), Piece::Done]);
        }
    }
}
