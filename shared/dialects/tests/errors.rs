//! Errors: every provider's body is understood, and told in every client's format.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use twinlane_dialects::errors::{read, write};
use twinlane_dialects::{Dialect, Told};

/// Fixture 60: one line per row of the table.
fn check(status: u16, body: &Value, message: &str, kind: &str, code: Option<&str>) {
    let told = read(status, Some("application/json"), body.to_string().as_bytes());
    let read = (told.status, told.message.as_str(), told.kind.as_str(), told.code.as_deref());
    assert_eq!(read, (status, message, kind, code), "{body}");
}

#[test]
fn openais_error_is_told_as_it_is() {
    let body = json!({ "error": {
        "message": "No such model", "type": "invalid_request_error", "param": "model", "code": "model_not_found",
    } });
    check(404, &body, "No such model", "invalid_request_error", Some("model_not_found"));
    assert_eq!(read(404, None, body.to_string().as_bytes()).param.as_deref(), Some("model"));
    check(
        500,
        &json!({ "error": { "message": "m", "type": "server_error", "param": null, "code": null } }),
        "m",
        "server_error",
        None,
    );
}

#[test]
fn googles_error_is_read_with_and_without_its_array() {
    let error = json!({ "error": { "code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED", "details": [] } });
    check(429, &error, "Quota", "rate_limit_error", Some("RESOURCE_EXHAUSTED"));
    check(429, &json!([error]), "Quota", "rate_limit_error", Some("RESOURCE_EXHAUSTED"));
}

#[test]
fn anthropics_error_keeps_its_type_as_code() {
    let body = json!({
        "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" }, "request_id": "req_1",
    });
    check(529, &body, "Overloaded", "overloaded_error", Some("overloaded_error"));
    let body = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "m" } });
    check(413, &body, "m", "invalid_request_error", Some("invalid_request_error"));
}

#[test]
fn an_error_that_is_a_string_is_the_message() {
    check(
        400,
        &json!({ "code": "Client error", "error": "Bad effort" }),
        "Bad effort",
        "invalid_request_error",
        Some("Client error"),
    );
    check(401, &json!({ "error": "Invalid token" }), "Invalid token", "authentication_error", None);
    check(400, &json!({ "error": ["one", "two"] }), "one; two", "invalid_request_error", None);
    // NestJS, as 1min.ai runs it: `error` is only the status's name.
    check(
        403,
        &json!({ "statusCode": 403, "message": "No credit", "error": "Forbidden" }),
        "No credit",
        "permission_error",
        None,
    );
}

#[test]
fn a_message_at_the_top_is_read() {
    check(404, &json!({ "message": "model not found" }), "model not found", "not_found_error", None);
    check(
        400,
        &json!({ "object": "error", "message": "Bad", "type": "invalid_model", "code": "1500" }),
        "Bad",
        "invalid_request_error",
        Some("1500"),
    );
    check(
        400,
        &json!({ "object": "error", "message": "Bad", "type": "invalid_model", "code": null }),
        "Bad",
        "invalid_request_error",
        Some("invalid_model"),
    );
    check(
        422,
        &json!({ "object": "error", "message": { "detail": [
            { "type": "extra_forbidden", "loc": ["body", "store"], "msg": "Extra inputs are not permitted" },
        ] }, "code": 3001 }),
        "body.store: Extra inputs are not permitted",
        "invalid_request_error",
        Some("3001"),
    );
    check(
        422,
        &json!({ "message": "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"Bad\"}]}" }),
        "body: Bad",
        "invalid_request_error",
        None,
    );
}

#[test]
fn fastapis_detail_is_read() {
    check(403, &json!({ "detail": "Not allowed" }), "Not allowed", "permission_error", None);
    check(
        422,
        &json!({ "detail": [
            { "msg": "Field required", "loc": ["body", "messages", 0, "content"] }, { "msg": "Too long" },
        ] }),
        "body.messages.0.content: Field required; Too long",
        "invalid_request_error",
        None,
    );
}

#[test]
fn cloudflares_errors_are_joined() {
    check(
        400,
        &json!({ "success": false, "result": null, "errors": [
            { "code": 5006, "message": "Bad input" }, { "code": 1, "message": "And more" },
        ] }),
        "Bad input; And more",
        "invalid_request_error",
        Some("5006"),
    );
}

#[test]
fn openrouters_numeric_code_is_told_as_a_string() {
    check(
        402,
        &json!({ "error": { "code": 402, "message": "Credits", "metadata": { "provider": "x" } } }),
        "Credits",
        "insufficient_quota",
        Some("402"),
    );
}

