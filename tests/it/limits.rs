//! Sizes: of requests, and of replies.

use serde_json::json;
use twinlane_tests::raw;

use crate::world::World;

#[tokio::test]
async fn a_body_above_the_limit_is_refused_with_limit_size_and_remedy() {
    let world = World::with(&[("MAX_REQUEST_SIZE", "1000")], &json!({})).await;
    assert_eq!(world.post("/echo").body("x".repeat(1000)).send().await.status, 200);
    world.provider.clear();
    let answer = world.post("/echo").body("x".repeat(1001)).send().await;
    let error = &answer.json()["error"];
    assert_eq!((answer.status, &error["type"]), (413, &"SIZE_LIMIT".into()));
    for part in ["1000 bytes", "1001 bytes", "MAX_REQUEST_SIZE"] {
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
    }
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_body_of_unknown_length_is_refused_once_it_is_too_large() {
    let world = World::with(&[("MAX_REQUEST_SIZE", "10")], &json!({})).await;
    let request =
        "POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n";
    let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_goes_on_uploading() {
    let world = World::with(&[("MAX_REQUEST_SIZE", "1000")], &json!({})).await;
    let size = 8 * 1024 * 1024;
    let mut request =
        format!("POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n").into_bytes();
    request.resize(request.len() + size, b'x');
    let answer = raw::exchange(world.gateway.address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_truncated_upload_never_becomes_a_request() {
    use tokio::io::AsyncWriteExt;
    let world = World::new().await;
    for head in ["content-length: 100\r\n\r\nonly this", "transfer-encoding: chunked\r\n\r\n5\r\nhel"] {
        let mut stream = tokio::net::TcpStream::connect(world.gateway.address).await.unwrap();
        let request = format!("POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\n{head}");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = raw::until_closed(&mut stream).await;
    }
    let answer = raw::exchange(
        world.gateway.address,
        b"POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_reply_known_to_be_too_large_is_refused() {
    let world = World::with(&[], &json!({ "maxResponseSize": 1000 })).await;
    assert_eq!(world.get("/bytes/1000").send().await.body.len(), 1000);
    let answer = world.get("/bytes/1001").send().await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (413, &"SIZE_LIMIT".into()));
    assert_eq!(world.call(&http::Method::HEAD, "/bytes/1001").send().await.status, 200, "a HEAD has no body");
}

#[tokio::test]
async fn a_reply_that_turns_out_too_large_never_looks_whole() {
    let world = World::with(&[("MAX_RESPONSE_SIZE", "1000")], &json!({})).await;
    let answer = world.get("/bytes/5000?chunked=1").send().await;
    assert!(!answer.whole && answer.body.len() <= 1000, "{} bytes", answer.body.len());
    let answer = world.stream().header("x-demo-chunks", "100").send().await;
    assert!(answer.text().contains("SIZE_LIMIT") && !answer.text().contains("[DONE]"), "{}", answer.text());
    let line = world.gateway.logged_end(answer.header("x-gateway-request-id")).await;
    assert!(line.contains("outcome=limit"), "{line}");
}

#[tokio::test]
async fn the_built_in_limit_does_not_cut_long_streams() {
    let world = World::new().await;
    let long = world.stream().header("x-demo-chunks", "70").header("x-demo-bytes", "100000");
    let answer = long.header("x-demo-chunk-delay-ms", "0").send().await;
    assert!(answer.body.len() > 6_291_456 && answer.text().ends_with("data: [DONE]\n\n"));
}
