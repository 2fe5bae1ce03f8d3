//! Which headers cross, and which end here, on both lanes.

use serde_json::json;
use twinlane_tests::raw;

use crate::world::World;

#[tokio::test]
async fn only_what_is_a_provider_s_business_reaches_it() {
    let world = World::new().await;
    let kept = [
        ("authorization", "Bearer sk-a-key-of-the-client-s-own"),
        ("anthropic-version", "2023-06-01"),
        ("openai-organization", "org-1"),
        ("idempotency-key", "k"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("user-agent", "test/1"),
        ("accept-language", "de"),
        ("http-referer", "https://app.example"),
    ];
    let dropped = [
        ("cookie", "session=1"),
        ("x-forwarded-for", "203.0.113.1"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=203.0.113.1"),
        ("x-real-ip", "203.0.113.1"),
        ("via", "1.1 proxy"),
        ("cf-connecting-ip", "203.0.113.1"),
        ("x-vercel-oidc-token", "a-credential"),
        ("x-vercel-id", "iad1::1"),
        ("x-amzn-trace-id", "Root=1"),
        ("origin", "https://app.example"),
        ("referer", "https://app.example/page?secret"),
        ("te", "trailers"),
        ("proxy-authorization", "Basic x"),
        ("x-unknown-to-us", "1"),
        ("x-twinlane-hop", "v1 forged"),
        ("x-auth-token", "not-a-token-here"),
    ];
    for path in ["/headers", "/headers?lane=embeddings"] {
        world.provider.clear();
        let call = if path.contains("lane") { world.embed() } else { world.get(path) };
        assert_eq!(call.headers(&kept).headers(&dropped).send().await.status, 200);
        let seen = world.seen().headers;
        for (name, value) in kept {
            assert_eq!(seen[name], value, "{name}");
        }
        for (name, _) in dropped {
            assert!(!seen.contains_key(name), "{name}");
        }
        assert_eq!(seen["host"], world.provider.addr().to_string());
    }
}

#[tokio::test]
async fn names_nominated_by_connection_do_not_cross() {
    let world = World::new().await;
    let request = "GET /gateway/p/headers HTTP/1.1\r\nhost: x\r\nconnection: close, X-Title, upgrade\r\n\
                   upgrade: websocket\r\nx-title: nominated\r\nx-demo-chunks: 1\r\n\r\n";
    let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = world.seen().headers;
    assert!(
        !seen.contains_key("x-title") && !seen.contains_key("upgrade") && seen.contains_key("x-demo-chunks")
    );
}

#[tokio::test]
async fn what_acts_on_the_gateway_s_own_origin_does_not_reach_the_client() {
    let world = World::new().await;
    let answer = world.get("/headers").send().await;
    for name in [
        "set-cookie",
        "alt-svc",
        "strict-transport-security",
        "access-control-allow-origin",
        "x-nominated",
        "connection",
        "x-vercel-id",
        "transfer-encoding",
    ] {
        assert!(!answer.headers.contains_key(name), "{name}: {:?}", answer.headers);
    }
    assert_eq!(answer.header("x-custom"), "kept");
    assert_eq!(answer.headers.get_all("x-multi").iter().count(), 2);
}

#[tokio::test]
async fn ids_tell_client_gateway_and_provider_apart() {
    let world = World::new().await;
    for lane in ["edge", "background"] {
        let call = || if lane == "edge" { world.chat() } else { world.embed() };
        let answer = call().send().await;
        assert!(answer.header("x-request-id").starts_with("req_demo"), "the provider's own: {answer:?}");
        assert_eq!(answer.header("x-gateway-request-id").len(), 36);
        let answer = call().header("x-request-id", "mine-1").send().await;
        assert_eq!(answer.header("x-request-id"), "mine-1");
        assert_eq!(answer.header("x-gateway-request-id"), "mine-1");
        assert!(answer.header("x-provider-request-id").starts_with("req_demo"));
        let answer = call().header("x-request-id", "not sane; <b>").send().await;
        assert_eq!(answer.header("x-gateway-request-id").len(), 36);
        assert!(answer.header("x-processing-time").parse::<u64>().is_ok());
    }
}

#[tokio::test]
async fn a_service_s_default_headers_yield_to_the_client_s() {
    let fields = json!({ "defaultHeaders": { "anthropic-version": "2023-06-01", "x-extra": "set" } });
    let world = World::with(&[], &fields).await;
    world.get("/headers").send().await;
    world.get("/headers").header("anthropic-version", "2024-02-02").send().await;
    let seen = world.provider.calls();
    assert_eq!(
        (&seen[0].headers["anthropic-version"], &seen[0].headers["x-extra"]),
        (&"2023-06-01".parse().unwrap(), &"set".parse().unwrap())
    );
    assert_eq!(seen[1].headers["anthropic-version"], "2024-02-02");
}
