//! Sends what is told to its collector, over the client that also talks to providers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::MutexGuard;
use tokio::time::timeout_at;

use super::open;
use crate::VERSION;
use crate::config::{Clocks, Collector};
use crate::upstream::{Failure, Upstream, Wait};

/// The most that is read of a collector's answer, so that its connection can be used again.
const ANSWER: usize = 64 * 1024;

/// A collector, and how it has been doing.
#[derive(Debug)]
pub(super) struct Collecting {
    /// What it is told, for the log.
    kind: &'static str,
    collector: Collector,
    upstream: Upstream,
    turn: tokio::sync::Mutex<()>,
    /// How long it is left alone after it did not answer.
    rest: Duration,
    rests_until: Mutex<Option<Instant>>,
    /// Whether the last time failed: an outage is logged once.
    fails: AtomicBool,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The collector has it.
    Taken,
    /// It certainly has not, and may be told again.
    NotTaken,
    /// It does not want it, or may have it: to tell it twice would count it twice.
    Lost,
}

impl Collecting {
    pub(super) fn new(kind: &'static str, collector: &Collector, clocks: Clocks, rest: Duration) -> Self {
        Self {
            kind,
            collector: collector.clone(),
            upstream: Upstream::new(clocks.connect, clocks.stall),
            turn: tokio::sync::Mutex::new(()),
            rest,
            rests_until: Mutex::new(None),
            fails: AtomicBool::new(false),
        }
    }

    /// The turn to send, which one batch has at a time.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether the collector is to be left alone for now.
    pub(super) fn rests(&self) -> bool {
        open(&self.rests_until).is_some_and(|until| Instant::now() < until)
    }

    /// Sends a batch, and gives up at `deadline`.
    pub(super) async fn send(&self, batch: Vec<u8>, deadline: Instant) -> Delivery {
        let patience = deadline.saturating_duration_since(Instant::now());
        let wait = Wait { first_byte: patience, deadline: Some(deadline) };
        let (delivery, why) = match self.upstream.send(self.request(batch), wait).await {
            Ok(reply) => {
                let status = reply.status();
                let rest = Limited::new(reply.into_body(), ANSWER).collect();
                let _ = timeout_at(deadline.into(), rest).await;
                (judged(status), format!("it answers {}", status.as_u16()))
            }
            Err(Failure { sent, fault, .. }) => {
                (if sent { Delivery::Lost } else { Delivery::NotTaken }, format!("{fault:?}"))
            }
        };
        self.note(delivery, &why);
        delivery
    }

    fn request(&self, batch: Vec<u8>) -> Request<Bytes> {
        let mut request = Request::new(batch.into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.collector.url.clone();
        *request.headers_mut() = self.collector.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        if let Ok(agent) = HeaderValue::try_from(format!("twinlane/{VERSION}")) {
            request.headers_mut().insert(USER_AGENT, agent);
        }
        request
    }

    fn note(&self, delivery: Delivery, why: &str) {
        let fails = delivery != Delivery::Taken;
        *open(&self.rests_until) = fails.then(|| Instant::now() + self.rest);
        let kind = self.kind;
        match (self.fails.swap(fails, Ordering::Relaxed), fails) {
            (false, true) => {
                tracing::warn!(kind, why, "the collector of {kind} does not take what it is told: {why}")
            }
            (true, false) => tracing::info!(kind, "the collector of {kind} takes what it is told again"),
            _ => {}
        }
    }
}

/// What a status means for the batch: OTLP names four after which it may be sent again.
fn judged(status: StatusCode) -> Delivery {
    match status.as_u16() {
        200..=299 => Delivery::Taken,
        429 | 502 | 503 | 504 => Delivery::NotTaken,
        _ => Delivery::Lost,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::{Delivery, judged};

    #[test]
    fn a_batch_is_told_again_only_where_the_collector_has_not_taken_it() {
        for (status, expected) in [
            (200, Delivery::Taken),
            (202, Delivery::Taken),
            (429, Delivery::NotTaken),
            (503, Delivery::NotTaken),
            (400, Delivery::Lost),
            (401, Delivery::Lost),
            (500, Delivery::Lost),
            (302, Delivery::Lost),
        ] {
            assert_eq!(judged(StatusCode::from_u16(status).unwrap()), expected, "{status}");
        }
    }
}
