//! A call as the event of an invocation, in the shape of a Function URL's (payload 2.0).
//!
//! The background then is the same ordinary service whoever invokes it.

use base64::Engine;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use twinlane_gateway::call::Call;

/// The most bytes that an event may have. Lambda answers 413 above that, to the gateway as to anybody.
pub(crate) const MOST: usize = 6 * 1024 * 1024;

/// The event that carries a call with these headers.
pub(crate) fn of(call: &Call, headers: &HeaderMap) -> Vec<u8> {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let body = Written::of(&call.body);
    let head = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": folded(headers),
        "requestContext": {
            "accountId": "anonymous",
            "http": {
                "method": call.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": call.arrival.address.map(|address| address.to_string()),
            },
            "requestId": call.id,
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": matches!(body, Written::Base64(_)),
    });
    with_body(&head, &body)
}

/// A body in the way that makes the smaller event: as text where it is text, as base64 where it is not, or where JSON's
/// escapes would make more of it.
enum Written<'a> {
    Text(&'a str),
    Base64(String),
}

impl<'a> Written<'a> {
    fn of(body: &'a [u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) if escaped(body) <= body.len().div_ceil(3) * 4 => Self::Text(text),
            _ => Self::Base64(base64(body)),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Base64(text) => text,
        }
    }
}

/// How long a text is as a JSON string, without its quotes.
fn escaped(text: &[u8]) -> usize {
    let one = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.iter().map(one).sum()
}

/// One value a name, as Lambda does it: the values of a header that came several times are joined.
fn folded(headers: &HeaderMap) -> Map<String, Value> {
    let value = |name| {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
        String::from_utf8(values.join(b", ".as_slice())).ok()
    };
    headers.keys().filter_map(|name| Some((name.to_string(), value(name)?.into()))).collect()
}

/// The head with the body as its last member. A body has megabytes, and is written once.
fn with_body(head: &Value, body: &Written) -> Vec<u8> {
    let mut event = head.to_string().into_bytes();
    event.reserve(body.as_str().len() + body.as_str().len() / 8);
    event.pop();
    event.extend_from_slice(b",\"body\":");
    // Neither a string nor a vector can refuse this.
    let _ = serde_json::to_writer(&mut event, body.as_str());
    event.push(b'}');
    event
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use lambda_http::{Body, RequestExt};

    use super::{Written, escaped, folded, with_body};

    #[test]
    fn a_body_arrives_as_it_was_sent_and_in_the_smaller_of_two_ways() {
        for (body, as_text) in [
            (&b"{\"model\":\"demo\",\"input\":\"a text with few quotes in it \xc3\xa9\"}"[..], true),
            (&[0xff, 0x00, 0x80, 0x01][..], false),
            (b"", true),
            (br#"\"\"\"\"\"\"\"\"\"\"\"\""#, false),
        ] {
            let written = Written::of(body);
            assert_eq!(matches!(written, Written::Text(_)), as_text, "{body:?}");
            let head = serde_json::json!({
                "version": "2.0", "rawPath": "/p", "rawQueryString": "", "headers": {},
                "requestContext": { "http": { "method": "POST", "path": "/p" }, "stage": "$default" },
                "isBase64Encoded": !as_text,
            });
            let event = String::from_utf8(with_body(&head, &written)).unwrap();
            let request = lambda_http::request::from_str(&event).unwrap();
            assert_eq!(request.body().as_ref(), body);
            assert_eq!(request.raw_http_path(), "/p");
            assert!(matches!(request.body(), Body::Text(_) | Body::Empty) == as_text);
        }
    }

    #[test]
    fn the_length_of_an_escaped_text_is_known_before_it_is_written() {
        let text: String = (0..=0x200).filter_map(char::from_u32).collect();
        assert_eq!(escaped(text.as_bytes()) + 2, serde_json::to_string(&text).unwrap().len());
    }

    #[test]
    fn values_of_one_name_are_joined_and_what_is_no_text_is_left_out() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("accept", &b"a"[..]), ("accept", b"b"), ("x-title", "é".as_bytes()), ("x-odd", b"\xff")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        let folded = serde_json::Value::from(folded(&headers));
        assert_eq!(folded, serde_json::json!({ "accept": "a, b", "x-title": "é" }));
    }
}
