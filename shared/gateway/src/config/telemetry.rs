//! Where spans and metrics go, by the names that OpenTelemetry gives its settings.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use twinlane_telemetry::Sampler;

use super::{Platform, Reader};
use crate::path;

/// What is told of calls to those who watch them.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Who collects spans.
    pub traces: Option<Collector>,
    /// Who collects metrics.
    pub metrics: Option<Collector>,
    /// Which traces are told.
    pub sampler: Sampler,
    /// What is told of this program, by name.
    pub resource: Vec<(String, String)>,
    /// How long a collector may take.
    pub timeout: Duration,
    /// How long spans wait for company before they are told.
    pub delay: Duration,
    /// How often metrics are told.
    pub interval: Duration,
    /// Whether the local door has a page for Prometheus.
    pub page: bool,
}

/// Who takes spans or metrics, over HTTP.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Where.
    pub url: Uri,
    /// What it wants to see; the values are not printed.
    pub headers: HeaderMap,
}

/// One of the two things that are told.
struct Signal {
    /// As settings spell it.
    name: &'static str,
    /// Where a collector takes it, below its base.
    path: &'static str,
}

const TRACES: Signal = Signal { name: "TRACES", path: "/v1/traces" };
const METRICS: Signal = Signal { name: "METRICS", path: "/v1/metrics" };

pub(super) fn read(reader: &mut Reader, platform: Platform) -> Telemetry {
    let off = reader.flag("OTEL_SDK_DISABLED", false);
    let on = !off && [&TRACES, &METRICS].iter().any(|signal| address(reader, signal).is_some());
    let mut of = |signal: &Signal| if on { collector(reader, signal) } else { None };
    let (traces, metrics) = (of(&TRACES), of(&METRICS));
    Telemetry {
        sampler: if on { sampler(reader) } else { Sampler::default() },
        resource: if on { resource(reader, platform) } else { Vec::new() },
        traces,
        metrics,
        timeout: reader.millis("OTEL_EXPORTER_OTLP_TIMEOUT").unwrap_or(Duration::from_secs(5)),
        delay: reader.millis("OTEL_BSP_SCHEDULE_DELAY").unwrap_or(Duration::from_secs(5)),
        interval: reader.millis("OTEL_METRIC_EXPORT_INTERVAL").unwrap_or(Duration::from_secs(60)),
        page: reader.flag("METRICS", true) && platform == Platform::Local,
    }
}

/// The collector of a signal: its own address as it is, else the common one with the signal's path below it.
fn collector(reader: &mut Reader, signal: &Signal) -> Option<Collector> {
    let (setting, url) = address(reader, signal)?;
    let exporter = format!("OTEL_{}_EXPORTER", signal.name);
    if reader.one_of(&exporter, &["otlp", "none"]) == "none" {
        return None;
    }
    let checked = url.parse::<Uri>().ok().filter(is_http);
    if checked.is_none() {
        reader.problem(&setting, "is not an http:// or https:// URL");
    }
    speaks_protobuf(reader, signal);
    let headers = headers(reader, signal);
    checked.map(|url| Collector { url, headers })
}

/// The setting that says where a signal goes, and where.
fn address(reader: &Reader, signal: &Signal) -> Option<(String, String)> {
    let (own, common) =
        (format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.name), "OTEL_EXPORTER_OTLP_ENDPOINT");
    if let Some(url) = reader.text(&own) {
        let url = url.to_owned();
        return Some((own, url));
    }
    let base = reader.text(common)?.trim_end_matches('/');
    Some((common.to_owned(), format!("{base}{}", signal.path)))
}

fn is_http(url: &Uri) -> bool {
    url.host().is_some()
        && matches!(url.scheme_str(), Some("http" | "https"))
        && !url.authority().is_some_and(|authority| authority.as_str().contains('@'))
}

/// A collector that waits for gRPC would take nothing, and say so to nobody.
fn speaks_protobuf(reader: &mut Reader, signal: &Signal) {
    let (own, common) =
        (format!("OTEL_EXPORTER_OTLP_{}_PROTOCOL", signal.name), "OTEL_EXPORTER_OTLP_PROTOCOL");
    let setting = if reader.text(&own).is_some() { own.as_str() } else { common };
    reader.one_of(setting, &["http/protobuf"]);
}

/// The signal's own headers, else the common ones: the key of one vendor is not for another.
fn headers(reader: &mut Reader, signal: &Signal) -> HeaderMap {
    let (own, common) = (format!("OTEL_EXPORTER_OTLP_{}_HEADERS", signal.name), "OTEL_EXPORTER_OTLP_HEADERS");
    let setting = if reader.text(&own).is_some() { own.as_str() } else { common };
    let parsed: Option<HeaderMap> = pairs(reader, setting).iter().map(header).collect();
    parsed.unwrap_or_else(|| {
        reader.problem(setting, "holds what is no header: its form is name=value,name=value");
        HeaderMap::new()
    })
}

fn header((name, value): &(String, String)) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::try_from(name).ok()?, value))
}

/// The pairs of a list such as `a=1,b=2`, whose values may be percent-encoded.
fn pairs(reader: &mut Reader, setting: &str) -> Vec<(String, String)> {
    let split = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), path::decode(value.trim()).into_owned()))
    };
    let parsed: Option<Vec<_>> = reader.list(setting).map(split).collect();
    parsed.unwrap_or_else(|| {
        reader.problem(setting, "is not a list such as name=value,name=value");
        Vec::new()
    })
}

