//! Makes an answer safe for Lambda's streaming.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Frame, SizeHint};
use tokio::time::timeout;
use twinlane_gateway::Body;
use twinlane_gateway::body::BoxError;

/// How long the store may take: a function is billed while it waits.
const SETTLED_WITHIN: Duration = Duration::from_secs(2);

/// A body that ends where another would fail, and not before what its call came to is kept.
///
/// Lambda's runtime writes an error's text into the body and goes on reading it (lambda_runtime 1.5.0, `requests.rs`), so
/// an error must not get that far. In an event stream the client has been told before, by an event. Of any other body
/// whose length was not announced it cannot be told at all: the runtime has no way to say that one broke off.
///
/// Once a body has ended, Lambda may freeze the process until the next call, for ever if there is none.
pub(crate) struct Unbroken {
    /// None once it has ended.
    body: Option<Body>,
    settled: BoxFuture<'static, ()>,
    over: bool,
}

/// An answer that Lambda will pass on as it is meant, and that ends when everything is settled.
pub(crate) fn answer(
    mut response: Response<Body>,
    settled: impl Future<Output = ()> + Send + 'static,
) -> Response<Unbroken> {
    join_repeated(response.headers_mut());
    response.map(|body| Unbroken::new(body, settled))
}

impl Unbroken {
    fn new(body: Body, settled: impl Future<Output = ()> + Send + 'static) -> Self {
        let settled = async move {
            if timeout(SETTLED_WITHIN, settled).await.is_err() {
                tracing::warn!("the store is slow: what calls came to may be lost");
            }
        };
        Self { body: Some(body), settled: settled.boxed(), over: false }
    }
}

/// Joins values of the same name: Function URLs have no lists (aws-lambda-rust-runtime, pull request 692).
fn join_repeated(headers: &mut HeaderMap) {
    let repeated = |name: &&HeaderName| headers.get_all(*name).iter().count() > 1;
    let names: Vec<HeaderName> = headers.keys().filter(repeated).cloned().collect();
    for name in names {
        let values: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&values.join(b", ".as_slice())) {
            headers.insert(name, joined);
        }
    }
}

impl http_body::Body for Unbroken {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(body) = &mut self.body {
            let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(cx)));
            match polled {
                // Only when it is dropped is known what the call came to.
                Ok(Poll::Ready(None | Some(Err(_)))) | Err(_) => self.body = None,
                Ok(polled) => return polled,
            }
        }
        if !self.over {
            ready!(self.settled.poll_unpin(cx));
            self.over = true;
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderValue};
    use http_body::Body as _;
    use http_body_util::BodyExt;
    use tokio::time::Instant;
    use twinlane_gateway::body::{Body, BoxError, full};

    use super::{Unbroken, join_repeated};

    /// A body that says one thing, then fails as it is told to.
    struct Failing(Option<bytes::Bytes>, fn() -> BoxError);

    impl http_body::Body for Failing {
        type Data = bytes::Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, BoxError>>> {
            let said = self.0.take().map(http_body::Frame::data);
            std::task::Poll::Ready(Some(said.ok_or_else(self.1)))
        }
    }

    #[tokio::test]
    async fn an_error_and_a_panic_in_a_body_end_it() {
        for fail in [|| BoxError::from("broken"), || panic!("deliberate")] {
            let body: Body = BodyExt::boxed(Failing(Some("said".into()), fail));
            let sent = Unbroken::new(body, async {}).collect().await.unwrap().to_bytes();
            assert_eq!(sent, "said");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_ends_when_all_is_settled_and_does_not_wait_for_ever() {
        for (settles_ms, ends_ms) in [(0, 0), (300, 300), (60_000, 2_000)] {
            let begun = Instant::now();
            let mut body = Unbroken::new(full("said"), tokio::time::sleep(Duration::from_millis(settles_ms)));
            let said = body.frame().await.unwrap().unwrap();
            assert!(begun.elapsed().is_zero() && !body.is_end_stream() && said.is_data());
            assert!(body.frame().await.is_none());
            // A sleep is rounded up to its clock's next tick.
            let late = begun.elapsed().saturating_sub(Duration::from_millis(ends_ms));
            assert!(late <= Duration::from_millis(2) && body.is_end_stream(), "{settles_ms}: {late:?}");
        }
    }

    #[test]
    fn repeated_headers_become_one() {
        let mut headers = HeaderMap::new();
        headers.append("x-multi", HeaderValue::from_static("1"));
        headers.append("x-multi", HeaderValue::from_static("2"));
        headers.append("x-once", HeaderValue::from_static("1"));
        join_repeated(&mut headers);
        assert_eq!(headers["x-multi"], "1, 2");
        assert_eq!(headers.len(), 2);
    }
}
