//! Messages whose ends two readers could find in different places, from either side: refused, broken off or closed, and
//! never an answer of another call.

use serde_json::{Map, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use twinlane_tests::Twinlane;
use twinlane_tests::raw::{self, Canned, Then};

use crate::world::World;

/// What must become of a reply.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// A 502 in the gateway's words.
    Refused,
    /// The same, or an answer that visibly ends too early.
    NeverWhole,
    /// A whole answer with this body.
    Passes(&'static str),
}

use Fate::{NeverWhole, Passes, Refused};

/// A gateway before providers, `s0`, `s1` and so on, that say exactly this.
async fn before(replies: &[(String, Fate)]) -> (Twinlane, Vec<Canned>) {
    let (mut services, mut providers) = (Map::new(), Vec::new());
    for (number, (reply, _)) in replies.iter().enumerate() {
        let provider = Canned::start(Then::Says(reply.clone())).await;
        let fields = json!({ "host": format!("http://{}", provider.address), "maxRetries": 0 });
        services.insert(format!("s{number}"), fields);
        providers.push(provider);
    }
    let config = serde_json::Value::Object(services).to_string();
    (Twinlane::start(&[("PROXY_CONFIG", &config), ("DEFAULT_TIMEOUT", "5000")]).await, providers)
}

/// Calls each provider once.
async fn check(replies: Vec<(String, Fate)>) {
    let (gateway, _providers) = before(&replies).await;
    for (number, (reply, fate)) in replies.iter().enumerate() {
        let answer = gateway.client.post(&format!("/gateway/s{number}/x")).send().await;
        let refused = (answer.status, answer.header("x-error-source")) == (502, "gateway");
        match fate {
            Refused => {
                assert!(refused, "{reply:?}: {answer:?}");
                assert_eq!(answer.json()["error"]["type"], "NETWORK", "{reply:?}");
            }
            NeverWhole => assert!(refused || !answer.whole, "{reply:?}: {answer:?}"),
            Passes(body) => {
                assert!(answer.whole && answer.status == 200, "{reply:?}: {answer:?}");
                assert_eq!(answer.text(), *body, "{reply:?}");
            }
        }
        assert!(!answer.text().contains("POISON"), "{reply:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_reply_of_doubtful_framing_never_looks_whole() {
    let ok = |head: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
    let chunked = |body: &str| ok("transfer-encoding: chunked", body);
    check(vec![
        (ok("content-length: 2\r\ncontent-length: 3", "abc"), Refused),
        (ok("content-length: 2, 3", "abc"), Refused),
        (ok("content-length: +2", "ab"), Refused),
        (ok("content-length: -2", "ab"), Refused),
        (ok("content-length: 0x2", "ab"), Refused),
        (ok("content-length: 99999999999999999999999", "ab"), Refused),
        (ok("content-length : 2", "ab"), Refused),
        (ok("transfer-encoding : chunked", "2\r\nab\r\n0\r\n\r\n"), Refused),
        (ok("transfer-encoding: gzip, chunked", "2\r\nab\r\n0\r\n\r\n"), Refused),
        (ok("transfer-encoding: chunked, gzip", "2\r\nab\r\n0\r\n\r\n"), Refused),
        (ok("transfer-encoding: identity", "ab"), Refused),
        (ok("transfer-encoding: chunked;q=1", "2\r\nab\r\n0\r\n\r\n"), Refused),
        (ok("transfer-encoding: xchunked", "2\r\nab\r\n0\r\n\r\n"), Refused),
        (ok("content-length: 9\r\ntransfer-encoding: chunked", "2\r\nab\r\n0\r\n\r\n"), Passes("ab")),
        (ok("content-length: 9", "ab"), NeverWhole),
        (chunked("2\r\nab\r\n"), NeverWhole),
        (chunked("2\r\nab\r\n0"), NeverWhole),
        (chunked("zz\r\nab\r\n0\r\n\r\n"), NeverWhole),
        (chunked("-2\r\nab\r\n0\r\n\r\n"), NeverWhole),
        (chunked("0x2\r\nab\r\n0\r\n\r\n"), NeverWhole),
        (chunked("2\r\nabc\r\n0\r\n\r\n"), NeverWhole),
        (chunked("fffffffffffffffff\r\nab\r\n0\r\n\r\n"), NeverWhole),
        (chunked(&format!("2;{}\r\nab\r\n0\r\n\r\n", "x".repeat(64 * 1024))), NeverWhole),
        (chunked("2;name=\"value\"\r\nab\r\n0\r\nx-trailer: 1\r\n\r\n"), Passes("ab")),
        (chunked("002\r\nab\r\n0\r\n\r\n"), Passes("ab")),
    ])
    .await;
}

#[tokio::test]
async fn a_reply_with_an_unsound_head_is_refused() {
    let headers = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    let ok = |head: &str| format!("HTTP/1.1 200 OK\r\n{head}content-length: 2\r\n\r\nab");
    check(vec![
        ("HTTP/1.1 99 Low\r\ncontent-length: 2\r\n\r\nab".to_owned(), Refused),
        ("HTTP/1.1 1000 High\r\ncontent-length: 2\r\n\r\nab".to_owned(), Refused),
        ("HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nab".to_owned(), Refused),
        (
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nab".to_owned(),
            Refused,
        ),
        ("garbage\r\n\r\n".to_owned(), Refused),
        ("\0\0\0\0".to_owned(), Refused),
        ("HTTP/1.1 200 OK\r\ncontent-len".to_owned(), Refused),
        (String::new(), Refused),
        (ok("bad name: x\r\n"), Refused),
        (ok("x: a\0b\r\n"), Refused),
        (ok("x: a\rb\r\n"), Refused),
        (ok("x: a\r\n folded: b\r\n"), Refused),
        (ok(&headers(5_000)), Refused),
        (ok(&format!("x-large: {}\r\n", "x".repeat(1024 * 1024))), Refused),
        (
            format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{}", ok("")),
            Passes("ab"),
        ),
    ])
    .await;
}

/// A provider that says two replies to the first request of each connection, and another to the second.
async fn answers_twice() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_twice(stream));
        }
    });
    address
}

