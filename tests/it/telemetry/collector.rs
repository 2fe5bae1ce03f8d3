//! A collector of OpenTelemetry's: takes what it is told, and reads it with the schema that real ones use.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use twinlane_tests::eventually;

use crate::sdks;

/// What a collector was told in one request.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    body: Bytes,
}

/// A collector on a free port.
#[derive(Debug, Clone)]
pub(super) struct Collector {
    pub(super) url: String,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let collector = Self { url, told: Arc::default() };
        let serving = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let collector = serving.clone();
                let service = service_fn(move |request| collector.clone().take(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        collector
    }

    async fn take(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let told = Told { path: head.uri.path().to_owned(), headers: head.headers, body };
        self.told.lock().unwrap().push(told);
        Ok(Response::new(Full::default()))
    }

    /// All requests so far at the path of a signal.
    pub(super) fn told(&self, signal: &str) -> Vec<Told> {
        let path = format!("/v1/{signal}");
        self.told.lock().unwrap().iter().filter(|told| told.path == path).cloned().collect()
    }

    async fn read(&self, signal: &str, requests: &[Told]) -> Vec<Value> {
        let bodies = requests.iter().map(|told| told.body.iter().map(|byte| format!("{byte:02x}")).collect());
        let bodies: Vec<String> = bodies.collect();
        let arguments: Vec<&str> = bodies.iter().flat_map(|body| [signal, body.as_str()]).collect();
        let (good, printed) = sdks::run("otlp.py", &arguments).await;
        assert!(good, "{printed}");
        printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The spans, once there are as many, in the order of their names.
    pub(super) async fn spans(&self, number: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        for _ in 0..40 {
            let requests = self.read("traces", &self.told("traces")).await;
            spans = requests.iter().flat_map(spans_of).collect();
            if spans.len() >= number {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(spans.len(), number, "{spans:#?}");
        spans.sort_by(|one, other| one.name.cmp(&other.name));
        spans
    }

    /// The points of the newest request with metrics that came after now: each with its metric's name among its labels.
    pub(super) async fn points(&self) -> Vec<Point> {
        let before = self.told("metrics").len();
        eventually("metrics are told", || self.told("metrics").len() > before).await;
        self.points_so_far().await
    }

    /// The points of the newest request with metrics.
    pub(super) async fn points_so_far(&self) -> Vec<Point> {
        let newest = self.told("metrics").pop().into_iter().collect::<Vec<_>>();
        self.read("metrics", &newest).await.iter().flat_map(points_of).collect()
    }
}

/// A span as it was told.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) name: String,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) state: String,
    pub(super) failed: bool,
    /// Its own attributes, and those of the program that told it.
    pub(super) attributes: BTreeMap<String, Value>,
}

/// A point of a histogram.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) labels: BTreeMap<String, Value>,
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) bounds: usize,
    pub(super) delta: bool,
}

fn each<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn spans_of(request: &Value) -> Vec<Span> {
    let of_resource = |resource: &Value| {
        let common = attributes(&resource["resource"]);
        let all = each(resource, "scopeSpans").flat_map(|scope| each(scope, "spans"));
        all.map(|span| span_of(span, common.clone())).collect::<Vec<_>>()
    };
    each(request, "resourceSpans").flat_map(of_resource).collect()
}

fn span_of(span: &Value, mut common: BTreeMap<String, Value>) -> Span {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("kind"), "SPAN_KIND_CLIENT");
    assert!(text("startTimeUnixNano") < text("endTimeUnixNano"), "{span}");
    common.extend(attributes(span));
    Span {
        name: text("name"),
        trace: hex(&text("traceId")),
        id: hex(&text("spanId")),
        parent: hex(&text("parentSpanId")),
        state: text("traceState"),
        failed: span["status"]["code"] == "STATUS_CODE_ERROR",
        attributes: common,
    }
}

fn points_of(request: &Value) -> Vec<Point> {
    let resources = each(request, "resourceMetrics");
    let metrics = resources
        .flat_map(|resource| each(resource, "scopeMetrics"))
        .flat_map(|scope| each(scope, "metrics"));
    let of_metric = |metric: &Value| {
        let histogram = &metric["histogram"];
        let delta = histogram["aggregationTemporality"] == "AGGREGATION_TEMPORALITY_DELTA";
        each(histogram, "dataPoints").map(|point| point_of(point, &metric["name"], delta)).collect::<Vec<_>>()
    };
    metrics.flat_map(of_metric).collect()
}

fn point_of(point: &Value, metric: &Value, delta: bool) -> Point {
    let mut labels = attributes(point);
    labels.insert("metric".to_owned(), metric.clone());
    Point {
        labels,
        count: point["count"].as_str().and_then(|count| count.parse().ok()).expect("a count"),
        sum: point["sum"].as_f64().expect("a sum"),
        bounds: each(point, "explicitBounds").count(),
        delta,
    }
}

/// The attributes of anything, by name. Whole numbers are strings in protobuf's JSON.
fn attributes(of: &Value) -> BTreeMap<String, Value> {
    let plain = |value: &Value| match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, number)) if kind == "intValue" => {
            number.as_str().and_then(|number| number.parse::<i64>().ok()).into()
        }
        Some((_, value)) => value.clone(),
        None => Value::Null,
    };
    each(of, "attributes")
        .map(|pair| (pair["key"].as_str().expect("a name").to_owned(), plain(&pair["value"])))
        .collect()
}

/// Bytes are base64 in protobuf's JSON.
fn hex(base64: &str) -> String {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).expect("base64");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
