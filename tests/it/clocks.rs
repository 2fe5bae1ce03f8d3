//! The clocks, each with its setting and its error.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use twinlane_tests::raw;

use crate::world::World;

#[tokio::test]
async fn a_provider_that_does_not_answer_is_a_504_once_on_each_lane() {
    let vars = [("DEFAULT_TIMEOUT", "300"), ("BACKGROUND_TIMEOUT", "600")];
    let world = World::with(&vars, &json!({})).await;
    for (call, least) in [(world.chat(), 300), (world.embed(), 600)] {
        world.provider.clear();
        let began = std::time::Instant::now();
        let answer = call.header("x-demo-silence", "head").send().await;
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (504, &"TIMEOUT".into()));
        assert_eq!(answer.json()["error"]["code"], "upstream_timeout");
        assert!(began.elapsed() >= Duration::from_millis(least));
        assert_eq!(world.provider.calls().len(), 1);
        world.provider_is_left().await;
    }
}

#[tokio::test]
async fn a_service_s_own_timeout_goes_before_the_lane_s() {
    let world = World::with(&[("DEFAULT_TIMEOUT", "60000")], &json!({ "timeout": 200 })).await;
    assert_eq!(world.chat().header("x-demo-silence", "head").send().await.status, 504);
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_has_a_clock_of_its_own() {
    // A listener whose backlog is full does not accept: the next connection hangs.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    for _ in 0..5000 {
        match std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            Ok(stream) => held.push(stream),
            Err(_) => break,
        }
    }
    let config = json!({ "p": { "host": format!("http://{address}"), "maxRetries": 0 } }).to_string();
    let gateway =
        twinlane_tests::Twinlane::start(&[("PROXY_CONFIG", &config), ("CONNECT_TIMEOUT", "300")]).await;
    let answer = gateway.client.post("/gateway/p/x").body("{}").send().await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (504, &"connect_timeout".into()));
}

#[tokio::test]
async fn a_host_that_does_not_resolve_is_told() {
    let config = json!({ "p": { "host": "https://no-such-host.invalid", "maxRetries": 0 } }).to_string();
    let gateway = twinlane_tests::Twinlane::start(&[("PROXY_CONFIG", &config)]).await;
    let answer = gateway.client.get("/gateway/p/x").send().await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (502, &"DNS".into()));
}

#[tokio::test]
async fn a_provider_that_does_not_speak_tls_is_told() {
    let world = World::new().await;
    let config =
        json!({ "p": { "host": format!("https://{}", world.provider.addr()), "maxRetries": 0 } }).to_string();
    let gateway = twinlane_tests::Twinlane::start(&[("PROXY_CONFIG", &config)]).await;
    let answer = gateway.client.get("/gateway/p/x").send().await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (502, &"SSL".into()));
}

#[tokio::test]
async fn the_clock_over_the_whole_call_ends_even_a_living_stream() {
    let world = World::with(&[("TOTAL_TIMEOUT", "500")], &json!({})).await;
    let answer =
        world.stream().header("x-demo-chunks", "1000").header("x-demo-chunk-delay-ms", "20").send().await;
    assert!(answer.text().contains("\"deadline\"") && !answer.text().contains("[DONE]"), "{}", answer.text());
    let line = world.gateway.logged_end(answer.header("x-gateway-request-id")).await;
    assert!(line.contains("outcome=deadline"), "{line}");
    let answer = world.chat().header("x-demo-silence", "head").send().await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (504, &"deadline".into()));
}

#[tokio::test]
async fn a_trickling_upload_ends_with_the_clock_over_the_whole_call() {
    let world = World::with(&[("TOTAL_TIMEOUT", "600")], &json!({})).await;
    let mut stream = tokio::net::TcpStream::connect(world.gateway.address).await.unwrap();
    stream
        .write_all(b"POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        .await
        .unwrap();
    for _ in 0..20 {
        let _ = stream.write_all(b"x").await;
        crate::world::pause(50).await;
    }
    let answer = raw::until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_slow_upload_to_the_provider_does_not_run_its_first_byte_clock() {
    use tokio::io::AsyncReadExt;
    // A kernel with room for it would take the whole upload at once.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let provider = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut scrap = vec![0; 64 * 1024];
        let mut read = 0;
        while read < 12_000_000 {
            read += stream.read(&mut scrap).await.unwrap();
            crate::world::pause(20).await;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        let _ = stream.read(&mut scrap).await;
    });
    let config = json!({ "p": { "host": format!("http://{address}") } }).to_string();
    let vars =
        [("PROXY_CONFIG", config.as_str()), ("DEFAULT_TIMEOUT", "2500"), ("BACKGROUND_TIMEOUT", "2500")];
    let gateway = twinlane_tests::Twinlane::start(&vars).await;
    let answer = gateway.client.post("/gateway/p/x").body(vec![b'x'; 12_000_000]).send().await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    provider.abort();
}

#[tokio::test]
async fn a_client_that_stalls_in_its_body_is_told() {
    let world = World::with(&[("BODY_TIMEOUT", "300")], &json!({})).await;
    let request = "POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    let answer = raw::exchange(world.gateway.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(world.provider.calls().is_empty());
}

#[tokio::test]
async fn a_client_that_stalls_in_its_head_is_told_and_an_idle_one_is_let_go() {
    let world = World::with(&[("HEADER_TIMEOUT", "300")], &json!({})).await;
    let answer = raw::exchange(world.gateway.address, b"GET /health HTT").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(raw::exchange(world.gateway.address, b"").await, "");
    let mut trickling = tokio::net::TcpStream::connect(world.gateway.address).await.unwrap();
    for byte in b"GET /health HTTP/1.1\r\nhost: x\r\n" {
        if trickling.write_all(&[*byte]).await.is_err() {
            break;
        }
        crate::world::pause(30).await;
    }
    let answer = raw::until_closed(&mut trickling).await;
    assert!(!answer.contains("200 OK"), "{answer}");
}
