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
