//! Proves over real sockets that the demo treats its callers as its first page promises.

mod dialects;
mod endings;
mod endpoints;

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Demo, End};

/// A connection on which a request was already written.
async fn open(demo: &Demo, line: &str, headers: &str, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(demo.addr()).await.unwrap();
    let length = body.len();
    let request = format!("{line} HTTP/1.1\r\nhost: demo\r\n{headers}content-length: {length}\r\n\r\n{body}");
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

/// Everything that arrives until the demo closes, and whether it closed by a reset.
async fn read_all(mut socket: TcpStream) -> (Vec<u8>, bool) {
    let (mut arrived, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let read = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut buffer)).await;
        match read.expect("the demo closes in time") {
            Ok(0) => return (arrived, false),
            Ok(n) => arrived.extend(&buffer[..n]),
            Err(_) => return (arrived, true),
        }
    }
}

/// The whole raw reply, as text, of a connection the demo closes.
async fn raw(demo: &Demo, line: &str, headers: &str, body: &str) -> String {
    let headers = format!("connection: close\r\n{headers}");
    let (bytes, _) = read_all(open(demo, line, &headers, body).await).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The whole raw reply to a chat call.
async fn chat(demo: &Demo, headers: &str, body: &str) -> String {
    raw(demo, "POST /v1/chat/completions", headers, body).await
}

/// The end of the demo's only call, once it is known.
async fn end_of(demo: &Demo) -> End {
    let started = Instant::now();
    loop {
        match demo.calls().first().map(|seen| seen.end) {
            Some(End::Pending) | None if started.elapsed() < Duration::from_secs(1) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            end => return end.unwrap_or(End::Pending),
        }
    }
}

const STREAM: &str = r#"{"stream":true,"model":"demo","messages":[{"role":"user","content":"hello there"}]}"#;
const WHOLE: &str = r#"{"model":"demo","messages":[{"role":"user","content":"hello there"}]}"#;
