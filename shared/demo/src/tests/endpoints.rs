//! The endpoints, each with the one thing a client would miss.

use serde_json::Value;

use super::*;

pub(super) fn body_of(reply: &str) -> &str {
    reply.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

pub(super) fn json(reply: &str) -> Value {
    serde_json::from_str(body_of(reply)).unwrap_or_else(|error| panic!("{error}: {reply}"))
}

#[tokio::test]
async fn an_upload_comes_back_byte_for_byte() {
    let demo = Demo::start().await.unwrap();
    let sent = crate::bytes(3_000_000);
    let mut socket = TcpStream::connect(demo.addr()).await.unwrap();
    let head = "host: demo\r\nconnection: close\r\ncontent-length: 3000000\r\n\r\n";
    let head = format!("PUT /echo/a%2Fb?q=%20 HTTP/1.1\r\n{head}");
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&sent).await.unwrap();
    let (reply, _) = read_all(socket).await;
    let split = reply.len() - sent.len();
    assert!(reply[split..] == sent);
    assert!(String::from_utf8_lossy(&reply[..split]).contains("x-demo-target: /echo/a%2Fb?q=%20\r\n"));
    let seen = &demo.calls()[0];
    assert_eq!((seen.target.as_str(), seen.body == sent), ("/echo/a%2Fb?q=%20", true));
}

#[tokio::test]
async fn a_status_without_a_body_has_none() {
    let demo = Demo::start().await.unwrap();
    for status in ["204", "304"] {
        let reply = raw(&demo, &format!("GET /status/{status}"), "", "").await;
        assert!(body_of(&reply).is_empty() && !reply.contains("content-length"), "{reply}");
    }
    let reply = raw(&demo, "GET /status/307", "", "").await;
    assert!(reply.contains("location: http://127.0.0.1:9/elsewhere\r\n"), "{reply}");
}

#[tokio::test]
async fn a_head_request_learns_the_length_only() {
    let demo = Demo::start().await.unwrap();
    let reply = raw(&demo, "HEAD /bytes/1234", "", "").await;
    assert!(reply.contains("content-length: 1234\r\n") && body_of(&reply).is_empty(), "{reply}");
    assert_eq!(end_of(&demo).await, End::Complete);
}

#[tokio::test]
async fn a_range_is_that_part_of_the_bytes() {
    let demo = Demo::start().await.unwrap();
    let request = open(&demo, "GET /bytes/100", "connection: close\r\nrange: bytes=10-19\r\n", "").await;
    let (reply, _) = read_all(request).await;
    assert!(reply.ends_with(&crate::bytes(100)[10..20]));
    assert!(String::from_utf8_lossy(&reply).contains("content-range: bytes 10-19/100\r\n"));
}

#[tokio::test]
async fn awkward_reply_headers_are_all_there() {
    let demo = Demo::start().await.unwrap();
    let reply = raw(&demo, "GET /headers", "x-mine: 1\r\nx-mine: 2\r\n", "").await;
    for header in
        ["set-cookie: ", "connection: x-nominated", "x-nominated: 1", "x-multi: one", "x-multi: two"]
    {
        assert!(reply.contains(header), "{header}: {reply}");
    }
    assert_eq!(json(&reply)["headers"]["x-mine"], serde_json::json!(["1", "2"]));
}

