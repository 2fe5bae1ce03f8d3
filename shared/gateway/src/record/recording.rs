//! The record of a call, being made.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::notes::{Notes, name};
use super::{Outcome, Record, Recorder};
use crate::Error;
use crate::auth::Caller;
use crate::body::{Body, BoxError};
use crate::books::{Bodies, Need, Standings, Tab};
use crate::call::{Call, Received, Stream};
use crate::route::Surface;
use crate::telemetry::told::operation;
use crate::unified::plan::Plan;

/// A record being made. When it is dropped, by whatever way the call came to its end, it is kept.
#[derive(Debug)]
pub struct Recording {
    /// What is known so far.
    pub record: Record,
    arrived: Instant,
    notes: Notes,
    recorder: Arc<dyn Recorder>,
    /// What the call has taken of limits and budgets.
    pub(crate) tab: Option<Box<Tab>>,
    /// How those stand.
    pub(crate) standings: Standings,
    bodies: Option<Box<Bodies>>,
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
            token: None,
            session: None,
            trace: None,
            hopped: false,
            method,
            operation: "other",
            stream: false,
            service: None,
            model: None,
            served: None,
            model_served: None,
            fallbacks: Vec::new(),
            usage: None,
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
        recorder.arrived();
        Self {
            record,
            arrived,
            notes: Notes::default(),
            recorder: Arc::clone(recorder),
            tab: None,
            standings: Standings::default(),
            bodies: None,
        }
    }

    /// Where what is learnt of this call on its way is to be noted.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Notes who calls.
    pub fn admitted(&mut self, caller: &Caller) {
        self.record.token = caller.grant.as_ref().map(|grant| grant.id.clone());
    }

    /// Takes what a call needs of its caller's limits and budgets, where anything is counted or kept. What needs nothing
    /// is neither.
    ///
    /// # Errors
    /// As [`Tab::take`].
    pub(crate) async fn take(&mut self, need: impl FnOnce(&Record) -> Option<Need>) -> Result<(), Error> {
        let Some(tab) = &mut self.tab else { return Ok(()) };
        let Some(need) = need(&self.record) else {
            self.tab = None;
            return Ok(());
        };
        // In a box of its own: every call would carry the room for it.
        Box::pin(tab.take(need, &mut self.standings)).await
    }

    /// Begins to keep the bodies, where the operator asks for them.
    pub(crate) fn keep_bodies(&mut self, headers: &HeaderMap, body: &Bytes) {
        if self.tab.as_ref().is_some_and(|tab| tab.keeps_bodies()) {
            self.bodies = Some(Box::new(Bodies::of_request(headers, body)));
        }
    }

    /// Notes the size of what was read.
    pub fn read(&mut self, received: &Received) {
        self.record.bytes_in = received.body.len() as u64;
    }

    /// Notes a call that has been understood.
    pub fn note(&mut self, call: &Call) {
        self.record.service = Some(call.service.alias.clone());
        (self.record.operation, self.record.stream) = (operation(&call.path), call.stream == Stream::Events);
        self.recorder
            .began(&self.record, if call.service.log_paths { &call.path } else { "(path not logged)" });
    }

    /// Notes a call of the unified API that has been understood.
    pub fn note_plan(&mut self, plan: &Plan) {
        self.record.service = plan.targets.first().map(|target| target.service.alias.clone());
        self.record.model = Some(name(plan.model.clone()));
        self.record.operation = operation(&plan.received.path);
        self.record.stream = plan.stream == Stream::Events;
        self.recorder.began(&self.record, &plan.received.path);
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
        if let Some(bodies) = &mut self.bodies {
            bodies.answered(response.headers());
        }
        let bodiless = self.record.method == Method::HEAD;
        response.map(|body| {
            if bodiless || http_body::Body::is_end_stream(&body) {
                self.notes.ended(Outcome::Complete);
            }
            Recorded { body, recording: self }.boxed()
        })
    }

    fn passed(&mut self, data: &Bytes) {
        if self.record.first_byte.is_none() {
            self.record.first_byte = Some(self.elapsed());
        }
        self.record.bytes_out += data.len() as u64;
        if let Some(bodies) = &mut self.bodies {
            bodies.passed(data);
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let noted = self.notes.read();
        // A call that nobody ended was ended by its client.
        self.record.outcome = noted.outcome.unwrap_or(Outcome::ClientLeft);
        self.record.choice = noted.choice;
        self.record.attempts = noted.attempts.unwrap_or_default();
        self.record.error = self.record.error.or(noted.error);
        (self.record.served, self.record.usage) = (noted.served, noted.usage);
        (self.record.model_served, self.record.fallbacks) = (noted.model_served, noted.fallbacks);
        self.record.total = self.elapsed();
        self.recorder.ended(&self.record);
        if let Some(tab) = &mut self.tab {
            tab.close(&self.record, self.bodies.take());
        }
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
            Poll::Ready(None) => self.recording.notes.ended(Outcome::Complete),
            Poll::Ready(Some(Err(_))) => self.recording.notes.ended(Outcome::Truncated),
            Poll::Ready(Some(Ok(frame))) => {
                frame.data_ref().into_iter().for_each(|data| self.recording.passed(data));
                if self.body.is_end_stream() {
                    self.recording.notes.ended(Outcome::Complete);
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

    use twinlane_dialects::chat::Usage;

    use super::{Notes, Outcome, Record, Recorder, Recording, name};
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
    fn a_usage_that_cannot_be_is_none() {
        let told = |prompt, completion| {
            let notes = Notes::default();
            notes.used(Usage { prompt, completion, ..Usage::default() });
            notes.read().usage.is_some()
        };
        assert!(told(10_000_000, 100_000));
        assert!(!told(u64::MAX, 0));
        assert!(!told(9, 1 << 40));
    }

    #[test]
    fn a_name_that_fills_the_log_is_cut() {
        assert_eq!(name("gpt-4o".to_owned()), "gpt-4o");
        assert_eq!(name("a\u{1b}[2J\n".to_owned()), "a\u{fffd}[2J\u{fffd}");
        assert_eq!(name("é".repeat(3_000_000)), "é".repeat(256));
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
