//! Reads what the gateway leaves unread of a request's body, so that an early answer arrives.
//!
//! A connection that is closed with bytes unread is reset, and a reset overtakes the answer before it: in place of our
//! 413 the platform would see a function that failed.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use twinlane_gateway::Body;
use twinlane_gateway::body::{BoxError, empty, streaming};

/// The most that is read of a body nobody wants, which is more than the platform lets through, and for how long.
const MOST: usize = 8 * 1024 * 1024;
const LONGEST: Duration = Duration::from_secs(10);

/// A request's body that reads itself to its end when it is dropped before.
struct ReadOn(Body);

/// The body, to be read to its end in any case.
pub(crate) fn read_on(body: Body) -> Body {
    streaming(ReadOn(body))
}

impl http_body::Body for ReadOn {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for ReadOn {
    fn drop(&mut self) {
        if !self.0.is_end_stream() {
            tokio::spawn(tokio::time::timeout(LONGEST, discard(mem::replace(&mut self.0, empty()))));
        }
    }
}

async fn discard(body: Body) {
    let mut body = Limited::new(body, MOST);
    while let Some(Ok(_)) = body.frame().await {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};
    use twinlane_gateway::Body;

    use super::read_on;

    fn counted(read: &Arc<AtomicUsize>) -> Body {
        let read = Arc::clone(read);
        let frame = move |frame: http_body::Frame<Bytes>| {
            read.fetch_add(1, Ordering::SeqCst);
            frame
        };
        Full::new(Bytes::from("x")).map_frame(frame).map_err(|never| match never {}).boxed()
    }

    #[tokio::test]
    async fn a_body_that_nobody_reads_is_read_and_one_that_was_read_is_left_alone() {
        let read = Arc::default();
        drop(read_on(counted(&read)));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(read.load(Ordering::SeqCst), 1);
        let whole = read_on(counted(&read)).collect().await.unwrap().to_bytes();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!((whole.as_ref(), read.load(Ordering::SeqCst)), (&b"x"[..], 2));
    }
}
