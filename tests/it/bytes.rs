//! Bodies pass as they came, both ways, on both lanes.

use http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::world::World;

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_request_body_arrives_byte_for_byte_on_both_lanes() {
    let world = World::new().await;
    let odd_json = br#"{ "n": 1.0, "big": 12345678901234567890.5, "dup":1, "dup":2, "u":"\u0041" }"#;
    for (path, body, kind) in [
        ("/echo", odd_json.to_vec(), "application/json"),
        ("/echo/embeddings", odd_json.to_vec(), "application/json"),
        ("/echo", b"{not json".to_vec(), "application/json"),
        ("/echo/audio", twinlane_demo::bytes(70_000).to_vec(), "multipart/form-data; boundary=\"a b\""),
        ("/echo", Vec::new(), "text/plain"),
    ] {
        world.provider.clear();
        let answer = world.post(path).body(body.clone()).header("content-type", kind).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind));
        assert_eq!(answer.body, body);
        let seen = world.seen();
        assert_eq!((&seen.body[..], seen.headers["content-type"].to_str().unwrap()), (&body[..], kind));
    }
}

#[tokio::test]
async fn three_mebibytes_pass_through_the_background_unharmed() {
    let world = World::new().await;
    let file = twinlane_demo::bytes(3 * 1024 * 1024);
    let answer = world.post("/echo/files").body(file.clone()).send().await;
    assert_eq!(answer.header("x-processing-mode"), "background");
    assert_eq!(answer.header("x-demo-sha256"), digest(&file));
    assert_eq!(digest(&answer.body), digest(&file));
}

#[tokio::test]
async fn a_reply_of_any_framing_passes_whole() {
    let world = World::new().await;
    for target in ["/bytes/0", "/bytes/1", "/bytes/5000000", "/bytes/5000000?chunked=1"] {
        let answer = world.get(target).send().await;
        let size: u64 = target[7..].split('?').next().unwrap().parse().unwrap();
        assert!(answer.whole && digest(&answer.body) == digest(&twinlane_demo::bytes(size)), "{target}");
        assert_eq!(answer.headers.contains_key("content-length"), !target.contains("chunked"), "{target}");
    }
}

#[tokio::test]
async fn head_ranges_and_bodiless_statuses_keep_their_meaning() {
    let world = World::new().await;
    let head = world.call(&Method::HEAD, "/bytes/1000").send().await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "1000", 0));
    let range = world.get("/bytes/1000").header("range", "bytes=10-19").send().await;
    assert_eq!((range.status, range.header("content-range")), (206, "bytes 10-19/1000"));
    assert_eq!(range.body, twinlane_demo::bytes(1000).slice(10..20));
    for status in [204, 304] {
        let answer = world.get(&format!("/status/{status}")).send().await;
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
}

#[tokio::test]
async fn a_redirect_is_the_client_s_to_follow() {
    let world = World::new().await;
    for status in [301, 302, 303, 307, 308] {
        let answer =
            world.post(&format!("/status/{status}")).header("authorization", "Bearer k").send().await;
        assert_eq!((answer.status, answer.header("location")), (status, "http://127.0.0.1:9/elsewhere"));
    }
}

#[tokio::test]
async fn a_compressed_reply_stays_compressed() {
    let world = World::new().await;
    let answer = world.get("/encoded").header("accept-encoding", "gzip").send().await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    assert_eq!(&answer.body[..2], &[0x1f, 0x8b], "gzip's first bytes");
}

#[tokio::test]
async fn a_provider_s_errors_pass_untouched() {
    let world = World::new().await;
    for status in ["400", "401", "404", "409", "422", "429", "500", "529"] {
        let answer =
            world.chat().header("x-demo-status", status).header("x-demo-retry-after", "7").send().await;
        assert_eq!(answer.status.to_string(), status);
        assert_eq!(answer.header("retry-after"), "7");
        assert!(
            answer.json()["error"]["message"].as_str().unwrap().contains("demo provider"),
            "{}",
            answer.text()
        );
        assert!(!answer.headers.contains_key("x-error-source"));
    }
}

#[tokio::test]
async fn an_upload_in_chunks_arrives_whole() {
    let world = World::new().await;
    let request = "POST /gateway/p/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
                   5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\nx-trailer: 1\r\n\r\n";
    let answer = twinlane_tests::raw::exchange(world.gateway.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello world"), "{answer}");
    let seen = world.seen();
    assert_eq!(seen.headers["content-length"], "11");
    assert!(!seen.headers.contains_key("transfer-encoding"));
}

#[tokio::test]
async fn malformed_replies_become_clean_502s() {
    let world = World::with(&[("DEFAULT_TIMEOUT", "3000")], &json!({})).await;
    for kind in ["status-line", "two-lengths", "te-unknown", "header-name", "http09", "switching"] {
        let answer = world
            .post("/v1/chat/completions")
            .json(&crate::world::chat(false))
            .header("x-demo-malformed", kind);
        let answer = answer.send().await;
        assert_eq!(
            (answer.status, answer.header("x-error-source")),
            (502, "gateway"),
            "{kind}: {}",
            answer.text()
        );
        assert_eq!(answer.json()["error"]["type"], "NETWORK", "{kind}");
    }
    let early_hints = world.chat().header("x-demo-malformed", "informational").send().await;
    assert_eq!(early_hints.status, 200, "a 103 before the reply is skipped");
}

#[tokio::test]
async fn a_length_beside_chunks_is_not_passed_on() {
    let world = World::new().await;
    let answer = world.chat().header("x-demo-malformed", "length-and-chunked").send().await;
    assert!(answer.status == 502 || !answer.headers.contains_key("content-length"), "{answer:?}");
}

#[tokio::test]
async fn a_reply_with_a_bad_chunk_never_looks_whole() {
    let world = World::new().await;
    let answer = world.chat().header("x-demo-malformed", "bad-chunk").send().await;
    assert!(answer.status == 502 || !answer.whole, "{answer:?}");
}
