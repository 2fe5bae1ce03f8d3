use bytes::Bytes;
use serde_json::{Value, json};

use super::{MOST, Told, told};
use crate::Error;
use crate::call::tests::received;
use crate::config::tests::config;

const GIF: &str = "data:image/gif;base64,R0lGODlhAQ==";
const KIND: &str = "multipart/form-data; boundary=b";
const SET: [(&str, &str); 2] = [("DEFAULT_MODEL", "openai/first,gemini/second"), ("MAX_IMAGE_SIZE", "100")];

fn ask(path: &str, kind: &str, body: &str) -> Result<Told, Error> {
    told(received("POST", path, &[("content-type", kind)], body), path, &config(&SET), false)
}

/// What a question in JSON becomes.
fn chat(question: &Value) -> Value {
    let told = ask("/v1/vision/analyze", "application/json", &question.to_string());
    body(&told.unwrap_or_else(|error| panic!("{question}: {error}")))
}

fn body(told: &Told) -> Value {
    assert_eq!(told.received.headers["content-type"], "application/json");
    serde_json::from_slice(&told.received.body).unwrap()
}

/// A form of fields, each a name, perhaps with a file's name behind it, and a value.
fn form(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        let name = match name.split_once('|') {
            Some((name, file)) => format!("name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: image/png"),
            None => format!("name=\"{name}\""),
        };
        format!("--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n")
    };
    format!("{}--b--\r\n", fields.iter().map(part).collect::<String>())
}

fn of_form(fields: &[(&str, &str)]) -> Result<Value, Error> {
    ask("/v1/vision/analyze", KIND, &form(fields)).map(|told| body(&told))
}

#[test]
fn a_question_in_json_becomes_a_chat_call() {
    let asked = chat(&json!({
        "prompt": "What?", "system": "Be brief.", "model": "gpt-6-luna", "image_base64": "R0lGODlhAQ",
        "images": ["https://a.example/1.png", { "url": GIF, "detail": "high" }], "detail": "low",
        "max_tokens": 50, "temperature": 0.5,
    }));
    let image = |url: &str, detail: &str| json!({ "type": "image_url", "image_url": { "url": url, "detail": detail } });
    let text = json!({ "type": "text", "text": "What?" });
    let content =
        json!([text, image(GIF, "low"), image("https://a.example/1.png", "low"), image(GIF, "high")]);
    let expected = json!({
        "model": "gpt-6-luna", "max_tokens": 50, "temperature": 0.5,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": content },
        ],
    });
    assert_eq!(asked, expected);
}

