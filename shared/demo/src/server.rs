//! Owns the listening socket and every connection, so that the demo can mistreat them.
//!
//! hyper serves each connection on its own; when the handler gives an [`Order`], the connection's task takes
//! the socket back from hyper and carries the order out on the bare TCP stream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::door;
use crate::state::State;

/// How long a connection is kept readable after raw bytes were written, so that the client reads them all
/// before the kernel may answer its next write with a reset.
const LINGER: Duration = Duration::from_secs(2);

/// What is to be done to a connection, over hyper's head.
#[derive(Debug)]
pub(crate) enum Order {
    /// Closes it properly (FIN), whatever was promised.
    Close,
    /// Tears it down (RST).
    Reset,
    /// Writes these very bytes and closes it.
    Say(Bytes),
}

/// Where a handler leaves its order; the connection's task takes the first one.
pub(crate) type Orders = mpsc::UnboundedSender<Order>;

/// Accepts connections until it is dropped; dropping it cuts all of them.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _peer)) => drop(connections.spawn(serve(socket, Arc::clone(&state)))),
                // Out of file descriptors, most likely: let some connections end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Listens on a loopback address only: the demo has no keys and obeys everyone.
pub(crate) async fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    if !addr.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the demo provider only listens on loopback",
        ));
    }
    TcpListener::bind(addr).await
}

async fn serve(socket: TcpStream, state: Arc<State>) {
    let _counted = state.count_connection();
    let _ = socket.set_nodelay(true);
    let (orders, mut given) = mpsc::unbounded_channel();
    let service = service_fn(move |request| door::answer(Arc::clone(&state), request, orders.clone()));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        _ended = &mut connection => {}
        Some(order) = given.recv() => obey(order, connection.into_parts().io.into_inner()).await,
    }
}

async fn obey(order: Order, mut socket: TcpStream) {
    match order {
        Order::Close => drop(socket.shutdown().await),
        Order::Reset => drop(socket.set_zero_linger()),
        Order::Say(bytes) => say(socket, &bytes).await,
    }
}

async fn say(mut socket: TcpStream, bytes: &[u8]) {
    if socket.write_all(bytes).await.is_err() || socket.shutdown().await.is_err() {
        return;
    }
    let mut ignored = [0; 1024];
    let drain = async { while matches!(socket.read(&mut ignored).await, Ok(n) if n > 0) {} };
    let _ = tokio::time::timeout(LINGER, drain).await;
}
