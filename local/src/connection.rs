//! One client connection: HTTP/1.1 by hyper, with the ends that hyper leaves to us.
//!
//! hyper closes a connection that takes too long over a request's head without a word, and one whose request it did not
//! read whole in a way that can destroy the answer on its way to the client. Both are put right here.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use twinlane_gateway::Body;
use twinlane_gateway::config::Server;

use crate::socket::Socket;

/// More header lines than any client sends.
const MAX_HEADERS: usize = 200;

/// How long, and how much, is read of a request that was answered before it was all there.
const LINGER: (Duration, usize) = (Duration::from_secs(2), 16 * 1024 * 1024);

const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
    {\"error\":{\"message\":\"The request's head did not arrive in time\",\"type\":\"TIMEOUT\",\"param\":null,\
    \"code\":\"request_timeout\"},\"status\":408}";

const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    x-error-source: gateway\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
    {\"error\":{\"message\":\"The gateway is serving as many connections as it can; try again in a second. \
    MAX_CONNECTIONS, or the process's limit of file descriptors, is the bound\",\"type\":\"CONNECTION\",\"param\":null,\
    \"code\":\"overloaded\"},\"status\":503}";

/// What a client is told whose request's head does not come in time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Late {
    /// That it was too slow, where it had begun; a connection that was only idle ends without a word.
    Slow,
    /// That there is no room, as it would have been told in any case.
    NoRoom,
}

/// Serves a connection until its client, or the process, is done with it.
pub(crate) async fn serve<A, F>(
    stream: TcpStream,
    settings: Server,
    late: Late,
    mut stopping: watch::Receiver<bool>,
    answer: A,
) where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let is_old = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        is_old.store(request.version() < Version::HTTP_11, Ordering::Relaxed);
        let answered = answer(request);
        Box::pin(async move { Ok::<_, Infallible>(answered.await) })
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(settings.head_timeout);
    builder.max_buf_size(settings.head_size).max_headers(MAX_HEADERS);
    let mut connection =
        builder.serve_connection(TokioIo::new(Socket::new(stream, settings.send_timeout)), service);
    let mut draining = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
            _ = stopping.wait_for(|stopping| *stopping), if !draining => {
                draining = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let parts = connection.into_parts();
    let stream = parts.io.into_inner().into_inner();
    match ended {
        Err(error) if error.is_timeout() => close(stream, late.words(!parts.read_buf.is_empty())).await,
        Err(error) if must_reset(&error, is_old.load(Ordering::Relaxed)) => drop(stream.set_zero_linger()),
        _ => close(stream, b"").await,
    }
}

/// Refuses a client at once: what it has sent so far is read away, for the reason that [`close`] tells, and nothing is
/// waited for.
pub(crate) fn dismiss(stream: TcpStream) {
    let Ok(mut stream) = stream.into_std() else { return };
    let _ = stream.read(&mut [0; 16 * 1024]);
    let _ = stream.write(NO_ROOM);
    let _ = stream.shutdown(Shutdown::Write);
}

impl Late {
    fn words(self, begun: bool) -> &'static [u8] {
        match (self, begun) {
            (Self::Slow, false) => b"",
            (Self::Slow, true) => TOO_SLOW,
            (Self::NoRoom, _) => NO_ROOM,
        }
    }
}

/// Whether a connection has to end in a reset: for a client of HTTP/1.0 its proper end is the end of the body, so only a
/// reset tells that the body is not whole; and one that does not read would keep what it was sent in our memory.
fn must_reset(error: &hyper::Error, is_old: bool) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    let does_not_read = cause.is_some_and(|cause| cause.kind() == ErrorKind::TimedOut);
    does_not_read || (is_old && error.is_user())
}

/// Ends a connection so that what was said last arrives: closing a socket that still has bytes to read makes the system
/// send a reset, and a reset overtakes a 413 on its way to a client that is busy uploading.
async fn close(mut stream: TcpStream, last_words: &[u8]) {
    let _ = stream.write_all(last_words).await;
    if stream.shutdown().await.is_ok() {
        let (span, most) = LINGER;
        let _ = timeout(span, discard(&mut stream, most)).await;
    }
}

async fn discard(stream: &mut TcpStream, most: usize) {
    let mut scrap = vec![0; 16 * 1024];
    let mut read = 0;
    while read < most {
        match stream.read(&mut scrap).await {
            Ok(0) | Err(_) => return,
            Ok(more) => read += more,
        }
    }
}

#[cfg(test)]
mod tests {
    use twinlane_gateway::Error;

    use super::NO_ROOM;

    #[test]
    fn a_client_is_refused_in_the_same_words_read_or_unread() {
        let told = std::str::from_utf8(NO_ROOM).unwrap();
        let error = Error::Full;
        let status = error.status().as_u16();
        for part in [
            format!("HTTP/1.1 {status} "),
            format!("\"status\":{status}"),
            format!("\"message\":\"{error}\""),
            format!("\"code\":\"{}\"", error.code()),
            format!("retry-after: {}\r\n", error.retry_after().unwrap()),
        ] {
            assert!(told.contains(&part), "{part} in {told}");
        }
    }
}
