//! Listens, and ends well: no new connection after SIGTERM, a grace period for running calls, then a proper end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use twinlane_gateway::body::streaming;
use twinlane_gateway::config::Server;
use twinlane_gateway::route::Surface;
use twinlane_gateway::{Arrival, Body, Door, Error, door};

use crate::{connection, page};

/// How long calls that are told to end may take over saying so.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    door: Door,
    loopback: bool,
    closing: CancellationToken,
}

/// Where a listener listens.
pub(crate) fn address(listener: &TcpListener, settings: Server) -> SocketAddr {
    listener.local_addr().unwrap_or(SocketAddr::new(settings.host, settings.port))
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(listener: TcpListener, door: Door, settings: Server) {
    let closing = CancellationToken::new();
    let loopback = address(&listener, settings).ip().is_loopback();
    let shared = Arc::new(Shared { door, loopback, closing: closing.clone() });
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let stopped = stop_signal();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => drop(connections.spawn(connect(stream, peer, Arc::clone(&shared), settings, stopping.clone()))),
                // Out of file descriptors, mostly: those of calls that end now are free again in a moment.
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = &mut stopped => break,
        }
    }
    drop(listener);
    tracing::info!(
        "stopping: {} connections have {} s to finish",
        connections.len(),
        settings.grace.as_secs()
    );
    let _ = stop.send(true);
    end(connections, settings.grace, &closing).await;
}

/// Waits for connections to end by themselves, then has their calls end in words.
async fn end(mut connections: JoinSet<()>, grace: Duration, closing: &CancellationToken) {
    let mut all_ended = async || while connections.join_next().await.is_some() {};
    let patient = tokio::select! {
        ended = timeout(grace, all_ended()) => ended.is_ok(),
        // Whoever asks twice does not want to wait.
        () = stop_signal() => false,
    };
    if !patient {
        closing.cancel();
        let _ = timeout(LAST_WORDS, all_ended()).await;
    }
}

async fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    settings: Server,
    stopping: watch::Receiver<bool>,
) {
    // An event of a stream must not wait for the client's acknowledgement of the one before it.
    let _ = stream.set_nodelay(true);
    connection::serve(stream, settings, stopping, move |request| {
        let shared = Arc::clone(&shared);
        async move { shared.answer(request, peer).await }
    })
    .await;
}

impl Shared {
    /// After a request in chunks the connection ends. Where a `Content-Length` came beside them, hyper goes by the
    /// chunks, as it must, and hides the length from us; a proxy before us that went by the length would have taken
    /// what follows for part of the body, so what follows is not read.
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let chunked = request.headers().contains_key(TRANSFER_ENCODING);
        let mut response = self.answered(request, peer).await;
        if chunked {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answered(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        if let Some(wrong) = unsound(request.headers()) {
            let surface = Surface::of(request.uri().path(), request.headers());
            return door::refuse(Error::BadRequest(wrong), surface);
        }
        if let Some(page) = page::answer(request.method(), request.uri().path()) {
            return page;
        }
        let arrival = Arrival {
            address: Some(peer.ip()),
            loopback: self.loopback,
            closing: self.closing.clone(),
            ..Arrival::now()
        };
        self.door.answer(request.map(streaming), arrival).await
    }
}

/// What two readers of the same head could read differently; hyper lets these pass.
fn unsound(headers: &HeaderMap) -> Option<&'static str> {
    let count = |name| headers.get_all(name).iter().count();
    let chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (count(HOST), count(TRANSFER_ENCODING)) {
        (0, _) => Some("there is no Host header"),
        (2.., _) => Some("there is more than one Host header"),
        (_, 2..) => Some("there is more than one Transfer-Encoding header"),
        (_, 1) if !headers.get(TRANSFER_ENCODING).is_some_and(chunked) => {
            Some("the Transfer-Encoding is not 'chunked'")
        }
        _ => None,
    }
}

/// Resolves when the process is asked to end.
async fn stop_signal() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
