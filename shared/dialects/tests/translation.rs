//! Every client's format with every provider's.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use twinlane_dialects::translation::{self, StreamTranslation, Translated};
use twinlane_dialects::{Dialect, Quirks, Target, Told, quirks};

const CLIENTS: [Dialect; 5] =
    [Dialect::Chat, Dialect::Completions, Dialect::Responses, Dialect::Messages, Dialect::Gemini];
const PROVIDERS: [Dialect; 4] = [Dialect::Chat, Dialect::Messages, Dialect::Gemini, Dialect::OneMin];

const TARGET: Target<'_> =
    Target { model: "real", asked_model: "asked", quirks: Quirks::NONE, id: "1", now: 7 };

/// A client's plain request for a stream.
fn asks(client: Dialect) -> Value {
    match client {
        Dialect::Completions => json!({ "model": "asked", "prompt": "hi", "stream": true }),
        Dialect::Responses => json!({ "model": "asked", "input": "hi", "stream": true }),
        Dialect::Gemini => {
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }] }], "stream": true })
        }
        _ => json!({
            "model": "asked", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }], "stream": true,
        }),
    }
}

fn translated(client: Dialect, provider: Dialect) -> Translated {
    translation::request(client, provider, asks(client), &TARGET).unwrap()
}

/// A provider's stream that says "hé", "llo".
fn says(provider: Dialect) -> String {
    let events: Vec<(&str, Value)> = match provider {
        Dialect::Messages => vec![
            (
                "message_start",
                json!({ "type": "message_start", "message": {
                "id": "msg_1", "model": "real", "usage": { "input_tokens": 3, "output_tokens": 1 },
            } }),
            ),
            (
                "content_block_start",
                json!({
                    "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" },
                }),
            ),
            ("ping", json!({ "type": "ping" })),
            (
                "content_block_delta",
                json!({
                    "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "hé" },
                }),
            ),
            (
                "content_block_delta",
                json!({
                    "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "llo" },
                }),
            ),
            ("content_block_stop", json!({ "type": "content_block_stop", "index": 0 })),
            (
                "message_delta",
                json!({
                    "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 2 },
                }),
            ),
            ("message_stop", json!({ "type": "message_stop" })),
        ],
        Dialect::Gemini => {
            let part = |text: &str, finish: Option<&str>| {
                (
                    "",
                    json!({
                        "candidates": [{ "index": 0, "content": { "parts": [{ "text": text }] }, "finishReason": finish }],
                        "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5 },
                    }),
                )
            };
            vec![part("hé", None), part("llo", Some("STOP"))]
        }
        Dialect::OneMin => vec![
            ("content", json!({ "content": "hé" })),
            ("content", json!({ "content": "llo" })),
            ("content", json!({ "content": "héllo" })),
            ("done", json!({})),
        ],
        _ => {
            let chunk = |delta: Value, finish: Option<&str>| {
                ("", json!({ "id": "c", "choices": [{ "delta": delta, "finish_reason": finish }] }))
            };
            vec![
                chunk(json!({ "role": "assistant", "content": "hé" }), Some("")),
                chunk(json!({ "content": "llo" }), None),
                chunk(json!({}), Some("eos")),
                ("", json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 2 } })),
            ]
        }
    };
    let event = |(name, data): &(&str, Value)| match *name {
        "" => format!("data: {data}\r\n\r\n"),
        name => format!("event: {name}\ndata: {data}\n\n"),
    };
    events.iter().map(event).collect()
}

fn run(stream: &mut StreamTranslation, parts: &[&[u8]]) -> String {
    let mut out = Vec::new();
    for part in parts {
        stream.push(part, &mut out);
    }
    stream.end(&mut out);
    String::from_utf8(out).unwrap()
}

fn stream(client: Dialect, provider: Dialect) -> StreamTranslation {
    translated(client, provider).reply.stream()
}

/// The text that a client puts together, by its format.
fn heard(client: Dialect, stream: &str) -> String {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let path = match client {
        Dialect::Completions => "/choices/0/text",
        Dialect::Messages => "/delta/text",
        Dialect::Responses => "/delta",
        Dialect::Gemini => "/candidates/0/content/parts/0/text",
        _ => "/choices/0/delta/content",
    };
    events.filter_map(|event| Some(event.pointer(path)?.as_str()?.to_owned())).collect()
}

fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    CLIENTS.into_iter().flat_map(|client| PROVIDERS.into_iter().map(move |provider| (client, provider)))
}

#[test]
fn every_client_hears_every_provider() {
    for (client, provider) in pairs() {
        let mut stream = stream(client, provider);
        let text = run(&mut stream, &[says(provider).as_bytes()]);
        assert_eq!(heard(client, &text), "héllo", "{client} from {provider}: {text}");
        assert_eq!(stream.ended(), Some(Ok(())), "{client} from {provider}");
        let usage = stream.usage().map(|usage| (usage.prompt, usage.completion));
        assert_eq!(usage, (provider != Dialect::OneMin).then_some((3, 2)), "{client} from {provider}");
    }
}

