//! The log: one line in and one line out per call, text for a terminal, JSON for a platform.
//!
//! Only this project's own lines are written, at any level: hyper and its kin log addresses and headers when asked to
//! speak up, and an operator who sets `LOG_LEVEL=DEBUG` asks for ours.

mod line;

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::Error;
use crate::config::Log;
use crate::record::{Record, Recorder};
use line::Line;

/// How a gateway logs that cannot read its settings.
pub const ANXIOUS: Log = Log { level: tracing::Level::ERROR, json: true };

/// How the log was started.
static STARTED: OnceLock<Log> = OnceLock::new();

/// Starts logging to standard output. Later calls change nothing.
pub fn start(log: Log) {
    let log = *STARTED.get_or_init(|| log);
    let ours = Targets::new().with_target("twinlane", log.level);
    let layer = if log.json {
        fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        fmt::layer().with_target(false).with_ansi(std::io::stdout().is_terminal()).boxed()
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(ours)).try_init();
}

/// Writes records to the log.
#[derive(Debug)]
pub struct Logger;

impl Recorder for Logger {
    fn began(&self, record: &Record, path: &str) {
        let Some(log) = calls_are_logged() else { return };
        let (id, method, service) = (&record.id, &record.method, record.service.as_deref().unwrap_or("-"));
        let line = Line::new(log.json, format_args!("call {id} in: {method} {service} {path}"));
        line.text("id", id).text("service", service).write();
    }

    /// What happened at a provider's side or in here is the operator's business; what a client did wrong is not.
    fn failed(&self, record: &Record, error: &Error) {
        let (id, code, causes) = (&record.id, error.code(), crate::error::causes(error));
        let service = record.service.as_deref().unwrap_or("-");
        let told = crate::error::logged(error);
        if error.status().is_server_error() {
            tracing::warn!(id, service, code, causes, "call {id} failed: {told}");
        } else {
            tracing::debug!(id, service, code, causes, "call {id} was refused: {told}");
        }
    }

    fn ended(&self, record: &Record) {
        let Some(log) = calls_are_logged() else { return };
        let (id, status, outcome) = (&record.id, record.status.as_u16(), record.outcome.as_str());
        let line = Line::new(log.json, format_args!("call {id} out: {status} {outcome}"))
            .text("id", id)
            .text("service", record.service.as_deref().unwrap_or("-"))
            .text("lane", record.choice.map_or("-", |choice| choice.lane.as_str()))
            .text("reason", record.choice.map_or("-", |choice| choice.why.as_str()))
            .number("status", u64::from(status))
            .text("error", record.error.unwrap_or("-"))
            .word("outcome", outcome)
            .number("attempts", u64::from(record.attempts))
            .number("bytes_in", record.bytes_in)
            .number("bytes_out", record.bytes_out)
            .maybe("token", record.token.as_deref())
            .maybe("session", record.session.as_deref())
            .maybe("model", record.model.as_deref())
            .maybe("served", record.served.as_deref())
            .number("tokens_in", record.usage.map(|usage| usage.prompt))
            .number("tokens_out", record.usage.map(|usage| usage.completion))
            .number("first_byte_ms", record.first_byte.map(ms))
            .number("total_ms", ms(record.total));
        line.write();
    }
}

/// How calls are logged, where they are.
fn calls_are_logged() -> Option<Log> {
    STARTED.get().copied().filter(|log| log.level >= tracing::Level::INFO)
}

fn ms(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