#[test]
fn amazons_type_is_the_code() {
    check(
        403,
        &json!({ "message": "Denied", "__type": "com.amazon.coral.service#AccessDeniedException" }),
        "Denied",
        "permission_error",
        Some("AccessDeniedException"),
    );
    check(
        403,
        &json!({ "Message": "User is not authorized" }),
        "User is not authorized",
        "permission_error",
        None,
    );
}

#[test]
fn pages_and_texts_are_shown_without_their_tags() {
    let page = b"<!DOCTYPE html><html><head><STYLE>p > a {}</style><title>502 Bad\nGateway</title></head>\
        <body><script>if (1 < 2) {}</script><h1>Bad gateway</h1><!-- <p>secret</p> --></body></html>";
    let told = read(502, Some("text/html; charset=utf-8"), page);
    assert_eq!((told.message.as_str(), told.kind.as_str()), ("502 Bad Gateway Bad gateway", "api_error"));
    assert_eq!(told.code.as_deref(), Some("upstream_502"));
    assert_eq!(read(503, None, b"  2 < 3 and so on").message, "2 < 3 and so on");
    assert_eq!(read(504, None, b"").message, "The provider answered with status 504 and no message.");
    assert_eq!(read(400, None, b"[1, 2]").message, "[1, 2]");
}

#[test]
fn a_long_message_is_cut() {
    assert_eq!(read(500, None, "é".repeat(400).as_bytes()).message, format!("{}…", "é".repeat(300)));
    let body = json!({ "error": { "message": "m".repeat(100_000) } }).to_string();
    assert_eq!(read(500, None, body.as_bytes()).message.chars().count(), 4097);
}

#[test]
fn an_error_with_status_200_says_its_own_status() {
    let status = |value: Value| Told::of_object(&value).map(|told| told.status);
    assert_eq!(status(json!({ "error": { "code": 429, "message": "m" } })), Some(429));
    assert_eq!(
        status(json!([{ "error": { "code": 503, "message": "m", "status": "UNAVAILABLE" } }])),
        Some(503)
    );
    assert_eq!(status(json!({ "error": { "code": "503", "message": "m" }, "choices": [] })), Some(503));
    assert_eq!(
        status(json!({ "type": "error", "error": { "type": "overloaded_error", "message": "m" } })),
        Some(529)
    );
    assert_eq!(status(json!({ "type": "error", "code": "rate_limit_exceeded", "message": "m" })), Some(429));
    assert_eq!(status(json!({ "error": { "message": "m", "type": "server_error" } })), Some(500));
    assert_eq!(status(json!({ "error": "out of luck" })), Some(502));
    assert_eq!(status(json!({ "success": false, "errors": [{ "code": 5006, "message": "m" }] })), Some(502));
}

#[test]
fn an_answer_is_no_error() {
    for answer in [
        json!({ "choices": [], "error": null }),
        json!({ "choices": [], "error": {} }),
        json!({ "success": true, "errors": [], "result": {} }),
        json!({ "id": "resp_1", "object": "response", "error": null }),
        json!({ "message": "hello" }),
        json!([{ "candidates": [] }]),
        json!("error"),
    ] {
        assert_eq!(Told::of_object(&answer), None, "{answer}");
    }
}

#[test]
fn every_client_is_told_in_its_own_format() {
    let told = Told {
        status: 402,
        message: "No money.".to_owned(),
        kind: "insufficient_quota".to_owned(),
        param: None,
        code: Some("credits".to_owned()),
    };
    let chat = json!({ "error": {
        "message": "No money.", "type": "insufficient_quota", "param": null, "code": "credits",
    } });
    for dialect in [Dialect::Chat, Dialect::Completions, Dialect::Responses] {
        assert_eq!(write(&told, dialect, "r-1"), chat);
    }
    let messages = json!({
        "type": "error", "error": { "type": "billing_error", "message": "No money." }, "request_id": "r-1",
    });
    assert_eq!(write(&told, Dialect::Messages, "r-1"), messages);
    let gemini = json!({ "error": { "code": 402, "message": "No money.", "status": "INVALID_ARGUMENT" } });
    assert_eq!(write(&told, Dialect::Gemini, "r-1"), gemini);
}

proptest! {
    #[test]
    fn any_body_has_a_message(status in 400u16..600, body in ".{0,200}", page in any::<bool>()) {
        let told = read(status, page.then_some("text/html"), body.as_bytes());
        prop_assert!(!told.message.is_empty());
        prop_assert_eq!(told.status, status);
    }

    #[test]
    fn any_bytes_have_a_message(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!read(500, None, &body).message.is_empty());
    }
}
