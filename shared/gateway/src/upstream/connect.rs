//! TCP and TLS to a provider, under one clock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tower::Service;

use crate::body::BoxError;

/// The connection did not come about in time.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {} ms", .0.as_millis())]
pub(super) struct TooSlow(Duration);

/// A connector with a clock over name look-up, TCP and TLS together.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    clock: Duration,
}

pub(super) fn connector(clock: Duration, tls: rustls::ClientConfig) -> Connector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // A request's last packet must not wait for the acknowledgement of the one before it.
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    let inner =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    Connector { inner, clock }
}

/// The compiled-in roots and ring: nothing of the machine's, so that every platform verifies alike.
pub(super) fn tls() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = rustls::crypto::ring::default_provider();
    let versions =
        rustls::ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    #[expect(
        clippy::expect_used,
        reason = "ring supports the default versions; nothing here depends on input"
    )]
    let versions = versions.expect("ring supports TLS 1.2 and 1.3");
    versions.with_root_certificates(roots).with_no_client_auth()
}

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, clock) = (self.inner.call(uri), self.clock);
        Box::pin(async move {
            tokio::time::timeout(clock, connecting).await.unwrap_or_else(|_| Err(TooSlow(clock).into()))
        })
    }
}
