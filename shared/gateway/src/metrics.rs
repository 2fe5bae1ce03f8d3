//! Counts calls for Prometheus, which comes to the local door's page `/metrics` to read them.
//!
//! There is no such page on the platforms: each of many instances would show its own numbers, and take them along when it
//! ends. A collector of OpenTelemetry's is told there instead ([`telemetry`](crate::telemetry)).

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use twinlane_telemetry::{Family, Histogram, Labels, Names, Page};

use crate::record::{Record, Recorder};
use crate::telemetry::told::{SECONDS, provider_alias};
use crate::{Error, VERSION};

/// How many series a metric has at most.
const MOST_SERIES: usize = 2000;
/// How many names of models are told apart.
pub(crate) const MOST_MODELS: usize = 100;

/// What has been counted since the process began.
#[derive(Default)]
pub struct Metrics {
    counted: Mutex<Counted>,
    in_flight: AtomicI64,
    /// How many connections are open, which only the door knows.
    connections: OnceLock<Box<dyn Fn() -> usize + Send + Sync>>,
}

struct Counted {
    models: Names,
    calls: Family<f64>,
    tokens: Family<f64>,
    first_byte: Family<Histogram>,
    total: Family<Histogram>,
}

impl Default for Counted {
    fn default() -> Self {
        Self {
            models: Names::new(MOST_MODELS),
            calls: Family::new(MOST_SERIES),
            tokens: Family::new(MOST_SERIES),
            first_byte: Family::new(MOST_SERIES),
            total: Family::new(MOST_SERIES),
        }
    }
}

impl Metrics {
    /// Has the page tell how many connections are open.
    pub fn count_connections(&self, open: impl Fn() -> usize + Send + Sync + 'static) {
        let _ = self.connections.set(Box::new(open));
    }

    /// The page; `lost` is how many spans no collector was told.
    pub(crate) fn page(&self, lost: Option<u64>) -> String {
        let mut page = Page::default();
        self.open().write(&mut page);
        let none = Labels::new();
        let in_flight = self.in_flight.load(Ordering::Relaxed) as f64;
        page.gauge(
            "twinlane_requests_in_flight",
            "Requests that are being answered, this one included.",
            &none,
            in_flight,
        );
        if let Some(open) = self.connections.get() {
            let help = "Connections of clients that are open.";
            page.gauge("twinlane_connections_open", help, &none, open() as f64);
        }
        if let Some(lost) = lost {
            page.counter("twinlane_spans_lost_total", "Spans that no collector was told.", lost as f64);
        }
        let version = vec![("version", VERSION.to_owned())];
        page.gauge("twinlane_build_info", "Which version runs.", &version, 1.0);
        page.into_text()
    }

    fn open(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn count(&mut self, record: &Record) {
        // What came to no service, as a page or a refusal, has no name of one.
        let service = provider_alias(record).unwrap_or("-").to_owned();
        let lane = record.choice.map_or("-", |choice| choice.lane.as_str());
        self.calls.add(
            vec![
                ("service", service.clone()),
                ("status", record.status.as_u16().to_string()),
                ("outcome", record.outcome.to_string()),
                ("lane", lane.to_owned()),
            ],
            1.0,
        );
        observe(&mut self.total, &service, Some(record.total));
        observe(&mut self.first_byte, &service, record.first_byte);
        self.count_tokens(record, &service);
    }

    fn count_tokens(&mut self, record: &Record, service: &str) {
        let Some(usage) = record.usage else { return };
        let model = self.models.admit(record.model.as_deref().unwrap_or("-"));
        for (kind, tokens) in [("input", usage.prompt), ("output", usage.completion)] {
            let labels =
                vec![("service", service.to_owned()), ("model", model.clone()), ("type", kind.to_owned())];
            self.tokens.add(labels, tokens as f64);
        }
    }

    fn write(&self, page: &mut Page) {
        page.counters("twinlane_calls_total", "Requests that have ended.", &self.calls);
        page.counters("twinlane_tokens_total", "Tokens that providers told.", &self.tokens);
        let help = "From the arrival of a request to the first byte of its answer.";
        page.histograms("twinlane_first_byte_seconds", help, &self.first_byte);
        let help = "From the arrival of a request to the last byte of its answer.";
        page.histograms("twinlane_call_seconds", help, &self.total);
    }
}

fn observe(family: &mut Family<Histogram>, service: &str, span: Option<Duration>) {
    if let Some(span) = span {
        let labels = vec![("service", service.to_owned())];
        family.of(labels, || Histogram::new(SECONDS)).observe(span.as_secs_f64());
    }
}

impl Recorder for Metrics {
    fn arrived(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    fn began(&self, _: &Record, _: &str) {}

    fn failed(&self, _: &Record, _: &Error) {}

    fn ended(&self, record: &Record) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.open().count(record);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
