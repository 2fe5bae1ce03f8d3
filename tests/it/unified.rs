//! One API for every provider: where calls go, in whose words, with whose key, and what happens when one fails.

use serde_json::{Value, json};
use twinlane_demo::{Demo, Seen};
use twinlane_tests::Twinlane;
use twinlane_tests::client::{Answer, Sending};

const TOKEN: &str = "gateway-token-of-sixteen";

/// A gateway with the server's keys for three providers, each a demo of its own.
struct House {
    openai: Demo,
    claude: Demo,
    gemini: Demo,
    gateway: Twinlane,
}

impl House {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(vars: &[(&str, &str)]) -> Self {
        let (openai, claude, gemini) = (demo().await, demo().await, demo().await);
        let at =
            |demo: &Demo| json!({ "host": demo.url(), "insecure": true, "forwardHeaders": ["x-demo-*"] });
        let config = json!({
            "openai": at(&openai), "claude": at(&claude), "gemini": at(&gemini),
            "dead": { "host": "http://127.0.0.1:9" },
        });
        let config = config.to_string();
        let own = [
            ("PROXY_CONFIG", config.as_str()),
            ("OPENAI_API_KEY", "server-key-of-openai"),
            ("ANTHROPIC_API_KEY", "server-key-of-claude"),
            ("GEMINI_API_KEY", "server-key-of-gemini"),
            ("DEAD_API_KEY", "server-key-of-nobody"),
            ("AUTH_TOKEN", TOKEN),
        ];
        Self { gateway: Twinlane::start(&[&own[..], vars].concat()).await, openai, claude, gemini }
    }

    fn post(&self, path: &str, body: &Value) -> Sending {
        self.gateway.client.post(path).header("authorization", &format!("Bearer {TOKEN}")).json(body)
    }

    async fn chat(&self, model: &str, stream: bool) -> Answer {
        self.post("/v1/chat/completions", &chat(model, stream)).send().await
    }
}

async fn demo() -> Demo {
    Demo::start().await.expect("a provider")
}

fn chat(model: &str, stream: bool) -> Value {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Write a story" }] })
}

fn one(demo: &Demo) -> Seen {
    let mut calls = demo.calls();
    assert_eq!(calls.len(), 1, "{calls:#?}");
    calls.remove(0)
}

fn body(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap()
}

#[tokio::test]
async fn a_model_s_name_finds_its_provider_and_its_provider_s_words() {
    let house = House::new().await;
    for (model, demo, target, key) in [
        ("gpt-4o-demo", &house.openai, "/v1/chat/completions", "Bearer server-key-of-openai"),
        ("openai/gpt-4o-demo", &house.openai, "/v1/chat/completions", "Bearer server-key-of-openai"),
        ("claude-demo", &house.claude, "/v1/messages", "server-key-of-claude"),
        ("anthropic/claude-demo", &house.claude, "/v1/messages", "server-key-of-claude"),
        (
            "gemini-2.5-demo",
            &house.gemini,
            "/v1beta/models/gemini-2.5-demo:generateContent",
            "server-key-of-gemini",
        ),
    ] {
        let answer = house.chat(model, false).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let reply = answer.json();
        assert_eq!(reply["object"], "chat.completion", "{model}: {reply}");
        assert!(reply["choices"][0]["message"]["content"].as_str().unwrap().len() > 20, "{model}: {reply}");
        assert_eq!(reply["choices"][0]["finish_reason"], "stop", "{model}");
        assert!(reply["usage"]["total_tokens"].as_u64().unwrap() > 0, "{model}");
        let seen = one(demo);
        assert_eq!(seen.target, target, "{model}");
        let keys = ["authorization", "x-api-key", "x-goog-api-key"];
        let keys: Vec<_> = keys.iter().filter_map(|name| seen.headers.get(*name)).collect();
        assert_eq!(keys, [key], "{model}");
        demo.clear();
    }
}

#[tokio::test]
async fn every_client_s_format_reaches_every_provider_whole_and_as_a_stream() {
    let house = House::new().await;
    for model in ["gpt-4o-demo", "claude-demo", "gemini-2.5-demo"] {
        for (path, request, end) in clients(model) {
            let whole = house.post(&path.replace(STREAMED, ":generateContent"), &request).send().await;
            assert_eq!(whole.status, 200, "{model} {path}: {}", whole.text());
            let mut request = request;
            if !path.contains("{stream}") && !path.contains("Content") {
                request["stream"] = true.into();
            }
            let streamed = house.post(&path, &request).send().await;
            let text = streamed.text();
            assert_eq!((streamed.status, streamed.whole), (200, true), "{model} {path}: {text}");
            assert!(streamed.header("content-type").starts_with("text/event-stream"), "{model} {path}");
            assert!(text.contains(end), "{model} {path}: {text}");
            assert!(!text.contains("\"error\":{"), "{model} {path}: {text}");
        }
    }
}

