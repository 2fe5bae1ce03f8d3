//! Legacy completions clients: the request's way to chat, and the replies' way back.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::from_completions::{reply, request, stream};
use crate::{Asked, FromChat, Piece, Quirks, Target, Told};

fn target() -> Target<'static> {
    Target { model: "m", asked_model: "p/m", quirks: Quirks::NONE, id: "call1", now: 7 }
}

fn asked(include_usage: bool) -> Asked {
    Asked { model: "p/m".to_owned(), id: "call1".to_owned(), created: 7, include_usage, ..Asked::default() }
}

fn check_refused(body: &Value, param: &str, code: &str) {
    let refusal = request(body.clone(), &target()).expect_err(&body.to_string());
    assert_eq!((refusal.param.as_deref(), refusal.code), (Some(param), code), "{}", refusal.message);
}

#[test]
fn a_prompt_becomes_a_message_and_the_rest_stays() {
    let body = json!({
        "model": "p/m", "prompt": ["Once"], "max_tokens": 5, "temperature": 0.5, "stop": ["."], "n": 2, "top_k": 3,
        "echo": false, "best_of": 1, "suffix": null, "logprobs": 2, "stream": true,
        "stream_options": { "include_usage": true },
    });
    let outgoing = request(body, &target()).unwrap();
    assert_eq!(
        outgoing.body,
        json!({
            "model": "m", "messages": [{ "role": "user", "content": "Once" }], "max_tokens": 5, "temperature": 0.5,
            "stop": ["."], "n": 2, "top_k": 3, "stream": true, "stream_options": { "include_usage": true },
        })
    );
    assert_eq!(outgoing.dropped, ["logprobs"]);
    assert!(outgoing.asked.stream && outgoing.asked.include_usage);
}

#[test]
fn usage_is_asked_for_even_where_the_client_does_not_want_it() {
    let outgoing = request(json!({ "prompt": "a", "stream": true }), &target()).unwrap();
    assert_eq!(outgoing.body["stream_options"], json!({ "include_usage": true }));
    assert!(!outgoing.asked.include_usage);
}

#[test]
fn what_a_chat_model_cannot_do_is_refused() {
    let unsupported = |body: Value, param: &str| check_refused(&body, param, "unsupported_parameter");
    unsupported(json!({ "prompt": "a", "suffix": "b" }), "suffix");
    unsupported(json!({ "prompt": "a", "best_of": 2 }), "best_of");
    unsupported(json!({ "prompt": "a", "echo": true }), "echo");
    unsupported(json!({ "prompt": ["a", "b"] }), "prompt");
    unsupported(json!({ "prompt": [1, 2] }), "prompt");
    unsupported(json!({ "prompt": [[1, 2]] }), "prompt");
    check_refused(&json!({ "prompt": [] }), "prompt", "invalid_value");
    check_refused(&json!({ "prompt": 7 }), "prompt", "invalid_value");
    check_refused(&json!({}), "prompt", "missing_required_parameter");
    check_refused(&json!({ "prompt": "a", "stream": "yes" }), "stream", "invalid_value");
}

#[test]
fn a_completion_becomes_a_text_completion() {
    let completion = json!({
        "id": "chatcmpl-9", "model": "m1", "created": 11, "usage": { "total_tokens": 3 },
        "choices": [
            { "index": 0, "message": { "content": "a" }, "finish_reason": "stop" },
            { "index": 1, "message": { "content": null, "refusal": "No." }, "finish_reason": "max_tokens" },
        ],
    });
    assert_eq!(
        reply(completion, &asked(false)),
        json!({
            "id": "cmpl-9", "object": "text_completion", "created": 11, "model": "m1",
            "choices": [
                { "index": 0, "text": "a", "logprobs": null, "finish_reason": "stop" },
                { "index": 1, "text": "No.", "logprobs": null, "finish_reason": "length" },
            ],
            "usage": { "total_tokens": 3 },
        })
    );
}