async fn answer_twice(mut stream: TcpStream) {
    let one = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue";
    let poison = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nPOISON";
    let mut asked = [0; 4096];
    while stream.read(&mut asked).await.unwrap_or(0) > 0 {
        let _ = stream.write_all(format!("{one}{poison}").as_bytes()).await;
    }
}

#[tokio::test]
async fn what_comes_after_a_reply_is_no_answer_to_another_call() {
    let config = json!({ "p": { "host": format!("http://{}", answers_twice().await) } }).to_string();
    let gateway = Twinlane::start(&[("PROXY_CONFIG", &config)]).await;
    for _ in 0..10 {
        let answer = gateway.client.post("/gateway/p/x").send().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "true"));
    }
}

#[tokio::test]
async fn a_reply_without_a_body_is_relayed_without_one() {
    let replies = [204, 304]
        .map(|status| (format!("HTTP/1.1 {status} Odd\r\ncontent-length: 6\r\n\r\nPOISON"), Passes("")));
    let (gateway, _providers) = before(&replies).await;
    for number in 0..replies.len() {
        let head = format!("GET /gateway/s{number}/x HTTP/1.1\r\nhost: x\r\n");
        let next = "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answers = raw::exchange(gateway.address, format!("{head}\r\n{next}").as_bytes()).await;
        assert!(!answers.contains("POISON"), "{answers}");
        assert!(
            answers.contains("\r\n\r\nHTTP/1.1 200 OK\r\n"),
            "the next answer follows at once: {answers}"
        );
    }
}

#[tokio::test]
async fn a_list_of_connection_headers_takes_no_length_from_a_reply() {
    let reply = "HTTP/1.1 200 OK\r\nconnection: content-length, X-Gone,,\r\nx-gone: 1\r\ncontent-length: 5\r\n\r\nwhole";
    let replies = [(reply.to_owned(), Passes("whole"))];
    let (gateway, _providers) = before(&replies).await;
    let answer = gateway.client.get("/gateway/s0/x").send().await;
    assert!(answer.whole && !answer.headers.contains_key("x-gone"), "{answer:?}");
    assert_eq!(answer.text(), "whole");
}

/// The statuses of all answers to what one client sends.
async fn statuses(world: &World, request: &str) -> Vec<String> {
    let answers = raw::exchange(world.gateway.address, request.as_bytes()).await;
    let lines = answers.split("HTTP/1.1 ").skip(1);
    lines.map(|answer| answer.split(' ').next().unwrap_or_default().to_owned()).collect()
}

