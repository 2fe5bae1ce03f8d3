//! HTTP as the emulated services speak it: answers that come as they are made, and that can break.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A body that may break.
pub(crate) type Breakable = UnsyncBoxBody<Bytes, io::Error>;

/// The other end of a body.
#[derive(Debug)]
pub(crate) struct Sender(mpsc::UnboundedSender<io::Result<Bytes>>);

impl Sender {
    /// Sends a piece. Lambda does not care whether anybody still listens.
    pub(crate) fn says(&self, piece: Bytes) {
        let _ = self.0.send(Ok(piece));
    }

    /// Breaks the connection.
    pub(crate) fn breaks(&self) {
        let _ = self.0.send(Err(io::Error::other("broken on purpose")));
    }
}

/// An answer to be written piece by piece.
pub(crate) fn open() -> (Sender, Response<Breakable>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let pieces =
        stream::unfold(receiver, |mut receiver: mpsc::UnboundedReceiver<io::Result<Bytes>>| async move {
            let piece = receiver.recv().await?;
            Some((piece.map(Frame::data), receiver))
        });
    (Sender(sender), Response::new(StreamBody::new(pieces).boxed_unsync()))
}

/// An answer that is all there.
pub(crate) fn json_answer(status: u16, json: &Value) -> Response<Breakable> {
    let body = Full::from(json.to_string()).map_err(|never| match never {}).boxed_unsync();
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(body).expect("a response")
}

/// Serves on a free port, for as long as the test lasts.
pub(crate) async fn serve<F, A, B>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answered = answer(request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            let _ = stream.set_nodelay(true);
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
