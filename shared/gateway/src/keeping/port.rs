//! The client that stores which are asked over HTTP are lent: the gateway's own, with one TLS stack for all.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use twinlane_store::Unavailable;

use crate::upstream::Upstream;

/// The most that a store may answer: a page of the log with the bodies of its calls.
const MOST: usize = 32 << 20;

/// How long an answer may take. The engines are less patient; this is for one that forgets to be.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request goes in, the whole reply comes out.
pub type Port =
    Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Unavailable>> + Send + Sync>;

/// A port over the client that talks to providers. Its connections come about when they are needed.
#[must_use]
pub fn over(upstream: &Upstream) -> Port {
    let upstream = upstream.clone();
    Arc::new(move |request| {
        let upstream = upstream.clone();
        async move {
            upstream.ask(request, PATIENCE, MOST).await.map_err(|error| Unavailable(error.to_string()))
        }
        .boxed()
    })
}
