//! Questions about images, in forms and in JSON: every one a chat call, whoever answers it.

use std::time::Duration;

use serde_json::{Value, json};
use twinlane_demo::Demo;
use twinlane_tests::Twinlane;
use twinlane_tests::client::{Answer, Sending};
use twinlane_tests::raw::{Canned, Then};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nwith what a picture has";
const PNG_URL: &str = "data:image/png;base64,iVBORw0KGgp3aXRoIHdoYXQgYSBwaWN0dXJlIGhhcw==";
const GIF: &[u8] = b"GIF89a of another";
const ANALYZE: &str = "/v1/vision/analyze";
const STREAM: &str = "/v1/vision/stream";

/// A gateway with several providers, which are one demo in several dialects, and one that is dead.
struct Eye {
    provider: Demo,
    gateway: Twinlane,
}

impl Eye {
    async fn new() -> Self {
        Self::with(&[("DEFAULT_MODEL", "chat/demo")]).await
    }

    async fn with(vars: &[(&str, &str)]) -> Self {
        let provider = Demo::start().await.expect("a provider");
        let at = |speaks: &str| {
            let speaks = if speaks.is_empty() { json!(["chat"]) } else { json!([speaks]) };
            json!({ "host": provider.url(), "speaks": speaks, "forwardHeaders": ["x-demo-*"], "maxRetries": 0 })
        };
        let services = json!({
            "chat": at(""), "anthropic-like": at("messages"), "openrouter": { "host": provider.url() },
            "dead": { "host": "http://127.0.0.1:9" },
        });
        let services = services.to_string();
        let own = [("PROXY_CONFIG", services.as_str()), ("DEAD_API_KEY", "k"), ("CHAT_API_KEY", "k")];
        Self { gateway: Twinlane::start(&[&own[..], vars].concat()).await, provider }
    }

    fn form(&self, path: &str, parts: &[(&str, &[u8])]) -> Sending {
        let call = self.gateway.client.post(path);
        call.header("content-type", "multipart/form-data; boundary=\"a b\"").body(form(parts))
    }

    fn json(&self, path: &str, question: &Value) -> Sending {
        self.gateway.client.post(path).json(question)
    }

    /// The body of the one call that the provider saw.
    fn seen(&self) -> Value {
        let calls = self.provider.calls();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        self.provider.clear();
        serde_json::from_slice(&calls[0].body).expect("JSON")
    }

    /// The error that answers what must reach no provider.
    async fn refused(&self, call: Sending, status: u16) -> Value {
        let answer = call.send().await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(self.provider.calls().is_empty(), "nothing is asked");
        answer.json()["error"].clone()
    }
}

/// A form as browsers write it. A name may have a file's name behind it.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, value) in parts {
        let name = match name.split_once('|') {
            Some((name, file)) => {
                format!("name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: application/pdf")
            }
            None => format!("name=\"{name}\""),
        };
        form.extend(format!("--a b\r\nContent-Disposition: form-data; {name}\r\n\r\n").bytes());
        form.extend(*value);
        form.extend(b"\r\n");
    }
    form.extend(b"--a b--\r\n");
    form
}

