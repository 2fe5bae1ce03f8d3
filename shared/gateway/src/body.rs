//! The one body type of all doors, and how a request's body is read.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use tokio::time::timeout;

use crate::Error;

/// Any error, where its kind no longer matters.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The body of every request and response at a door.
pub type Body = BoxBody<Bytes, BoxError>;

/// A body that is all there already.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A body without a byte.
#[must_use]
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// A body that arrives as it is read.
pub fn streaming<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed()
}

/// How much of a request's body is taken, and how long a silence in it is waited out.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The most bytes a body may have.
    pub limit: usize,
    /// The longest wait for the next bytes.
    pub stall: Duration,
}

/// Reads a whole request body. One frame is passed on as it is; several are put together once.
///
/// It is held in memory because a call that could not be sent is sent again, and every platform caps bodies anyway.
///
/// # Errors
/// [`Error::BodyTooLarge`], before anything is read where `content-length` tells; [`Error::BodySlow`] when the client
/// stalls; [`Error::BodyBroken`] when its bytes end early or are not what its headers promise.
pub async fn read(headers: &HeaderMap, mut body: Body, patience: Patience) -> Result<Bytes, Error> {
    let announced = announced(headers);
    if announced.is_some_and(|size| size > patience.limit) {
        return Err(Error::BodyTooLarge { limit: patience.limit, size: announced });
    }
    let Some(first) = next(&mut body, patience.stall).await? else { return Ok(Bytes::new()) };
    within(first.len(), patience.limit)?;
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(announced.unwrap_or(first.len() * 2));
    whole.extend_from_slice(&first);
    while let Some(more) = next(&mut body, patience.stall).await? {
        within(whole.len() + more.len(), patience.limit)?;
        whole.extend_from_slice(&more);
    }
    Ok(whole.freeze())
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn within(size: usize, limit: usize) -> Result<(), Error> {
    if size <= limit { Ok(()) } else { Err(Error::BodyTooLarge { limit, size: None }) }
}

/// The next data of `body`; `None` at its end. Trailers are skipped: no provider asks for any.
async fn next(body: &mut Body, stall: Duration) -> Result<Option<Bytes>, Error> {
    loop {
        let frame = timeout(stall, body.frame()).await.map_err(|_| Error::BodySlow { stall })?;
        match frame {
            None => return Ok(None),
            Some(Err(source)) => return Err(Error::BodyBroken { source }),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The text of a JSON value. `Display` would write it through a formatter, piece by piece.
#[must_use]
pub fn json(value: &serde_json::Value) -> Bytes {
    // Into memory, and of values that have string keys only: this cannot fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// A body of which the first frame has been read already.
#[must_use]
pub fn resumed(first: Bytes, rest: Body) -> Body {
    Resumed { first: Some(first), rest }.boxed()
}

struct Resumed {
    first: Option<Bytes>,
    rest: Body,
}

impl http_body::Body for Resumed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (first, rest) =
            (self.first.as_ref().map_or(0, |first| first.len() as u64), self.rest.size_hint());
        rest.exact().map_or_else(SizeHint::default, |rest| SizeHint::with_exact(first + rest))
    }
}

/// The beginning of a body: as much as there is, and not more than a little over `most` bytes.
pub async fn beginning(mut body: Body, most: usize) -> Bytes {
    let mut read = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        read.extend_from_slice(&frame.into_data().unwrap_or_default());
        if read.len() >= most {
            break;
        }
    }
    read.freeze()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use bytes::Bytes;
    use futures_util::stream;
    use http::HeaderMap;
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    use super::{Body, Patience, empty, full, read};
    use crate::Error;

    fn patience(limit: usize) -> Patience {
        Patience { limit, stall: Duration::from_secs(1) }
    }

    fn in_pieces(pieces: Vec<Vec<u8>>) -> Body {
        let frames = pieces.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))));
        BodyExt::boxed(
            StreamBody::new(stream::iter(frames.collect::<Vec<_>>())).map_err(|never| match never {}),
        )
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_body_in_one_frame_is_not_copied() {
        let bytes = Bytes::from_static(b"hello");
        let read = block_on(read(&HeaderMap::new(), full(bytes.clone()), patience(5))).unwrap();
        assert_eq!(read.as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn an_empty_body_is_empty() {
        assert!(block_on(read(&HeaderMap::new(), empty(), patience(5))).unwrap().is_empty());
    }

    #[test]
    fn a_body_announced_too_large_is_refused_unread() {
        let headers = HeaderMap::from_iter([(http::header::CONTENT_LENGTH, "6".parse().unwrap())]);
        let refused = block_on(read(&headers, in_pieces(vec![]), patience(5)));
        assert!(matches!(refused, Err(Error::BodyTooLarge { limit: 5, size: Some(6) })), "{refused:?}");
    }

    #[test]
    fn a_client_that_stalls_is_given_up_on() {
        let silent: Body = BodyExt::boxed(StreamBody::new(stream::pending()));
        let given_up = block_on(read(&HeaderMap::new(), silent, patience(5)));
        assert!(matches!(given_up, Err(Error::BodySlow { .. })), "{given_up:?}");
    }

    proptest! {
        #[test]
        fn any_split_of_a_body_reads_the_same(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..9)) {
            let whole = pieces.concat();
            let read = block_on(read(&HeaderMap::new(), in_pieces(pieces), patience(100)));
            prop_assert_eq!(read.unwrap(), whole);
        }

        #[test]
        fn any_split_of_a_body_too_large_is_refused(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 2..9)) {
            let limit = pieces.concat().len() - 1;
            let refused = block_on(read(&HeaderMap::new(), in_pieces(pieces), patience(limit)));
            let too_large = matches!(refused, Err(Error::BodyTooLarge { .. }));
            prop_assert!(too_large);
        }
    }
}