/// A provider's whole reply.
fn replies(provider: Dialect) -> Value {
    match provider {
        Dialect::Messages => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "real",
            "content": [{ "type": "text", "text": "héllo" }], "stop_reason": "end_turn",
            "usage": { "input_tokens": 3, "output_tokens": 2 },
        }),
        Dialect::Gemini => json!({
            "candidates": [{ "content": { "parts": [{ "text": "héllo" }] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5 },
        }),
        Dialect::OneMin => json!({ "aiRecord": { "aiRecordDetail": { "resultObject": ["héllo"] } } }),
        _ => json!({
            "id": "c", "choices": [{ "message": { "content": "héllo" }, "finish_reason": "eos" }],
            "usage": { "prompt_tokens": 3, "completion_tokens": 2 },
        }),
    }
}

#[test]
fn every_client_is_answered_by_every_provider() {
    for (client, provider) in pairs() {
        let reply = translated(client, provider).reply.whole(replies(provider)).unwrap().reply;
        let path = match client {
            Dialect::Completions => "/choices/0/text",
            Dialect::Messages => "/content/0/text",
            Dialect::Responses => "/output/0/content/0/text",
            Dialect::Gemini => "/candidates/0/content/parts/0/text",
            _ => "/choices/0/message/content",
        };
        assert_eq!(reply.pointer(path), Some(&json!("héllo")), "{client} from {provider}: {reply}");
    }
}

#[test]
fn an_error_with_status_200_is_one_for_every_pair() {
    let error = json!({ "error": { "code": 429, "message": "slow down" } });
    for (client, provider) in pairs() {
        let told = translated(client, provider).reply.whole(error.clone()).unwrap_err();
        assert_eq!((told.status, told.message.as_str()), (429, "slow down"), "{client} from {provider}");
    }
}

fn check_failure(parts: &[&[u8]], code: &str) {
    for (client, provider) in pairs() {
        let mut stream = stream(client, provider);
        let text = run(&mut stream, parts);
        let Some(Err(told)) = stream.ended() else { panic!("{client} from {provider} ended well: {text}") };
        assert_eq!(told.code.as_deref(), Some(code), "{client} from {provider}");
        assert!(!text.contains("[DONE]") && text.contains("error"), "{client} from {provider}: {text}");
    }
}

#[test]
fn an_empty_answer_is_a_failure() {
    check_failure(&[], "empty_upstream_response");
    check_failure(&[b" \r\n"], "empty_upstream_response");
}

#[test]
fn a_cut_stream_is_a_failure() {
    for (client, provider) in pairs() {
        let mut stream = stream(client, provider);
        let text = says(provider);
        let cut = text.find("llo").unwrap();
        let written = run(&mut stream, &[&text.as_bytes()[..cut]]);
        assert_eq!(
            stream.ended().unwrap().unwrap_err(),
            &Told::truncated(),
            "{client} from {provider}: {written}"
        );
    }
}

#[test]
fn a_stream_of_comments_is_a_failure() {
    for (client, provider) in pairs() {
        let mut stream = stream(client, provider);
        run(&mut stream, &[b": hello\n\n"]);
        assert!(matches!(stream.ended(), Some(Err(_))), "{client} from {provider}");
    }
}

#[test]
fn f44_json_and_pages_in_place_of_a_stream_are_failures() {
    check_failure(&[b"\n{\"error\":{\"code\":", b"402,\"message\":\"m\"}}"], "402");
    check_failure(&[b"[{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"X\"}}]"], "X");
    check_failure(&[b"<html><body>Sorry</body></html>"], "no_event_stream");
    check_failure(&[b"{\"choices\":[]}"], "no_event_stream");
}

#[test]
fn an_event_over_the_limit_is_a_failure() {
    let mebibyte = vec![b'x'; 1 << 20];
    let mut stream = stream(Dialect::Chat, Dialect::Chat);
    let mut out = Vec::new();
    stream.push(b"data: ", &mut out);
    for _ in 0..40 {
        stream.push(&mebibyte, &mut out);
    }
    assert_eq!(stream.ended().unwrap().unwrap_err().code.as_deref(), Some("event_too_large"));
}

#[test]
fn a_stream_ends_once() {
    let mut stream = stream(Dialect::Chat, Dialect::Chat);
    let mut out = Vec::new();
    stream.ping(&mut out);
    assert_eq!((out.as_slice(), stream.ended()), (b": keep-alive\n".as_slice(), None));
    stream.fail(Told::of_upstream("idle", "Silent for too long."), &mut out);
    let ended = out.clone();
    stream.push(says(Dialect::Chat).as_bytes(), &mut out);
    stream.ping(&mut out);
    stream.end(&mut out);
    stream.fail(Told::empty(), &mut out);
    assert_eq!(out, ended);
    assert_eq!(stream.ended().unwrap().unwrap_err().code.as_deref(), Some("idle"));
}

