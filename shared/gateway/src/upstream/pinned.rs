//! A GET on a connection of its own to addresses that somebody has judged: no later look-up of the name finds others.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_rustls::HttpsConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::Upstream;
use crate::body::BoxError;

/// Connects to the addresses it holds, whatever name it is asked for.
struct Pinned(Arc<[SocketAddr]>);

impl Service<Uri> for Pinned {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let addresses = Arc::clone(&self.0);
        Box::pin(async move { Ok(TokioIo::new(TcpStream::connect(&addresses[..]).await?)) })
    }
}

impl Upstream {
    /// Gets a resource from one of these addresses, with TLS to the name in `url` where that is `https`. There is no
    /// clock in here: whoever asks has one.
    ///
    /// # Errors
    /// That of the connection.
    pub async fn get_from(
        &self,
        addresses: Vec<SocketAddr>,
        url: Uri,
        request: Request<Empty<Bytes>>,
    ) -> Result<Response<Incoming>, BoxError> {
        let mut connector = HttpsConnector::from((Pinned(addresses.into()), Arc::clone(&self.tls)));
        let stream = connector.call(url).await?;
        let (mut sender, connection) = http1::handshake(stream).await?;
        // It ends by itself when the reply has been read, or is dropped.
        tokio::spawn(connection);
        Ok(sender.send_request(request).await?)
    }
}
