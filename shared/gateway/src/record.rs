//! What is remembered of a call, written once its last byte has left: ids, lane, sizes and times; never a key, a prompt,
//! a query string or a reply.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::Error;
use crate::body::{Body, BoxError};
use crate::call::Call;
use crate::lane::Choice;
use crate::route::Surface;

/// A call, as it is remembered.
#[derive(Debug, Clone)]
pub struct Record {
    /// The call's id.
    pub id: String,
    /// The caller's address, where the door knows it.
    pub address: Option<IpAddr>,
    /// The method.
    pub method: Method,
    /// The alias of the service, once known.
    pub service: Option<String>,
    /// The lane and its reason, once chosen.
    pub choice: Option<Choice>,
    /// The status of the answer.
    pub status: StatusCode,
    /// The code of the error, where the gateway made the answer.
    pub error: Option<&'static str>,
    /// How often a provider was tried.
    pub attempts: u32,
    /// The size of the request body.
    pub bytes_in: u64,
    /// How many bytes of the answer's body went out.
    pub bytes_out: u64,
    /// From the arrival to the first byte of the answer's body.
    pub first_byte: Option<Duration>,
    /// From the arrival to the end.
    pub total: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// The answer went out whole, be it an error.
    Complete,
    /// The provider's reply broke off.
    Truncated,
    /// The reply grew over its limit and was cut.
    Limit,
    /// The call had to end before the reply did.
    Deadline,
    /// The client went away.
    ClientLeft,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Complete, Self::Truncated, Self::Limit, Self::Deadline, Self::ClientLeft];
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Truncated => "truncated",
            Self::Limit => "limit",
            Self::Deadline => "deadline",
            Self::ClientLeft => "client_left",
        })
    }
}

/// The place where whoever ends a call notes how. The first note counts.
#[derive(Debug, Clone)]
pub struct OutcomeCell(Arc<AtomicU8>);

impl OutcomeCell {
    const OPEN: u8 = u8::MAX;

    pub(crate) fn open() -> Self {
        Self(Arc::new(AtomicU8::new(Self::OPEN)))
    }

