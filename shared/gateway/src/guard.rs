//! Watches a reply on its way to the client, so that it can end early but never look whole when it is not.
//!
//! The bytes pass untouched. What ends a reply before its provider does (a cut, silence, its size limit, the call's
//! deadline) goes out as an error event where the reply is an event stream, and as a broken-off body where it is not.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use twinlane_dialects::Dialect;

use crate::Error;
use crate::body::{Body, BoxError};
use crate::inband::{Events, Protocol};
use crate::reading::Reading;
use crate::record::{Notes, Outcome};
use crate::route::Surface;
use crate::upstream::Fault;

/// What a reply is held to.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The id of the call, for the error event and the log.
    pub id: String,
    /// The service, likewise.
    pub service: String,
    /// In whose words an error is told.
    pub surface: Surface,
    /// The protocol, where the reply is an event stream.
    pub events: Option<Protocol>,
    /// The dialect in which the reply tells what it cost, where it does.
    pub tells: Option<Dialect>,
    /// The longest silence of the provider.
    pub idle: Duration,
    /// The silence after which the client of an event stream is told that all is well; none: it is not.
    pub silence: Option<Duration>,
    /// The moment by which the reply must have ended.
    pub deadline: Option<Instant>,
    /// The most bytes.
    pub limit: Option<u64>,
    /// Whether somebody further on watches the same reply and tells of it.
    pub quiet: bool,
    /// Cancelled when the process must end.
    pub closing: CancellationToken,
}

/// A reply's body, watched.
#[derive(Debug)]
pub struct Guard {
    body: Body,
    terms: Terms,
    notes: Notes,
    events: Option<Events>,
    reading: Option<Reading>,
    passed: u64,
    /// When the provider last said something.
    heard: Instant,
    /// When the client was last told something.
    spoke: Instant,
    clock: Option<Pin<Box<Sleep>>>,
    closing: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// The reply is to be broken off.
    Ending(Error),
    /// The same, once what went before has left: hyper throws away what it has not written when a body fails.
    Flushing(Error),
    Closed,
}

/// What has to be done about a silent reply.
enum Due {
    End(Error),
    Speak(&'static str),
}

impl Terms {
    /// What there is to learn from the bytes of the reply.
    fn reading(&self) -> Option<Reading> {
        match self.events {
            Some(protocol) => Some(Reading::of_events(protocol, self.tells)),
            None => self.tells.map(Reading::of_whole),
        }
    }
}

impl Guard {
    /// Watches `body` by `terms`, and notes how it ended.
    #[must_use]
    pub fn new(body: Body, terms: Terms, notes: Notes) -> Self {
        let (events, heard) = (terms.events.map(Events::of), Instant::now());
        let reading = terms.reading();
        Self {
            body,
            terms,
            notes,
            events,
            reading,
            passed: 0,
            heard,
            spoke: heard,
            clock: None,
            closing: None,
            state: State::Open,
        }
    }

    /// Lets data through, up to the limit.
    fn pass(&mut self, mut data: Bytes) -> Bytes {
        self.heard = Instant::now();
        self.spoke = self.heard;
        if self.terms.deadline.is_some_and(|deadline| self.heard >= deadline) {
            self.state = State::Ending(self.fault(Fault::Deadline));
        }
        let left = self.terms.limit.map_or(u64::MAX, |limit| limit - self.passed);
        if data.len() as u64 > left {
            data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            self.state = State::Ending(Error::ReplyTooLarge {
                service: self.terms.service.clone(),
                limit: self.terms.limit.unwrap_or_default(),
            });
        }
        self.passed += data.len() as u64;
        if let Some(events) = &mut self.events {
            events.see(&data);
        }
        if let Some(reading) = &mut self.reading {
            reading.see(&data);
        }
        data
    }

    /// Whether an event stream would stop here short of its protocol's end.
    fn is_unfinished(&self) -> bool {
        self.reading.as_ref().is_some_and(Reading::is_unfinished)
    }