const HIDDEN: &str = "POST /gateway/p/hidden HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_request_of_doubtful_framing_is_refused_and_hides_none() {
    let world = World::new().await;
    for (lines, body) in [
        ("content-length : 5", "hello"),
        ("content-length: 5\u{b}", "hello"),
        ("content-length: 5, 6", "hello"),
        ("content-length: 0x5", "hello"),
        ("content-length: -1", ""),
        ("content-length: 99999999999999999999999", "hello"),
        ("transfer-encoding : chunked", "0\r\n\r\n"),
        ("transfer-encoding: chunked, gzip", "0\r\n\r\n"),
        ("transfer-encoding: identity", "0\r\n\r\n"),
        ("transfer-encoding: \u{b}chunked", "0\r\n\r\n"),
        ("transfer-encoding: chunked;q=1", "0\r\n\r\n"),
        ("transfer-encoding: chunked", "+1\r\na\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "-1\r\na\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "0x1\r\na\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "1\r\nab\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "fffffffffffffffff\r\na\r\n0\r\n\r\n"),
        ("x: a\0b", ""),
        ("x: a\rb", ""),
        ("x: a\r\n\tfolded", ""),
        (": nameless", ""),
    ] {
        let request = format!("POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\n{lines}\r\n\r\n{body}{HIDDEN}");
        assert_eq!(statuses(&world, &request).await, ["400"], "{lines} {body}");
    }
    assert!(world.provider.calls().is_empty(), "{:?}", world.provider.calls());
}

#[tokio::test]
async fn a_malformed_request_line_reaches_no_provider() {
    let world = World::new().await;
    for line in [
        "GET /gateway/p/echo",
        "GET /gateway/p/echo HTTP/0.9",
        "GET /gateway/p/echo HTTP/2.0",
        "GET /gateway/p/echo HTTP/1.1 ",
        "GET\t/gateway/p/echo\tHTTP/1.1",
        "GET /gateway/p/\u{1} HTTP/1.1",
        "GE(T /gateway/p/echo HTTP/1.1",
        "/gateway/p/echo HTTP/1.1",
        "GET gateway/p/echo HTTP/1.1",
        "\u{16}\u{3}\u{1}",
    ] {
        let answers = statuses(&world, &format!("{line}\r\nhost: a\r\nconnection: close\r\n\r\n")).await;
        assert!(
            answers.iter().all(|status| status.starts_with('4') || status.starts_with('5')),
            "{line}: {answers:?}"
        );
    }
    assert!(world.provider.calls().is_empty(), "{:?}", world.provider.calls());
}

/// Both readings are in use, so whichever it is, there is one request and not two.
#[tokio::test]
async fn what_readers_may_read_either_way_is_still_one_request() {
    let world = World::new().await;
    for request in [
        format!("POST /gateway/p/echo HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n0\n\n{HIDDEN}"),
        format!(
            "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;\na\r\n0\r\n\r\n{HIDDEN}"
        ),
        format!(
            "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;x=\"\r\n\"\r\na\r\n0\r\n\r\n{HIDDEN}"
        ),
        format!(
            "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 99\r\nhost: b\r\n\r\n{HIDDEN}"
        ),
        format!(
            "POST /gateway/p/echo HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"
        ),
        format!(
            "POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"
        ),
    ] {
        world.provider.clear();
        assert!(statuses(&world, &request).await.len() <= 1, "{request:?}");
        let calls = world.provider.calls();
        assert!(calls.iter().all(|call| !call.target.contains("hidden")), "{request:?}: {calls:?}");
    }
}

#[tokio::test]
async fn the_provider_is_told_one_length_and_no_coding() {
    let world = World::new().await;
    for framing in [
        "content-length: 5\r\n\r\nhello",
        "content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
        "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "connection: content-length, transfer-encoding\r\ncontent-length: 5\r\n\r\nhello",
    ] {
        world.provider.clear();
        let request = format!("POST /gateway/p/echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{framing}");
        let answers = statuses(&world, &request).await;
        let calls = world.provider.calls();
        if answers == ["200"] {
            assert_eq!(&calls[0].body[..], b"hello", "{framing}");
            assert_eq!(calls[0].headers.get_all("content-length").iter().count(), 1, "{framing}");
            assert!(!calls[0].headers.contains_key("transfer-encoding"), "{framing}");
        } else {
            assert!(answers == ["400"] && calls.is_empty(), "{framing}: {answers:?}");
        }
    }
}
