//! Writes a reply's pieces at their pace, and stops where the call wished it to stop.

use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::sleep;

use crate::mischief::{Act, Shape, USUAL_PAUSE};
use crate::reply::{Content, Pieces};
use crate::seen::Ticket;
use crate::server::{Order, Orders};

/// hyper flushes what it holds when a body makes it wait; this long is enough for loopback.
const FLUSH: Duration = Duration::from_millis(20);

/// A reply body as hyper wants it.
pub(crate) type Body = StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// As HTTP asks for.
    Proper,
    /// The connection is closed under it.
    Close,
    /// The connection is reset under it.
    Reset,
    /// It does not end.
    Silence,
}

/// How much of a body is written, and then what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    pieces: usize,
    bytes: u64,
    last: Last,
}

struct Teller {
    pieces: Pieces,
    plan: Plan,
    pause: Duration,
    /// What is left of a known length; nothing asks for more once it is written.
    left: Option<u64>,
    ticket: Ticket,
    orders: Orders,
}

/// A body that says `content` and obeys `act`.
pub(crate) fn tell(content: Content, act: Option<Act>, shape: Shape, ticket: Ticket, orders: Orders) -> Body {
    let plan = Plan::new(act, content.length);
    let usual = if content.paced { USUAL_PAUSE } else { Duration::ZERO };
    let pieces: Pieces = match act {
        Some(Act::EndEarly(_)) => content.pieces,
        Some(Act::Fail(after)) if content.length.is_none() => {
            Box::new(content.pieces.take(after).chain(std::iter::once(content.trouble)))
        }
        _ => Box::new(content.pieces.chain(content.ending)),
    };
    let pause = shape.pause.filter(|_| content.length.is_none()).unwrap_or(usual);
    let teller = Teller { pieces, plan, pause, left: content.length, ticket, orders };
    StreamBody::new(Box::pin(unfold(teller, Teller::next)))
}

/// A body of no bytes, for replies that must not have one.
pub(crate) fn nothing() -> Body {
    StreamBody::new(Box::pin(futures_util::stream::empty()))
}

impl Plan {
    const ALL: Self = Self { pieces: usize::MAX, bytes: u64::MAX, last: Last::Proper };

    /// A stream stops after a number of pieces, a body of known length after half of its bytes.
    fn new(act: Option<Act>, length: Option<u64>) -> Self {
        match act {
            Some(Act::CutBody(after)) => Self::stop(after, length, Last::Close),
            Some(Act::ResetBody(after)) => Self::stop(after, length, Last::Reset),
            Some(Act::SilentAfter(after)) => Self::stop(after, length, Last::Silence),
            Some(Act::EndEarly(Some(pieces))) if length.is_none() => Self { pieces, ..Self::ALL },
            _ => Self::ALL,
        }
    }

    fn stop(after: usize, length: Option<u64>, last: Last) -> Self {
        let bytes = length.map_or(u64::MAX, |length| if after == 0 { 0 } else { length / 2 });
        Self { pieces: if length.is_some() { usize::MAX } else { after }, bytes, last }
    }

    /// What of this piece is still within the plan; `None` once it is fulfilled.
    fn admit(&mut self, mut piece: Bytes) -> Option<Bytes> {
        if self.pieces == 0 || self.bytes == 0 {
            return None;
        }
        self.pieces -= 1;
        piece.truncate(usize::try_from(self.bytes).unwrap_or(usize::MAX));
        self.bytes -= piece.len() as u64;
        Some(piece)
    }
}

impl Teller {
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, Infallible>, Self)> {
        let Some(piece) = self.pieces.next().and_then(|piece| self.plan.admit(piece)) else {
            return self.end().await;
        };
        if !self.pause.is_zero() {
            sleep(self.pause).await;
        }
        self.count(piece.len() as u64);
        Some((Ok(Frame::data(piece)), self))
    }

    fn count(&mut self, written: u64) {
        self.left = self.left.map(|left| left.saturating_sub(written));
        if self.left == Some(0) {
            self.ticket.complete();
        }
    }

    async fn end<T>(self) -> Option<T> {
        match self.plan.last {
            Last::Proper => {
                self.ticket.complete();
                None
            }
            Last::Silence => pending().await,
            Last::Close => self.order(Order::Close).await,
            Last::Reset => self.order(Order::Reset).await,
        }
    }

    /// Has the connection taken away, once what was written so far has left.
    async fn order<T>(self, order: Order) -> T {
        sleep(FLUSH).await;
        self.ticket.complete();
        let _ = self.orders.send(order);
        pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(act: Act, length: Option<u64>) -> usize {
        let mut plan = Plan::new(Some(act), length);
        std::iter::from_fn(|| plan.admit(Bytes::from_static(b"0123456789")))
            .take(10)
            .map(|piece| piece.len())
            .sum()
    }

    #[test]
    fn a_stream_is_cut_after_so_many_pieces() {
        assert_eq!(written(Act::CutBody(3), None), 30);
        assert_eq!(written(Act::CutBody(0), None), 0);
        assert_eq!(written(Act::EndEarly(Some(1)), None), 10);
        assert_eq!(written(Act::EndEarly(None), None), 100);
    }

    #[test]
    fn a_body_of_known_length_is_cut_in_half() {
        assert_eq!(written(Act::ResetBody(2), Some(50)), 25);
        assert_eq!(written(Act::CutBody(0), Some(50)), 0);
        assert_eq!(written(Act::EndEarly(Some(1)), Some(100)), 100);
    }
}
