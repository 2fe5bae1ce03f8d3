//! A request body on its way to a provider, and the news of how far it has come.
//!
//! A large body may take longer to upload than a provider may take to answer. The client library takes a body in slices
//! only as fast as the connection takes them, so the slices tell how the upload goes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::watch;

/// A body is handed over in slices of this size. One that fits into a slice is gone with the request's head.
const SLICE: usize = 64 * 1024;

/// A body that is sent slice by slice. The bytes are shared, not copied.
#[derive(Debug)]
pub struct Upload {
    rest: Bytes,
    left: watch::Sender<usize>,
}

/// How many bytes are left to hand over; closed when the body is gone.
pub(super) type Left = watch::Receiver<usize>;

/// A body, and where to hear of its progress.
pub(super) fn upload(body: Bytes) -> (Upload, Left) {
    let (left, heard) = watch::channel(body.len());
    (Upload { rest: body, left }, heard)
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let size = self.rest.len().min(SLICE);
        let slice = self.rest.split_to(size);
        self.left.send_replace(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(slice))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::BodyExt;

    use super::{SLICE, upload};

    #[tokio::test]
    async fn a_body_passes_whole_and_tells_when_it_is_gone() {
        for size in [0, 1, SLICE, SLICE + 1, 5 * SLICE] {
            let bytes = Bytes::from(vec![7; size]);
            let (body, mut left) = upload(bytes.clone());
            assert_eq!(*left.borrow(), size);
            assert_eq!(body.collect().await.unwrap().to_bytes(), bytes);
            assert_eq!(*left.borrow_and_update(), 0);
            assert!(left.changed().await.is_err(), "the body is gone");
        }
    }
}