    /// What to do about a reply that has nothing to say now, once there is something to do.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        let terms = &self.terms;
        let closing = self.closing.get_or_insert_with(|| Box::pin(terms.closing.clone().cancelled_owned()));
        if closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Due::End(Error::Closing));
        }
        loop {
            let due = self.next_due();
            let clock = self.clock.get_or_insert_with(|| Box::pin(sleep_until(due.into())));
            // A clock that rings too early is wound again; winding it at every chunk would cost more.
            if clock.deadline() > due.into() {
                clock.as_mut().reset(due.into());
            }
            ready!(clock.as_mut().poll(cx));
            let now = clock.deadline().into_std();
            self.clock = None;
            if let Some(due) = self.due_at(now) {
                return Poll::Ready(due);
            }
        }
    }

    /// The next moment at which something may be due.
    fn next_due(&self) -> Instant {
        let idle = self.heard + self.terms.idle;
        let speak = self.keep_alive().map(|(at, _)| at);
        [self.terms.deadline, speak].into_iter().flatten().fold(idle, Instant::min)
    }

    fn due_at(&mut self, now: Instant) -> Option<Due> {
        if self.terms.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(Due::End(self.fault(Fault::Deadline)));
        }
        if now >= self.heard + self.terms.idle {
            return Some(Due::End(self.fault(Fault::Idle)));
        }
        let (_, words) = self.keep_alive().filter(|(at, _)| now >= *at)?;
        self.spoke = now;
        Some(Due::Speak(words))
    }

    /// What the client is told next and when, unless the provider speaks before: never in the middle of an event.
    fn keep_alive(&self) -> Option<(Instant, &'static str)> {
        let events = self.events.as_ref().filter(|events| events.is_between())?;
        Some((self.spoke + self.terms.silence?, events.keep_alive()))
    }

    fn fault(&self, fault: Fault) -> Error {
        Error::Upstream { service: self.terms.service.clone(), fault, source: None }
    }

    /// Ends the reply so that nobody takes it for whole.
    fn break_off(&mut self, error: Error) -> Result<Frame<Bytes>, BoxError> {
        self.state = State::Closed;
        // The provider's connection is closed now, not when the client has read the rest.
        self.body = crate::body::empty();
        self.notes.ended(Outcome::of(&error));
        self.notes.failed(error.code());
        if !self.terms.quiet {
            self.log(&error);
        }
        match &self.events {
            Some(events) => Ok(Frame::data(events.broken_off(&error, self.terms.surface, &self.terms.id))),
            None => Err(error.into()),
        }
    }

    fn log(&self, error: &Error) {
        let causes = crate::error::causes(error);
        tracing::warn!(
            id = self.terms.id,
            service = self.terms.service,
            code = error.code(),
            bytes_out = self.passed,
            causes,
            "the reply of call {} was broken off",
            self.terms.id
        );
    }
}

/// However a reply ends, what it told by then is noted before its call's record is kept, which outlives it.
impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.tell(&self.notes);
        }
    }
}

