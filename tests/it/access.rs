//! Who may call, whose key the provider sees, and that a token goes nowhere.

use serde_json::json;
use twinlane_tests::client::Sending;

use crate::world::{World, chat, proxy_config};

const REAL: &str = "sk-a-key-of-the-client-s-own";

fn key_seen(world: &World) -> Option<String> {
    let headers = world.seen().headers;
    let key = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    for name in ["x-api-key", "api-key", "x-goog-api-key", "x-auth-token"] {
        assert!(!headers.contains_key(name), "{name}");
    }
    world.provider.clear();
    key
}

#[tokio::test]
async fn a_token_is_taken_where_sdks_put_keys_and_replaced_by_the_server_s_key() {
    let world = World::with(&[("AUTH_TOKEN", "tok-1,tok-2"), ("P_API_KEY", "server-key")], &json!({})).await;
    for (name, value) in [
        ("authorization", "Bearer tok-2"),
        ("x-api-key", "tok-1"),
        ("api-key", "tok-1"),
        ("x-goog-api-key", "tok-1"),
        ("x-auth-token", "tok-1"),
    ] {
        for call in [world.chat(), world.embed()] {
            assert_eq!(call.header(name, value).send().await.status, 200, "{name}");
            assert_eq!(key_seen(&world).as_deref(), Some("Bearer server-key"), "{name}");
        }
    }
    let answer = world.post("/v1/chat/completions?auth_token=tok-1&x=1").json(&chat(false)).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.seen().target, "/v1/chat/completions?x=1");
}

#[tokio::test]
async fn without_the_right_token_nothing_reaches_a_provider() {
    let world = World::with(&[("AUTH_TOKEN", "tok-1"), ("P_API_KEY", "server-key")], &json!({})).await;
    let refused: [fn(Sending) -> Sending; 5] = [
        |call| call,
        |call| call.header("authorization", "Bearer wrong"),
        |call| call.header("authorization", "Bearer tok-1").header("x-auth-token", "wrong"),
        |call| call.header("cookie", "auth_token=tok-1"),
        |call| call.header("x-twinlane-hop", "v1 1 id - 00"),
    ];
    for spoil in refused {
        for call in [world.chat(), world.embed(), world.stream(), world.get("/v1/models")] {
            let answer = spoil(call).send().await;
            assert_eq!((answer.status, &answer.json()["error"]["type"]), (401, &"UNAUTHORIZED".into()));
        }
    }
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_read() {
    let world = World::with(&[("AUTH_TOKEN", "tok-1")], &json!({})).await;
    let head = "POST /gateway/p/v1/files HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n";
    let answer = twinlane_tests::raw::exchange(world.gateway.address, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_token_sent_twice_is_refused() {
    let world = World::with(&[("AUTH_TOKEN", "tok-1")], &json!({})).await;
    for lines in [
        "authorization: Bearer tok-1\r\nauthorization: Bearer tok-1",
        "x-auth-token: tok-1\r\nx-auth-token: other",
    ] {
        let request =
            format!("GET /gateway/p/v1/models HTTP/1.1\r\nhost: x\r\n{lines}\r\nconnection: close\r\n\r\n");
        let answer = twinlane_tests::raw::exchange(world.gateway.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_client_s_own_key_goes_before_the_server_s() {
    let world = World::with(&[("AUTH_TOKEN", "tok-1"), ("P_API_KEY", "server-key")], &json!({})).await;
    let own = format!("Bearer {REAL}");
    let answer = world.chat().header("x-auth-token", "tok-1").header("authorization", &own).send().await;
    assert_eq!((answer.status, key_seen(&world)), (200, Some(own)));
}

#[tokio::test]
async fn on_a_loopback_socket_this_machine_s_own_calls_use_the_server_s_key() {
    let world = World::with(&[("P_API_KEY", "server-key")], &json!({})).await;
    world.chat().header("authorization", "Bearer x").send().await;
    assert_eq!(key_seen(&world).as_deref(), Some("Bearer server-key"));
    world.embed().send().await;
    assert_eq!(key_seen(&world).as_deref(), Some("Bearer server-key"));
    for foreign in [
        ("host", "rebound.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        world.chat().header(foreign.0, foreign.1).send().await;
        assert_eq!(key_seen(&world), None, "{foreign:?}");
    }
}

#[tokio::test]
async fn on_a_public_socket_the_server_s_key_is_for_nobody_unless_it_is_said() {
    let provider = twinlane_demo::Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    for (anonymous, expected) in [("false", None), ("true", Some("Bearer server-key"))] {
        let vars = [
            ("HOST", "0.0.0.0"),
            ("PROXY_CONFIG", &config),
            ("P_API_KEY", "server-key"),
            ("ALLOW_ANONYMOUS", anonymous),
        ];
        let mut gateway = twinlane_tests::Twinlane::start(&vars).await;
        let port = gateway.address.port();
        gateway.client = twinlane_tests::Client::to(([127, 0, 0, 1], port).into());
        gateway.client.post("/gateway/p/v1/chat/completions").json(&chat(false)).send().await;
        let seen = provider.calls().remove(0).headers;
        assert_eq!(seen.get("authorization").map(|key| key.to_str().unwrap()), expected, "{anonymous}");
        provider.clear();
    }
}

#[tokio::test]
async fn a_server_s_key_goes_to_its_own_service_only() {
    let world =
        World::with(&[("OPENAI_API_KEY", "openai-key"), ("ANTHROPIC_API_KEY", "claude-key")], &json!({}))
            .await;
    world.chat().send().await;
    assert_eq!(key_seen(&world), None);
}
