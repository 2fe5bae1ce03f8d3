//! Pages of other origins.

use http::Method;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_preflight_is_answered_without_a_token_or_a_provider() {
    let vars = [("ALLOWED_ORIGIN", "https://app.example"), ("AUTH_TOKEN", "tok")];
    let world = World::with(&vars, &json!({})).await;
    let preflight = |origin| {
        let call = world.call(&Method::OPTIONS, "/v1/chat/completions").header("origin", origin);
        call.header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization")
            .send()
    };
    let granted = preflight("https://app.example").await;
    assert_eq!((granted.status, granted.header("access-control-allow-origin")), (204, "https://app.example"));
    assert_eq!(granted.header("access-control-allow-headers"), "authorization");
    let refused = preflight("https://evil.example").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (204, ""));
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn answers_and_errors_can_be_read_by_the_allowed_page_only() {
    let world = World::with(&[("ALLOWED_ORIGIN", "https://app.example")], &json!({})).await;
    for path in ["/v1/models", "/headers", "/nothing/../x"] {
        let answer = world.get(path).header("origin", "https://app.example").send().await;
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example", "{path}");
        assert!(answer.header("access-control-expose-headers").contains("x-gateway-request-id"));
        let other = world.get(path).header("origin", "https://evil.example").send().await;
        assert!(!other.headers.contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn without_the_setting_no_page_may_read() {
    let world = World::new().await;
    let answer = world.get("/headers").header("origin", "https://app.example").send().await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "not even the provider's own");
}

#[tokio::test]
async fn on_this_machine_the_origins_for_development_hold() {
    let vars = [
        ("ALLOWED_ORIGIN", "https://app.example"),
        ("ALLOWED_ORIGIN_DEVELOPMENT", "http://localhost:5173,https://*.preview.example"),
    ];
    let world = World::with(&vars, &json!({})).await;
    for (origin, admitted, cookies) in [
        ("http://localhost:5173", true, true),
        ("https://branch-1.preview.example", true, false),
        ("https://a.b.preview.example", false, false),
        ("https://app.example", false, false),
    ] {
        let answer = world.get("/v1/models").header("origin", origin).send().await;
        let told = answer.header("access-control-allow-origin");
        assert_eq!(told, if admitted { origin } else { "" }, "{origin}");
        assert_eq!(answer.headers.contains_key("access-control-allow-credentials"), cookies, "{origin}");
        assert!(answer.header("vary").contains("origin"), "{origin}");
    }
}

#[tokio::test]
async fn a_page_may_read_who_answered_and_what_fell_back() {
    let aliases = json!({ "first": ["dead/x", "p/demo"] }).to_string();
    let provider = twinlane_demo::Demo::start().await.unwrap();
    let services = json!({
        "p": { "host": provider.url(), "speaks": ["chat"] },
        "dead": { "host": "http://127.0.0.1:9" },
    });
    let services = services.to_string();
    let vars = [
        ("PROXY_CONFIG", services.as_str()),
        ("MODEL_ALIASES", &aliases),
        ("P_API_KEY", "k"),
        ("DEAD_API_KEY", "k"),
        ("ALLOWED_ORIGIN", "*"),
    ];
    let gateway = twinlane_tests::Twinlane::start(&vars).await;
    let body = json!({ "model": "first", "messages": [{ "role": "user", "content": "Hi" }] });
    let call = gateway.client.post("/v1/chat/completions").json(&body).header("origin", "https://x.example");
    let answer = call.send().await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, "*"),
        "{}",
        answer.text()
    );
    let exposed: Vec<&str> = answer.header("access-control-expose-headers").split(", ").collect();
    let ours = answer.headers.keys().map(http::HeaderName::as_str);
    let ours: Vec<&str> = ours.filter(|name| name.starts_with("x-") && !name.starts_with("x-demo")).collect();
    assert!(ours.contains(&"x-served-by") && ours.contains(&"x-fallbacks"), "{ours:?}");
    for name in ours {
        // What browsers act on, pages need not read.
        let is_browser_s = matches!(name, "x-content-type-options" | "x-accel-buffering");
        assert!(is_browser_s || exposed.contains(&name), "{name} cannot be read by a page");
    }
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
}