const STREAMED: &str = ":streamGenerateContent?alt=sse";

/// Each client's path, request and end of a stream.
fn clients(model: &str) -> [(String, Value, &'static str); 5] {
    let messages = json!([{ "role": "user", "content": "Write a story" }]);
    [
        (
            "/v1/chat/completions".to_owned(),
            json!({ "model": model, "messages": messages }),
            "data: [DONE]\n\n",
        ),
        (
            "/v1/completions".to_owned(),
            json!({ "model": model, "prompt": "Write a story" }),
            "data: [DONE]\n\n",
        ),
        (
            "/v1/messages".to_owned(),
            json!({ "model": model, "max_tokens": 500, "messages": messages }),
            "event: message_stop\n",
        ),
        (
            "/v1/responses".to_owned(),
            json!({ "model": model, "input": "Write a story" }),
            "event: response.completed\n",
        ),
        (
            format!("/v1beta/models/{model}{STREAMED}"),
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "Write a story" }] }] }),
            "\"finishReason\"",
        ),
    ]
}

#[tokio::test]
async fn a_client_s_bytes_pass_where_the_provider_speaks_its_format_and_only_the_model_changes() {
    let house = House::new().await;
    let sent = "{ \"temperature\": 0.70, \"model\":\"openai/gpt-4o-demo\" ,\"x\": [1.0], \"messages\": [{\"role\":\"user\",\"content\":\"caf\\u00e9\"}]}";
    let expected = sent.replace("openai/gpt-4o-demo", "gpt-4o-demo");
    let call = house.gateway.client.post("/v1/chat/completions").header("content-type", "application/json");
    call.header("authorization", &format!("Bearer {TOKEN}")).body(sent).send().await;
    assert_eq!(one(&house.openai).body, expected);
}

#[tokio::test]
async fn a_client_s_own_key_goes_to_the_provider_it_was_meant_for_and_no_other() {
    let aliases = json!({ "both": ["openai/gpt-4o-demo-error-429", "claude/claude-demo"] }).to_string();
    let house = House::with(&[("MODEL_ALIASES", &aliases), ("ALLOW_ANONYMOUS", "true")]).await;
    let call = house.gateway.client.post("/v1/chat/completions").json(&chat("both", false));
    let answer = call.header("authorization", "Bearer sk-a-client-s-own-key").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(one(&house.openai).headers["authorization"], "Bearer sk-a-client-s-own-key");
    let seen = one(&house.claude);
    assert_eq!(seen.headers["x-api-key"], "server-key-of-claude");
    assert!(!format!("{:?}", seen.headers).contains("sk-a-client-s-own-key"));
}

#[tokio::test]
async fn a_key_whose_model_tells_no_provider_goes_to_the_maker_of_its_client() {
    let house = House::with(&[("ALLOW_ANONYMOUS", "true")]).await;
    for (path, body) in [
        ("/v1/messages/batches", json!({ "requests": [] })),
        ("/v1/messages", json!({ "model": "demons", "max_tokens": 9, "messages": [] })),
    ] {
        let call = house.gateway.client.post(path).json(&body).header("x-api-key", "sk-ant-a-client-s-key");
        call.send().await;
        assert_eq!(one(&house.claude).headers["x-api-key"], "sk-ant-a-client-s-key", "{path}");
        house.claude.clear();
    }
    assert_eq!(house.openai.calls().len(), 0);
}

#[tokio::test]
async fn a_key_reaches_its_provider_in_that_provider_s_header() {
    let house = House::with(&[("ALLOW_ANONYMOUS", "true")]).await;
    let call = house.gateway.client.post("/v1/chat/completions").json(&chat("claude-demo", false));
    call.header("authorization", "Bearer sk-ant-a-client-s-key").send().await;
    let seen = one(&house.claude);
    assert_eq!(seen.headers["x-api-key"], "sk-ant-a-client-s-key");
    assert!(!seen.headers.contains_key("authorization"));
    assert_eq!(seen.headers["anthropic-version"], "2023-06-01");
}

