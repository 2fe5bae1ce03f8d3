//! The laptop door's own rules: sound heads, and limits on them.

use twinlane_tests::raw;

use crate::world::World;

async fn status(world: &World, request: &str) -> String {
    let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
    answer.split(' ').nth(1).unwrap_or("closed").to_owned()
}

#[tokio::test]
async fn a_head_that_two_readers_could_read_differently_is_refused() {
    let world = World::new().await;
    for head in [
        "GET /gateway/p/echo HTTP/1.1\r\n",
        "GET /gateway/p/echo HTTP/1.1\r\nhost: a\r\nhost: b\r\n",
        "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n",
        "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n",
        "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n",
        "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n",
        "GET /gateway/p/echo HTTP/1.1\r\nhost: a\r\nbad name: x\r\n",
        "GET /gateway/p/echo HTTP/1.1\r\nhost: a\r\n folded: x\r\n",
        "GET /gateway/p/echo with space HTTP/1.1\r\nhost: a\r\n",
    ] {
        let request = format!("{head}connection: close\r\n\r\n0\r\n\r\n");
        assert_eq!(status(&world, &request).await, "400", "{head}");
    }
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_hidden_request_never_runs() {
    let world = World::new().await;
    for lengths in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        world.provider.clear();
        let hidden = "POST /gateway/p/hidden HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
        let request = format!("POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\n{lengths}\r\n0\r\n\r\n{hidden}");
        let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lengths}: {answer}");
        assert!(world.provider.calls().iter().all(|call| !call.target.contains("hidden")), "{lengths}");
    }
}

#[tokio::test]
async fn an_absurd_head_is_refused() {
    let world = World::with(&[("MAX_HEADER_SIZE", "16384")], &serde_json::json!({})).await;
    let large =
        format!("GET /gateway/p/echo HTTP/1.1\r\nhost: a\r\nx-large: {}\r\n\r\n", "x".repeat(64 * 1024));
    assert_eq!(status(&world, &large).await, "431");
    let many = (0..400).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    assert_eq!(
        status(&world, &format!("GET /gateway/p/echo HTTP/1.1\r\nhost: a\r\n{many}\r\n")).await,
        "431"
    );
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_pipelined_second_request_is_its_own() {
    let world = World::new().await;
    let one = "GET /gateway/p/status/404 HTTP/1.1\r\nhost: a\r\n\r\n";
    let two = "GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answers = raw::exchange(world.gateway.address, format!("{one}{two}").as_bytes()).await;
    assert!(answers.starts_with("HTTP/1.1 404 ") && answers.contains("HTTP/1.1 200 OK"), "{answers}");
}

#[tokio::test]
async fn a_client_that_expects_continue_gets_it() {
    let world = World::new().await;
    let request = "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
    let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
    assert!(answer.contains("HTTP/1.1 100 Continue") && answer.ends_with("hi"), "{answer}");
    assert!(!world.seen().headers.contains_key("expect"));
}
