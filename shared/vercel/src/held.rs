//! Keeps the platform's attention until the last byte of an answer has left, and what the call came to is kept.
//!
//! The runtime says `end` as soon as a handler returns, which for a stream is before its first event; after `end` an
//! instance may be put to sleep. It waits, though, for work registered with `wait_until`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use tokio::time::timeout;
use twinlane_gateway::Body;
use vercel_runtime::{AppState, Error, ResponseBody};

/// How long the store may take: a function is billed while it waits.
const SETTLED_WITHIN: Duration = Duration::from_secs(2);

/// An answer's body that lets go of its call when it is dropped, sent or not.
struct Held {
    // Dropped first: only then is known what the call came to.
    body: Body,
    _let_go: oneshot::Sender<()>,
}

/// The answer, with the call's `end` held back until its body is gone and everything is settled.
pub(crate) fn until_settled(
    state: &AppState,
    response: Response<Body>,
    settled: impl Future<Output = ()> + Send + 'static,
) -> Response<ResponseBody> {
    let (let_go, gone) = oneshot::channel();
    state.wait_until(async move {
        let _ = gone.await;
        if timeout(SETTLED_WITHIN, settled).await.is_err() {
            tracing::warn!("the store is slow: what calls came to may be lost");
        }
    });
    response.map(|body| ResponseBody(Held { body, _let_go: let_go }.boxed()))
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
