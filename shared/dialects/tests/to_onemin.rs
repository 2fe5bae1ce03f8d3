//! 1min.ai: one text there, one text back.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use twinlane_dialects::sse::Reader;
use twinlane_dialects::{Asked, Outgoing, Piece, Quirks, Refusal, Target, ToChat, to_onemin};

const TARGET: Target<'_> =
    Target { model: "gpt-4o", asked_model: "onemin/gpt-4o", quirks: Quirks::NONE, id: "1", now: 7 };

fn asked() -> Asked {
    Asked { model: "gpt-4o".to_owned(), id: "1".to_owned(), created: 7, ..Asked::default() }
}

fn request(body: Value) -> Result<Outgoing, Refusal> {
    to_onemin::request(body, &TARGET)
}

fn prompt(messages: Value) -> String {
    let body = request(json!({ "messages": messages })).unwrap().body;
    body["promptObject"]["prompt"].as_str().unwrap().to_owned()
}

fn image(url: &str) -> Value {
    json!({ "type": "image_url", "image_url": { "url": url } })
}

#[test]
fn a_request_is_a_prompt_with_settings() {
    let outgoing = request(json!({
        "model": "x", "messages": [{ "role": "user", "content": "hi" }], "stream": true, "temperature": 0.5,
        "max_tokens": 9, "n": 1, "tools": [], "user": null,
    }))
    .unwrap();
    let expected = json!({
        "type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o", "promptObject": {
            "prompt": "Human: hi\n\n",
            "settings": { "historySettings": { "isMixed": false }, "withMemories": false },
        },
    });
    assert_eq!(outgoing.body, expected);
    assert_eq!(outgoing.dropped, ["temperature", "max_tokens"]);
    assert!(outgoing.asked.stream);
    assert_eq!(to_onemin::chat_path(true), "/api/chat-with-ai?isStreaming=true");
}

#[test]
fn the_whole_history_is_told_once_under_its_speakers() {
    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "developer", "content": [{ "type": "text", "text": "Be kind." }] },
        { "role": "user", "content": [{ "type": "text", "text": "one" }, { "type": "text", "text": "two" }] },
        { "role": "assistant", "content": null, "tool_calls": [
            { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } },
        ] },
        { "role": "tool", "tool_call_id": "a", "content": "42" },
        { "role": "assistant", "content": null, "refusal": "no" },
        { "role": "assistant", "content": "" },
    ]);
    let expected = "System: Be brief.\n\nSystem: Be kind.\n\nHuman: one\ntwo\n\nAssistant: [calls f with {\"x\":1}]\n\n\
        Tool: 42\n\nAssistant: no\n\n";
    assert_eq!(prompt(messages), expected);
}

#[test]
fn the_web_is_searched_when_asked() {
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let settings = |body: Value, model: &str| {
        let outgoing = to_onemin::request(body, &Target { model, ..TARGET }).unwrap();
        assert_eq!((&outgoing.body["model"], outgoing.dropped.len()), (&json!("m"), 0));
        outgoing.body["promptObject"]["settings"]["webSearchSettings"].clone()
    };
    let on = json!({ "webSearch": true, "numOfSite": 1, "maxWord": 500 });
    assert_eq!(settings(json!({ "messages": messages, "web_search_options": {} }), "m"), on);
    assert_eq!(settings(json!({ "messages": messages }), "m:online"), on);
    assert_eq!(settings(json!({ "messages": messages }), "m"), Value::Null);
}

#[test]
fn a_format_is_asked_for_in_words() {
    let with = |format: Value| {
        let messages = json!([{ "role": "user", "content": "hi" }]);
        let outgoing = request(json!({ "messages": messages, "response_format": format })).unwrap();
        (outgoing.body["promptObject"]["prompt"].as_str().unwrap().to_owned(), outgoing.dropped)
    };
    let (prompt, dropped) =
        with(json!({ "type": "json_schema", "json_schema": { "schema": { "type": "object" } } }));
    assert!(prompt.ends_with("schema: {\"type\":\"object\"}\n\n"), "{prompt}");
    assert_eq!(dropped, ["response_format"]);
    assert_eq!(with(json!({ "type": "text" })), ("Human: hi\n\n".to_owned(), Vec::new()));
}

