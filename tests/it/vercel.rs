//! The Vercel functions under the platform's own protocol.

use http_body_util::BodyExt;
use serde_json::json;
use twinlane_demo::{Demo, End};
use twinlane_tests::vercel::Function;
use twinlane_tests::{SOON, eventually};

use crate::world::{chat, proxy_config};

async fn functions(vars: &[(&str, &str)]) -> (Demo, Function, Function) {
    let provider = Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let vars = [&[("PROXY_CONFIG", config.as_str())], vars].concat();
    let background = Function::start("background", &vars).await;
    let url = format!("http://{}/api/background", background.address);
    let gateway =
        Function::start("gateway", &[&[("BACKGROUND_URL", url.as_str())], &vars[..]].concat()).await;
    (provider, gateway, background)
}

#[tokio::test]
async fn both_lanes_work_and_no_platform_header_reaches_the_provider() {
    let (provider, gateway, background) = functions(&[("GATEWAY_SECRET", "s"), ("AUTH_TOKEN", "tok")]).await;
    for (path, lane) in [("chat/completions", "edge"), ("embeddings", "background")] {
        provider.clear();
        let body = json!({ "model": "demo", "input": "x", "messages": [{ "role": "user", "content": "x" }] });
        let (number, call) =
            gateway.invoke(|client| client.post(&format!("/gateway/p/v1/{path}")).json(&body));
        let answer = call.header("authorization", "Bearer tok").send().await;
        assert_eq!((answer.status, answer.header("x-processing-mode")), (200, lane), "{}", answer.text());
        eventually("the call's end is told", || gateway.has_ended(number)).await;
        let seen = provider.calls().remove(0);
        assert_eq!(seen.target, format!("/v1/{path}"));
        for name in seen.headers.keys().map(http::HeaderName::as_str) {
            assert!(
                !name.starts_with("x-vercel-") && !name.starts_with("x-forwarded-") && name != "x-real-ip",
                "{name}"
            );
        }
    }
    assert_eq!(background.messages("end").len(), 0, "the hop is an ordinary request to this emulator");
}

#[tokio::test]
async fn a_stream_s_end_is_told_after_its_last_byte() {
    let (_provider, gateway, _background) = functions(&[]).await;
    let (number, call) =
        gateway.invoke(|client| client.post("/gateway/p/v1/chat/completions").json(&chat(true)));
    let answer = call.header("x-demo-chunks", "5").header("x-demo-chunk-delay-ms", "100").open().await;
    let mut body = answer.into_body();
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        text.extend_from_slice(&frame.unwrap().into_data().unwrap());
        let over = text.ends_with(b"data: [DONE]\n\n");
        assert!(over || !gateway.has_ended(number), "the end was told before the stream's");
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    eventually("the call's end is told", || gateway.has_ended(number)).await;
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_ends_the_provider_s_work_and_the_call() {
    let (provider, gateway, _background) = functions(&[]).await;
    let (number, call) =
        gateway.invoke(|client| client.post("/gateway/p/v1/chat/completions").json(&chat(true)));
    let mut body = call.header("x-demo-chunks", "100000").open().await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    eventually("the provider is left", || provider.calls()[0].end == End::ClientLeft).await;
    eventually("the call's end is told", || gateway.has_ended(number)).await;
}

#[tokio::test]
async fn sigterm_lets_a_running_stream_finish() {
    let (_provider, mut gateway, _background) = functions(&[]).await;
    let (_, call) = gateway.invoke(|client| client.post("/gateway/p/v1/chat/completions").json(&chat(true)));
    let answer = call.header("x-demo-chunks", "10").header("x-demo-chunk-delay-ms", "50").open().await;
    gateway.process.terminate();
    let body = tokio::time::timeout(SOON, answer.into_body().collect()).await.unwrap().unwrap().to_bytes();
    assert!(body.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(gateway.process.exit_code().await, Some(0));
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_every_call_s_answer() {
    let gateway =
        Function::start("gateway", &[("DEFAULT_TIMEOUT", "sk-oops"), ("MAX_DURATION", "long")]).await;
    let (number, call) = gateway.invoke(|client| client.get("/gateway/openai/v1/models"));
    let answer = call.send().await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (500, &"invalid_settings".into()));
    let told = answer.text();
    assert!(
        told.contains("DEFAULT_TIMEOUT") && told.contains("MAX_DURATION") && !told.contains("sk-oops"),
        "{told}"
    );
    eventually("the call's end is told", || gateway.has_ended(number)).await;
}

#[tokio::test]
async fn the_platform_s_time_ends_a_call_in_words() {
    let (_provider, gateway, _background) = functions(&[("MAX_DURATION", "4")]).await;
    let (_, call) = gateway.invoke(|client| client.post("/gateway/p/v1/chat/completions").json(&chat(true)));
    let answer = call.header("x-demo-chunks", "100000").header("x-demo-chunk-delay-ms", "50").send().await;
    assert!(answer.whole && answer.text().contains("\"deadline\""), "{}", answer.text());
}

#[tokio::test]
async fn without_a_loopback_door_nobody_gets_the_server_s_keys_for_nothing() {
    let (provider, gateway, _background) = functions(&[("P_API_KEY", "server-key")]).await;
    for path in ["chat/completions", "embeddings"] {
        provider.clear();
        let body = json!({ "model": "demo", "input": "x", "messages": [{ "role": "user", "content": "x" }] });
        let (_, call) = gateway.invoke(|client| client.post(&format!("/gateway/p/v1/{path}")).json(&body));
        assert_eq!(call.send().await.status, 200);
        assert!(!provider.calls()[0].headers.contains_key("authorization"), "{path}");
    }
}