    /// Notes how the call ended, unless that is noted already.
    pub fn note(&self, outcome: Outcome) {
        let _ = self.0.compare_exchange(Self::OPEN, outcome as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A call that nobody ended was ended by its client.
    pub(crate) fn read(&self) -> Outcome {
        Outcome::ALL.get(usize::from(self.0.load(Ordering::Relaxed))).copied().unwrap_or(Outcome::ClientLeft)
    }
}

/// Keeps records: the log, later also a store.
pub trait Recorder: Send + Sync + fmt::Debug {
    /// Notes that a call has been understood and is on its way.
    fn began(&self, record: &Record, path: &str);
    /// Notes why the gateway answers with an error.
    fn failed(&self, record: &Record, error: &Error);
    /// Keeps a call that has ended.
    fn ended(&self, record: &Record);
}

/// A record being made. When it is dropped, by whatever way the call came to its end, it is kept.
#[derive(Debug)]
pub struct Recording {
    /// What is known so far.
    pub record: Record,
    arrived: Instant,
    outcome: OutcomeCell,
    recorder: Arc<dyn Recorder>,
}

impl Recording {
    /// Begins the record of a call.
    #[must_use]
    pub fn begin(
        id: String,
        method: Method,
        address: Option<IpAddr>,
        arrived: Instant,
        recorder: &Arc<dyn Recorder>,
    ) -> Self {
        let record = Record {
            id,
            address,
            method,
            service: None,
            choice: None,
            status: StatusCode::OK,
            error: None,
            attempts: 0,
            bytes_in: 0,
            bytes_out: 0,
            first_byte: None,
            total: Duration::ZERO,
            outcome: Outcome::ClientLeft,
        };
        Self { record, arrived, outcome: OutcomeCell::open(), recorder: Arc::clone(recorder) }
    }

    /// Where the end of this call is to be noted.
    #[must_use]
    pub fn outcome(&self) -> OutcomeCell {
        self.outcome.clone()
    }

    /// Notes a call that has been read, and its lane.
    pub fn note(&mut self, call: &Call, choice: Choice) {
        self.record.service = Some(call.service.alias.clone());
        self.record.choice = Some(choice);
        self.record.bytes_in = call.body.len() as u64;
        self.recorder
            .began(&self.record, if call.service.log_paths { &call.path } else { "(path not logged)" });
    }

    /// The answer that tells an error, which is logged here, once.
    pub fn answer(&mut self, error: Error, surface: Surface) -> Response<Body> {
        self.record.error = Some(error.code());
        self.recorder.failed(&self.record, &error);
        error.into_response(surface, &self.record.id)
    }

    /// How long ago the call came in.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.arrived.elapsed()
    }

    /// Lets an answer go, and keeps the record when its last byte has left.
    #[must_use]
    pub fn finish_with(mut self, response: Response<Body>) -> Response<Body> {
        self.record.status = response.status();
        let bodiless = self.record.method == Method::HEAD;
        response.map(|body| {
            if bodiless || http_body::Body::is_end_stream(&body) {
                self.outcome.note(Outcome::Complete);
            }
            Recorded { body, recording: self }.boxed()
        })
    }

    fn passed(&mut self, data: &Bytes) {
        if self.record.first_byte.is_none() {
            self.record.first_byte = Some(self.elapsed());
        }
        self.record.bytes_out += data.len() as u64;
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.record.outcome = self.outcome.read();
        self.record.total = self.elapsed();
        self.recorder.ended(&self.record);
    }
}

/// An answer's body that counts what passes and carries its record to the end.
struct Recorded {
    body: Body,
    recording: Recording,
}

impl http_body::Body for Recorded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => self.recording.outcome.note(Outcome::Complete),
            Poll::Ready(Some(Err(_))) => self.recording.outcome.note(Outcome::Truncated),
            Poll::Ready(Some(Ok(frame))) => {
                frame.data_ref().into_iter().for_each(|data| self.recording.passed(data));
                if self.body.is_end_stream() {
                    self.recording.outcome.note(Outcome::Complete);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use futures_util::stream;
    use http::{Method, Response};
    use http_body_util::{BodyExt, StreamBody};

    use super::{Outcome, Record, Recorder, Recording};
    use crate::Error;
    use crate::body::{Body, empty, full};

    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<Record>>);

    impl Recorder for Kept {
        fn began(&self, _: &Record, _: &str) {}

        fn failed(&self, _: &Record, _: &Error) {}

        fn ended(&self, record: &Record) {
            self.0.lock().unwrap().push(record.clone());
        }
    }

    fn outcome(method: Method, body: Body, read: bool) -> Outcome {
        let kept = Arc::new(Kept::default());
        let recorder: Arc<dyn Recorder> = Arc::<Kept>::clone(&kept);
        let recording = Recording::begin("id".to_owned(), method, None, Instant::now(), &recorder);
        let response = recording.finish_with(Response::new(body));
        assert!(kept.0.lock().unwrap().is_empty(), "a record is kept only at the end");
        if read {
            let _ = futures_util::FutureExt::now_or_never(response.into_body().collect());
        } else {
            drop(response);
        }
        kept.0.lock().unwrap()[0].outcome
    }

    #[test]
    fn a_record_tells_how_its_call_ended() {
        let broken: Body = BodyExt::boxed(StreamBody::new(stream::iter([Err("broken".into())])));
        let endless: Body = BodyExt::boxed(StreamBody::new(stream::pending()));
        assert_eq!(outcome(Method::GET, full("x"), true), Outcome::Complete);
        assert_eq!(outcome(Method::GET, empty(), false), Outcome::Complete);
        assert_eq!(outcome(Method::HEAD, full("x"), false), Outcome::Complete);
        assert_eq!(outcome(Method::GET, broken, true), Outcome::Truncated);
        assert_eq!(outcome(Method::GET, endless, true), Outcome::ClientLeft);
        assert_eq!(outcome(Method::GET, full("x"), false), Outcome::ClientLeft);
    }
}