#[test]
fn a_question_in_a_form_becomes_the_same() {
    let asked = of_form(&[
        ("prompt", "42"),
        ("file|a.png", "GIF89a\u{1}"),
        ("file|b.png", "GIF89a"),
        ("image_url", "https://a.example/1"),
        ("model", "m"),
        ("max_tokens", "50"),
        ("temperature", "0.5"),
        ("stream", "true"),
        ("detail", ""),
        ("more|", ""),
    ]);
    let asked = asked.unwrap();
    let content = &asked["messages"][0]["content"];
    assert_eq!(content[0]["text"], "42", "a prompt is text whatever it looks like");
    let urls: Vec<_> = (1..4).map(|at| content[at]["image_url"]["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [GIF, "data:image/gif;base64,R0lGODlh", "https://a.example/1"], "by their bytes");
    let rest = json!([asked["model"], asked["max_tokens"], asked["temperature"], asked["stream"]]);
    assert_eq!(rest, json!(["m", 50, 0.5, true]));
    assert_eq!(asked.as_object().unwrap().len(), 5, "{asked}");
}

#[test]
fn a_stream_is_asked_for_by_path_or_by_field() {
    for (path, field, expected) in [
        ("/v1/vision/analyze", json!(null), json!(null)),
        ("/v1/vision/analyze", json!(true), json!(true)),
        ("/v1/vision/stream", json!(null), json!(true)),
        ("/v1/vision/stream", json!(false), json!(true)),
    ] {
        let question = json!({ "image_url": GIF, "stream": field }).to_string();
        assert_eq!(body(&ask(path, "", &question).unwrap())["stream"], expected, "{path} {field}");
    }
}

#[test]
fn without_a_model_the_default_ones_are_tried_in_turn() {
    for model in [json!(null), json!(""), json!(" ")] {
        let question = json!({ "image_url": GIF, "model": model }).to_string();
        let told = ask("/v1/vision/analyze", "", &question).unwrap();
        assert_eq!(told.chain, ["openai/first", "gemini/second"]);
        assert_eq!(body(&told)["model"], "openai/first");
    }
    let question = json!({ "image_url": GIF, "model": "mine" }).to_string();
    assert!(ask("/v1/vision/analyze", "", &question).unwrap().chain.is_empty());
}

#[test]
fn without_a_prompt_the_image_is_described() {
    let prompt =
        |images: Value| chat(&json!({ "images": images }))["messages"][0]["content"][0]["text"].clone();
    assert_eq!(prompt(json!([GIF])), "Describe the image.");
    assert_eq!(prompt(json!([GIF, GIF])), "Describe the images.");
}

fn refused<T>(told: Result<T, Error>, status: u16, word: &str) {
    let error = told.err().expect(word);
    assert_eq!(error.status().as_u16(), status, "{error}");
    assert!(error.to_string().contains(word), "{word} in {error}");
}

#[test]
fn a_question_that_cannot_be_asked_says_why() {
    let json = |question: &Value| ask("/v1/vision/analyze", "application/json", &question.to_string());
    for (question, status, word) in [
        (json!({ "prompt": "What?" }), 400, "There is no image"),
        (json!({ "images": [] }), 400, "There is no image"),
        (json!({ "image_url": GIF, "messages": [] }), 400, "/v1/chat/completions"),
        (json!({ "image_url": GIF, "prompt": 1 }), 400, "`prompt` has to be a string"),
        (json!({ "image_url": GIF, "model": {} }), 400, "`model` has to be a string"),
        (json!({ "image_url": GIF, "provider": "openai" }), 400, "`model`"),
        (json!({ "images": vec![GIF; MOST + 1] }), 400, "17 images"),
        (json!({ "image_base64": "R0lGODlh".repeat(20) }), 413, "100 bytes"),
        (json!([GIF]), 400, "neither a form"),
    ] {
        refused(json(&question), status, word);
    }
    refused(ask("/v1/vision/analyze", "image/png", "\u{1}PNG"), 400, "neither a form");
}

#[test]
fn a_form_that_cannot_be_asked_says_why() {
    let large = "GIF89a".repeat(20);
    for (fields, status, word) in [
        (&[("prompt", "x")][..], 400, "There is no image"),
        (&[("file|", "")], 400, "There is no image"),
        (&[("file|a.png", "")], 400, "`file`: this is empty"),
        (&[("file|a.png", "%PDF-1.7")], 400, "a PDF document"),
        (&[("file|a.png", "GIF89a"), ("file|b.png", "<svg>")], 400, "`file[1]`: this is an SVG drawing"),
        (&[("file|a.png", &large)], 413, "`file` has 120 bytes"),
        (&[("x", "1"); 65], 400, "more than 64 parts"),
    ] {
        refused(of_form(fields), status, word);
    }
}

#[test]
fn a_form_that_breaks_off_is_refused_wherever_it_does() {
    let whole = form(&[("prompt", "What?"), ("file|a.png", "GIF89a")]);
    assert!(ask("/v1/vision/analyze", KIND, &whole).is_ok());
    for end in 0..whole.len() - 4 {
        refused(ask("/v1/vision/analyze", KIND, &whole[..end]), 400, "The form cannot be read");
    }
    refused(ask("/v1/vision/analyze", "multipart/form-data", &whole), 400, "The form cannot be read");
}

#[test]
fn images_that_do_not_fit_into_a_request_together_are_refused() {
    let config = config(&[("MAX_REQUEST_SIZE", "1000"), ("DEFAULT_MODEL", "m")]);
    let question = json!({ "images": vec!["R0lGODlh".repeat(40); 4] }).to_string();
    let mut asked = received("POST", "/v1/vision/analyze", &[], "");
    asked.body = Bytes::from(question);
    refused(told(asked, "/v1/vision/analyze", &config, false), 413, "MAX_REQUEST_SIZE");
}

#[test]
fn other_calls_pass_untouched() {
    for (method, path) in
        [("GET", "/v1/vision/analyze"), ("POST", "/v1/chat/completions"), ("POST", "/v1/vision/x")]
    {
        let told = told(received(method, path, &[], "{ }"), path, &config(&SET), false).unwrap();
        assert_eq!((&told.received.body[..], told.chain.len()), (&b"{ }"[..], 0), "{method} {path}");
    }
}
