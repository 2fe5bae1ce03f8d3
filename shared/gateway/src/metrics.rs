//! Counts calls for Prometheus, which comes to the local door's page `/metrics` to read them.
//!
//! There is no such page on the platforms: each of many instances would show its own numbers, and take them along when it
//! ends. A collector of OpenTelemetry's is told there instead ([`telemetry`](crate::telemetry)).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use twinlane_telemetry::{Family, Histogram, Labels, Names, Page};

use crate::lane::Lane;
use crate::record::{Outcome, Record, Recorder};
use crate::telemetry::told::{SECONDS, provider_alias};
use crate::{Error, VERSION};

/// How many series a metric has at most.
const MOST_SERIES: usize = 2000;
/// How many names of models are told apart.
pub(crate) const MOST_MODELS: usize = 100;

/// The name of all models for which there is no more room.
const OTHER: &str = "other";

/// What has been counted since the process began.
#[derive(Default)]
pub struct Metrics {
    counted: Mutex<Counted>,
    in_flight: AtomicI64,
    /// How many connections are open, which only the door knows.
    connections: OnceLock<Box<dyn Fn() -> usize + Send + Sync>>,
}

/// What has been counted, by service: every call counts, so nothing is copied to find the place.
struct Counted {
    services: BTreeMap<String, Service>,
    models: Names,
}

/// What has been counted of one service.
struct Service {
    calls: BTreeMap<(u16, Outcome, Option<Lane>), u64>,
    /// By model: those of prompts, and those of answers.
    tokens: BTreeMap<String, [u64; 2]>,
    first_byte: Histogram,
    total: Histogram,
}

impl Default for Counted {
    fn default() -> Self {
        Self { services: BTreeMap::new(), models: Names::new(MOST_MODELS) }
    }
}

impl Default for Service {
    fn default() -> Self {
        Self {
            calls: BTreeMap::new(),
            tokens: BTreeMap::new(),
            first_byte: Histogram::new(SECONDS),
            total: Histogram::new(SECONDS),
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
        let alias = provider_alias(record).unwrap_or("-");
        if !self.services.contains_key(alias) {
            self.services.insert(alias.to_owned(), Service::default());
        }
        let Some(service) = self.services.get_mut(alias) else { return };
        let lane = record.choice.map(|choice| choice.lane);
        *service.calls.entry((record.status.as_u16(), record.outcome, lane)).or_default() += 1;
        service.total.observe(record.total.as_secs_f64());
        if let Some(first) = record.first_byte {
            service.first_byte.observe(first.as_secs_f64());
        }
        let Some(usage) = record.usage else { return };
        let model = record.model.as_deref().unwrap_or("-");
        if !service.tokens.contains_key(model) {
            service.tokens.entry(self.models.admit(model)).or_default();
        }
        let model = if service.tokens.contains_key(model) { model } else { OTHER };
        if let Some([prompt, completion]) = service.tokens.get_mut(model) {
            (*prompt, *completion) = (*prompt + usage.prompt, *completion + usage.completion);
        }
    }

    fn write(&self, page: &mut Page) {
        let (mut calls, mut tokens) = (Family::new(MOST_SERIES), Family::new(MOST_SERIES));
        let (mut first_byte, mut total) = (Family::new(MOST_SERIES), Family::new(MOST_SERIES));
        for (alias, service) in &self.services {
            let named = |more: &[(&'static str, &str)]| -> Labels {
                let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
                std::iter::once(("service", alias.clone())).chain(more).collect()
            };
            for ((status, outcome, lane), count) in &service.calls {
                let (status, lane) = (status.to_string(), lane.map_or("-", Lane::as_str));
                let labels = named(&[("status", &status), ("outcome", outcome.as_str()), ("lane", lane)]);
                calls.add(labels, *count as f64);
            }
            for (model, counts) in &service.tokens {
                for (kind, count) in ["input", "output"].into_iter().zip(counts) {
                    tokens.add(named(&[("model", model), ("type", kind)]), *count as f64);
                }
            }
            first_byte.of(named(&[]), || service.first_byte.clone());
            total.of(named(&[]), || service.total.clone());
        }
        page.counters("twinlane_calls_total", "Requests that have ended.", &calls);
        page.counters("twinlane_tokens_total", "Tokens that providers told.", &tokens);
        let help = "From the arrival of a request to the first byte of its answer.";
        page.histograms("twinlane_first_byte_seconds", help, &first_byte);
        let help = "From the arrival of a request to the last byte of its answer.";
        page.histograms("twinlane_call_seconds", help, &total);
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
