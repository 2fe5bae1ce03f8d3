//! The Lambda functions under the Runtime API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twinlane_demo::Demo;
use twinlane_tests::lambda::{Function, Part, event};

use crate::world::{chat, proxy_config};

const LONG: Duration = Duration::from_secs(60);

async fn function(vars: &[(&str, &str)]) -> (Demo, Function) {
    let provider = Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let function =
        Function::start("lambda-gateway", &[&[("PROXY_CONFIG", config.as_str())], vars].concat()).await;
    (provider, function)
}

fn post(path: &str, headers: &Value, body: &Value) -> Value {
    let mut all = json!({ "content-type": "application/json", "host": "abc.lambda-url.on.aws", "x-amzn-trace-id": "Root=1" });
    for (name, value) in headers.as_object().unwrap() {
        all[name] = value.clone();
    }
    event("POST", path, "", &all, &body.to_string())
}

#[tokio::test]
async fn a_call_is_answered_with_status_headers_and_body() {
    let (provider, function) = function(&[]).await;
    let streamed = function
        .invoke(post("/gateway/p/v1/chat/completions", &json!({}), &chat(false)), LONG)
        .streamed()
        .await;
    assert_eq!(streamed.prelude["statusCode"], 200);
    assert_eq!(streamed.prelude["headers"]["x-processing-mode"], "edge");
    let answer: Value = serde_json::from_slice(&streamed.body).unwrap();
    assert_eq!(answer["object"], "chat.completion");
    let seen = provider.calls().remove(0);
    assert!(!seen.headers.contains_key("x-amzn-trace-id"));
    assert_eq!(seen.body, chat(false).to_string());
}

