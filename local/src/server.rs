//! Listens, and ends well: no new connection after SIGTERM, a grace period for running calls, then a proper end.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use twinlane_gateway::body::streaming;
use twinlane_gateway::config::Server;
use twinlane_gateway::route::Surface;
use twinlane_gateway::{Arrival, Body, Door, Error, door};

use crate::connection::{self, Late};
use crate::descriptors::Shortage;
use crate::room::{Place, Room};

/// How long calls that are told to end may take over saying so, and the store over keeping what they came to.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How long a client that is refused may take over its request's head.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    door: Door,
    settings: Server,
    room: Room,
    loopback: bool,
    /// Whether connections are to end after the calls they carry.
    stopping: watch::Receiver<bool>,
    /// Cancelled when calls are to end, too.
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
    let (stop, stopping) = watch::channel(false);
    let room = Room::new(settings.connections.map(NonZeroUsize::get));
    door.count_connections(room.counted());
    let shared = Arc::new(Shared { door, settings, room, loopback, stopping, closing: closing.clone() });
    let (mut connections, mut shortage) = (JoinSet::new(), Shortage::prepared());
    let stopped = stop_signal();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => receive(stream, peer, &shared, &mut connections),
                Err(error) => shortage.outlast(&listener, &error).await,
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
    let _ = timeout(LAST_WORDS, shared.door.settled()).await;
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

/// Gives a new connection its place.
fn receive(stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    // An event of a stream must not wait for the client's acknowledgement of the one before it.
    let _ = stream.set_nodelay(true);
    let shared = Arc::clone(shared);
    match shared.room.place() {
        Place::Dismissed => connection::dismiss(stream),
        place => drop(connections.spawn(connect(stream, peer, shared, place))),
    }
}

/// Serves a connection for as long as it has its place.
async fn connect(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>, place: Place) {
    let (stopping, settings) = (shared.stopping.clone(), shared.settings);
    match place {
        Place::Served(_permit) => {
            let answer = move |request| Arc::clone(&shared).serve(request, peer);
            connection::serve(stream, settings, Late::Slow, stopping, answer).await;
        }
        Place::Refused(_permit) => {
            let settings = Server { head_timeout: settings.head_timeout.min(REFUSED_WITHIN), ..settings };
            let answer = move |request| Arc::clone(&shared).refuse(request, peer);
            connection::serve(stream, settings, Late::NoRoom, stopping, answer).await;
        }
        Place::Dismissed => {}
    }
}

impl Shared {
    /// After a request in chunks the connection ends. Where a `Content-Length` came beside them, hyper goes by the
    /// chunks, as it must, and hides the length from us; a proxy before us that went by the length would have taken
    /// what follows for part of the body, so what follows is not read.
    async fn serve(self: Arc<Self>, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let chunked = request.headers().contains_key(TRANSFER_ENCODING);
        let response = self.answer(request, peer).await;
        if chunked || self.room.is_scarce() { last(response) } else { response }
    }

    /// Whoever asks whether the process is up is answered all the same: a platform would restart one that is only busy.
    async fn refuse(self: Arc<Self>, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let surface = Surface::of(request.uri().path(), request.headers());
        last(match request.uri().path() {
            "/health" | "/gateway/health" => self.answer(request, peer).await,
            _ => door::refuse(Error::Full, surface),
        })
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        if let Some(wrong) = wrong(&request, self.settings.head_size) {
            let surface = Surface::of(request.uri().path(), request.headers());
            return door::refuse(wrong, surface);
        }
        if let Some(file) = twinlane_console::answer(&request) {
            return file;
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

/// The answer after which a connection ends.
fn last(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What is wrong with a request's head that hyper lets pass. It looks at a head's size only while more is to come, and
/// lets one of up to twice the limit pass, depending on how it arrived.
fn wrong(request: &Request<Incoming>, head_size: usize) -> Option<Error> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if target + headers.sum::<usize>() > head_size {
        return Some(Error::HeadTooLarge { limit: head_size });
    }
    unsound(request.headers()).map(Error::BadRequest)
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
