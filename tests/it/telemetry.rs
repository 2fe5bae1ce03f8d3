//! What collectors are told of calls, what providers are told of traces, and that neither costs a call anything.

mod collector;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twinlane_demo::Demo;
use twinlane_tests::lambda::{Function, event};
use twinlane_tests::raw::{Canned, Then};
use twinlane_tests::{Twinlane, eventually};

use crate::world::{World, chat, proxy_config};
use collector::{Collector, Point, Span};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// A gateway that tells a collector everything at once.
async fn watched(vars: &[(&str, &str)]) -> (Collector, World) {
    let collector = Collector::start().await;
    let url = collector.url.clone();
    let world = World::with(&[&quick(&url)[..], vars].concat(), &json!({})).await;
    (collector, world)
}

fn quick(url: &str) -> [(&'static str, &str); 3] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
    ]
}

fn check(span: &Span, expected: &[(&str, Value)]) {
    for (name, value) in expected {
        assert_eq!(span.attributes.get(*name).unwrap_or(&Value::Null), value, "{name} of {span:#?}");
    }
}

fn of<'a>(points: &'a [Point], labels: &[(&str, &str)]) -> Vec<&'a Point> {
    let has =
        |point: &&Point| labels.iter().all(|(name, value)| point.labels.get(*name) == Some(&json!(value)));
    points.iter().filter(has).collect()
}

#[tokio::test]
async fn a_call_that_passes_is_told_in_the_conventions_words_and_nothing_that_was_said_is() {
    let (collector, world) = watched(&[("OTEL_SERVICE_NAME", "desk")]).await;
    let answer = world
        .chat()
        .header("x-request-id", "call-1")
        .header("x-session-id", "s-1")
        .header("authorization", "Bearer sk-a-key-of-the-client-s-own")
        .send()
        .await;
    let usage = answer.json()["usage"].clone();
    let span = collector.spans(1).await.remove(0);
    assert_eq!((span.name.as_str(), span.failed, span.parent.as_str()), ("chat demo", false, ""));
    check(
        &span,
        &[
            ("service.name", json!("desk")),
            ("deployment.environment.name", json!("local")),
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.provider.name", json!("p")),
            ("gen_ai.request.model", json!("demo")),
            ("gen_ai.response.model", answer.json()["model"].clone()),
            ("gen_ai.conversation.id", json!("s-1")),
            ("gen_ai.usage.input_tokens", usage["prompt_tokens"].clone()),
            ("gen_ai.usage.output_tokens", usage["completion_tokens"].clone()),
            ("gen_ai.request.stream", Value::Null),
            ("server.address", json!("127.0.0.1")),
            ("server.port", json!(world.provider.addr().port())),
            ("http.response.status_code", json!(200)),
            ("error.type", Value::Null),
            ("twinlane.call.id", json!("call-1")),
            ("twinlane.outcome", json!("complete")),
            ("twinlane.lane", json!("edge")),
            ("twinlane.attempts", json!(1)),
        ],
    );
    let told = format!("{:?}", span.attributes);
    assert!(!told.contains("Write a story") && !told.contains("sk-a-key"), "{told}");
}

#[tokio::test]
async fn a_call_that_is_translated_is_measured_by_what_its_provider_told() {
    let (collector, world) = watched(&[("P_API_KEY", "a-key-of-the-server"), ("DEFAULT_SERVICE", "p")]).await;
    let body =
        json!({ "model": "p/demo", "max_tokens": 50, "messages": [{ "role": "user", "content": "Hi" }] });
    let answer = world.gateway.client.post("/v1/messages").json(&body).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let usage = answer.json()["usage"].clone();
    check(
        &collector.spans(1).await[0],
        &[
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.provider.name", json!("p")),
            ("gen_ai.request.model", json!("p/demo")),
            ("gen_ai.usage.input_tokens", usage["input_tokens"].clone()),
            ("twinlane.target", json!("p/demo")),
        ],
    );
    let points = collector.points().await;
    for (kind, tokens) in [("input", "input_tokens"), ("output", "output_tokens")] {
        let points = of(&points, &[("metric", "gen_ai.client.token.usage"), ("gen_ai.token.type", kind)]);
        assert_eq!(points.len(), 1, "{points:#?}");
        assert_eq!((points[0].count, Some(points[0].sum)), (1, usage[tokens].as_f64()));
        assert_eq!((points[0].bounds, points[0].delta), (14, false));
    }
}

