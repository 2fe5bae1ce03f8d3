//! Where paths lead, and what never gets through.

use http::Method;
use twinlane_tests::raw;

use crate::world::World;

#[tokio::test]
async fn names_reach_the_provider_byte_for_byte() {
    let world = World::new().await;
    for target in [
        "/echo/v1/models/ft:gpt-4o:acme::abc",
        "/echo/models/meta-llama%2FLlama-3%20x",
        "/echo/@cf/meta/llama",
        "/echo/caf%C3%A9/%e2%82%ac/100%25",
        "/echo/trailing/",
        "/echo/a..b/...",
        "/echo/{curly}|pipe",
        "/echo/x?after=a%20b&limit=10&x[]=1&empty=&flag",
        "/echo/x?",
        "/echo/x?q=%2e%2e/..//",
    ] {
        world.provider.clear();
        let answer = world.get(target).send().await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(world.seen().target, target);
    }
}

#[tokio::test]
async fn the_v1_paths_go_to_the_default_service_unchanged() {
    let world = World::with(&[("DEFAULT_SERVICE", "p")], &serde_json::json!({})).await;
    let answer = world.gateway.client.get("/v1/models?limit=2").send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.seen().target, "/v1/models?limit=2");
}

#[tokio::test]
async fn an_unknown_service_is_told_the_known_ones() {
    let world = World::new().await;
    let answer = world.gateway.client.get("/gateway/nobody/v1/models").send().await;
    let error = &answer.json()["error"];
    assert_eq!((answer.status, &error["type"]), (404, &"NOT_FOUND".into()));
    let message = error["message"].as_str().unwrap();
    for part in ["'nobody'", "openai", "claude", "gemini", "/gateway/openai/v1/chat/completions"] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn malformed_paths_and_tricks_never_reach_a_provider() {
    let world = World::new().await;
    for (target, status) in [
        ("/gateway", 400),
        ("/gateway/p", 400),
        ("/gateway/p/echo/../status/200", 400),
        ("/gateway/p/echo/%2e%2e/x", 400),
        ("/gateway/p/echo/%252e%252e/x", 400),
        ("/gateway/p/echo/..%2f..%2fx", 400),
        ("/gateway/p/echo/..%5cx", 400),
        ("/gateway/p/echo/..;/x", 400),
        ("/gateway/p//echo", 400),
        ("/gateway/p/echo/%00", 400),
        ("/gateway/p/echo/%zz", 400),
        ("/gateway/p/echo/%", 400),
        ("/gateway/p/echo/a%0d%0aevil:1", 400),
        ("/gateway/../p/echo", 400),
        ("/gateway/%70/echo", 400),
        ("/v1/../gateway/p/echo", 400),
        ("/", 200),
        ("/nowhere", 404),
        ("/v1", 404),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
    }
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn no_caller_chooses_a_host() {
    let world = World::new().await;
    let evil = raw::Canned::start(raw::Then::Says("HTTP/1.1 200 OK\r\n\r\n".to_owned())).await;
    for head in [
        format!("GET http://{}/gateway/p/echo HTTP/1.1\r\nhost: {}\r\n", evil.address, evil.address),
        format!("GET /gateway/p/echo HTTP/1.1\r\nhost: {}\r\n", evil.address),
        format!(
            "GET /gateway/p/echo HTTP/1.1\r\nhost: x\r\nx-service-config: {{\"host\":\"{}\"}}\r\n",
            evil.address
        ),
        format!("GET /gateway/p@{}/echo HTTP/1.1\r\nhost: x\r\n", evil.address),
        format!("GET /gateway/{}/echo HTTP/1.1\r\nhost: x\r\n", evil.address),
        format!("CONNECT {} HTTP/1.1\r\nhost: x\r\n", evil.address),
        format!(
            "GET /api/background/gateway/p/echo HTTP/1.1\r\nhost: x\r\nx-forwarded-host: {}\r\n",
            evil.address
        ),
    ] {
        let request = format!("{head}connection: close\r\n\r\n");
        let _ = raw::exchange(world.gateway.address, request.as_bytes()).await;
    }
    assert_eq!(evil.asked(), 0);
}

#[tokio::test]
async fn connect_and_trace_are_refused() {
    let world = World::new().await;
    for method in ["CONNECT", "TRACE"] {
        let target = if method == "CONNECT" { "127.0.0.1:1" } else { "/gateway/p/echo" };
        let request = format!("{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }
}

#[tokio::test]
async fn health_and_services_are_told_to_anybody() {
    let world = World::with(&[("AUTH_TOKEN", "secret")], &serde_json::json!({})).await;
    for path in ["/health", "/gateway/health"] {
        let health = world.gateway.client.get(path).send().await;
        let json = health.json();
        assert_eq!((health.status, &json["status"], &json["mode"]), (200, &"ok".into(), &"edge".into()));
        assert_eq!((&json["service"], &json["env"]), (&"api-gateway".into(), &"local".into()));
        assert_eq!(json["version"], health.header("x-gateway-version"));
        assert_eq!(health.header("cache-control"), "no-store");
        assert_eq!(world.gateway.client.call(&Method::HEAD, path).send().await.status, 200);
        assert_eq!(world.gateway.client.post(path).send().await.status, 405);
    }
    let services = world.gateway.client.get("/gateway/services").send().await.json();
    assert!(services["services"].as_array().unwrap().iter().any(|service| service["alias"] == "p"));
    assert_eq!(services["default"], "openai");
}

#[tokio::test]
async fn a_probe_is_answered_in_one_word_wherever_it_asks() {
    let world = World::with(&[("AUTH_TOKEN", "secret")], &serde_json::json!({})).await;
    for path in ["/healthz", "/api/gateway/healthz", "/api/background/healthz"] {
        let answer = world.gateway.client.get(path).send().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"ok":true}"#), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(world.gateway.client.post(path).send().await.status, 405);
    }
}

#[tokio::test]
async fn the_page_comes_with_a_strict_policy() {
    let world = World::new().await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        let answer = world.gateway.client.get(path).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!answer.body.is_empty());
    }
}