#[tokio::test]
async fn usage_comes_last_in_a_stream_and_only_when_it_was_asked_for() {
    let demo = Demo::start().await.unwrap();
    let without = chat(&demo, "x-demo-chunk-delay-ms: 0\r\n", STREAM).await;
    assert!(!without.contains("\"usage\"") && without.contains("[DONE]"), "{without}");
    let asked =
        STREAM.replace("\"stream\":true", "\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    let with = chat(&demo, "x-demo-chunk-delay-ms: 0\r\n", &asked).await;
    let events: Vec<Value> =
        with.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
    let (last, others) = events.split_last().unwrap();
    assert!(last["choices"] == serde_json::json!([]) && last["usage"]["total_tokens"].is_u64());
    assert!(others.iter().all(|event| event.get("usage") == Some(&Value::Null)));
}

#[tokio::test]
async fn a_model_that_is_an_error_answers_it_in_openais_shape() {
    let demo = Demo::start().await.unwrap();
    let reply = chat(&demo, "", &WHOLE.replace("\"demo\"", "\"demo-error-429\"")).await;
    assert!(reply.starts_with("HTTP/1.1 429") && reply.contains("x-request-id: req_demo"), "{reply}");
    assert_eq!(json(&reply)["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let demo = Demo::start().await.unwrap();
    for (line, body) in [
        ("POST /v1/chat/completions", "{not json"),
        ("POST /v1/chat/completions", "{\"model\":\"demo\"}"),
        ("GET /bytes/many", ""),
    ] {
        let reply = raw(&demo, line, "", body).await;
        assert!(reply.starts_with("HTTP/1.1 400") && json(&reply)["error"]["message"].is_string(), "{reply}");
    }
    assert!(raw(&demo, "GET /nowhere", "", "").await.starts_with("HTTP/1.1 404"));
    assert!(chat(&demo, "x-demo-cut: haed\r\n", WHOLE).await.starts_with("HTTP/1.1 400"));
}

/// The reply to a JSON call, without waiting between events.
pub(super) async fn post(demo: &Demo, path: &str, body: &Value) -> String {
    raw(demo, &format!("POST {path}"), "x-demo-chunk-delay-ms: 0\r\n", &body.to_string()).await
}

/// The JSON of every event of a streamed reply.
pub(super) fn events(reply: &str) -> Vec<Value> {
    reply.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect()
}

/// A chunked body, put together.
pub(super) fn dechunked(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole += &tail[..size];
        rest = &tail[(size + 2).min(tail.len())..];
    }
    whole
}

fn types(reply: &str) -> Vec<String> {
    let mut types: Vec<String> =
        events(reply).iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect();
    types.dedup();
    types
}

fn weather(tools: &Value) -> Value {
    let messages = serde_json::json!([{"role": "user", "content": "The weather in Paris and Tokyo?"}]);
    serde_json::json!({
        "model": "demo", "stream": true, "max_tokens": 100, "messages": messages, "tools": tools,
    })
}

fn schema() -> Value {
    serde_json::json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

#[tokio::test]
async fn streamed_tool_calls_are_fragments_that_join_to_json() {
    let demo = Demo::start().await.unwrap();
    let function = serde_json::json!({"name": "get_weather", "parameters": schema()});
    let tools = serde_json::json!([{"type": "function", "function": function}]);
    let reply = post(&demo, "/v1/chat/completions", &weather(&tools)).await;
    let mut arguments = [String::new(), String::new()];
    for event in events(&reply) {
        let call = &event["choices"][0]["delta"]["tool_calls"][0];
        if let Some(index) = call["index"].as_u64() {
            arguments[index as usize] += call["function"]["arguments"].as_str().unwrap();
        }
    }
    assert_eq!(arguments, [r#"{"city":"Paris"}"#, r#"{"city":"Tokyo"}"#]);
    assert!(reply.contains(r#""finish_reason":"tool_calls""#), "{reply}");
}

#[tokio::test]
async fn anthropics_events_come_in_anthropics_order() {
    let demo = Demo::start().await.unwrap();
    let mut body: Value = serde_json::from_str(STREAM).unwrap();
    assert!(post(&demo, "/v1/messages", &body).await.contains("max_tokens: Field required"));
    body["max_tokens"] = 100.into();
    let reply = post(&demo, "/v1/messages", &body).await;
    let order = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(types(&reply), order);
    let tools = serde_json::json!([{"name": "get_weather", "input_schema": schema()}]);
    let reply = post(&demo, "/v1/messages", &weather(&tools)).await;
    assert_eq!(reply.matches(r#""type":"tool_use""#).count(), 2);
    assert_eq!(reply.matches(r#""type":"content_block_stop""#).count(), 2);
}

#[tokio::test]
async fn the_responses_events_come_in_the_official_order_and_are_numbered() {
    let demo = Demo::start().await.unwrap();
    let body = serde_json::json!({"model": "demo", "stream": true, "input": "hello"});
    let reply = post(&demo, "/v1/responses", &body).await;
    let order = [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(types(&reply), order.map(|name| format!("response.{name}")));
    let events = events(&reply);
    assert!(events.iter().enumerate().all(|(i, event)| event["sequence_number"] == i), "{reply}");
    let whole = events.last().unwrap()["response"]["output"][0]["content"][0]["text"].as_str().unwrap();
    let told: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(told, whole);
}

#[tokio::test]
async fn responses_call_tools_event_by_event() {
    let demo = Demo::start().await.unwrap();
    let tools = serde_json::json!([{"type": "function", "name": "get_weather", "parameters": schema()}]);
    let body = serde_json::json!({"stream": true, "input": "weather in Oslo", "tools": tools});
    let reply = post(&demo, "/v1/responses", &body).await;
    let order = [
        "created",
        "in_progress",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(types(&reply), order.map(|name| format!("response.{name}")));
    assert!(events(&reply).iter().enumerate().all(|(i, event)| event["sequence_number"] == i), "{reply}");
}

#[tokio::test]
async fn gemini_streams_events_or_one_array() {
    let demo = Demo::start().await.unwrap();
    let body = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    let reply = post(&demo, "/v1beta/models/demo:streamGenerateContent?alt=sse", &body).await;
    assert_eq!(events(&reply).last().unwrap()["candidates"][0]["finishReason"], "STOP");
    let reply = post(&demo, "/v1beta/models/demo:generateContent", &body).await;
    assert!(json(&reply)["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap().contains("hello"));
    let wrong = post(&demo, "/v1beta/models/demo:generateContent", &serde_json::json!({})).await;
    assert_eq!(json(&wrong)["error"]["status"], "INVALID_ARGUMENT");
    let array = post(&demo, "/v1beta/models/demo:streamGenerateContent", &body).await;
    let array: Value = serde_json::from_str(&dechunked(body_of(&array))).unwrap();
    assert_eq!(array.as_array().unwrap().last().unwrap()["candidates"][0]["finishReason"], "STOP");
}

#[tokio::test]
async fn a_file_is_kept_until_it_is_deleted() {
    let demo = Demo::start().await.unwrap();
    let form = "--x\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\none\r\n\r\ntwo\r\n--x--\r\n";
    let kind = "content-type: multipart/form-data; boundary=x\r\n";
    let file = json(&raw(&demo, "POST /v1/files", kind, form).await);
    let (id, content) = (file["id"].as_str().unwrap(), "one\r\n\r\ntwo");
    assert_eq!((file["bytes"].as_u64(), file["filename"].as_str()), (Some(10), Some("a.txt")));
    assert_eq!(body_of(&raw(&demo, &format!("GET /v1/files/{id}/content"), "", "").await), content);
    assert_eq!(json(&raw(&demo, "GET /v1/files", "", "").await)["data"][0]["id"], id);
    assert_eq!(json(&raw(&demo, &format!("DELETE /v1/files/{id}"), "", "").await)["deleted"], true);
    assert!(raw(&demo, &format!("GET /v1/files/{id}"), "", "").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_other_endpoints_answer_in_their_shapes() {
    let demo = Demo::start().await.unwrap();
    let body = serde_json::json!({
        "model": "demo", "prompt": "hi", "input": "hi", "n": 2,
        "input_file_id": "file-1", "endpoint": "/v1/x",
        "messages": [{"role": "user", "content": "hi"}],
        "requests": [{"content": {"parts": [{"text": "hi"}]}}],
    });
    for (path, pointer) in [
        ("/v1/completions", "/choices/0/text"),
        ("/v1/responses", "/output/0/content/0/text"),
        ("/v1/embeddings", "/data/0/embedding/1535"),
        ("/v1/images/generations", "/data/1/b64_json"),
        ("/v1/moderations", "/results/0/flagged"),
        ("/v1/batches", "/request_counts/total"),
        ("/v1/messages/count_tokens", "/input_tokens"),
        ("/v1beta/openai/chat/completions", "/choices/1/message/content"),
        ("/v1beta/models/demo:batchEmbedContents", "/embeddings/0/values/767"),
    ] {
        let reply = post(&demo, path, &body).await;
        assert!(json(&reply).pointer(pointer).is_some(), "{path}: {reply:.2000}");
    }
    let speech = open(&demo, "POST /v1/audio/speech", "connection: close\r\n", r#"{"input":"hi"}"#).await;
    assert!(String::from_utf8_lossy(&read_all(speech).await.0).contains("RIFF"));
}

#[tokio::test]
async fn models_are_listed_in_the_callers_dialect() {
    let demo = Demo::start().await.unwrap();
    let openai = json(&raw(&demo, "GET /v1/models", "", "").await);
    let anthropic = json(&raw(&demo, "GET /v1/models", "anthropic-version: 2023-06-01\r\n", "").await);
    let gemini = json(&raw(&demo, "GET /v1beta/models", "", "").await);
    assert_eq!(openai["data"][0]["object"], "model");
    assert_eq!(anthropic["data"][0]["type"], "model");
    assert_eq!(gemini["models"][0]["name"], "models/demo");
}
