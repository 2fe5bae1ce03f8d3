//! Tells collectors of OpenTelemetry about calls: each as a span of the trace its caller is in, and in the metrics of the
//! conventions for generative AI.
//!
//! A call never waits for a collector. What is to be told waits in a queue that forgets its oldest, and leaves in batches,
//! one at a time: in a process that stays, every few seconds; in a function, once the answer has left and before the
//! platform puts it to sleep, and then for a second at most.

mod export;
pub(crate) mod told;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use ring::rand::SecureRandom;
use tokio::sync::Notify;
use tokio::time::{interval, timeout_at};
use twinlane_telemetry::{
    Meter, Names, Parent, Queue, Resource, Sampler, Span, Temporality, TraceContext, Value, trace_request,
};
use uuid::Uuid;

use crate::config::{Config, Platform};
use crate::metrics::MOST_MODELS;
use crate::record::{Record, Recorder};
use crate::{Error, VERSION};
use export::{Collecting, Delivery};
use told::Places;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// How many spans wait at most. OpenTelemetry's default, as are the next two.
const MOST_SPANS: usize = 2048;
/// How many are told at once.
const BATCH: usize = 512;
/// How many series a metric has.
const MOST_SERIES: usize = 2000;
/// How long a function stays awake for collectors.
const AWAKE: Duration = Duration::from_secs(1);
/// How long a function leaves a collector alone that did not answer: each try would keep it awake, and be billed.
const REST: Duration = Duration::from_secs(30);

/// What is told, and to whom.
#[derive(Debug)]
pub struct Telemetry {
    resource: Resource,
    places: Places,
    sampler: Sampler,
    spans: Option<Spans>,
    measures: Option<Measures>,
    /// How long collectors may take together.
    patience: Duration,
    delay: Duration,
    interval: Duration,
    random: ring::rand::SystemRandom,
}

#[derive(Debug)]
struct Spans {
    collector: Collecting,
    queue: Mutex<Queue<Span>>,
    /// Told when a batch is full.
    full: Notify,
}

#[derive(Debug)]
struct Measures {
    collector: Collecting,
    meter: Mutex<Meter>,
    models: Mutex<Names>,
}

impl Telemetry {
    /// By the settings; `None` where they name no collector.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        let settings = &config.telemetry;
        let stays = config.platform == Platform::Local;
        let (patience, rest, temporality) = if stays {
            // Less than the time between two batches, so that a full queue does not knock again and again meanwhile.
            (settings.timeout, settings.delay / 2, Temporality::Cumulative)
        } else {
            (settings.timeout.min(AWAKE), REST, Temporality::Delta)
        };
        let collecting = |kind, collector: &_| Collecting::new(kind, collector, config.clocks, rest);
        let spans = settings.traces.as_ref().map(|collector| Spans {
            collector: collecting("traces", collector),
            queue: Mutex::new(Queue::new(MOST_SPANS)),
            full: Notify::new(),
        });
        let measures = settings.metrics.as_ref().map(|collector| Measures {
            collector: collecting("metrics", collector),
            meter: Mutex::new(Meter::new(temporality, MOST_SERIES, nanos(SystemTime::now()))),
            models: Mutex::new(Names::new(MOST_MODELS)),
        });
        (spans.is_some() || measures.is_some()).then(|| Self {
            resource: resource(&settings.resource),
            places: Places::of(&config.services),
            sampler: settings.sampler,
            spans,
            measures,
            patience,
            delay: settings.delay,
            interval: settings.interval,
            random: ring::rand::SystemRandom::new(),
        })
    }

    /// Gives a call its span, within its caller's where the headers name one. Whoever the call goes on to, a provider or
    /// the background, is told of our span instead. Where nobody collects spans, the headers stay as they are.
    pub(crate) fn join(&self, headers: &mut HeaderMap) -> Option<TraceContext> {
        self.spans.as_ref()?;
        let mut ids = [0; 24];
        self.random.fill(&mut ids).ok()?;
        let context = self.context(headers, &ids);
        if context.parent.is_none() {
            // What others noted of a trace is void without its span (W3C Trace Context, 4.3).
            headers.remove(TRACESTATE);
        }
        headers.insert(TRACEPARENT, HeaderValue::try_from(context.header()).ok()?);
        Some(context)
    }

    fn context(&self, headers: &HeaderMap, ids: &[u8; 24]) -> TraceContext {
        let (mut trace, mut span) = ([0; 16], [0; 8]);
        trace.copy_from_slice(&ids[..16]);
        span.copy_from_slice(&ids[16..]);
        match parent(headers) {
            Some(parent) => {
                let sampled = self.sampler.takes(&parent.trace, Some(&parent));
                TraceContext::within(parent, span, state(headers), sampled)
            }
            None => TraceContext::root(trace, span, self.sampler.takes(&trace, None)),
        }
    }

    /// Tells what has not been told yet, and gives up in time.
    pub(crate) async fn flush(&self) {
        let deadline = Instant::now() + self.patience;
        tokio::join!(self.tell_spans(deadline), self.tell_measures(deadline));
    }

    /// How many spans no collector was told.
    pub(crate) fn lost(&self) -> Option<u64> {
        self.spans.as_ref().map(|spans| open(&spans.queue).dropped())
    }

    /// Tells everything again and again, for as long as the process stays.
    pub(crate) fn keep_telling(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.spans.is_some() {
            runtime.spawn(keep_telling_spans(Arc::downgrade(self), self.delay));
        }
        if self.measures.is_some() {
            runtime.spawn(keep_telling_measures(Arc::downgrade(self), self.interval));
        }
    }

    async fn tell_spans(&self, deadline: Instant) {
        let Some(spans) = &self.spans else { return };
        let Ok(_turn) = timeout_at(deadline.into(), spans.collector.turn()).await else { return };
        while !spans.collector.rests() {
            let batch = open(&spans.queue).take(BATCH);
            if batch.is_empty() {
                return;
            }
            let request = trace_request(&self.resource, &batch);
            match spans.collector.send(request, deadline).await {
                Delivery::Taken => {}
                Delivery::NotTaken => return open(&spans.queue).put_back(batch),
                Delivery::Lost => return open(&spans.queue).lost(batch.len()),
            }
        }
    }

    async fn tell_measures(&self, deadline: Instant) {
        let Some(measures) = &self.measures else { return };
        let Ok(_turn) = timeout_at(deadline.into(), measures.collector.turn()).await else { return };
        if measures.collector.rests() {
            return;
        }
        let now = nanos(SystemTime::now());
        let Some(batch) = open(&measures.meter).take(now) else { return };
        let request = open(&measures.meter).request(&batch, &self.resource, now);
        if measures.collector.send(request, deadline).await == Delivery::NotTaken {
            open(&measures.meter).put_back(batch);
        }
    }
}