#[test]
fn images_are_uploaded_by_the_gateway_in_their_order() {
    let chat = json!({ "messages": [
        { "role": "user", "content": [image("https://a/1.png"), { "type": "text", "text": "and" }] },
        { "role": "user", "content": [image("data:image/png;base64,AAAA")] },
    ] });
    let images = to_onemin::images_of(&chat).unwrap();
    let places: Vec<_> = images.iter().map(|image| (image.param.as_str(), image.url)).collect();
    let expected = [
        ("messages[0].content[0]", "https://a/1.png"),
        ("messages[1].content[0]", "data:image/png;base64,AAAA"),
    ];
    assert_eq!(places, expected);
    let paths = ["images/1.png".to_owned(), "images/2.png".to_owned()];
    let outgoing = to_onemin::request_with(chat.clone(), &TARGET, &paths).unwrap();
    assert_eq!(outgoing.body["promptObject"]["attachments"], json!({ "images": paths }));
    assert_eq!(outgoing.body["promptObject"]["prompt"], "Human: and\n\n");
    let refusal = to_onemin::request_with(chat, &TARGET, &paths[..1]).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages[1].content[0]"));
}

#[test]
fn what_it_has_no_place_for_is_refused() {
    let check = |fields: Value, content: Value, param: &str, code: &str| {
        let mut body = json!({ "messages": [{ "role": "user", "content": content }] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let refusal = request(body).unwrap_err();
        assert_eq!((refusal.param.as_deref(), refusal.code), (Some(param), code));
    };
    let tool = json!([{ "type": "function", "function": { "name": "f" } }]);
    check(json!({ "tools": tool }), json!("hi"), "tools", "unsupported_parameter");
    check(json!({ "functions": [{ "name": "f" }] }), json!("hi"), "functions", "unsupported_parameter");
    check(json!({ "n": 2 }), json!("hi"), "n", "unsupported_parameter");
    let audio = json!([{ "type": "input_audio", "input_audio": {} }]);
    check(json!({}), audio, "messages[0].content[0]", "unsupported_content_part");
    check(
        json!({}),
        json!([{ "type": "image_url" }]),
        "messages[0].content[0].image_url.url",
        "invalid_value",
    );
    check(json!({}), json!(5), "messages[0].content", "invalid_value");
    check(json!({}), json!(""), "messages", "invalid_value");
    assert_eq!(
        request(json!({ "messages": [{ "role": "x", "content": "a" }] })).unwrap_err().code,
        "invalid_value"
    );
    let unused =
        json!({ "messages": [{ "role": "user", "content": "a" }], "tools": tool, "tool_choice": "none" });
    assert_eq!(request(unused).unwrap().dropped, ["tool_choice"]);
}

fn record(result: Value) -> Value {
    json!({ "aiRecord": { "uuid": "u", "aiRecordDetail": { "resultObject": result } } })
}

#[test]
fn a_record_is_a_completion_without_usage() {
    let expected = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "gpt-4o", "choices": [{
            "index": 0, "message": { "role": "assistant", "content": "hi", "refusal": null }, "logprobs": null,
            "finish_reason": "stop",
        }],
    });
    assert_eq!(to_onemin::reply(record(json!(["hi"])), &asked()), Ok(expected.clone()));
    assert_eq!(to_onemin::reply(record(json!("hi")), &asked()), Ok(expected));
    let code = |body: Value| to_onemin::reply(body, &asked()).unwrap_err().code;
    assert_eq!(code(record(json!([]))).as_deref(), Some("empty_upstream_response"));
    assert_eq!(code(json!({ "error": { "message": "m", "code": "x" } })).as_deref(), Some("x"));
}

#[test]
fn images_are_made_and_come_by_url() {
    let body =
        json!({ "prompt": "a cat", "n": 2, "size": "auto", "quality": "hd", "response_format": "url" });
    let outgoing = to_onemin::image_request(body, &TARGET).unwrap();
    let expected = json!({
        "type": "IMAGE_GENERATOR", "model": "gpt-4o",
        "promptObject": { "prompt": "a cat", "n": 2, "size": "1024x1024" },
    });
    assert_eq!((outgoing.body, outgoing.dropped), (expected, vec!["quality".to_owned()]));
    let reply = to_onemin::image_reply(&record(json!(["https://a", "https://b"])), &asked());
    assert_eq!(reply, Ok(json!({ "created": 7, "data": [{ "url": "https://a" }, { "url": "https://b" }] })));
    assert!(to_onemin::image_reply(&record(json!([])), &asked()).is_err());
    let refused = json!({ "prompt": "a", "response_format": "b64_json" });
    assert_eq!(
        to_onemin::image_request(refused, &TARGET).unwrap_err().param.as_deref(),
        Some("response_format")
    );
    assert_eq!(to_onemin::image_request(json!({}), &TARGET).unwrap_err().param.as_deref(), Some("prompt"));
}