fn content(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let reply = answer.json();
    assert_eq!((&reply["object"], reply["usage"].is_object()), (&"chat.completion".into(), true), "{reply}");
    reply["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_newcomer_s_picture_is_answered_by_the_demo() {
    let gateway = Twinlane::start(&[("DEMO", "true")]).await;
    let call = gateway.client.post(ANALYZE).header("content-type", "multipart/form-data; boundary=\"a b\"");
    let answer = call.body(form(&[("file|cat.png", PNG)])).send().await;
    assert!(content(&answer).contains("image/png, 31 bytes"), "{}", answer.text());
    assert_eq!(answer.header("x-served-by"), "demo/demo");
}

#[tokio::test]
async fn a_form_with_several_files_is_one_call_of_chat() {
    let eye = Eye::new().await;
    let parts = [
        ("file|a.pdf", PNG),
        ("file|b.txt", GIF),
        ("prompt", b"Which is the cat?"),
        ("detail", b"low"),
        ("max_tokens", b"200"),
        ("system", b"Be brief."),
    ];
    let answer = eye.form(ANALYZE, &parts).send().await;
    let told = content(&answer);
    assert!(told.contains("image/png, 31 bytes") && told.contains("image/gif, 17 bytes"), "{told}");
    let seen = eye.seen();
    let text = json!({ "type": "text", "text": "Which is the cat?" });
    let gif = "data:image/gif;base64,R0lGODlhIG9mIGFub3RoZXI=";
    let [png, gif] = [PNG_URL, gif]
        .map(|url| json!({ "type": "image_url", "image_url": { "url": url, "detail": "low" } }));
    let system = json!({ "role": "system", "content": "Be brief." });
    assert_eq!(seen["messages"], json!([system, { "role": "user", "content": [text, png, gif] }]));
    assert_eq!((&seen["model"], &seen["max_tokens"]), (&"demo".into(), &200.into()), "{seen}");
}

#[tokio::test]
async fn a_question_in_json_reaches_providers_of_every_format() {
    let eye = Eye::new().await;
    let link = "https://a.example/b.png";
    for (model, place) in [
        ("chat/demo", "/messages/0/content/1/image_url/url"),
        ("anthropic-like/demo", "/messages/0/content/1/source/data"),
    ] {
        let question = json!({ "prompt": "What?", "images": [PNG_URL, { "url": link }], "model": model });
        let told = content(&eye.json(ANALYZE, &question).send().await);
        assert!(told.contains("image/png, 31 bytes") && told.contains(link), "{model}: {told}");
        let shown = eye.seen().pointer(place).cloned().unwrap_or_default();
        assert!(PNG_URL.ends_with(shown.as_str().unwrap()) && shown != "", "{model}: {shown}");
    }
    let short = json!({ "image_base64": PNG_URL.split_once(',').unwrap().1 });
    assert!(content(&eye.json(ANALYZE, &short).send().await).contains("image/png, 31 bytes"));
}

#[tokio::test]
async fn an_answer_is_streamed_under_its_own_path_or_where_it_is_asked_for() {
    let eye = Eye::new().await;
    let stream = json!({ "image_url": PNG_URL, "stream": true });
    for call in [
        eye.form(STREAM, &[("file|a.png", PNG)]),
        eye.json(STREAM, &json!({ "image_url": PNG_URL })),
        eye.json(ANALYZE, &stream),
        eye.form(ANALYZE, &[("file|a.png", PNG), ("stream", b"true")]),
    ] {
        let answer = call.send().await;
        let text = answer.text();
        assert_eq!((answer.status, answer.whole), (200, true), "{text}");
        assert!(answer.header("content-type").starts_with("text/event-stream"), "{text}");
        assert!(
            text.contains("\"object\":\"chat.completion.chunk\"") && text.ends_with("data: [DONE]\n\n"),
            "{text}"
        );
        assert_eq!(answer.header("x-lane-reason"), "stream");
    }
}

#[tokio::test]
async fn the_default_model_may_be_a_list_of_fallbacks() {
    let eye = Eye::with(&[("DEFAULT_MODEL", "dead/one, chat/demo")]).await;
    let answer = eye.form(ANALYZE, &[("file|a.png", PNG)]).send().await;
    content(&answer);
    assert_eq!(answer.header("x-served-by"), "chat/demo");
    assert!(answer.header("x-fallbacks").starts_with("dead/one: "), "{:?}", answer.headers);
    assert_eq!(eye.seen()["model"], "demo");
}

#[tokio::test]
async fn openrouter_is_the_default_and_is_told_which_app_asks() {
    let vars = [("OPENROUTER_API_KEY", "k"), ("APP_URL", "https://app.example"), ("APP_TITLE", "My app")];
    let eye = Eye::with(&vars).await;
    for (own, expected) in [(None, "My app"), (Some("Theirs"), "Theirs")] {
        let call = eye.form(ANALYZE, &[("file|a.png", PNG)]);
        let call = own.iter().fold(call, |call, own| call.header("x-title", own));
        assert!(call.send().await.header("x-served-by").starts_with("openrouter/google/"));
        let seen = eye.provider.calls().remove(0);
        assert_eq!(seen.headers["x-title"], expected);
        assert_eq!(seen.headers["http-referer"], "https://app.example");
        assert_eq!(seen.headers["authorization"], "Bearer k");
        eye.provider.clear();
    }
}

#[tokio::test]
async fn what_is_no_image_is_refused_by_its_bytes_whatever_it_is_called() {
    let eye = Eye::new().await;
    for (bytes, found) in [
        (&b"%PDF-1.7 and more"[..], "a PDF document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "an SVG drawing"),
        (b"\0\0\0\x18ftypheic", "a HEIC image"),
        (b"", "empty"),
    ] {
        let error = eye.refused(eye.form(ANALYZE, &[("file|cat.png", bytes)]), 400).await;
        assert_eq!((&error["code"], &error["param"]), (&"unsupported_image_type".into(), &"file".into()));
        assert!(error["message"].as_str().unwrap().contains(found), "{error}");
    }
    let named = json!({ "images": [PNG_URL, "data:image/png;base64,JVBERi0xLjc="] });
    assert_eq!(eye.refused(eye.json(ANALYZE, &named), 400).await["param"], "images[1]");
}

#[tokio::test]
async fn a_request_that_is_no_question_says_what_is_missing() {
    let eye = Eye::new().await;
    for (call, code) in [
        (eye.form(ANALYZE, &[("prompt", b"What?")]), "missing_required_parameter"),
        (eye.json(STREAM, &json!({ "prompt": "What?" })), "missing_required_parameter"),
        (eye.json(ANALYZE, &json!({ "images": vec![PNG_URL; 17] })), "too_many_images"),
        (eye.json(ANALYZE, &json!({ "image_url": PNG_URL, "detail": "sharp" })), "invalid_value"),
        (eye.gateway.client.post(ANALYZE).header("content-type", "image/png").body(PNG), "invalid_json"),
        (eye.form(ANALYZE, &[("file|a.png", PNG)]).body("--a b\r\nhalf"), "invalid_form"),
    ] {
        assert_eq!(eye.refused(call, 400).await["code"], code);
    }
}

#[tokio::test]
async fn an_image_over_the_limit_is_told_the_limit_and_one_at_it_passes() {
    let eye = Eye::with(&[("MAX_IMAGE_SIZE", "31"), ("DEFAULT_MODEL", "chat/demo")]).await;
    content(&eye.form(ANALYZE, &[("file|a.png", PNG)]).send().await);
    eye.provider.clear();
    let larger = [PNG, b"!"].concat();
    let error = eye.refused(eye.form(ANALYZE, &[("file|a.png", &larger)]), 413).await;
    assert_eq!(error["code"], "image_too_large");
    let told = error["message"].as_str().unwrap();
    assert!(
        told.contains("32 bytes") && told.contains("31 bytes") && told.contains("MAX_IMAGE_SIZE"),
        "{told}"
    );
}

#[tokio::test]
async fn large_images_take_the_background_lane_whole() {
    let eye = Eye::new().await;
    let large = [PNG, &vec![7; 3_000_000][..]].concat();
    let answer = eye.form(ANALYZE, &[("file|a.png", &large)]).send().await;
    assert!(content(&answer).contains("image/png, 3000031 bytes"));
    assert_eq!(answer.header("x-lane-reason"), "large-body");
}

#[tokio::test]
async fn a_client_s_own_key_goes_where_it_says_and_nowhere_by_guess() {
    let eye = Eye::with(&[("OPENROUTER_API_KEY", "k")]).await;
    let key = "Bearer sk-a-key-of-the-client-s-own";
    let question = |model: &str| eye.json(ANALYZE, &json!({ "image_url": PNG_URL, "model": model }));
    let error = eye.refused(question("").header("authorization", key), 400).await;
    assert_eq!(error["param"], "model");
    content(&question("chat/demo").header("authorization", key).send().await);
    assert_eq!(eye.provider.calls()[0].headers["authorization"], key);
}

#[tokio::test]
async fn a_token_for_other_paths_or_models_asks_nothing_about_images() {
    let secret = "a-secret-of-thirty-two-characters";
    let admin = "0123456789abcdef";
    let vars = [("DEFAULT_MODEL", "chat/demo"), ("GATEWAY_SECRET", secret), ("ADMIN_TOKEN", admin)];
    let eye = Eye::with(&vars).await;
    let token = async |order: Value| {
        let call = eye.gateway.client.post("/admin/tokens").json(&order);
        let made = call.header("authorization", &format!("Bearer {admin}")).send().await;
        format!("Bearer {}", made.json()["token"].as_str().expect("a token"))
    };
    let ask = |token: &str, more: &Value| {
        let mut question = json!({ "image_url": PNG_URL });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        eye.json(ANALYZE, &question).header("authorization", token)
    };
    for order in [
        json!({ "paths": ["/v1/chat"] }),
        json!({ "models": ["gpt-*"] }),
        json!({ "services": ["openai"] }),
        json!({ "max_tokens": 10 }),
    ] {
        let error = eye.refused(ask(&token(order.clone()).await, &json!({})), 403).await;
        assert_eq!(error["code"], "outside_scope", "{order}");
    }
    let narrow = token(json!({ "paths": ["/v1/vision"], "models": ["chat/demo"], "max_tokens": 10 })).await;
    content(&ask(&narrow, &json!({ "max_tokens": 10 })).send().await);
    eye.provider.clear();
    eye.refused(ask(&narrow, &json!({ "max_tokens": 10, "model": "chat/other" })), 403).await;
}

#[tokio::test]
async fn a_provider_s_refusal_is_the_answer() {
    let eye = Eye::new().await;
    let call = eye.json(ANALYZE, &json!({ "image_url": PNG_URL })).header("x-demo-status", "422");
    let answer = call.send().await;
    let told = answer.json()["error"]["message"].clone();
    assert_eq!((answer.status, &told), (422, &"The demo provider was asked to answer 422.".into()));
}

#[tokio::test]
async fn a_stream_that_waits_is_kept_alive() {
    let silent = Canned::start(Then::Hangs).await;
    let services = json!({ "slow": { "host": format!("http://{}", silent.address) } }).to_string();
    let vars = [
        ("PROXY_CONFIG", services.as_str()),
        ("SLOW_API_KEY", "k"),
        ("DEFAULT_MODEL", "slow/m"),
        ("KEEP_ALIVE_AFTER", "50"),
        ("TOTAL_TIMEOUT", "600"),
    ];
    let gateway = Twinlane::start(&vars).await;
    let began = std::time::Instant::now();
    let answer = gateway.client.post(STREAM).json(&json!({ "image_url": PNG_URL })).send().await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with(':') && answer.text().contains("\"error\""), "{}", answer.text());
    assert!(began.elapsed() < Duration::from_secs(10));
}