#[tokio::test]
async fn the_next_target_serves_where_the_former_cannot_have_worked() {
    let aliases = json!({
        "dead-first": ["dead/x", "openai/gpt-4o-demo"],
        "limited-first": ["claude/claude-demo-error-429", "openai/gpt-4o-demo"],
        "overloaded-first": ["claude/claude-demo-error-529", "gemini/gemini-2.5-demo"],
        "unknown-first": ["openai/gpt-demo-error-404", "claude/claude-demo"],
    });
    let house = House::with(&[("MODEL_ALIASES", &aliases.to_string())]).await;
    for (alias, served, fallbacks) in [
        ("dead-first", "openai/gpt-4o-demo", "dead/x: upstream_unreachable"),
        ("limited-first", "openai/gpt-4o-demo", "claude/claude-demo-error-429: 429 rate limited"),
        ("overloaded-first", "gemini/gemini-2.5-demo", "claude/claude-demo-error-529: 529 overloaded"),
        ("unknown-first", "claude/claude-demo", "openai/gpt-demo-error-404: 404 no such model"),
    ] {
        let answer = house.chat(alias, true).await;
        assert_eq!(answer.status, 200, "{alias}: {}", answer.text());
        assert!(answer.text().ends_with("data: [DONE]\n\n"), "{alias}: {}", answer.text());
        assert_eq!(answer.header("x-served-by"), served, "{alias}");
        assert_eq!(answer.header("x-fallbacks"), fallbacks, "{alias}");
    }
}

#[tokio::test]
async fn a_target_without_a_key_is_passed_over() {
    let aliases = json!({ "both": ["groq/llama", "openai/gpt-4o-demo"] }).to_string();
    let house = House::with(&[("MODEL_ALIASES", &aliases)]).await;
    let answer = house.chat("both", false).await;
    assert_eq!((answer.status, answer.header("x-fallbacks")), (200, "groq/llama: no key"));
}

#[tokio::test]
async fn a_target_that_may_have_worked_is_the_answer() {
    let aliases = json!({ "both": ["claude/claude-demo-error-500", "openai/gpt-4o-demo"] }).to_string();
    let house = House::with(&[("MODEL_ALIASES", &aliases)]).await;
    let answer = house.chat("both", false).await;
    assert_eq!((answer.status, house.openai.calls().len()), (500, 0), "{}", answer.text());
    assert_eq!(answer.header("x-error-source"), "provider");
}

#[tokio::test]
async fn a_target_that_has_just_failed_is_left_alone_for_a_while() {
    let aliases = json!({ "both": ["claude/claude-demo-error-429", "openai/gpt-4o-demo"] }).to_string();
    let house = House::with(&[("MODEL_ALIASES", &aliases)]).await;
    for _ in 0..3 {
        assert_eq!(house.chat("both", false).await.status, 200);
    }
    assert_eq!((house.claude.calls().len(), house.openai.calls().len()), (1, 3));
    // Who names it alone gets it.
    assert_eq!(house.chat("claude/claude-demo-error-429", false).await.status, 429);
}

#[tokio::test]
async fn a_provider_s_error_is_told_in_the_client_s_words_with_its_status() {
    let house = House::new().await;
    for (model, status) in
        [("claude-demo-error-401", 401), ("claude-demo-error-429", 429), ("gemini-2.5-demo-error-400", 400)]
    {
        for stream in [false, true] {
            let answer = house.chat(model, stream).await;
            assert_eq!(answer.status, status, "{model}: {}", answer.text());
            let error = &answer.json()["error"];
            assert!(error["message"].is_string() && error["type"].is_string(), "{error}");
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }
    let request = json!({ "model": "gpt-4o-demo-error-429", "max_tokens": 9, "messages": [{ "role": "user", "content": "x" }] });
    let answer = house.post("/v1/messages", &request).send().await;
    assert_eq!(answer.status, 429);
    assert_eq!(
        (&answer.json()["type"], &answer.json()["error"]["type"]),
        (&"error".into(), &"rate_limit_error".into())
    );
}

#[tokio::test]
async fn a_stream_that_fails_midway_ends_in_the_client_s_error_and_is_recorded_so() {
    let house = House::new().await;
    for model in ["claude-demo-cut", "claude-demo-overloaded", "gemini-2.5-demo-cut", "gpt-4o-demo-cut"] {
        let answer = house.chat(model, true).await;
        let text = answer.text();
        assert_eq!(answer.status, 200, "{model}: {text}");
        assert!(text.contains("data: {\"error\":{") && !text.contains("[DONE]"), "{model}: {text}");
        let line = house.gateway.logged_end(answer.header("x-gateway-request-id")).await;
        assert!(line.contains("outcome=truncated"), "{model}: {line}");
    }
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_given_up_wherever_it_stopped() {
    let house = House::with(&[("IDLE_TIMEOUT", "400")]).await;
    for model in ["gpt-4o-demo", "claude-demo"] {
        for (after, stream) in [("0", true), ("0", false), ("2", true)] {
            let call = house.post("/v1/chat/completions", &chat(model, stream));
            let call = call.header("x-demo-silence", "stream").header("x-demo-cut-after", after);
            let answer = call.send().await;
            let told = answer.text();
            assert!(told.contains("upstream_idle"), "{model} {after} {stream}: {} {told}", answer.status);
        }
    }
}

#[tokio::test]
async fn what_a_provider_does_not_know_is_named_or_with_x_strict_refused() {
    let house = House::new().await;
    let mut request = chat("claude-demo", false);
    request["seed"] = 7.into();
    request["logit_bias"] = json!({ "50256": -100 });
    let answer = house.post("/v1/chat/completions", &request).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut dropped: Vec<&str> = answer.header("x-dropped-params").split(',').collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["logit_bias", "seed"]);
    let strict = house.post("/v1/chat/completions", &request).header("x-strict", "true").send().await;
    assert_eq!(strict.status, 400);
    assert_eq!(strict.json()["error"]["code"], "unsupported_parameter");
    assert_eq!(house.claude.calls().len(), 1, "the strict call cost nothing");
}

#[tokio::test]
async fn names_that_no_header_could_carry_are_told_in_part() {
    let house = House::new().await;
    let mut request = chat("claude-demo", false);
    request["a\nb"] = 1.into();
    request["c".repeat(5000)] = 1.into();
    let answer = house.post("/v1/chat/completions", &request).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = String::from_utf8_lossy(answer.headers["x-dropped-params"].as_bytes()).into_owned();
    assert!(told.contains("a b") && told.ends_with("ccc…") && told.len() < 1100, "{told}");
}

#[tokio::test]
async fn a_token_in_google_s_parameter_admits_and_goes_no_further() {
    let house = House::new().await;
    let path = format!("/v1beta/models/gemini-2.5-demo:generateContent?key={TOKEN}&x=1");
    let request = json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }] }] });
    let answer = house.gateway.client.post(&path).json(&request).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = one(&house.gemini);
    assert_eq!(seen.target, "/v1beta/models/gemini-2.5-demo:generateContent?x=1");
    assert_eq!(seen.headers["x-goog-api-key"], "server-key-of-gemini");
}