fn resource(reader: &mut Reader, platform: Platform) -> Vec<(String, String)> {
    let mut told = pairs(reader, "OTEL_RESOURCE_ATTRIBUTES");
    let mut otherwise = |name: &str, value: &str| {
        if !told.iter().any(|(known, _)| known == name) {
            told.push((name.to_owned(), value.to_owned()));
        }
    };
    otherwise("deployment.environment.name", &super::env(reader, platform));
    otherwise("service.name", "twinlane");
    if let Some(name) = reader.text("OTEL_SERVICE_NAME") {
        told.retain(|(known, _)| known != "service.name");
        told.push(("service.name".to_owned(), name.to_owned()));
    }
    told
}

fn sampler(reader: &mut Reader) -> Sampler {
    let known = [
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
        "always_on",
        "always_off",
        "traceidratio",
    ];
    let name = reader.one_of("OTEL_TRACES_SAMPLER", &known);
    let own = name.trim_start_matches("parentbased_");
    let ratio = match own {
        "always_off" => 0.0,
        "traceidratio" => ratio(reader),
        _ => 1.0,
    };
    Sampler { follows_parent: own != name, ratio }
}

fn ratio(reader: &mut Reader) -> f64 {
    let shape = "a number from 0 to 1";
    let ratio: f64 = reader.parsed("OTEL_TRACES_SAMPLER_ARG", shape).unwrap_or(1.0);
    if !(0.0..=1.0).contains(&ratio) {
        reader.problem("OTEL_TRACES_SAMPLER_ARG", &format!("is not {shape}"));
    }
    ratio
}

#[cfg(test)]
mod tests {
    use twinlane_telemetry::Sampler;

    use crate::config::tests::{config, problems};

    fn urls(vars: &[(&str, &str)]) -> [Option<String>; 2] {
        let telemetry = config(vars).telemetry;
        [telemetry.traces, telemetry.metrics].map(|to| to.map(|to| to.url.to_string()))
    }

    #[test]
    fn each_signal_goes_to_its_own_address_or_below_the_common_one() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example/otlp/");
        let [common_traces, common_metrics] =
            ["https://otel.example/otlp/v1/traces", "https://otel.example/otlp/v1/metrics"];
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/any");
        for (vars, traces, metrics) in [
            (&[][..], None, None),
            (&[base], Some(common_traces), Some(common_metrics)),
            (&[own], Some("http://127.0.0.1:4318/any"), None),
            (&[base, own], Some("http://127.0.0.1:4318/any"), Some(common_metrics)),
            (&[base, ("OTEL_METRICS_EXPORTER", "none")], Some(common_traces), None),
            (&[base, ("OTEL_SDK_DISABLED", "true")], None, None),
        ] {
            assert_eq!(urls(vars), [traces, metrics].map(|url| url.map(str::to_owned)), "{vars:?}");
        }
    }

    #[test]
    fn the_key_of_one_collector_is_not_shown_to_another_nor_printed() {
        let telemetry = config(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20c2VjcmV0, x-other=1"),
            ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "api-key=hidden"),
        ])
        .telemetry;
        let (traces, metrics) = (telemetry.traces.unwrap(), telemetry.metrics.unwrap());
        assert_eq!(traces.headers["authorization"], "Basic c2VjcmV0");
        assert_eq!(traces.headers.len(), 2);
        assert_eq!((metrics.headers.len(), &metrics.headers["api-key"]), (1, &"hidden".parse().unwrap()));
        let printed = format!("{traces:?} {metrics:?}");
        assert!(!printed.contains("c2VjcmV0") && !printed.contains("hidden"), "{printed}");
    }

    #[test]
    fn this_program_is_named_as_opentelemetry_says() {
        let named = |vars: &[(&str, &str)]| {
            let vars = [&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c")], vars].concat();
            let told = config(&vars).telemetry.resource;
            let of = |name: &str| {
                let values: Vec<_> =
                    told.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect();
                values.join("+")
            };
            [of("service.name"), of("deployment.environment.name"), of("team")]
        };
        assert_eq!(named(&[]), ["twinlane", "local", ""]);
        let listed = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,team=red%20one");
        assert_eq!(named(&[listed]), ["a", "local", "red one"]);
        assert_eq!(named(&[listed, ("OTEL_SERVICE_NAME", "b")]), ["b", "local", "red one"]);
    }

    #[test]
    fn a_sampler_is_known_by_its_name() {
        for (name, argument, follows_parent, ratio) in [
            ("", "", true, 1.0),
            ("always_off", "", false, 0.0),
            ("traceidratio", "0.25", false, 0.25),
            ("parentbased_traceidratio", "0.5", true, 0.5),
            ("parentbased_always_off", "", true, 0.0),
        ] {
            let vars = [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ];
            assert_eq!(config(&vars).telemetry.sampler, Sampler { follows_parent, ratio }, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_without_its_value() {
        let found = problems(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel.example:4318 sk-1"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "sk-2"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "7"),
            ("OTEL_RESOURCE_ATTRIBUTES", "sk-3"),
        ]);
        for (setting, count) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", 1),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", 1),
            ("OTEL_EXPORTER_OTLP_HEADERS", 1),
            ("OTEL_TRACES_SAMPLER_ARG", 1),
            ("OTEL_RESOURCE_ATTRIBUTES", 1),
        ] {
            assert_eq!(
                found.iter().filter(|problem| problem.starts_with(setting)).count(),
                count,
                "{found:#?}"
            );
        }
        assert!(!found.concat().contains("sk-"), "{found:#?}");
    }
}
