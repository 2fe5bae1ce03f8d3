//! What happens to every call and to every piece of its reply.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use twinlane_gateway::auth::{Auth, Caller};
use twinlane_gateway::body::{Body, streaming};
use twinlane_gateway::path;
use twinlane_gateway::record::Notes;
use twinlane_gateway::relay::{self, Waits};
use twinlane_gateway::route::Route;
use twinlane_gateway::scan::Asked;
use twinlane_gateway::{Arrival, headers};

use crate::said::{self, TOKEN};
use crate::world::{call, config, head, runtime, signed};

const WAITS: Waits = Waits { idle: Duration::from_secs(300), silence: Some(Duration::from_secs(10)) };

#[divan::bench]
fn admission_by_a_plain_token(bencher: Bencher<'_, '_>) {
    let (auth, head, arrival) = (Auth::new(config().access.clone()), head(TOKEN), Arrival::now());
    bencher.bench_local(|| auth.admit(black_box(&head), &arrival));
}

#[divan::bench]
fn admission_by_a_signed_token(bencher: Bencher<'_, '_>) {
    let (auth, head, arrival) = (Auth::new(config().access.clone()), head(&signed().1), Arrival::now());
    bencher.bench_local(|| auth.admit(black_box(&head), &arrival));
}

#[divan::bench]
fn finding_the_service(bencher: Bencher<'_, '_>) {
    let head = head(TOKEN);
    bencher.bench_local(|| Route::of(black_box(&head.method), black_box(&head.uri)).is_ok());
}

/// The size is that of the body, in KB.
#[divan::bench(args = [1, 100, 4096])]
fn scanning_a_body_of_kb(bencher: Bencher<'_, '_>, kb: usize) {
    let body = said::body("/chat/completions", true, kb.saturating_sub(1) * 1024);
    bencher.counter(BytesCount::of_str(&body)).bench_local(|| Asked::by(black_box(body.as_bytes())));
}

/// Text of many short strings, whose every byte has to be looked at.
#[divan::bench(args = [1, 100, 4096])]
fn scanning_a_conversation_of_kb(bencher: Bencher<'_, '_>, kb: usize) {
    let turn = r#"{"role":"user","content":[{"type":"text","text":"a short \"question\""}]},"#;
    let turns = turn.repeat(kb * 1024 / turn.len());
    let body = format!(r#"{{"messages":[{}],"stream":true}}"#, turns.trim_end_matches(','));
    bencher.counter(BytesCount::of_str(&body)).bench_local(|| Asked::by(black_box(body.as_bytes())));
}

#[divan::bench]
fn headers_to_the_provider(bencher: Bencher<'_, '_>) {
    let (auth, call, caller) = (Auth::new(config().access.clone()), call(false), Caller::unnamed(true));
    bencher.bench_local(|| headers::to_provider(black_box(&call), &caller, &auth));
}

#[divan::bench]
fn headers_to_the_client(bencher: Bencher<'_, '_>) {
    let headers = provider_headers("application/json");
    bencher.with_inputs(|| headers.clone()).bench_local_refs(headers::to_client);
}

#[divan::bench]
fn building_the_url(bencher: Bencher<'_, '_>) {
    let call = call(false);
    bencher.bench_local(|| black_box(&call).url());
}

#[divan::bench]
fn checking_a_path(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| path::check(black_box("/v1/files/file-abc%20def/content")).is_ok());
}

/// A whole reply under its guard, which finds in it what it cost.
#[divan::bench]
fn passing_a_reply_of_a_kb(bencher: Bencher<'_, '_>) {
    let (call, text) = (call(false), reply());
    bencher.counter(BytesCount::of_slice(&text[..])).bench_local(|| {
        let body = streaming(Full::from(text.clone()));
        passed(relay::to_client(answer("application/json", body), &call, WAITS, Notes::default()))
    });
}

/// A stream under its guard, which watches for its end and finds what it cost; a chunk is an event of 200 bytes.
#[divan::bench(args = [64, 1024])]
fn passing_a_stream_of_chunks(bencher: Bencher<'_, '_>, chunks: usize) {
    let call = call(true);
    let events: Vec<Bytes> =
        (0..chunks).map(|_| event()).chain([Bytes::from_static(b"data: [DONE]\n\n")]).collect();
    bencher.counter(ItemsCount::new(chunks)).with_inputs(|| events.clone()).bench_local_values(|events| {
        let frames = events.into_iter().map(|event| Ok::<_, Infallible>(Frame::data(event)));
        let body = streaming(StreamBody::new(stream::iter(frames)));
        passed(relay::to_client(answer("text/event-stream", body), &call, WAITS, Notes::default()))
    });
}

/// Reads an answer to its end; how long it was.
fn passed<E>(answer: Result<Response<Body>, E>) -> usize {
    let Ok(answer) = answer else { return 0 };
    let mut body = answer.into_body();
    runtime().block_on(async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len);
        }
        length
    })
}

fn answer(kind: &'static str, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.headers_mut() = provider_headers(kind);
    answer
}

/// What OpenAI answers with.
fn provider_headers(kind: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in [
        ("date", "Sat, 21 Nov 2026 02:00:00 GMT"),
        ("access-control-expose-headers", "X-Request-ID"),
        ("openai-organization", "acme"),
        ("openai-processing-ms", "812"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-request-id", "req_0123456789abcdef"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("set-cookie", "__cf_bm=x; path=/"),
        ("alt-svc", "h3=\":443\"; ma=86400"),
        ("server", "cloudflare"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

/// A completion with its usage at the end.
pub(crate) fn reply() -> Bytes {
    let words = "Whoever answers should be heard as soon as if there were nobody in between. ".repeat(10);
    let choice = json!({
        "index": 0, "message": { "role": "assistant", "content": words, "refusal": null }, "logprobs": null,
        "finish_reason": "stop",
    });
    let usage = json!({ "prompt_tokens": 187, "completion_tokens": 142, "total_tokens": 329 });
    chat("chat.completion", &choice, &format!(r#","usage":{usage}"#)).into()
}

/// An event of a chat.
pub(crate) fn event() -> Bytes {
    let choice =
        json!({ "index": 0, "delta": { "content": " word" }, "logprobs": null, "finish_reason": null });
    format!("data: {}\n\n", chat("chat.completion.chunk", &choice, "")).into()
}

/// One of OpenAI's objects, in its own order.
fn chat(kind: &str, choice: &Value, rest: &str) -> String {
    let head = format!(r#""id":"chatcmpl-bench","object":"{kind}","created":1760000000,"model":"bench""#);
    format!(r#"{{{head},"choices":[{choice}]{rest}}}"#)
}