#[tokio::test]
async fn a_call_can_name_its_provider_in_the_body_or_a_header() {
    let house = House::new().await;
    let mut request = chat("demo-x", false);
    request["provider"] = "claude".into();
    assert_eq!(
        house.post("/v1/chat/completions", &request).send().await.header("x-served-by"),
        "claude/demo-x"
    );
    let request = chat("demo-x", false);
    let answer = house.post("/v1/chat/completions", &request).header("x-provider", "gemini").send().await;
    assert_eq!(answer.header("x-served-by"), "gemini/demo-x");
    let answer = house.post("/v1/chat/completions", &request).header("x-provider", "nobody").send().await;
    assert_eq!(answer.status, 404);
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("nobody"));
    // OpenRouter's own field of that name is an object, and is the provider's.
    let mut request = chat("gpt-4o-demo", false);
    request["provider"] = json!({ "order": ["x"] });
    house.post("/v1/chat/completions", &request).send().await;
    assert_eq!(body(&one(&house.openai))["provider"], json!({ "order": ["x"] }));
}

#[tokio::test]
async fn embeddings_are_told_alike_whoever_made_them() {
    let house = House::new().await;
    for model in ["text-embedding-3-small", "gemini/gemini-embedding-001"] {
        let request = json!({ "model": model, "input": ["one", "two"], "encoding_format": "float" });
        let answer = house.post("/v1/embeddings", &request).send().await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2, "{model}");
        assert!(answer.json()["data"][1]["embedding"][0].is_number(), "{model}");
        assert_eq!(answer.header("x-processing-mode"), "background", "{model}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_in_the_client_s_words_and_costs_nothing() {
    let house = House::new().await;
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings"] {
        for text in ["", "nonsense", "[]", "{\"model\":", "\u{0}"] {
            let call = house.gateway.client.post(path).header("authorization", &format!("Bearer {TOKEN}"));
            let answer = call.body(text.to_owned()).send().await;
            assert_eq!(answer.status, 400, "{path} {text:?}: {}", answer.text());
            assert!(answer.json()["error"]["message"].is_string(), "{path} {text:?}");
        }
    }
    assert_eq!(house.openai.calls().len(), 0);
}

#[tokio::test]
async fn nobody_without_a_token_spends_the_server_s_keys() {
    let house = House::new().await;
    let answer =
        house.gateway.client.post("/v1/chat/completions").json(&chat("gpt-4o-demo", false)).send().await;
    assert_eq!((answer.status, house.openai.calls().len()), (401, 0));
}

#[tokio::test]
async fn another_provider_s_headers_do_not_cross() {
    let house = House::new().await;
    let request =
        json!({ "model": "gpt-4o-demo", "max_tokens": 9, "messages": [{ "role": "user", "content": "x" }] });
    let call = house
        .post("/v1/messages", &request)
        .header("anthropic-beta", "tools-2026")
        .header("anthropic-version", "2023-06-01");
    assert_eq!(call.send().await.status, 200);
    let seen = one(&house.openai);
    assert!(seen.headers.keys().all(|name| !name.as_str().starts_with("anthropic-")), "{:?}", seen.headers);
}