impl http_body::Body for Guard {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Open) {
                State::Open => {}
                State::Ending(error) if self.events.is_none() => {
                    self.state = State::Flushing(error);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Ending(error) | State::Flushing(error) => {
                    return Poll::Ready(Some(self.break_off(error)));
                }
                State::Closed => {
                    self.state = State::Closed;
                    return Poll::Ready(None);
                }
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(None) if self.is_unfinished() => {
                    self.state = State::Ending(self.fault(Fault::Unfinished))
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(source))) => {
                    self.state = State::Ending(Error::broken(source, &self.terms.service));
                }
                // Trailers end here: no provider's client reads any, and Lambda takes them for the end of the stream.
                Poll::Ready(Some(Ok(frame))) => {
                    match frame.into_data() {
                        // A translation that has nothing to say yet; the provider lives.
                        Ok(data) if data.is_empty() => self.heard = Instant::now(),
                        Ok(data) => return Poll::Ready(Some(Ok(Frame::data(self.pass(data))))),
                        Err(_) => {}
                    }
                }
                Poll::Pending => match ready!(self.poll_due(cx)) {
                    Due::End(error) => self.state = State::Ending(error),
                    Due::Speak(words) => return Poll::Ready(Some(Ok(Frame::data(words.into())))),
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self.state {
            State::Open => self.body.is_end_stream() && !self.is_unfinished(),
            State::Ending(_) | State::Flushing(_) => false,
            State::Closed => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        // hyper makes a content-length of an exact size, and an error event would have no room in it.
        match self.state {
            State::Open if self.events.is_none() => self.body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bytes::Bytes;
    use futures_util::{StreamExt, stream};
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;
    use tokio_util::sync::CancellationToken;

    use super::{Guard, Terms};
    use crate::body::{Body, BoxError};
    use crate::inband::Protocol;
    use crate::record::{Notes, Outcome};
    use crate::route::Surface;

    fn terms(events: bool) -> Terms {
        Terms {
            id: "id-1".to_owned(),
            service: "s".to_owned(),
            surface: Surface::Gateway,
            events: events.then_some(Protocol::Chat),
            tells: None,
            idle: Duration::from_secs(60),
            silence: None,
            deadline: None,
            limit: None,
            quiet: false,
            closing: CancellationToken::new(),
        }
    }

    enum Then {
        Ends,
        Breaks,
        IsSilent,
    }

    fn body(pieces: Vec<Vec<u8>>, then: &Then) -> Body {
        let pieces = stream::iter(pieces.into_iter().map(|piece| Ok(Frame::data(Bytes::from(piece)))));
        match then {
            Then::Ends => BodyExt::boxed(StreamBody::new(pieces)),
            Then::Breaks => {
                BodyExt::boxed(StreamBody::new(pieces.chain(stream::iter([Err(BoxError::from("cut"))]))))
            }
            Then::IsSilent => BodyExt::boxed(StreamBody::new(pieces.chain(stream::pending()))),
        }
    }

    fn ended(notes: &Notes) -> Outcome {
        notes.read().outcome.unwrap_or(Outcome::ClientLeft)
    }

    /// What goes out, whether it ended cleanly, and what is noted.
    fn guarded(pieces: &[&str], then: &Then, terms: Terms) -> (String, bool, Outcome) {
        let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
        let notes = Notes::default();
        let mut guard = Guard::new(body(pieces, then), terms, notes.clone());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut out = Vec::new();
            loop {
                match guard.frame().await {
                    None => return (String::from_utf8(out).unwrap(), true, ended(&notes)),
                    Some(Err(_)) => return (String::from_utf8(out).unwrap(), false, ended(&notes)),
                    Some(Ok(frame)) => out.extend_from_slice(frame.data_ref().unwrap()),
                }
            }
        })
    }

    #[test]
    fn a_whole_reply_passes_as_it_is() {
        let (out, clean, _) = guarded(&["data: 1\n\n", "data: [DONE]\n\n"], &Then::Ends, terms(true));
        assert_eq!((out.as_str(), clean), ("data: 1\n\ndata: [DONE]\n\n", true));
    }

    #[test]
    fn a_cut_event_stream_ends_in_an_error_event() {
        let (out, clean, outcome) = guarded(&["data: 1\n\n"], &Then::Breaks, terms(true));
        assert!(out.starts_with("data: 1\n\ndata: {\"error\":"), "{out}");
        assert!(clean && outcome == Outcome::Truncated);
    }

    #[test]
    fn a_stream_that_merely_stops_ends_in_an_error_event() {
        let (out, clean, outcome) = guarded(&["data: 1\n\n"], &Then::Ends, terms(true));
        assert!(out.contains("upstream_unfinished") && clean, "{out}");
        assert_eq!(outcome, Outcome::Truncated);
    }

    #[test]
    fn an_event_cut_in_two_is_closed_before_the_error_event() {
        let (out, ..) = guarded(&["data: {\"half"], &Then::Breaks, terms(true));
        assert!(out.starts_with("data: {\"half\n\ndata: {\"error\":"), "{out}");
    }

    #[test]
    fn a_cut_body_of_any_other_kind_breaks_off() {
        let (out, clean, outcome) = guarded(&["half"], &Then::Breaks, terms(false));
        assert_eq!((out.as_str(), clean, outcome), ("half", false, Outcome::Truncated));
    }

    #[test]
    fn silence_ends_a_reply_after_the_idle_clock() {
        let (out, clean, outcome) = guarded(&["data: 1\n\n"], &Then::IsSilent, terms(true));
        assert!(out.contains("upstream_idle"), "{out}");
        assert!(clean && outcome == Outcome::Truncated);
    }

    #[test]
    fn the_deadline_ends_a_reply_before_the_idle_clock() {
        let deadline = Some(Instant::now() + Duration::from_secs(5));
        let (out, _, outcome) = guarded(&["data: 1\n\n"], &Then::IsSilent, Terms { deadline, ..terms(true) });
        assert!(out.contains("\"deadline\""), "{out}");
        assert_eq!(outcome, Outcome::Deadline);
    }

    #[test]
    fn a_process_that_must_end_ends_its_streams_in_words() {
        let terms = terms(true);
        terms.closing.cancel();
        let (out, clean, _) = guarded(&["data: 1\n\n"], &Then::IsSilent, terms);
        assert!(out.contains("shutting_down") && clean, "{out}");
    }

    #[test]
    fn a_reply_that_never_pauses_ends_at_the_deadline_too() {
        let deadline = Some(Instant::now());
        let (out, _, outcome) =
            guarded(&["data: 1\n\n", "data: 2\n\n"], &Then::IsSilent, Terms { deadline, ..terms(true) });
        assert!(!out.contains("data: 2"), "{out}");
        assert_eq!(outcome, Outcome::Deadline);
    }

    #[test]
    fn a_reply_above_its_limit_is_cut_and_says_so() {
        let limited = |events| Terms { limit: Some(12), ..terms(events) };
        let (out, _, outcome) = guarded(&["data: 1\n\n", "data: 2\n\n"], &Then::Ends, limited(true));
        assert!(out.starts_with("data: 1\n\ndat\n\ndata: {") && out.contains("SIZE_LIMIT"), "{out}");
        assert_eq!(outcome, Outcome::Limit);
        let (out, clean, _) = guarded(&["0123456789", "0123456789"], &Then::Ends, limited(false));
        assert_eq!((out.as_str(), clean), ("012345678901", false));
        let (out, clean, _) = guarded(&["012345", "012345"], &Then::Ends, limited(false));
        assert_eq!((out.as_str(), clean), ("012345012345", true), "the limit itself is allowed");
    }

    proptest! {
        #[test]
        fn any_split_of_a_limited_reply_is_cut_at_the_same_byte(cuts in prop::collection::vec(1_usize..7, 0..20), limit in 0_u64..50) {
            let text = "data: 0123456789\n\ndata: 0123456789\n\n";
            let mut pieces = Vec::new();
            let mut rest = text;
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            pieces.push(rest);
            pieces.retain(|piece| !piece.is_empty());
            let (out, clean, _) = guarded(&pieces, &Then::Ends, Terms { limit: Some(limit), ..terms(false) });
            let whole = limit >= text.len() as u64;
            let kept = if whole { text } else { &text[..usize::try_from(limit).unwrap()] };
            prop_assert_eq!((out.as_str(), clean), (kept, whole));
        }
    }
}