#[tokio::test]
async fn a_call_that_fails_is_told_with_what_failed() {
    let (collector, world) = watched(&[]).await;
    world.chat().header("x-demo-status", "500").header("traceparent", "nonsense").send().await;
    world.chat().header("x-demo-status", "429").send().await;
    world.chat().header("x-demo-cut", "head").send().await;
    let spans = collector.spans(3).await;
    assert!(spans.iter().all(|span| span.failed), "{spans:#?}");
    let mut errors: Vec<_> = spans.iter().map(|span| span.attributes["error.type"].clone()).collect();
    errors.sort_by_key(Value::to_string);
    assert_eq!(errors, ["429", "500", "upstream_closed"]);
    let points = collector.points().await;
    let durations = [("metric", "gen_ai.client.operation.duration"), ("error.type", "500")];
    assert_eq!(of(&points, &durations).iter().map(|point| point.count).sum::<u64>(), 1, "{points:#?}");
}

#[tokio::test]
async fn a_stream_is_told_with_the_time_of_its_first_chunk() {
    let (collector, world) = watched(&[]).await;
    assert!(world.stream().header("x-demo-delay-ms", "50").send().await.whole);
    world.stream().header("x-demo-cut", "body").send().await;
    let mut spans = collector.spans(2).await;
    spans.sort_by_key(|span| span.failed);
    check(&spans[0], &[("gen_ai.request.stream", json!(true)), ("twinlane.outcome", json!("complete"))]);
    assert!(spans[0].attributes["gen_ai.response.time_to_first_chunk"].as_f64().unwrap() >= 0.05);
    check(&spans[1], &[("twinlane.outcome", json!("truncated"))]);
    let points = collector.points().await;
    let first = of(&points, &[("metric", "gen_ai.client.operation.time_to_first_chunk")]);
    assert_eq!(first.iter().map(|point| point.count).sum::<u64>(), 2, "{points:#?}");
}

#[tokio::test]
async fn a_caller_s_trace_is_joined_and_passed_on_with_our_span_in_it() {
    let (collector, world) = watched(&[]).await;
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let headers =
        [("traceparent", parent.as_str()), ("tracestate", "vendor=opaque"), ("baggage", "tenant=red")];
    world.chat().headers(&headers).send().await;
    let (span, seen) = (collector.spans(1).await.remove(0), world.seen());
    assert_eq!((span.trace.as_str(), span.parent.as_str()), (TRACE, SPAN));
    assert_eq!(span.state, "vendor=opaque");
    assert_eq!(seen.headers["traceparent"], format!("00-{TRACE}-{}-01", span.id));
    assert_eq!(seen.headers["tracestate"], "vendor=opaque");
    assert_eq!(seen.headers["baggage"], "tenant=red");
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_passed_on_and_not_told() {
    let (collector, world) = watched(&[]).await;
    world.chat().header("traceparent", &format!("00-{TRACE}-{SPAN}-00")).send().await;
    let seen = world.seen();
    let passed = seen.headers["traceparent"].to_str().unwrap();
    assert!(passed.starts_with(&format!("00-{TRACE}-")) && passed.ends_with("-00") && !passed.contains(SPAN));
    // What is measured is measured of every call.
    let points = collector.points().await;
    assert_eq!(of(&points, &[("metric", "gen_ai.client.operation.duration")]).len(), 1);
    assert!(collector.told("traces").is_empty());
}

#[tokio::test]
async fn a_broken_trace_is_begun_anew_without_what_others_noted_of_it() {
    let (collector, world) = watched(&[]).await;
    world.chat().headers(&[("traceparent", "00-zz-1"), ("tracestate", "vendor=opaque")]).send().await;
    let (span, seen) = (collector.spans(1).await.remove(0), world.seen());
    assert_eq!(seen.headers["traceparent"], format!("00-{}-{}-01", span.trace, span.id));
    assert!(span.parent.is_empty() && !seen.headers.contains_key("tracestate"));
}

#[tokio::test]
async fn without_a_collector_of_spans_headers_pass_untouched() {
    let collector = Collector::start().await;
    let only_metrics = [("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", collector.url.as_str())];
    let disabled = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()), ("OTEL_SDK_DISABLED", "true")];
    for vars in [&[][..], &only_metrics, &disabled] {
        let world = World::with(vars, &json!({})).await;
        let odd = [("traceparent", "00-as-it-came"), ("tracestate", "vendor=opaque")];
        world.chat().headers(&odd).send().await;
        let seen = world.seen();
        for (name, value) in odd {
            assert_eq!(seen.headers[name], value, "{vars:?}");
        }
        world.provider.clear();
        world.chat().send().await;
        assert!(!world.seen().headers.contains_key("traceparent"));
    }
    assert!(collector.told("traces").is_empty());
}