#[test]
fn what_either_side_leaves_out_is_named() {
    let body = json!({
        "model": "m", "max_tokens": 5, "messages": [{ "role": "user", "content": "hi" }], "top_k": 3,
        "stop_sequences": ["x"],
    });
    let target = Target { quirks: quirks::of("pplx"), ..TARGET };
    let translated = translation::request(Dialect::Messages, Dialect::Chat, body, &target).unwrap();
    assert_eq!(translated.dropped, ["top_k", "stop"]);
    assert!(!translated.reply.is_stream());
}

#[test]
fn what_a_provider_cannot_hold_is_refused() {
    let body = json!({
        "messages": [{ "role": "user", "content": "hi" }],
        "tools": [{ "type": "function", "function": { "name": "f" } }],
    });
    let refusal = translation::request(Dialect::Chat, Dialect::OneMin, body, &TARGET).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("tools"));
}

#[test]
fn formats_that_cannot_be_joined_are_refused() {
    for (client, provider) in [(Dialect::OneMin, Dialect::Chat), (Dialect::Chat, Dialect::Responses)] {
        let refusal = translation::request(client, provider, asks(Dialect::Chat), &TARGET).unwrap_err();
        assert_eq!(refusal.code, "unsupported_translation");
    }
}

#[test]
fn images_for_1min_are_uploaded_between_the_two_steps() {
    let body = json!({ "model": "m", "max_tokens": 5, "messages": [{ "role": "user", "content": [
        { "type": "text", "text": "hi" },
        { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } },
    ] }] });
    let chat = translation::to_chat(Dialect::Messages, Dialect::OneMin, body, &TARGET).unwrap();
    let images = twinlane_dialects::to_onemin::images_of(&chat.body).unwrap();
    assert_eq!(images[0].url, "data:image/png;base64,AAAA");
    let paths = ["images/1.png".to_owned()];
    let sent = translation::from_chat(Dialect::Messages, Dialect::OneMin, chat, &TARGET, &paths).unwrap();
    assert_eq!(sent.body["promptObject"]["attachments"]["images"], json!(paths));
}

/// Any JSON, with the names of fields that mean something to somebody.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..9).prop_map(Value::from),
        select(vec![
            "user",
            "assistant",
            "system",
            "tool",
            "text",
            "image_url",
            "function",
            "data:,",
            "é",
            "auto"
        ])
        .prop_map(Value::from),
    ];
    let name = select(vec![
        "messages",
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "tools",
        "tool_choice",
        "response_format",
        "input",
        "contents",
        "parts",
        "prompt",
        "system",
        "image_url",
        "url",
        "source",
        "max_tokens",
        "stop",
        "stream",
        "tool_call_id",
        "functionCall",
        "call_id",
        "thinking",
        "generationConfig",
        "reasoning",
        "json_schema",
        "schema",
        "n",
    ]);
    leaf.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone().prop_map(str::to_owned), inner), 0..5)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Puts the messages where a client's format has them, so that more than the first check is passed.
fn dressed(client: Dialect, mut body: Value, inner: Value) -> Value {
    if !body.is_object() {
        body = json!({});
    }
    let (field, value) = match client {
        Dialect::Completions => ("prompt", inner),
        Dialect::Responses => ("input", json!([inner])),
        Dialect::Gemini => ("contents", json!([inner])),
        _ => ("messages", json!([inner])),
    };
    body["max_tokens"] = 5.into();
    body["model"] = "m".into();
    body[field] = value;
    body
}

proptest! {
    #[test]
    fn f58_any_split_gives_the_same_bytes(
        client in select(CLIENTS.to_vec()), provider in select(PROVIDERS.to_vec()),
        cut in 0usize..1500, at in 0usize..1500, and in 0usize..1500,
    ) {
        let text = says(provider);
        let bytes = &text.as_bytes()[..cut.min(text.len())];
        let (first, second) = (at.min(and).min(bytes.len()), at.max(and).min(bytes.len()));
        let split = run(&mut stream(client, provider), &[&bytes[..first], &bytes[first..second], &bytes[second..]]);
        prop_assert_eq!(split, run(&mut stream(client, provider), &[bytes]));
    }

    #[test]
    fn no_request_panics(
        client in select(CLIENTS.to_vec()), provider in select(PROVIDERS.to_vec()),
        name in select(vec!["openai", "mistral", "groq", "deepseek", "openrouter"]),
        body in any_json(), inner in any_json(),
    ) {
        let target = Target { quirks: quirks::of(name), ..TARGET };
        let _ = translation::request(client, provider, body.clone(), &target);
        let _ = translation::request(client, provider, dressed(client, body, inner), &target);
    }

    #[test]
    fn no_reply_panics(
        client in select(CLIENTS.to_vec()), provider in select(PROVIDERS.to_vec()), body in any_json(),
    ) {
        let _ = translated(client, provider).reply.whole(body);
    }

    #[test]
    fn every_stream_of_any_events_ends_once(
        client in select(CLIENTS.to_vec()), provider in select(PROVIDERS.to_vec()),
        events in proptest::collection::vec(any_json(), 0..4),
    ) {
        let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        let mut stream = stream(client, provider);
        run(&mut stream, &[text.as_bytes()]);
        prop_assert!(stream.ended().is_some());
    }
}
