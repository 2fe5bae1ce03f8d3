//! Bridges the silence of a provider that was asked for a stream and has not begun: the client gets its status and, every
//! few seconds, a word that all is well, so that nothing between the two takes the connection for dead.
//!
//! Until then a failure has the status it deserves. After it the status has left, and a failure is told in the stream.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryFutureExt;
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::time::{Instant, Interval, interval_at};
use twinlane_dialects::errors;

use crate::Error;
use crate::body::{self, Body, BoxError};
use crate::inband::Protocol;
use crate::record::{Notes, Outcome};
use crate::relay::is_event_stream;
use crate::route::Surface;

/// As much of a provider's error as is read to retell it.
const LONGEST_ERROR: usize = 64 * 1024;

/// An answer in the making.
pub type Answering = BoxFuture<'static, Result<Response<Body>, Error>>;

/// How a client is spoken to while it waits, and after.
#[derive(Debug)]
pub struct Manner {
    /// The protocol it reads.
    pub protocol: Protocol,
    /// In whose words an error is told.
    pub surface: Surface,
    /// The id of the call.
    pub id: String,
    /// How long it is left without a word.
    pub silence: Duration,
    /// Where a late end is noted.
    pub notes: Notes,
}

/// The answer, or a stream that will become the answer where that takes longer than a client should hear nothing.
///
/// # Errors
/// Those of the answer, where they come before the silence is broken.
pub async fn bridged(mut answer: Answering, manner: Manner) -> Result<Response<Body>, Error> {
    if let Ok(answer) = tokio::time::timeout(manner.silence, &mut answer).await {
        return answer;
    }
    tracing::debug!(id = manner.id, "call {} is kept alive", manner.id);
    let mut response = Response::new(Bridge::over(answer, manner).boxed());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The body of an answer that began before its provider did.
struct Bridge {
    state: State,
    clock: Interval,
    manner: Manner,
}

enum State {
    /// In a lock that is never taken: a body must be shareable, and a future is not.
    Waiting(Mutex<BoxFuture<'static, Result<Body, Error>>>),
    Streaming(Body),
    Ended,
}

impl Bridge {
    fn over(answer: Answering, manner: Manner) -> Self {
        // The first word is due at once.
        let clock = interval_at(Instant::now(), manner.silence);
        let stream: BoxFuture<'static, _> = Box::pin(answer.and_then(stream_of));
        Self { state: State::Waiting(Mutex::new(stream)), clock, manner }
    }

    fn failed(&mut self, error: &Error) -> Bytes {
        let Manner { protocol, surface, id, notes, .. } = &self.manner;
        notes.ended(Outcome::of(error));
        notes.failed(error.code());
        let (causes, told) = (crate::error::causes(error), crate::error::logged(error));
        tracing::warn!(
            id,
            code = error.code(),
            causes,
            "call {id} failed after its answer had begun: {told}"
        );
        self.state = State::Ended;
        protocol.error_event(error, *surface, id)
    }
}

impl http_body::Body for Bridge {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Streaming(body) => return Pin::new(body).poll_frame(cx),
                State::Waiting(stream) => {
                    match stream.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx) {
                        Poll::Ready(Ok(body)) => self.state = State::Streaming(body),
                        Poll::Ready(Err(error)) => {
                            return Poll::Ready(Some(Ok(Frame::data(self.failed(&error)))));
                        }
                        Poll::Pending => {
                            ready!(self.clock.poll_tick(cx));
                            let words = self.manner.protocol.keep_alive();
                            return Poll::Ready(Some(Ok(Frame::data(words.into()))));
                        }
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Waiting(_) => false,
            State::Streaming(body) => body.is_end_stream(),
            State::Ended => true,
        }
    }
}

/// The stream that an answer is. Whatever else it is can only be told as an error now: the provider's, in its own words,
/// or that it sent no stream.
async fn stream_of(answer: Response<Body>) -> Result<Body, Error> {
    let (head, body) = answer.into_parts();
    if !head.status.is_success() {
        return Err(provider_error(head.status.as_u16(), &head.headers, body).await);
    }
    let is_plain = head.headers.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    if is_plain && is_event_stream(&head.headers) { Ok(body) } else { Err(Error::NoStream) }
}

/// The error that a provider's answer tells.
pub async fn provider_error(status: u16, headers: &HeaderMap, body: Body) -> Error {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let body = body::beginning(body, LONGEST_ERROR).await;
    Error::Provider(Box::new(errors::read(status, kind, &body)))
}