#[tokio::test]
async fn a_collector_s_key_is_shown_to_it_alone() {
    let (collector, world) =
        watched(&[("OTEL_EXPORTER_OTLP_HEADERS", "api-key=key%20of%20the%20collector")]).await;
    world.chat().send().await;
    collector.spans(1).await;
    let told = collector.told("traces").remove(0);
    assert_eq!(told.headers["api-key"], "key of the collector");
    assert_eq!(told.headers["content-type"], "application/x-protobuf");
    assert!(!world.seen().headers.contains_key("api-key"));
    assert!(!world.gateway.process.printed().contains("key of the collector"));
}

#[tokio::test]
async fn a_dead_collector_slows_no_call_and_is_logged_once() {
    let hanging = Canned::start(Then::Hangs).await;
    for url in ["http://127.0.0.1:9".to_owned(), format!("http://{}", hanging.address)] {
        let vars = [&quick(&url)[..], &[("OTEL_EXPORTER_OTLP_TIMEOUT", "300")]].concat();
        let world = World::with(&vars, &json!({})).await;
        world.chat().send().await;
        let warned =
            || world.gateway.process.printed().matches("the collector of traces does not take").count();
        eventually("the outage is logged", || warned() > 0).await;
        let began = Instant::now();
        for _ in 0..20 {
            assert_eq!(world.chat().send().await.status, 200);
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{url} {:?}", began.elapsed());
        assert_eq!(warned(), 1, "{url}");
    }
}

#[tokio::test]
async fn what_waits_is_told_before_the_process_ends() {
    let collector = Collector::start().await;
    let slow =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
    let mut world = World::with(&slow, &json!({})).await;
    world.chat().send().await;
    assert!(collector.told("traces").is_empty());
    world.gateway.process.terminate();
    assert_eq!(world.gateway.process.exit_code().await, Some(0));
    assert_eq!((collector.spans(1).await.len(), collector.told("metrics").len()), (1, 1));
}

#[tokio::test]
async fn across_the_hop_a_call_is_two_spans_of_one_trace_and_measured_once() {
    let collector = Collector::start().await;
    let provider = Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let common = [&quick(&collector.url)[..], &[("PROXY_CONFIG", config.as_str())]].concat();
    let background = Twinlane::start_background(&common).await;
    let url = background.url();
    let edge = Twinlane::start(&[&common[..], &[("BACKGROUND_URL", url.as_str())]].concat()).await;
    let body = json!({ "model": "demo", "input": "hello" });
    assert_eq!(edge.client.post("/gateway/p/v1/embeddings").json(&body).send().await.status, 200);
    let spans = collector.spans(2).await;
    let outer = spans.iter().position(|span| span.parent.is_empty()).expect("the edge's span");
    let (outer, inner) = (&spans[outer], &spans[1 - outer]);
    assert_eq!((&inner.parent, &inner.trace), (&outer.id, &outer.trace));
    check(outer, &[("gen_ai.operation.name", json!("embeddings")), ("twinlane.lane", json!("background"))]);
    assert!(provider.calls()[0].headers["traceparent"].to_str().unwrap().contains(&inner.id));
    let points = collector.points().await;
    let counted = of(&points, &[("metric", "gen_ai.client.operation.duration")]);
    assert_eq!(counted.iter().map(|point| point.count).sum::<u64>(), 1, "{points:#?}");
}

#[tokio::test]
async fn a_function_tells_before_it_may_be_frozen_and_only_what_is_new() {
    let collector = Collector::start().await;
    let provider = Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let vars = [("PROXY_CONFIG", config.as_str()), ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let function = Function::start("lambda-gateway", &vars).await;
    let headers = json!({ "content-type": "application/json", "host": "abc.lambda-url.on.aws" });
    for call in 1..=2 {
        let text = chat(false).to_string();
        let asked = event("POST", "/gateway/p/v1/chat/completions", "", &headers, &text);
        let streamed = function.invoke(asked, Duration::from_secs(60)).streamed().await;
        assert_eq!(streamed.prelude["statusCode"], 200);
        // The answer has ended, so all of this has been told.
        assert_eq!((collector.told("traces").len(), collector.told("metrics").len()), (call, call));
        let points = collector.points_so_far().await;
        let counted = of(&points, &[("metric", "gen_ai.client.operation.duration")]);
        assert_eq!((counted.len(), counted[0].count, counted[0].delta), (1, 1, true), "{points:#?}");
    }
    check(&collector.spans(2).await[0], &[("deployment.environment.name", json!("eu-central-1"))]);
}

#[tokio::test]
async fn prometheus_reads_what_was_counted() {
    let world = World::with(&[], &json!({})).await;
    world.chat().send().await;
    world.chat().header("x-demo-status", "500").send().await;
    world.gateway.client.get("/gateway/nobody/v1/models").send().await;
    let page = world.gateway.client.get("/metrics").send().await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let text = page.text();
    for line in [
        r#"twinlane_calls_total{service="p",status="200",outcome="complete",lane="edge"} 1"#,
        r#"twinlane_calls_total{service="p",status="500",outcome="complete",lane="edge"} 1"#,
        r#"twinlane_calls_total{service="-",status="404",outcome="complete",lane="-"} 1"#,
        r#"twinlane_call_seconds_count{service="p"} 2"#,
        r#"twinlane_first_byte_seconds_bucket{service="p",le="+Inf"} 2"#,
        "twinlane_requests_in_flight 1",
        "twinlane_connections_open 1",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in:\n{text}");
    }
    assert!(text.contains(r#"twinlane_tokens_total{service="p",model="demo",type="input"}"#), "{text}");
}

#[tokio::test]
async fn prometheus_is_not_the_world() {
    for (vars, token, status) in [
        (&[("AUTH_TOKEN", "tok-1")][..], None, 401),
        (&[("AUTH_TOKEN", "tok-1")], Some("Bearer tok-1"), 200),
        (&[("AUTH_TOKEN", "tok-1")], Some("Bearer tok-2"), 401),
        (&[("HOST", "0.0.0.0")], None, 401),
        (&[("METRICS", "off")], None, 404),
    ] {
        let gateway = Twinlane::start(vars).await;
        let asked = gateway.client.get("/metrics");
        let asked = match token {
            Some(token) => asked.header("authorization", token),
            None => asked,
        };
        assert_eq!(asked.send().await.status, status, "{vars:?} {token:?}");
    }
}
