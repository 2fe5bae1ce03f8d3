//! What is told of a call, in the words of OpenTelemetry's conventions for generative AI: never a prompt, an answer or a
//! key. What they have no word for begins with `twinlane.`.

use std::collections::BTreeMap;

use twinlane_telemetry::{Attributes, Instrument, Kind, Labels, Names, Span, TraceContext};

use crate::record::{Outcome, Record};
use crate::services::{Service, Services};

/// The conventions' bounds of times, in seconds.
pub(crate) const SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

static DURATION: Instrument = Instrument {
    name: "gen_ai.client.operation.duration",
    unit: "s",
    description: "GenAI operation duration.",
    bounds: SECONDS,
};

static FIRST_CHUNK: Instrument = Instrument {
    name: "gen_ai.client.operation.time_to_first_chunk",
    unit: "s",
    description: "Time to receive the first chunk.",
    bounds: SECONDS,
};

static TOKENS: Instrument = Instrument {
    name: "gen_ai.client.token.usage",
    unit: "{token}",
    description: "Number of input and output tokens used.",
    bounds: &[
        1.0,
        4.0,
        16.0,
        64.0,
        256.0,
        1024.0,
        4096.0,
        16_384.0,
        65_536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
        16_777_216.0,
        67_108_864.0,
    ],
};

/// What a call does, by its path; the first four are the conventions' own words.
#[must_use]
pub(crate) fn operation(path: &str) -> &'static str {
    const ENDS: [(&str, &str); 9] = [
        ("/chat/completions", "chat"),
        ("/messages", "chat"),
        ("/responses", "chat"),
        ("/completions", "text_completion"),
        ("enerateContent", "generate_content"),
        ("/embeddings", "embeddings"),
        ("mbedContent", "embeddings"),
        ("mbedContents", "embeddings"),
        ("/images/generations", "image_generation"),
    ];
    ENDS.iter().find(|(end, _)| path.ends_with(end)).map_or("other", |(_, operation)| operation)
}

/// Where each service is.
#[derive(Debug)]
pub(super) struct Places(BTreeMap<String, (String, u64)>);

impl Places {
    pub(super) fn of(services: &Services) -> Self {
        let place = |service: &Service| {
            let usual = if service.scheme == http::uri::Scheme::HTTP { 80 } else { 443 };
            let port = service.authority.port_u16().unwrap_or(usual);
            (service.alias.clone(), (service.authority.host().to_owned(), u64::from(port)))
        };
        Self(services.iter().map(place).collect())
    }
}

/// A call as a span that ends now, in nanoseconds since 1970.
pub(super) fn span(record: &Record, context: &TraceContext, places: &Places, now: u64) -> Span {
    let took = u64::try_from(record.total.as_nanos()).unwrap_or(u64::MAX);
    let model = record.model.as_deref();
    Span {
        context: context.clone(),
        name: model
            .map_or_else(|| record.operation.to_owned(), |model| format!("{} {model}", record.operation)),
        kind: Kind::Client,
        start: now.saturating_sub(took),
        end: now,
        attributes: attributes(record, places),
        error: failure(record),
    }
}

fn attributes(record: &Record, places: &Places) -> Attributes {
    let mut told = Attributes::default();
    told.set("gen_ai.operation.name", record.operation);
    told.set_some("gen_ai.provider.name", provider_alias(record).map(provider));
    told.set_some("gen_ai.request.model", record.model.as_deref());
    told.set_some("gen_ai.response.model", record.model_served.as_deref());
    told.set_some("gen_ai.conversation.id", record.session.as_deref());
    if record.stream {
        told.set("gen_ai.request.stream", true);
        told.set_some(
            "gen_ai.response.time_to_first_chunk",
            record.first_byte.map(|span| span.as_secs_f64()),
        );
    }
    tell_usage(&mut told, record);
    if let Some((host, port)) = provider_alias(record).and_then(|alias| places.0.get(alias)) {
        told.set("server.address", host.as_str());
        told.set("server.port", *port);
    }
    told.set("http.request.method", record.method.as_str());
    told.set("http.response.status_code", u64::from(record.status.as_u16()));
    told.set_some("error.type", failure(record));
    tell_ours(&mut told, record);
    told
}

fn tell_usage(told: &mut Attributes, record: &Record) {
    let Some(usage) = record.usage else { return };
    told.set("gen_ai.usage.input_tokens", usage.prompt);
    told.set("gen_ai.usage.output_tokens", usage.completion);
    for (name, tokens) in [
        ("gen_ai.usage.cache_read.input_tokens", usage.cached),
        ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write),
        ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
    ] {
        told.set_some(name, (tokens > 0).then_some(tokens));
    }
}

fn tell_ours(told: &mut Attributes, record: &Record) {
    told.set("twinlane.call.id", record.id.as_str());
    told.set("twinlane.outcome", record.outcome.to_string());
    told.set_some("twinlane.lane", record.choice.map(|choice| choice.lane.as_str()));
    told.set_some("twinlane.lane.reason", record.choice.map(|choice| choice.why.as_str()));
    told.set("twinlane.attempts", u64::from(record.attempts));
    told.set_some("twinlane.target", record.served.as_deref());
    told.set_some("twinlane.token", record.token.as_deref());
}

