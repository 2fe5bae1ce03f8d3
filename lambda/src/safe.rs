//! Makes an answer safe for Lambda's streaming.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Frame, SizeHint};
use twinlane_gateway::Body;
use twinlane_gateway::body::BoxError;

/// A body that ends where another would fail.
///
/// Lambda's runtime writes an error's text into the body and goes on reading it (lambda_runtime 1.5.0, `requests.rs`), so
/// an error must not get that far. In an event stream the client has been told before, by an event. Of any other body
/// whose length was not announced it cannot be told at all: the runtime has no way to say that one broke off.
#[derive(Debug)]
pub(crate) struct Unbroken {
    body: Body,
    broken: bool,
}

/// An answer that Lambda will pass on as it is meant.
pub(crate) fn answer(mut response: Response<Body>) -> Response<Unbroken> {
    join_repeated(response.headers_mut());
    response.map(|body| Unbroken { body, broken: false })
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
        if self.broken {
            return Poll::Ready(None);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.body).poll_frame(cx)));
        match polled {
            Ok(Poll::Ready(Some(Err(_)))) | Err(_) => {
                self.broken = true;
                Poll::Ready(None)
            }
            Ok(polled) => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.broken || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use http_body_util::BodyExt;
    use twinlane_gateway::body::{Body, BoxError};

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
            let sent = Unbroken { body, broken: false }.collect().await.unwrap().to_bytes();
            assert_eq!(sent, "said");
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