fn pieces(parts: &[&[u8]]) -> Vec<Piece> {
    let (mut reader, mut stream, mut out) = (Reader::default(), to_onemin::stream(asked()), Vec::new());
    for part in parts {
        reader.push(part, |event| stream.event(event, &mut out)).unwrap();
    }
    reader.end(|event| stream.event(event, &mut out));
    stream.end(&mut out);
    out
}

fn content(text: &str) -> String {
    format!("event: content\ndata: {}\n\n", json!({ "content": text }))
}

fn result(text: &str) -> String {
    format!("event: result\ndata: {}\n\n", record(json!([text])))
}

const DONE: &str = "event: done\ndata: {}\n\n";

/// The text of the deltas, and how the stream ended.
fn check(events: &[String], text: &str, end: Result<(), &str>) {
    let mut told = String::new();
    let mut ended = None;
    for piece in pieces(&[events.concat().as_bytes()]) {
        match piece {
            Piece::Chunk(chunk) => {
                told.push_str(chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
            }
            Piece::Done => ended = Some(Ok(())),
            Piece::Failed(failed) => ended = Some(Err(failed.code.unwrap_or_default())),
            Piece::Ping => {}
        }
    }
    assert_eq!(told, text, "{events:?}");
    assert_eq!(ended, Some(end.map_err(str::to_owned)), "{events:?}");
}

#[test]
fn the_repeated_whole_is_left_out() {
    let done = || DONE.to_owned();
    check(&[content("he"), content("llo"), content("hello"), result("hello"), done()], "hello", Ok(()));
    check(&[content("he"), content("llo"), content("hello"), done()], "hello", Ok(()));
    check(&[content("ha"), content("ha"), content("!"), done()], "haha!", Ok(()));
    check(&[content("ha"), content("ha"), result("haha"), done()], "haha", Ok(()));
    check(&[content("ha"), content("ha"), result("ha"), done()], "ha", Ok(()));
    check(&[content("he"), result("hello")], "hello", Ok(()));
    check(&[content("a "), result("a"), "data: [DONE]\n\n".to_owned()], "a ", Ok(()));
}

#[test]
fn a_stream_that_does_not_end_well_says_so() {
    check(&[content("he")], "he", Err("stream_truncated"));
    check(&[], "", Err("stream_truncated"));
    check(&[DONE.to_owned()], "", Err("empty_upstream_response"));
    let error = "event: error\ndata: {\"error\":{\"message\":\"m\",\"code\":\"x\"}}\n\n".to_owned();
    check(&[content("he"), error, content("late")], "he", Err("x"));
    check(&["data: {\"error\":{\"code\":429,\"message\":\"m\"}}\n\n".to_owned()], "", Err("429"));
}

#[test]
fn the_first_delta_names_the_role_and_the_last_chunk_the_end() {
    let read = pieces(&[content("hi").as_bytes(), DONE.as_bytes()]);
    let [Piece::Chunk(first), Piece::Chunk(_), Piece::Chunk(last), Piece::Done] = &read[..] else {
        panic!("{read:?}")
    };
    assert_eq!(first["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_pieces(
        texts in proptest::collection::vec("[aé]{0,2}", 0..6), whole in any::<bool>(), at in 0usize..400,
    ) {
        let mut text: String = texts.iter().map(|text| content(text)).collect();
        if whole {
            text.push_str(&result(&texts.concat()));
        }
        let (bytes, at) = (text.as_bytes(), at.min(text.len()));
        prop_assert_eq!(pieces(&[&bytes[..at], &bytes[at..]]), pieces(&[bytes]));
    }

    /// Whatever the texts, those who have the record get exactly it.
    #[test]
    fn with_a_record_the_text_is_the_records(texts in proptest::collection::vec("[ab]{1,2}", 1..6), repeats in any::<bool>()) {
        let whole = texts.concat();
        let mut events: Vec<_> = texts.iter().map(|text| content(text)).collect();
        events.extend(repeats.then(|| content(&whole)));
        events.push(result(&whole));
        check(&events, &whole, Ok(()));
    }
}
