//! A Function URL: HTTP in front of a function, as Lambda puts it there.

use std::time::Duration;

use base64::Engine;
use bytes::BytesMut;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::wire::{self, Breakable, Sender, json_answer};
use super::{Function, Invocation, Invoker, MOST_EVENT, Part};
use crate::Client;

/// Opens a URL in front of a function that may take `lasts` for an answer.
pub async fn open(function: &Function, lasts: Duration) -> Client {
    let invoker = function.invoker();
    Client::to(wire::serve(move |request| answer(invoker.clone(), request, lasts)).await)
}

async fn answer(function: Invoker, request: Request<Incoming>, lasts: Duration) -> Response<Breakable> {
    let (head, body) = request.into_parts();
    let event = event(&head, &body.collect().await.expect("a body").to_bytes());
    if event.to_string().len() > MOST_EVENT {
        let told = json!({ "Message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation" });
        return json_answer(413, &told);
    }
    passed_on(function.invoke(event, lasts)).await
}

/// Payload 2.0. Bodies of types that are not text come as base64, repeated headers as one, cookies apart.
fn event(head: &Parts, body: &[u8]) -> Value {
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let mut headers = folded(&head.headers);
    let cookies = headers.as_object_mut().and_then(|headers| headers.remove("cookie"));
    headers["x-forwarded-for"] = "203.0.113.5".into();
    headers["x-forwarded-proto"] = "https".into();
    headers["x-amzn-trace-id"] = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700".into();
    let mut event = super::event(head.method.as_str(), path, query, &headers, "");
    if let Some(cookies) = cookies {
        event["cookies"] = cookies.as_str().unwrap_or_default().split("; ").collect();
    }
    let text = std::str::from_utf8(body).ok().filter(|text| text.is_empty() || is_text(&head.headers));
    event["isBase64Encoded"] = text.is_none().into();
    event["body"] =
        text.map_or_else(|| base64::engine::general_purpose::STANDARD.encode(body), str::to_owned).into();
    event
}

fn folded(headers: &HeaderMap) -> Value {
    let value = |name| {
        let values = headers.get_all(name).iter().map(|value| value.to_str().expect("text"));
        values.collect::<Vec<_>>().join(",")
    };
    headers.keys().map(|name| (name.to_string(), Value::from(value(name)))).collect()
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").map_or("", |kind| kind.to_str().expect("text"));
    kind.is_empty()
        || ["text/", "application/json", "application/javascript", "application/xml"]
            .iter()
            .any(|text| kind.starts_with(text))
}

/// The function's answer once its head is there; the body follows as it is made.
async fn passed_on(mut invocation: Invocation) -> Response<Breakable> {
    let mut seen = BytesMut::new();
    loop {
        match invocation.part_whenever().await {
            Part::Head(headers) => assert_eq!(headers["lambda-runtime-function-response-mode"], "streaming"),
            Part::Chunk(chunk) => seen.extend_from_slice(&chunk),
            Part::End(_) | Part::Error(_) => {
                return json_answer(502, &json!({ "Message": "Internal Server Error" }));
            }
        }
        if let Some(zeros) = seen.windows(8).position(|window| window == [0; 8]) {
            let (sender, mut response) = wire::open();
            put_head(&mut response, &seen.split_to(zeros));
            sender.says(seen.split_off(8).freeze());
            tokio::spawn(rest(invocation, sender));
            return response;
        }
    }
}

/// Function URLs have one value a header, so a list is a mistake of the function.
fn put_head(response: &mut Response<Breakable>, prelude: &[u8]) {
    let prelude: Value = serde_json::from_slice(prelude).expect("a JSON prelude");
    let status = prelude["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    *response.status_mut() = status.expect("a status").try_into().expect("a status");
    for (name, value) in prelude["headers"].as_object().expect("headers") {
        // Lambda chunks every streamed answer itself.
        if name != "content-length" {
            let (name, value) =
                (http::HeaderName::try_from(name), value.as_str().expect("one value").parse());
            response.headers_mut().insert(name.expect("a name"), value.expect("a value"));
        }
    }
}

async fn rest(mut invocation: Invocation, sender: Sender) {
    loop {
        match invocation.part_whenever().await {
            Part::Head(_) => {}
            Part::Chunk(chunk) => sender.says(chunk),
            Part::End(None) => return,
            Part::End(Some(_)) | Part::Error(_) => return sender.breaks(),
        }
    }
}
