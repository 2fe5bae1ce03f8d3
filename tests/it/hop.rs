//! The hop from the edge to a background in another process: what falls back, and what must not.

use serde_json::json;
use twinlane_demo::Demo;
use twinlane_tests::raw::{Canned, Then};
use twinlane_tests::{Answer, Twinlane, eventually};

use crate::world::proxy_config;

/// A provider, and a gateway whose background is somewhere else.
struct Apart {
    provider: Demo,
    edge: Twinlane,
}

impl Apart {
    async fn before(background: std::net::SocketAddr, vars: &[(&str, &str)]) -> Self {
        let provider = Demo::start().await.unwrap();
        let (url, config) = (format!("http://{background}"), proxy_config(&provider, &json!({})));
        let vars = [&[("CONNECT_TIMEOUT", "1000")], vars].concat();
        let ours =
            [("BACKGROUND_URL", url.as_str()), ("PROXY_CONFIG", &config), ("BACKGROUND_TIMEOUT", "1000")];
        Self { edge: Twinlane::start(&[&ours, &vars[..]].concat()).await, provider }
    }

    async fn embed(&self, headers: &[(&'static str, &str)]) -> Answer {
        let body = json!({ "model": "demo", "input": "hello" });
        self.edge.client.post("/gateway/p/v1/embeddings?x=%20y").json(&body).headers(headers).send().await
    }
}

/// A background process before the same provider.
async fn with_background(vars: &[(&str, &str)]) -> (Apart, Twinlane) {
    let provider = Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let vars = [&[("PROXY_CONFIG", config.as_str()), ("BACKGROUND_TIMEOUT", "1000")], vars].concat();
    let background = Twinlane::start_background(&vars).await;
    let url = background.url();
    let edge = Twinlane::start(&[&[("BACKGROUND_URL", url.as_str())], &vars[..]].concat()).await;
    (Apart { provider, edge }, background)
}

#[tokio::test]
async fn the_background_carries_what_the_edge_hands_it() {
    let (apart, background) = with_background(&[("GATEWAY_SECRET", "s"), ("LOG_LEVEL", "DEBUG")]).await;
    let headers =
        [("x-request-id", "call-7"), ("x-forwarded-for", "203.0.113.1"), ("x-vercel-oidc-token", "secret")];
    let answer = apart.embed(&headers).await;
    assert_eq!((answer.status, answer.header("x-processing-mode")), (200, "background"));
    assert_eq!((answer.header("x-request-id"), answer.header("x-attempts")), ("call-7", "1"));
    assert!(!answer.headers.contains_key("x-twinlane-background"));
    let seen = apart.provider.calls().remove(0);
    assert_eq!(seen.target, "/v1/embeddings?x=%20y");
    for name in ["x-twinlane-hop", "x-forwarded-for", "x-vercel-oidc-token"] {
        assert!(!seen.headers.contains_key(name), "{name}");
    }
    assert!(
        background.logged_end("call-7").await.contains("background"),
        "the edge's id is the background's"
    );
}

#[tokio::test]
async fn three_mebibytes_cross_the_hop_both_ways() {
    let (apart, _background) = with_background(&[]).await;
    let file = twinlane_demo::bytes(3 * 1024 * 1024);
    let answer = apart.edge.client.post("/gateway/p/echo/files").body(file.clone()).send().await;
    assert!(answer.header("x-processing-mode") == "background" && answer.body == file);
}

#[tokio::test]
async fn a_background_that_is_gone_falls_back() {
    let (apart, mut background) = with_background(&[]).await;
    background.process.kill().await;
    let answer = apart.embed(&[]).await;
    assert_eq!((answer.status, apart.provider.calls().len()), (200, 1));
    assert_eq!((answer.header("x-processing-mode"), answer.header("x-lane-reason")), ("edge", "fallback"));
}

#[tokio::test]
async fn an_answer_that_shows_the_function_never_ran_falls_back() {
    for (status, headers) in [
        ("302 Found", "location: /sso\r\n"),
        ("401 Unauthorized", ""),
        ("403 Forbidden", ""),
        ("404 Not Found", "x-vercel-error: NOT_FOUND\r\n"),
        ("413 Payload Too Large", ""),
        ("429 Too Many Requests", ""),
        ("503 Service Unavailable", "x-vercel-error: FUNCTION_THROTTLED\r\n"),
        ("508 Loop Detected", ""),
    ] {
        let wall =
            Canned::start(Then::Says(format!("HTTP/1.1 {status}\r\n{headers}content-length: 4\r\n\r\nwall")))
                .await;
        let apart = Apart::before(wall.address, &[]).await;
        let answer = apart.embed(&[]).await;
        assert_eq!(
            (answer.status, answer.header("x-lane-reason")),
            (200, "fallback"),
            "{status}: {}",
            answer.text()
        );
        assert_eq!((wall.asked(), apart.provider.calls().len()), (1, 1), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_a_crash_may_have_left_is_not_sent_again() {
    for status in [
        "200 OK",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        let crashed =
            Canned::start(Then::Says(format!("HTTP/1.1 {status}\r\ncontent-length: 5\r\n\r\ncrash"))).await;
        let apart = Apart::before(crashed.address, &[]).await;
        let answer = apart.embed(&[]).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (502, &"background_failed".into()),
            "{status}"
        );
        assert!(apart.provider.calls().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn a_background_that_hangs_or_dies_with_the_call_is_not_replaced() {
    for (then, status, code) in
        [(Then::Hangs, 504, "upstream_timeout"), (Then::Closes, 502, "background_failed")]
    {
        let background = Canned::start(then).await;
        let apart = Apart::before(background.address, &[]).await;
        let answer = apart.embed(&[]).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (status, &code.into()));
        assert!(apart.provider.calls().is_empty());
        assert_eq!(background.asked(), 1);
    }
}

#[tokio::test]
async fn a_background_that_dies_while_the_provider_works_is_not_replaced() {
    let (apart, mut background) = with_background(&[("BACKGROUND_TIMEOUT", "60000")]).await;
    let call =
        apart.edge.client.post("/gateway/p/v1/embeddings").json(&json!({ "model": "demo", "input": "x" }));
    let call = tokio::spawn(call.header("x-demo-silence", "head").send());
    eventually("the provider has the call", || apart.provider.calls().len() == 1).await;
    background.process.kill().await;
    let answer = call.await.unwrap();
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (502, &"background_failed".into()));
    assert_eq!(apart.provider.calls().len(), 1, "the provider may have served it: once is enough");
}

#[tokio::test]
async fn the_provider_s_own_error_is_the_background_s_answer() {
    let (apart, _background) = with_background(&[]).await;
    for status in ["404", "429", "500", "503"] {
        apart.provider.clear();
        let answer = apart.embed(&[("x-demo-status", status)]).await;
        assert_eq!(
            (answer.status.to_string(), answer.header("x-processing-mode")),
            (status.to_owned(), "background")
        );
        assert_eq!(apart.provider.calls().len(), 1, "{status}");
        assert!(!answer.headers.contains_key("x-error-source"), "{status}");
    }
}

#[tokio::test]
async fn the_background_s_own_timeout_arrives_in_its_words() {
    let (apart, _background) = with_background(&[]).await;
    let answer = apart.embed(&[("x-demo-silence", "head")]).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (504, &"upstream_timeout".into()));
    assert_eq!((answer.header("x-processing-mode"), apart.provider.calls().len()), ("background", 1));
}

#[tokio::test]
async fn a_background_that_refuses_falls_back() {
    let provider = Demo::start().await.unwrap();
    let background = Twinlane::start_background(&[]).await;
    let (url, config) = (background.url(), proxy_config(&provider, &json!({})));
    let edge = Twinlane::start(&[("BACKGROUND_URL", &url), ("PROXY_CONFIG", &config)]).await;
    let apart = Apart { provider, edge };
    let answer = apart.embed(&[]).await;
    assert_eq!(
        (answer.status, answer.header("x-lane-reason")),
        (200, "fallback"),
        "the background knows no 'p'"
    );
    let ours = [("BACKGROUND_URL", url.as_str()), ("PROXY_CONFIG", &config), ("ENABLE_FALLBACK", "false")];
    let strict = Apart { edge: Twinlane::start(&ours).await, provider: apart.provider };
    let answer = strict.embed(&[]).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &"unknown_service".into()));
}

#[tokio::test]
async fn a_background_url_that_leads_to_a_gateway_is_no_endless_loop() {
    let provider = Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let own = [("PORT", port.to_string()), ("BACKGROUND_URL", url), ("PROXY_CONFIG", config)];
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let apart = Apart { edge: Twinlane::start(&own).await, provider };
    let answer = apart.embed(&[]).await;
    assert_eq!((answer.status, apart.provider.calls().len()), (502, 1), "{}", answer.text());
}

#[tokio::test]
async fn fallback_can_be_switched_off() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let apart = Apart::before(closed, &[("ENABLE_FALLBACK", "false")]).await;
    let answer = apart.embed(&[]).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (502, &"background_unreachable".into()));
    assert!(apart.provider.calls().is_empty());
}

