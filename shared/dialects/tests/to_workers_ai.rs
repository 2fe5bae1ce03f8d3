//! Workers AI's image models.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its cases read best when they are handed over"
)]

use serde_json::{Value, json};
use twinlane_dialects::{Asked, Quirks, Target, to_workers_ai};

const TARGET: Target<'_> =
    Target { model: "@cf/flux", asked_model: "workers-ai/flux", quirks: Quirks::NONE, id: "1", now: 7 };

fn asked() -> Asked {
    Asked { created: 7, ..Asked::default() }
}

#[test]
fn a_request_is_a_prompt_with_sides() {
    let body = json!({
        "model": "x", "prompt": "a cat", "size": "1024x768", "n": 1, "seed": 12345678901234567890_u64, "steps": 4,
        "negative_prompt": "dogs", "quality": "hd", "response_format": "b64_json", "user": null,
    });
    let outgoing = to_workers_ai::image_request(body, &TARGET).unwrap();
    let expected = json!({
        "prompt": "a cat", "width": 1024, "height": 768, "negative_prompt": "dogs", "seed": 12345678901234567890_u64,
        "steps": 4,
    });
    assert_eq!((outgoing.body, outgoing.dropped), (expected, vec!["quality".to_owned()]));
    let auto = to_workers_ai::image_request(json!({ "prompt": "a", "size": "auto" }), &TARGET).unwrap();
    assert_eq!(auto.body, json!({ "prompt": "a" }));
}

#[test]
fn what_it_cannot_make_is_refused() {
    let check = |fields: Value, param: Option<&str>| {
        let refusal = to_workers_ai::image_request(fields, &TARGET).unwrap_err();
        assert_eq!(refusal.param.as_deref(), param);
    };
    check(json!([]), None);
    check(json!({}), Some("prompt"));
    check(json!({ "prompt": 1 }), Some("prompt"));
    check(json!({ "prompt": "a", "n": 2 }), Some("n"));
    check(json!({ "prompt": "a", "size": "big" }), Some("size"));
    check(json!({ "prompt": "a", "size": 3 }), Some("size"));
    check(json!({ "prompt": "a", "response_format": "url" }), Some("response_format"));
}

#[test]
fn an_image_comes_in_json_or_as_it_is() {
    let expected = json!({ "created": 7, "data": [{ "b64_json": "iVBORw==" }] });
    let json = json!({ "result": { "image": "iVBORw==" }, "success": true, "errors": [] }).to_string();
    let reply = |kind: &str, body: &[u8]| to_workers_ai::image_reply(Some(kind), body, &asked());
    assert_eq!(reply("application/json", json.as_bytes()), Ok(expected.clone()));
    assert_eq!(reply("image/png", b"\x89PNG"), Ok(expected));
}

#[test]
fn its_errors_are_joined() {
    let body = json!({ "success": false, "result": null, "errors": [
        { "code": 3030, "message": "Bad prompt" }, { "code": 1, "message": "and size" },
    ] });
    let told = to_workers_ai::image_reply(None, body.to_string().as_bytes(), &asked()).unwrap_err();
    assert_eq!((told.message.as_str(), told.code.as_deref()), ("Bad prompt; and size", Some("3030")));
    let empty = to_workers_ai::image_reply(Some("image/png"), b"", &asked()).unwrap_err();
    assert_eq!(empty.code.as_deref(), Some("upstream_502"));
    let none = to_workers_ai::image_reply(None, b"{\"result\":{}}", &asked()).unwrap_err();
    assert_eq!(none.code.as_deref(), Some("empty_upstream_response"));
}