/// What went wrong, in a word: the code of our error, the provider's status, or how the answer broke off. A client that
/// leaves is no error of anybody's.
fn failure(record: &Record) -> Option<String> {
    let by_status = || {
        let failed = record.status.is_client_error() || record.status.is_server_error();
        failed.then(|| record.status.as_u16().to_string())
    };
    let by_end = || {
        let broken = !matches!(record.outcome, Outcome::Complete | Outcome::ClientLeft);
        broken.then(|| record.outcome.to_string())
    };
    record.error.map(str::to_owned).or_else(by_status).or_else(by_end)
}

/// What is measured of a call.
pub(super) fn measured(record: &Record, models: &mut Names) -> Vec<(&'static Instrument, Labels, f64)> {
    let common = labels(record, models);
    let with = |name, value: &str| [&common[..], &[(name, value.to_owned())]].concat();
    let mut duration = with("twinlane.outcome", &record.outcome.to_string());
    duration.extend(failure(record).map(|failure| ("error.type", failure)));
    let mut measured = vec![(&DURATION, duration, record.total.as_secs_f64())];
    if let Some(first) = record.first_byte.filter(|_| record.stream) {
        measured.push((&FIRST_CHUNK, common.clone(), first.as_secs_f64()));
    }
    // Where a provider did not tell what it cost, nothing is told: a zero would say that it was free.
    if let Some(usage) = record.usage {
        measured.push((&TOKENS, with("gen_ai.token.type", "input"), usage.prompt as f64));
        measured.push((&TOKENS, with("gen_ai.token.type", "output"), usage.completion as f64));
    }
    measured
}

fn labels(record: &Record, models: &mut Names) -> Labels {
    let provider = provider_alias(record).map(|alias| provider(alias).to_owned());
    let asked = record.model.as_deref().map(|model| models.admit(model));
    let served = record.model_served.as_deref().map(|model| models.admit(model));
    let mut labels = vec![("gen_ai.operation.name", record.operation.to_owned())];
    labels.extend(provider.map(|provider| ("gen_ai.provider.name", provider)));
    labels.extend(asked.map(|model| ("gen_ai.request.model", model)));
    labels.extend(served.map(|model| ("gen_ai.response.model", model)));
    labels
}

/// The alias of the service that a call ended at.
pub(crate) fn provider_alias(record: &Record) -> Option<&str> {
    let served = record.served.as_deref().and_then(|target| target.split_once('/'));
    served.map(|(alias, _)| alias).or(record.service.as_deref())
}

/// The conventions' name of a provider; our own where they have none.
fn provider(alias: &str) -> &str {
    match alias {
        "azure" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        "claude" => "anthropic",
        "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "moonshot" => "moonshot_ai",
        "pplx" => "perplexity",
        "xai" => "x_ai",
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use http::{Method, StatusCode};
    use twinlane_telemetry::Names;

    use super::{failure, measured, operation, provider};
    use crate::log::Logger;
    use crate::record::{Outcome, Record, Recorder, Recording};

    fn record() -> Record {
        let logger: Arc<dyn Recorder> = Arc::new(Logger);
        let recording = Recording::begin("id".to_owned(), Method::POST, None, Instant::now(), &logger);
        let service = Some("claude".to_owned());
        Record { service, outcome: Outcome::Complete, ..recording.record.clone() }
    }

    #[test]
    fn what_a_call_does_is_known_by_its_path() {
        for (path, expected) in [
            ("/v1/chat/completions", "chat"),
            ("/v1/completions", "text_completion"),
            ("/anthropic/v1/messages", "chat"),
            ("/v1/messages/count_tokens", "other"),
            ("/v1beta/models/gemini:streamGenerateContent", "generate_content"),
            ("/v1beta/models/gemini:generateContent", "generate_content"),
            ("/v1beta/models/gemini:batchEmbedContents", "embeddings"),
            ("/v1/embeddings", "embeddings"),
            ("/v1/models", "other"),
        ] {
            assert_eq!(operation(path), expected, "{path}");
        }
    }

    #[test]
    fn what_failed_is_our_code_or_the_provider_s_status_or_how_it_broke_off() {
        for (error, status, outcome, expected) in [
            (None, 200, Outcome::Complete, None),
            (None, 200, Outcome::ClientLeft, None),
            (None, 200, Outcome::Truncated, Some("truncated")),
            (None, 404, Outcome::Complete, Some("404")),
            (Some("upstream_timeout"), 504, Outcome::Complete, Some("upstream_timeout")),
            (Some("upstream_idle"), 200, Outcome::Truncated, Some("upstream_idle")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let record = Record { error, status, outcome, ..record() };
            assert_eq!(failure(&record).as_deref(), expected, "{error:?} {status} {outcome}");
        }
    }

    #[test]
    fn no_usage_is_no_measurement_and_a_strange_model_is_other() {
        let mut models = Names::new(1);
        let mut labels = |model: &str| {
            let measured = measured(&Record { model: Some(model.to_owned()), ..record() }, &mut models);
            assert_eq!(measured.len(), 1, "the duration only: {measured:?}");
            measured[0].1.clone()
        };
        assert!(labels("a").contains(&("gen_ai.request.model", "a".to_owned())));
        assert!(labels("b").contains(&("gen_ai.request.model", "other".to_owned())));
        assert!(labels("b").contains(&("gen_ai.provider.name", provider("claude").to_owned())));
    }
}