#[tokio::test]
async fn the_background_admits_like_the_edge() {
    let (apart, background) = with_background(&[("AUTH_TOKEN", "tok-1"), ("GATEWAY_SECRET", "s")]).await;
    for path in ["/gateway/p/v1/embeddings", "/api/background/gateway/p/v1/embeddings"] {
        assert_eq!(background.client.post(path).body("{}").send().await.status, 401, "{path}");
    }
    for (headers, target) in [
        (&[("authorization", "Bearer tok-1")][..], "/gateway/p/v1/embeddings"),
        (&[], "/gateway/p/v1/embeddings?auth_token=tok-1"),
    ] {
        apart.provider.clear();
        let call =
            apart.edge.client.post(target).json(&json!({ "model": "demo", "input": "x" })).headers(headers);
        let answer = call.send().await;
        assert_eq!(
            (answer.status, answer.header("x-processing-mode")),
            (200, "background"),
            "{}",
            answer.text()
        );
        let seen = apart.provider.calls().remove(0);
        assert_eq!(seen.target, "/v1/embeddings");
        assert!(!format!("{seen:?}").contains("tok-1"));
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_across_the_hop() {
    let (apart, _background) = with_background(&[("BACKGROUND_TIMEOUT", "60000")]).await;
    let call =
        apart.edge.client.post("/gateway/p/v1/embeddings").json(&json!({ "model": "demo", "input": "x" }));
    let call = tokio::spawn(call.header("x-demo-silence", "head").open());
    eventually("the provider has the call", || apart.provider.calls().len() == 1).await;
    call.abort();
    let left = || apart.provider.calls()[0].end == twinlane_demo::End::ClientLeft;
    eventually("the provider's connection is closed", left).await;
}