impl Recorder for Telemetry {
    fn began(&self, _: &Record, _: &str) {}

    fn failed(&self, _: &Record, _: &Error) {}

    /// Only calls of a service are told: whoever knocks at random doors would else fill the collector's disks.
    fn ended(&self, record: &Record) {
        if record.service.is_none() {
            return;
        }
        if let (Some(spans), Some(context)) =
            (&self.spans, record.trace.as_ref().filter(|trace| trace.is_sampled()))
        {
            spans.push(told::span(record, context, &self.places, nanos(SystemTime::now())));
        }
        // What came over the hop is measured by the edge, which knows when its client got what.
        if let Some(measures) = self.measures.as_ref().filter(|_| !record.hopped) {
            measures.observe(record);
        }
    }
}

impl Spans {
    fn push(&self, span: Span) {
        let mut queue = open(&self.queue);
        queue.push(span);
        if queue.len() >= BATCH {
            self.full.notify_one();
        }
    }
}

impl Measures {
    fn observe(&self, record: &Record) {
        let measured = told::measured(record, &mut open(&self.models));
        let mut meter = open(&self.meter);
        for (instrument, labels, value) in measured {
            meter.observe(instrument, labels, value);
        }
    }
}

async fn keep_telling_spans(telemetry: Weak<Telemetry>, delay: Duration) {
    let mut ticks = interval(delay);
    while let Some(telemetry) = telemetry.upgrade() {
        if let Some(spans) = &telemetry.spans {
            tokio::select! {
                _ = ticks.tick() => {}
                () = spans.full.notified() => {}
            }
        }
        telemetry.tell_spans(Instant::now() + telemetry.patience).await;
    }
}

async fn keep_telling_measures(telemetry: Weak<Telemetry>, every: Duration) {
    let mut ticks = interval(every);
    while let Some(telemetry) = telemetry.upgrade() {
        ticks.tick().await;
        telemetry.tell_measures(Instant::now() + telemetry.patience).await;
    }
}

/// The caller's span; two of them are none.
fn parent(headers: &HeaderMap) -> Option<Parent> {
    let mut all = headers.get_all(TRACEPARENT).iter();
    let only = all.next().filter(|_| all.next().is_none())?;
    Parent::read(only.to_str().ok()?)
}

/// What other systems noted of the trace. More than the W3C lets them is not told.
fn state(headers: &HeaderMap) -> String {
    let all = headers.get_all(TRACESTATE).iter();
    let state = all.filter_map(|part| part.to_str().ok()).collect::<Vec<_>>().join(",");
    if state.len() <= 512 { state } else { String::new() }
}

/// This process, as collectors know it.
fn resource(named: &[(String, String)]) -> Resource {
    let mut resource = Resource { version: VERSION, ..Resource::default() };
    for (name, value) in named {
        resource.attributes.set(name.clone(), value.as_str());
    }
    resource.attributes.set("service.version", VERSION);
    resource.attributes.set("service.instance.id", Value::Text(Uuid::now_v7().to_string()));
    for (name, value) in [("name", "twinlane"), ("language", "rust"), ("version", VERSION)] {
        resource.attributes.set(format!("telemetry.sdk.{name}"), value);
    }
    resource
}

fn nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos().try_into().unwrap_or(u64::MAX))
}

/// Locks even after a panic elsewhere: nothing here can be left half-written.
fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
