//! What a deployment to Vercel would be: built by the platform's own tool, and run behind the table that it built.
//!
//! A panic inside a handler is not among these facts. The functions have no way in that makes them panic, and one made
//! for a test would be a way in for everybody; that a panic becomes an answer is shown in `door.rs` of the gateway, and
//! that every answer's `end` is told, here.
//!
//! These facts are left out of a plain `cargo test`, because building them takes minutes; `scripts/test` has them.

use std::path::Path;

use http::HeaderMap;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use twinlane_demo::Demo;
use twinlane_tests::process::root;
use twinlane_tests::vercel::build::output;
use twinlane_tests::vercel::edge::{Edge, LARGEST_BODY, Wall, functions_of};
use twinlane_tests::vercel::routes::{Routes, Target};
use twinlane_tests::{Answer, SOON, Twinlane, eventually};

use crate::world::{chat, proxy_config};

/// The largest body that the gateway takes on Vercel.
const OUR_LIMIT: usize = 4 * 1024 * 1024;

/// A provider, and a deployment before it.
struct Deployed {
    provider: Demo,
    edge: Edge,
}

impl Deployed {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(vars: &[(&str, &str)]) -> Self {
        let provider = Demo::start().await.unwrap();
        let config = proxy_config(&provider, &json!({}));
        let vars = [&[("PROXY_CONFIG", config.as_str()), ("GATEWAY_SECRET", "s")], vars].concat();
        Self { edge: Edge::start(output(), &vars).await, provider }
    }

    async fn post(&self, path: &str) -> Answer {
        let body = json!({ "model": "demo", "input": "x", "prompt": "x", "messages": [{ "role": "user", "content": "x" }] });
        self.edge.client.post(path).json(&body).header("cookie", "_vercel_jwt=signed-in").send().await
    }

    /// How many calls a function has ended.
    fn ended(&self, function: &str) -> usize {
        self.edge.function(function).messages("end").len()
    }
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let (path, name) =
            entry.map(|entry| (entry.path(), entry.file_name().into_string().unwrap())).unwrap();
        match path.is_dir() {
            true => files.extend(files_below(&path).into_iter().map(|below| format!("{name}/{below}"))),
            false => files.push(name),
        }
    }
    files.sort();
    files
}

#[test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
fn exactly_two_functions_are_built() {
    let expected = ["api/background.func", "api/gateway.func"];
    let parts = [".vc-config.json", "executable"];
    let expected: Vec<String> =
        expected.iter().flat_map(|function| parts.map(|part| format!("{function}/{part}"))).collect();
    assert_eq!(files_below(&output().join("functions")), expected);
}

#[test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
fn the_functions_stream_and_stay_within_a_hobby_plan() {
    for (path, folder) in functions_of(output()) {
        let config = std::fs::read(folder.join(".vc-config.json")).unwrap();
        let config: Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(
            (&config["runtime"], &config["runtimeLanguage"]),
            (&json!("executable"), &json!("rust")),
            "{path}"
        );
        assert_eq!(
            (&config["supportsResponseStreaming"], &config["supportsCancellation"]),
            (&json!(true), &json!(true)),
            "{path}"
        );
        assert_eq!(
            config["maxDuration"], 300,
            "{path}: a deploy above its plan's limit fails, and 300 is also what MAX_DURATION takes for granted"
        );
        assert!(config["memory"].as_u64().unwrap() <= 2048, "{path}");
    }
}

#[test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
fn only_the_page_is_published() {
    assert_eq!(files_below(&output().join("static")), files_below(&root().join("public")));
}

#[test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
fn no_rule_adds_to_a_query() {
    let routes = Routes::read(output());
    assert!(routes.destinations().count() > 0);
    assert_eq!(
        routes.destinations().find(|destination| destination.contains('?')),
        None,
        "a provider would be sent it"
    );
}

