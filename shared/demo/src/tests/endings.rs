//! How replies end: in their time, cut, silent, or not as HTTP at all.

use super::*;

async fn cut(headers: &str, body: &str) -> (String, bool) {
    let demo = Demo::start().await.unwrap();
    let (bytes, reset) = read_all(open(&demo, "POST /v1/chat/completions", headers, body).await).await;
    assert_eq!(end_of(&demo).await, End::Complete, "a cut that was asked for is complete");
    (String::from_utf8_lossy(&bytes).into_owned(), reset)
}

fn events(reply: &str) -> usize {
    reply.matches("data: ").count()
}

#[tokio::test]
async fn a_stream_arrives_over_time() {
    let demo = Demo::start().await.unwrap();
    let headers = "x-demo-chunk-delay-ms: 60\r\nx-demo-chunks: 3\r\n";
    let mut socket = open(&demo, "POST /v1/chat/completions", headers, STREAM).await;
    let (mut arrivals, mut text, mut buffer) = (Vec::new(), String::new(), [0; 4096]);
    while !text.contains("[DONE]") {
        let n = socket.read(&mut buffer).await.unwrap();
        text += std::str::from_utf8(&buffer[..n]).unwrap();
        arrivals.push(Instant::now());
    }
    let took = arrivals[arrivals.len() - 1] - arrivals[0];
    assert!(arrivals.len() >= 5 && took >= Duration::from_millis(200), "{} reads, {took:?}", arrivals.len());
    assert_eq!(end_of(&demo).await, End::Complete);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_is_noticed() {
    let demo = Demo::start().await.unwrap();
    let socket = open(&demo, "POST /v1/chat/completions", "x-demo-delay-ms: 60000\r\n", WHOLE).await;
    while demo.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(demo.calls()[0].end, End::Pending);
    drop(socket);
    assert_eq!(end_of(&demo).await, End::ClientLeft);
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_noticed() {
    for headers in ["x-demo-chunks: 100000\r\n", "x-demo-silence: stream\r\n", "x-demo-silence: head\r\n"] {
        let demo = Demo::start().await.unwrap();
        let mut socket = open(&demo, "POST /v1/chat/completions", headers, STREAM).await;
        let _ = tokio::time::timeout(Duration::from_millis(100), socket.read(&mut [0; 100])).await;
        drop(socket);
        assert_eq!(end_of(&demo).await, End::ClientLeft, "{headers}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_large_download_is_noticed() {
    let demo = Demo::start().await.unwrap();
    let mut socket = open(&demo, "GET /bytes/500000000", "", "").await;
    socket.read_exact(&mut [0; 1000]).await.unwrap();
    drop(socket);
    assert_eq!(end_of(&demo).await, End::ClientLeft);
}

#[tokio::test]
async fn a_cut_head_is_no_byte_at_all() {
    assert_eq!(cut("x-demo-cut: head\r\n", WHOLE).await, (String::new(), false));
    assert_eq!(cut("x-demo-cut: reset\r\n", WHOLE).await, (String::new(), true));
}

#[tokio::test]
async fn a_cut_stream_has_so_many_events_and_no_terminator() {
    let (reply, reset) = cut("x-demo-cut: body\r\n", STREAM).await;
    assert!(!reset && events(&reply) == 2 && !reply.ends_with("0\r\n\r\n"), "{reply}");
    let (reply, reset) = cut("x-demo-cut: body-reset\r\nx-demo-cut-after: 4\r\n", STREAM).await;
    assert!(reset && events(&reply) == 4, "{reply}");
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_it_said() {
    for how in ["body", "body-reset"] {
        let (reply, reset) = cut(&format!("x-demo-cut: {how}\r\n"), WHOLE).await;
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2);
        assert_eq!(reset, how == "body-reset");
    }
}

#[tokio::test]
async fn a_clean_cut_ends_as_http_asks_but_says_no_finish() {
    let demo = Demo::start().await.unwrap();
    let reply = chat(&demo, "x-demo-cut: clean\r\n", STREAM).await;
    assert!(reply.ends_with("0\r\n\r\n") && reply.contains("there"), "{reply}");
    assert!(!reply.contains("[DONE]") && !reply.contains("\"stop\""), "{reply}");
}

#[tokio::test]
async fn a_malformed_reply_is_malformed_as_asked() {
    for (kind, bytes) in [
        ("status-line", "HTTP/1.1 two-hundred OK\r\n"),
        ("bad-chunk", "\r\nzz\r\n"),
        ("two-lengths", "content-length: 2\r\ncontent-length: 4\r\n"),
        ("length-and-chunked", "content-length: 3\r\ntransfer-encoding: chunked\r\n"),
        ("te-unknown", "transfer-encoding: banana\r\n"),
        ("header-name", "\r\nbad header name: 1\r\n"),
        ("http09", "{\"demo\":\"a body without a head\"}\n"),
        ("switching", "HTTP/1.1 101 Switching Protocols\r\n"),
        ("informational", "HTTP/1.1 103 Early Hints\r\n"),
        ("huge-head", "xxxxxxxx\r\ncontent-length: 2\r\n"),
    ] {
        let (reply, reset) = cut(&format!("x-demo-malformed: {kind}\r\n"), WHOLE).await;
        assert!(!reset && reply.contains(bytes), "{kind}: {reply:.300}");
    }
}

#[tokio::test]
async fn mischief_with_a_key_stops_after_so_many_times() {
    let demo = Demo::start().await.unwrap();
    let headers = "x-demo-status: 503\r\nx-demo-times: 2\r\nx-demo-key: a\r\nx-demo-retry-after: 1\r\n";
    for status in ["503", "503", "200", "200"] {
        let reply = chat(&demo, headers, WHOLE).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{reply}");
        assert_eq!(reply.contains("retry-after: 1\r\n"), status == "503");
    }
}

#[tokio::test]
async fn dropping_the_demo_cuts_its_connections() {
    let demo = Demo::start().await.unwrap();
    let addr = demo.addr();
    let socket = open(&demo, "POST /v1/chat/completions", "x-demo-silence: head\r\n", WHOLE).await;
    while demo.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((demo.connections(), demo.open_connections()), (1, 1));
    drop(demo);
    assert!(read_all(socket).await.0.is_empty());
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    assert!(Demo::start_on("0.0.0.0:0".parse().unwrap()).await.is_err());
}