fn chunk(choices: Value) -> Piece {
    let mut chunk = json!({ "id": "chatcmpl-9", "model": "m1", "created": 11 });
    chunk["choices"] = choices;
    Piece::Chunk(chunk)
}

fn said(text: &str) -> Piece {
    chunk(json!([{ "index": 0, "delta": { "content": text } }]))
}

fn finish() -> Piece {
    chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]))
}

fn written(asked: Asked, pieces: Vec<Piece>) -> String {
    let (mut stream, mut out) = (stream(asked), Vec::new());
    for piece in pieces {
        stream.piece(piece, &mut out);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_stream_is_text_and_its_end() {
    let usage = Piece::Chunk(
        json!({ "id": "chatcmpl-9", "model": "m1", "created": 11, "choices": [], "usage": { "total_tokens": 3 } }),
    );
    let pieces = vec![said(""), said("a"), Piece::Ping, finish(), finish(), usage, Piece::Done];
    let head = r#"{"id":"cmpl-9","object":"text_completion","created":11,"model":"m1","choices":"#;
    let first = r#"[{"index":0,"text":"a","logprobs":null,"finish_reason":null}]"#;
    let last = r#"[{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}]"#;
    assert_eq!(
        written(asked(false), pieces.clone()),
        format!("data: {head}{first}}}\n\n: keep-alive\ndata: {head}{last}}}\n\ndata: [DONE]\n\n")
    );
    assert_eq!(
        written(asked(true), pieces),
        format!(
            "data: {head}{first},\"usage\":null}}\n\n: keep-alive\ndata: {head}{last},\"usage\":null}}\n\n\
             data: {head}[],\"usage\":{{\"total_tokens\":3}}}}\n\ndata: [DONE]\n\n"
        )
    );
}

#[test]
fn a_failure_never_looks_like_an_end() {
    let check = |pieces: Vec<Piece>, expected: &str| {
        let written = written(asked(true), pieces);
        assert!(written.ends_with(&format!("data: {expected}\n\n")), "{written}");
        assert!(!written.contains("[DONE]"));
    };
    let truncated = r#"{"error":{"message":"The provider's stream ended before the answer was complete.","type":"upstream_error","param":null,"code":"stream_truncated"}}"#;
    check(vec![said("a"), Piece::Done], truncated);
    check(vec![Piece::Done], truncated);
    let second_is_open = chunk(json!([{ "index": 1, "delta": { "content": "b" } }]));
    check(vec![said("a"), second_is_open, finish(), Piece::Done], truncated);
    let told = Told {
        status: 429,
        message: "slow".to_owned(),
        kind: "rate_limit_error".to_owned(),
        ..Told::default()
    };
    let failed = r#"{"error":{"message":"slow","type":"rate_limit_error","param":null,"code":null}}"#;
    check(vec![said("a"), Piece::Failed(told), finish(), Piece::Done], failed);
    check(
        vec![
            Piece::Chunk(json!({ "error": { "message": "slow", "type": "rate_limit_error" } })),
            Piece::Done,
        ],
        failed,
    );
}

proptest! {
    #[test]
    fn nothing_that_is_json_makes_it_panic(
        name in "(prompt|stream|choices|error|usage|stream_options)", text in "[a-z]{0,3}", number in any::<i64>(), deep in any::<bool>(),
    ) {
        let leaves = [Value::Null, text.into(), number.into(), deep.into(), json!([]), json!({})];
        for leaf in leaves {
            for value in [leaf.clone(), json!([leaf]), json!([[leaf]]), json!([{ "delta": leaf, "index": leaf, "message": leaf }])] {
                let body = json!({ &name: value });
                let _ = request(body.clone(), &target());
                let _ = request(value.clone(), &target());
                prop_assert!(reply(body.clone(), &asked(false))["choices"].is_array());
                prop_assert!(reply(value.clone(), &asked(false))["choices"].is_array());
                written(asked(true), vec![Piece::Chunk(body), Piece::Chunk(value.clone()), Piece::Done]);
            }
        }
    }
}
