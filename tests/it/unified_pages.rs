//! What the unified API knows by itself: which models there are, where a call would go, and how many tokens a text has.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Map, Value, json};
use twinlane_demo::Demo;
use twinlane_tests::client::Sending;
use twinlane_tests::raw::{Canned, Then};
use twinlane_tests::{Answer, Twinlane};

const OWN_KEY: &str = "sk-a-key-of-the-client-s-own";
const ALIASES: &str = r#"{"fast": ["claude/demo-error-429", "openai/demo"]}"#;

/// A gateway with keys for providers of four dialects, all of them one demo.
struct Pages {
    provider: Demo,
    gateway: Twinlane,
}

impl Pages {
    async fn open() -> Self {
        Self::with(&["openai", "claude", "gemini", "onemin"], &json!({})).await
    }

    /// With keys for these, and further services at hosts of their own.
    async fn with(keys: &[&str], others: &Value) -> Self {
        let provider = Demo::start().await.unwrap();
        let at = |host: &Value| json!({ "host": host, "forwardHeaders": ["x-demo-*"] });
        let four = ["openai", "claude", "gemini", "onemin"].iter();
        let mut services: Map<String, Value> =
            four.map(|alias| ((*alias).to_owned(), at(&provider.url().into()))).collect();
        services.extend(others.as_object().unwrap().iter().map(|(alias, host)| (alias.clone(), at(host))));
        let (services, others) = (Value::Object(services).to_string(), others.as_object().unwrap().keys());
        let named = keys.iter().map(|key| (*key).to_owned()).chain(others.cloned());
        let settings: Vec<_> = named.map(|alias| format!("{}_API_KEY", alias.to_uppercase())).collect();
        let keys = settings.iter().map(|setting| (setting.as_str(), "server-key"));
        let vars = [("PROXY_CONFIG", services.as_str()), ("MODEL_ALIASES", ALIASES)];
        let vars: Vec<_> = vars.into_iter().chain(keys).collect();
        Self { gateway: Twinlane::start(&vars).await, provider }
    }

    fn get(&self, target: &str) -> Sending {
        self.gateway.client.get(target)
    }

    async fn post(&self, target: &str, body: &Value) -> Answer {
        self.gateway.client.post(target).json(body).send().await
    }
}