#[tokio::test]
async fn a_stream_arrives_chunk_by_chunk() {
    let (_provider, function) = function(&[]).await;
    let headers = json!({ "x-demo-chunks": "5", "x-demo-chunk-delay-ms": "200" });
    let began = Instant::now();
    let mut invocation = function.invoke(post("/gateway/p/v1/chat/completions", &headers, &chat(true)), LONG);
    let (mut first, mut text) = (None, Vec::new());
    loop {
        match invocation.part().await {
            Part::Chunk(chunk) if chunk.starts_with(b"data:") => {
                first.get_or_insert_with(|| began.elapsed());
                text.extend_from_slice(&chunk);
            }
            Part::Head(_) | Part::Chunk(_) => {}
            Part::End(trailers) => break assert!(trailers.is_none()),
            Part::Error(error) => panic!("{error:?}"),
        }
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    assert!(first.unwrap() < began.elapsed() / 2, "{first:?} of {:?}", began.elapsed());
}

#[tokio::test]
async fn a_binary_body_arrives_byte_for_byte() {
    use sha2::{Digest, Sha256};
    let (provider, function) = function(&[]).await;
    let mut event =
        post("/gateway/p/echo", &json!({ "content-type": "application/octet-stream" }), &json!(null));
    event["body"] = "AAEC/v8=".into();
    event["isBase64Encoded"] = true.into();
    let streamed = function.invoke(event, LONG).streamed().await;
    assert_eq!(streamed.body, [0, 1, 2, 0xfe, 0xff]);
    assert_eq!(Sha256::digest(&provider.calls()[0].body), Sha256::digest([0, 1, 2, 0xfe, 0xff]));
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_is_told_in_its_protocol_and_nothing_is_added() {
    let (_provider, function) = function(&[]).await;
    let headers = json!({ "x-demo-cut": "body", "x-demo-cut-after": "3" });
    let streamed =
        function.invoke(post("/gateway/p/v1/chat/completions", &headers, &chat(true)), LONG).streamed().await;
    let text = String::from_utf8(streamed.body).unwrap();
    assert!(text.contains("upstream_closed") && !text.contains("Lambda-Runtime-Function-Error"), "{text}");
    let get = event("GET", "/gateway/p/bytes/100000", "", &json!({ "x-demo-cut": "body" }), "");
    let streamed = function.invoke(get, LONG).streamed().await;
    assert_eq!(streamed.prelude["headers"]["content-length"], "100000", "a client can tell that it is short");
    assert!(
        streamed.body.len() < 100_000 && !String::from_utf8_lossy(&streamed.body).contains("Lambda-Runtime")
    );
}

#[tokio::test]
async fn a_deadline_in_the_middle_of_a_stream_ends_it_before_the_axe() {
    let (_provider, function) = function(&[]).await;
    let headers = json!({ "x-demo-chunks": "100000", "x-demo-chunk-delay-ms": "50" });
    let began = Instant::now();
    let call = post("/gateway/p/v1/chat/completions", &headers, &chat(true));
    let streamed = function.invoke(call, Duration::from_secs(5)).streamed().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let text = String::from_utf8(streamed.body).unwrap();
    assert!(text.contains("\"deadline\"") && !text.contains("[DONE]"), "{text}");
}

#[tokio::test]
async fn repeated_headers_arrive_as_one() {
    let (_provider, function) = function(&[]).await;
    let streamed =
        function.invoke(event("GET", "/gateway/p/headers", "", &json!({}), ""), LONG).streamed().await;
    let headers = &streamed.prelude["headers"];
    assert!(headers["x-multi"].as_str().unwrap().contains(", "), "{headers}");
    assert_eq!(streamed.prelude["cookies"], json!([]));
}

#[tokio::test]
async fn the_console_is_served_by_the_function_that_has_an_address() {
    let (_provider, function) = function(&[]).await;
    let get = |path: &str, accepts: &str| {
        event("GET", path, "", &json!({ "host": "abc.lambda-url.on.aws", "accept-encoding": accepts }), "")
    };
    let page = function.invoke(get("/", ""), LONG).streamed().await;
    assert_eq!(
        (&page.prelude["statusCode"], &page.prelude["headers"]["content-type"]),
        (&json!(200), &json!("text/html; charset=utf-8"))
    );
    assert!(String::from_utf8_lossy(&page.body).contains("<title>Twinlane"), "the page as it is");
    let packed = function.invoke(get("/app.js", "gzip, br"), LONG).streamed().await;
    assert_eq!(packed.prelude["headers"]["content-encoding"], "gzip");
    assert_eq!(packed.body[..2], [0x1f, 0x8b], "and packed for browsers");
    let api = function.invoke(get("/openapi.json", ""), LONG).streamed().await;
    assert_eq!(serde_json::from_slice::<Value>(&api.body).unwrap()["openapi"], "3.1.0");
}

#[tokio::test]
async fn the_background_function_is_an_ordinary_service() {
    let provider = Demo::start().await.unwrap();
    let config = proxy_config(&provider, &json!({}));
    let function = Function::start("lambda-background", &[("PROXY_CONFIG", &config)]).await;
    let call = post("/gateway/p/v1/embeddings", &json!({}), &json!({ "model": "demo", "input": "x" }));
    let streamed = function.invoke(call, LONG).streamed().await;
    assert_eq!(streamed.prelude["headers"]["x-processing-mode"], "background");
    assert_eq!(streamed.prelude["headers"]["x-twinlane-background"], "answered");
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_every_call_s_answer() {
    let function = Function::start("lambda-gateway", &[("IDLE_TIMEOUT", "sk-oops")]).await;
    let streamed = function.invoke(event("GET", "/v1/models", "", &json!({}), ""), LONG).streamed().await;
    assert_eq!(streamed.prelude["statusCode"], 500);
    let told = String::from_utf8(streamed.body).unwrap();
    assert!(told.contains("IDLE_TIMEOUT") && !told.contains("sk-oops"), "{told}");
}

#[tokio::test]
async fn outside_of_lambda_the_functions_say_what_they_are() {
    let mut process = twinlane_tests::Program::start("lambda-gateway", &[], &[], &std::env::temp_dir());
    assert_eq!(process.exit_code().await, Some(1));
    assert!(process.printed().contains("cargo run"), "{}", process.printed());
}
