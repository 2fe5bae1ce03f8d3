//! A stream of events that say when they were sent, so that their way can be timed without a timer's ticks in it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};

/// How many events come, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    chunks: u32,
    interval: Duration,
    first: Duration,
}

impl Pace {
    /// The pace that a query asks for.
    pub(crate) fn of(query: &str) -> Result<Self, std::num::ParseIntError> {
        let mut pace = Self { chunks: 20, interval: Duration::from_millis(5), first: Duration::ZERO };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "chunks" => pace.chunks = value.parse()?,
                "interval_us" => pace.interval = Duration::from_micros(value.parse()?),
                "first_us" => pace.first = Duration::from_micros(value.parse()?),
                _ => {}
            }
        }
        Ok(pace)
    }
}

/// What the next poll finds.
enum Next {
    /// The head has not left yet.
    Head,
    /// So many events are to come, the next one at once.
    Event(u32),
    /// So many events are to come, the next one at the end of this.
    After(Pin<Box<Sleep>>, u32),
    /// All has been said.
    End,
}

/// A reply's body.
pub(crate) struct Events {
    pace: Pace,
    due: Instant,
    next: Next,
}

impl Events {
    /// The stream begins now.
    pub(crate) fn at(pace: Pace) -> Self {
        Self { pace, due: Instant::now() + pace.first, next: Next::Head }
    }

    fn wait(&self, pause: Duration, left: u32) -> Next {
        match pause.is_zero() {
            true => Next::Event(left),
            false => Next::After(Box::pin(sleep_until(self.due)), left),
        }
    }

    fn event(&mut self, left: u32) -> Bytes {
        let Some(left) = left.checked_sub(1) else {
            self.next = Next::End;
            return Bytes::from_static(b"data: [DONE]\n\n");
        };
        // The end follows the last event at once, but in a chunk of its own.
        let pause = if left == 0 { Duration::ZERO } else { self.pace.interval };
        self.due += pause;
        self.next = self.wait(pause, left);
        stamped(if left == 0 { "\"stop\"" } else { "null" })
    }
}

/// An event of about 200 bytes, as OpenAI words it, and the time.
fn stamped(finish: &str) -> Bytes {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Bytes::from(format!(
        "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench\",\
         \"sent_ns\":{now},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word\"}},\"finish_reason\":{finish}}}]}}\n\n"
    ))
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let left = match &mut self.next {
            // The head leaves in a packet of its own, as a provider's does that is still thinking. It is the packet after
            // it that a socket without TCP_NODELAY holds back.
            Next::Head => {
                self.next = self.wait(self.pace.first, self.pace.chunks);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Next::Event(left) => *left,
            Next::After(sleep, left) => match sleep.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => *left,
            },
            Next::End => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Frame::data(self.event(left)))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::{Events, Pace};

    #[test]
    fn a_query_sets_the_pace() {
        let pace = Pace::of("chunks=3&interval_us=70&x&first_us=9").unwrap();
        let expected =
            Pace { chunks: 3, interval: Duration::from_micros(70), first: Duration::from_micros(9) };
        assert_eq!(pace, expected);
        assert!(Pace::of("chunks=many").is_err());
    }

    #[tokio::test]
    async fn a_stream_has_its_events_and_an_end() {
        let pace = Pace::of("chunks=3&interval_us=1000").unwrap();
        let text = Events::at(pace).collect().await.unwrap().to_bytes();
        let text = std::str::from_utf8(&text).unwrap();
        assert_eq!(text.matches("\"sent_ns\":").count(), 3);
        assert_eq!(text.matches("\"finish_reason\":\"stop\"").count(), 1);
        assert!(text.ends_with("data: [DONE]\n\n"));
    }
}