/// The values of a field in a list.
fn all(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[field].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn the_models_of_all_providers_are_one_list_in_the_client_s_shape() {
    let pages = Pages::open().await;
    let answer = pages.get("/v1/models").send().await;
    let list = answer.json();
    assert_eq!(
        (answer.status, answer.header("x-models-missing"), &list["object"]),
        (200, "", &"list".into())
    );
    let ids = all(&list["data"], "id");
    for id in ["fast", "openai/demo", "demo", "claude/demo", "gemini/demo-slow", "onemin/demo-embedding"] {
        assert_eq!(ids.iter().filter(|known| *known == id).count(), 1, "{id} in {ids:?}");
    }
    assert!(!ids.iter().any(|id| id.starts_with("groq/")), "there is no key for groq");
    let find = |id: &str| list["data"].as_array().unwrap().iter().find(|model| model["id"] == id).unwrap();
    assert_eq!(find("onemin/demo")["capabilities"], json!(["chat", "vision"]));
    assert_eq!(
        (&find("claude/demo")["provider"], &find("claude/demo")["owned_by"]),
        (&"claude".into(), &"anthropic".into())
    );
    assert_eq!(find("fast")["owned_by"], "twinlane");

    let anthropic = pages.get("/v1/models").header("anthropic-version", "2023-06-01").send().await.json();
    let told = anthropic["data"].as_array().unwrap();
    assert_eq!((&anthropic["has_more"], &anthropic["first_id"]), (&false.into(), &told[0]["id"]));
    let claude = told.iter().find(|model| model["id"] == "claude/demo").unwrap();
    assert_eq!((&claude["type"], &claude["created_at"]), (&"model".into(), &"2026-01-01T00:00:00Z".into()));
    assert_eq!(claude["max_input_tokens"], 200_000);

    let google = pages.get("/v1beta/models").send().await.json();
    let gemini = google["models"].as_array().unwrap();
    let gemini = gemini.iter().find(|model| model["name"] == "models/gemini/demo").unwrap();
    assert_eq!(gemini["inputTokenLimit"], 1_048_576);
    assert_eq!(gemini["supportedGenerationMethods"], json!(["generateContent", "countTokens"]));

    let head = pages.gateway.client.call(&Method::HEAD, "/v1/models").send().await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_list_is_asked_for_once_with_the_server_s_key_however_many_want_it() {
    let pages = Pages::open().await;
    let asking = (0..8).map(|_| pages.get("/v1/models").send());
    for answer in futures_util::future::join_all(asking).await {
        assert_eq!(answer.status, 200);
    }
    pages.get("/v1/models/claude%2Fdemo").send().await;
    pages.get("/v1/model-options").send().await;
    let mut asked: Vec<String> = pages.provider.calls().into_iter().map(|call| call.target).collect();
    asked.sort();
    let lists = [
        "/models?feature=UNIFY_CHAT_WITH_AI",
        "/v1/models",
        "/v1/models?limit=1000",
        "/v1beta/models?pageSize=1000",
    ];
    assert_eq!(asked, lists);
    for call in pages.provider.calls() {
        let keys = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
        let sent = keys.iter().filter_map(|name| call.headers.get(*name)).collect::<Vec<_>>();
        assert_eq!(sent.len(), 1, "{call:?}");
        assert!(sent[0].to_str().unwrap().ends_with("server-key"), "{call:?}");
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_left_out_and_named_and_asked_again() {
    let (closing, silent) = (Canned::start(Then::Closes).await, Canned::start(Then::Hangs).await);
    let nonsense = Canned::start(Then::Says("HTTP/1.1 200 OK\r\n\r\n<html>".to_owned())).await;
    let others = json!({
        "groq": format!("http://{}", closing.address),
        "mistral": format!("http://{}", silent.address),
        "xai": format!("http://{}", nonsense.address),
    });
    let pages = Pages::with(&["openai"], &others).await;
    let began = Instant::now();
    let answer = pages.get("/v1/models").send().await;
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!((answer.status, answer.header("x-models-missing")), (200, "groq, mistral, xai"));
    assert!(all(&answer.json()["data"], "id").contains(&"openai/demo".to_owned()));
    let asked = closing.asked();
    let model = pages.get("/v1/models/groq%2Fllama").send().await;
    assert_eq!((model.status, &model.json()["error"]["code"]), (502, &"models_unavailable".into()));
    assert!(closing.asked() > asked, "a failure is not remembered");
    assert_eq!(pages.provider.calls().len(), 1, "a list is");
}

#[tokio::test]
async fn a_client_s_own_key_sees_the_list_of_the_provider_that_made_it() {
    let anthropic = Demo::start().await.unwrap();
    let pages = Pages::with(&["openai"], &json!({ "claude": anthropic.url() })).await;
    let bearer = format!("Bearer {OWN_KEY}");
    let plain = pages.get("/v1/models?limit=3").header("authorization", &bearer).send().await;
    assert!(plain.json()["data"][0]["description"].is_string(), "as it came: {}", plain.text());
    let seen = pages.provider.calls().remove(0);
    assert_eq!(
        (seen.target.as_str(), &seen.headers["authorization"]),
        ("/v1/models?limit=3", &bearer.parse().unwrap())
    );
    assert!(anthropic.calls().is_empty());

    let headers = [("anthropic-version", "2023-06-01"), ("x-api-key", OWN_KEY)];
    assert_eq!(pages.get("/v1/models").headers(&headers).send().await.status, 200);
    assert_eq!(anthropic.calls().remove(0).headers["x-api-key"], OWN_KEY);
    let named = pages.get("/v1/models").header("authorization", &bearer).header("x-provider", "claude");
    assert_eq!(named.send().await.header("x-served-by"), "claude");
    assert_eq!((pages.provider.calls().len(), anthropic.calls().len()), (1, 2));
}

#[tokio::test]
async fn without_a_key_of_anybody_s_the_default_service_says_so_itself() {
    let pages = Pages::with(&[], &json!({})).await;
    let answer = pages.get("/v1/models").header("x-demo-status", "401").send().await;
    assert_eq!((answer.status, answer.header("x-error-source")), (401, ""), "the provider's own");
    assert_eq!(pages.provider.calls().remove(0).target, "/v1/models");
}

#[tokio::test]
async fn one_model_is_found_by_every_name_and_its_absence_told_in_the_client_s_words() {
    let pages = Pages::open().await;
    for id in ["openai/demo", "demo", "openai%2Fdemo", "anthropic/demo-tools", "fast"] {
        let answer = pages.get(&format!("/v1/models/{id}")).send().await;
        assert_eq!((answer.status, &answer.json()["id"]), (200, &id.replace("%2F", "/").into()), "{id}");
    }
    let google = pages.get("/v1beta/models/gemini%2Fdemo").send().await.json();
    assert_eq!(google["name"], "models/gemini/demo");
    for id in ["openai/nobody", "nobody", "groq/llama"] {
        let answer = pages.get(&format!("/v1/models/{id}")).send().await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (404, &"model_not_found".into()),
            "{id}"
        );
    }
    let versioned = pages.get("/v1/models/nobody").header("anthropic-version", "2023-06-01").send().await;
    assert_eq!((versioned.status, &versioned.json()["error"]["type"]), (404, &"not_found_error".into()));
}

#[tokio::test]
async fn model_options_tell_all_that_is_known() {
    let pages = Pages::open().await;
    let options = pages.get("/v1/model-options").send().await.json();
    let find = |list: &str, field: &str, name: &str| {
        let found = options[list].as_array().unwrap().iter().find(|it| it[field] == name);
        found.unwrap_or_else(|| panic!("{name} in {options}")).clone()
    };
    let claude = find("data", "id", "claude/demo");
    assert_eq!((&claude["context_window"], &claude["max_output_tokens"]), (&200_000.into(), &64_000.into()));
    assert_eq!(
        (&claude["key"], &claude["formats"]),
        (&"server".into(), &json!(["messages", "count_tokens"]))
    );
    assert_eq!(find("data", "id", "openai/demo")["names"], json!(["openai/demo", "demo"]));
    assert_eq!(find("aliases", "id", "fast")["targets"], json!(["claude/demo-error-429", "openai/demo"]));
    assert_eq!(find("providers", "alias", "groq")["key"], "needed");
    assert!(!options.to_string().contains("server-key"));
}

#[tokio::test]
async fn a_route_is_told_with_its_reasons_and_nobody_is_called() {
    let pages = Pages::open().await;
    let check = async |query: &str| pages.get(&format!("/v1/route-check?{query}")).send().await.json();
    for (query, target, why, format, path) in [
        ("model=gpt-4o", "openai/gpt-4o", "the model's name is like gpt-*", "chat", "/v1/chat/completions"),
        (
            "model=claude-x",
            "claude/claude-x",
            "the model's name is like claude-*",
            "messages",
            "/v1/messages",
        ),
        (
            "model=gpt-4o&provider=claude",
            "claude/gpt-4o",
            "the call names the provider",
            "messages",
            "/v1/messages",
        ),
        (
            "model=gemini/g",
            "gemini/g",
            "the model's name begins with the provider's",
            "gemini",
            "/v1beta/models/g:generateContent",
        ),
        (
            "model=llama&path=/v1/responses",
            "openai/llama",
            "it is the default service",
            "responses",
            "/v1/responses",
        ),
    ] {
        let told = check(query).await;
        let first = &told["targets"][0];
        assert_eq!((&told["first"], &first["why"]), (&target.into(), &why.into()), "{told}");
        assert_eq!((&first["format"], &first["path"]), (&format.into(), &path.into()), "{told}");
        assert_eq!((&first["lane"], &first["key"]), (&"edge".into(), &"server".into()), "{told}");
        assert_eq!(first["native"], format != "messages" && format != "gemini", "{told}");
        assert!(first["dropped"].is_null(), "a sample drops nothing of anybody's: {told}");
    }
    let embeddings = check("model=text-embedding-3-small&path=/v1/embeddings").await;
    assert_eq!(
        (&embeddings["targets"][0]["lane"], &embeddings["targets"][0]["lane_reason"]),
        (&"background".into(), &"embeddings".into())
    );
    assert_eq!(check("model=groq/llama").await["targets"][0]["key"], "none");
    assert_eq!(check("model=gpt-4o&stream=true").await["targets"][0]["lane_reason"], "stream");
    assert_eq!(check("model=a&provider=nobody").await["error"]["code"], "unknown_service");
    assert!(pages.provider.calls().is_empty());
}

#[tokio::test]
async fn a_whole_request_is_told_what_it_would_lose_or_why_it_would_be_refused() {
    let pages = Pages::open().await;
    let chat = |more: Value| {
        let mut body = json!({ "model": "claude/demo", "messages": [{ "role": "user", "content": "Hi" }] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let lossy =
        pages.post("/v1/route-check", &chat(json!({ "logit_bias": { "1": 2 }, "seed": 1 }))).await.json();
    let mut dropped: Vec<&str> = lossy["targets"][0]["dropped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["logit_bias", "seed"], "{lossy}");
    let refused = pages.post("/v1/route-check", &chat(json!({ "n": 2 }))).await.json();
    assert_eq!(refused["targets"][0]["refused"]["param"], "n", "{refused}");
    let strict = pages.gateway.client.post("/v1/route-check").json(&chat(json!({ "seed": 1 })));
    let strict = strict.header("x-strict", "true").send().await.json();
    assert_eq!(strict["targets"][0]["refused"]["param"], "seed", "{strict}");
    assert!(pages.provider.calls().is_empty());
}

#[tokio::test]
async fn a_target_that_cools_down_is_told_and_not_the_first() {
    let pages = Pages::open().await;
    let chat = json!({ "model": "fast", "messages": [{ "role": "user", "content": "Hi" }] });
    let answer = pages.post("/v1/chat/completions", &chat).await;
    assert_eq!((answer.status, answer.header("x-served-by")), (200, "openai/demo"));
    let told = pages.get("/v1/route-check?model=fast").send().await.json();
    assert_eq!(told["first"], "openai/demo");
    assert_eq!(
        (&told["targets"][0]["cooling_down"], &told["targets"][1]["cooling_down"]),
        (&true.into(), &false.into())
    );
}

#[tokio::test]
async fn a_text_is_cut_into_its_tokens() {
    let pages = Pages::open().await;
    let text = "tiktoken is great!";
    let exact = pages.post("/v1/tokenize", &json!({ "model": "openai/gpt-4o", "input": text })).await;
    let great = json!([83, 8251, 2488, 382, 2212, 0]);
    let told = json!({ "model": "openai/gpt-4o", "tokens": great, "count": 6, "exact": true });
    assert_eq!((exact.status, exact.json(), exact.header("x-gateway-estimated")), (200, told, ""));
    let guess = pages.post("/v1/tokenize", &json!({ "model": "claude-x", "input": [text, text] })).await;
    assert_eq!((&guess.json()["tokens"], &guess.json()["exact"]), (&Value::Null, &false.into()));
    assert_eq!(guess.header("x-gateway-estimated"), "1");
    let nothing = pages.post("/v1/tokenize", &json!({ "model": "gpt-4o" })).await;
    assert_eq!((nothing.status, &nothing.json()["error"]["param"]), (400, &"input".into()));
    assert!(pages.provider.calls().is_empty());
}

#[tokio::test]
async fn a_conversation_is_counted_by_its_provider_or_else_here() {
    let pages = Pages::open().await;
    let messages = |model: &str| json!({ "model": model, "messages": [{ "role": "user", "content": "tiktoken is great!" }] });
    let counted = pages.post("/v1/messages/count_tokens", &messages("gpt-4o")).await;
    assert_eq!((counted.status, counted.json()), (200, json!({ "input_tokens": 6 + 1 + 3 + 3 })));
    assert_eq!((counted.header("x-gateway-estimated"), counted.header("x-served-by")), ("", "twinlane"));
    let guessed = pages.post("/v1/messages/count_tokens", &messages("gemini/g")).await;
    assert_eq!((guessed.status, guessed.header("x-gateway-estimated")), (200, "1"));

    let contents = json!({ "contents": [{ "role": "user", "parts": [{ "text": "tiktoken is great!" }] }] });
    let google = pages.post("/v1beta/models/gpt-4o:countTokens", &contents).await;
    assert_eq!(google.json(), json!({ "totalTokens": 6 + 1 + 3 + 3 }));
    assert!(pages.provider.calls().is_empty());

    let native = pages.post("/v1/messages/count_tokens", &messages("claude/demo")).await;
    assert_eq!((native.status, native.header("x-served-by")), (200, "claude/demo"));
    let native = pages.post("/v1beta/models/gemini%2Fdemo:countTokens", &contents).await;
    assert_eq!((native.status, native.header("x-served-by")), (200, "gemini/demo"));
    let seen: Vec<_> = pages.provider.calls().into_iter().map(|call| call.target).collect();
    assert_eq!(seen, ["/v1/messages/count_tokens", "/v1beta/models/demo:countTokens"]);

    let unreadable =
        pages.post("/v1/messages/count_tokens", &json!({ "model": "gpt-4o", "messages": 1 })).await;
    assert_eq!((unreadable.status, &unreadable.json()["type"]), (400, &"error".into()));
}

#[tokio::test]
async fn health_tells_which_providers_the_server_can_call_and_calls_none() {
    let pages = Pages::with(&["openai"], &json!({})).await;
    let health = pages.get("/health").send().await;
    let providers = &health.json()["providers"];
    assert_eq!((&providers["openai"], &providers["claude"]), (&"configured".into(), &"needs a key".into()));
    assert!(!health.text().contains("127.0.0.1"), "{}", health.text());
    assert!(pages.provider.calls().is_empty());
}