#[test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
fn paths_lead_to_the_function_that_is_for_them() {
    let routes = Routes::read(output());
    let leads = |path: &str, kind: &str| {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert("content-type", kind.parse().unwrap());
        }
        routes.route(path, &headers).target
    };
    let (json, form) = ("application/json; charset=utf-8", "multipart/form-data; boundary=b");
    for (path, kind, function) in [
        ("/health", "", "gateway"),
        ("/healthz", "", "gateway"),
        ("/v1/vision/analyze", form, "gateway"),
        ("/limits", "", "gateway"),
        ("/gateway/health", "", "gateway"),
        ("/gateway/services", "", "gateway"),
        ("/gateway/doctor", "", "gateway"),
        ("/gateway/openai/v1/models", "", "gateway"),
        ("/gateway/openai/v1/chat/completions", json, "gateway"),
        ("/gateway/gemini/v1beta/models/g:embedContent", json, "gateway"),
        ("/gateway/openai/v1/audio/transcriptions", form, "gateway"),
        ("/gateway/openai/v1/files", "", "gateway"),
        ("/gateway/openai/v1/files", form, "background"),
        ("/gateway/openai/v1/embeddings", json, "background"),
        ("/gateway/openai/embeddings", json, "background"),
        ("/gateway/openai/v1/embeddings", "", "gateway"),
        ("/v1/embeddings", json, "background"),
        ("/v1/files", form, "background"),
        ("/v1/models", "", "gateway"),
        ("/v1/messages", json, "gateway"),
        ("/api/gateway", "", "gateway"),
        ("/api/background", "", "background"),
        ("/api/background/health", "", "background"),
        ("/api/background/gateway/openai/v1/chat/completions", json, "background"),
        ("/api/background/v1/files", form, "background"),
    ] {
        assert_eq!(leads(path, kind), Target::Function(format!("api/{function}")), "{path} {kind}");
    }
    for path in
        ["/nothing", "/gateway", "/api", "/api/other", "/Cargo.toml", "/shared/gateway/src/lib.rs", "/.env"]
    {
        assert_eq!(leads(path, ""), Target::Nothing(404), "{path}");
    }
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn both_lanes_and_the_hop_between_them_pass_the_built_table() {
    let deployed = Deployed::new().await;
    for (path, lane, reason) in [
        ("/v1/chat/completions", "edge", "small-body"),
        ("/v1/images/generations", "background", "images"),
        ("/v1/embeddings", "background", "called"),
    ] {
        deployed.provider.clear();
        let answer = deployed.post(&format!("/gateway/p{path}?x=%20y")).await;
        let told = (answer.status, answer.header("x-processing-mode"), answer.header("x-lane-reason"));
        assert_eq!(told, (200, lane, reason), "{path}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(deployed.provider.calls()[0].target, format!("{path}?x=%20y"));
    }
    eventually("every call's end is told", || {
        deployed.ended("api/gateway") == 2 && deployed.ended("api/background") == 2
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn nothing_of_the_platform_s_reaches_a_provider() {
    let deployed = Deployed::with(&[("VERCEL_AUTOMATION_BYPASS_SECRET", "bypass")]).await;
    for path in ["chat/completions", "images/generations", "embeddings"] {
        deployed.provider.clear();
        assert_eq!(deployed.post(&format!("/gateway/p/v1/{path}")).await.status, 200);
        let seen = deployed.provider.calls().remove(0);
        for (name, value) in &seen.headers {
            let name = name.as_str();
            let of_the_platform =
                name.starts_with("x-vercel") || name.contains("forwarded") || name == "x-real-ip";
            assert!(!of_the_platform && name != "cookie" && name != "x-twinlane-hop", "{path}: {name}");
            assert!(value != "bypass" && !format!("{value:?}").contains("oidc"), "{path}: {name}");
        }
    }
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn a_stream_passes_piece_by_piece_and_its_end_is_told_after_its_last_byte() {
    let deployed = Deployed::new().await;
    let call = deployed.edge.client.post("/gateway/p/v1/chat/completions").json(&chat(true));
    let answer = call.header("x-demo-chunks", "5").header("x-demo-chunk-delay-ms", "100").open().await;
    let number =
        answer.headers()["x-vercel-id"].to_str().unwrap().trim_start_matches("iad1::").parse().unwrap();
    let (mut body, mut pieces) = (answer.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        // The last piece and the end may be told in the same moment.
        let last = piece.ends_with(b"data: [DONE]\n\n");
        assert!(last || !deployed.edge.function("api/gateway").has_ended(number), "the end came first");
        pieces.push(piece);
    }
    assert!(pieces.len() >= 5 && pieces.concat().ends_with(b"data: [DONE]\n\n"), "{pieces:?}");
    eventually("the call's end is told", || deployed.edge.function("api/gateway").has_ended(number)).await;
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn the_gateway_refuses_in_words_what_the_platform_would_refuse_without() {
    let deployed = Deployed::new().await;
    for path in ["/gateway/p/v1/chat/completions", "/api/background/gateway/p/v1/chat/completions"] {
        let send = |size: usize| deployed.edge.client.post(path).body(vec![b'x'; size]).send();
        let ours = send(OUR_LIMIT + 1).await;
        assert_eq!((ours.status, ours.header("x-error-source")), (413, "gateway"), "{path}: {}", ours.text());
        let platform = send(LARGEST_BODY + 1).await;
        assert_eq!((platform.status, platform.header("x-vercel-error")), (413, "FUNCTION_PAYLOAD_TOO_LARGE"));
        assert!(!platform.headers.contains_key("x-vercel-id"), "{path}: a function ran");
    }
    assert!(deployed.provider.calls().is_empty());
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn the_largest_body_crosses_the_hop() {
    let deployed = Deployed::new().await;
    let file = twinlane_demo::bytes(OUR_LIMIT as u64);
    let answer = deployed.edge.client.post("/gateway/p/echo/files").body(file.clone()).send().await;
    assert_eq!((answer.status, answer.header("x-processing-mode")), (200, "background"));
    assert!(answer.body == file);
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn sigterm_lets_a_running_stream_finish() {
    let deployed = Deployed::new().await;
    let call = deployed.edge.client.post("/gateway/p/v1/chat/completions").json(&chat(true));
    let answer = call.header("x-demo-chunks", "10").header("x-demo-chunk-delay-ms", "50").open().await;
    let gateway = deployed.edge.function("api/gateway");
    gateway.process.terminate();
    let body = tokio::time::timeout(SOON, answer.into_body().collect()).await.unwrap().unwrap().to_bytes();
    assert!(body.ends_with(b"data: [DONE]\n\n"));
    eventually("the function ends", || gateway.is_gone()).await;
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn the_hop_passes_a_wall_that_trusts_the_project_itself() {
    let deployed = Deployed::new().await;
    deployed.edge.protect(Wall::TrustsItsOwn);
    assert_eq!(deployed.edge.client.get("/health").send().await.status, 401, "the wall stands");
    let answer = deployed.post("/gateway/p/v1/images/generations").await;
    assert_eq!(
        (answer.status, answer.header("x-processing-mode")),
        (200, "background"),
        "{:?}",
        answer.headers
    );
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn the_edge_lane_takes_over_where_a_wall_stops_the_hop() {
    let deployed = Deployed::new().await;
    for status in [401, 302] {
        deployed.provider.clear();
        deployed.edge.protect(Wall::TrustsNobody(status));
        let answer = deployed.post("/gateway/p/v1/images/generations").await;
        let told = (answer.status, answer.header("x-processing-mode"), answer.header("x-lane-reason"));
        assert_eq!(told, (200, "edge", "fallback"), "{status}: {}", answer.text());
        assert_eq!(deployed.provider.calls().len(), 1, "{status}");
    }
    assert_eq!(deployed.ended("api/background"), 0);
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn the_page_is_the_platform_s_to_serve_under_the_laptop_s_policy() {
    let (deployed, laptop) = (Deployed::new().await, Twinlane::start(&[]).await);
    let files = files_below(&root().join("public")).into_iter().map(|file| format!("/{file}"));
    for path in files.chain(["/".to_owned()]) {
        let (served, here) =
            (deployed.edge.client.get(&path).send().await, laptop.client.get(&path).send().await);
        assert_eq!((served.status, served.body), (200, here.body.clone()), "{path}");
        for name in ["content-security-policy", "x-content-type-options"] {
            assert_eq!(served.headers.get(name), here.headers.get(name), "{path} {name}");
            assert!(here.headers.contains_key(name), "{path} {name}");
        }
    }
    assert_eq!(deployed.ended("api/gateway") + deployed.ended("api/background"), 0);
}

#[tokio::test]
#[ignore = "needs Vercel's build tool; ./scripts/test runs it"]
async fn a_path_that_nobody_answers_is_not_found() {
    let deployed = Deployed::new().await;
    for path in ["/nothing", "/api/other", "/api/gateway/health"] {
        let answer = deployed.edge.client.get(path).send().await;
        assert_eq!((answer.status, answer.header("x-vercel-error")), (404, "NOT_FOUND"), "{path}");
    }
    for path in ["/health", "/api/background/health"] {
        let answer = deployed.edge.client.get(path).send().await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &"ok".into()), "{path}");
    }
    assert_eq!(deployed.edge.client.get("/limits").send().await.json()["platform"], "vercel");
}
