//! A request, read whole: nothing is decided before its last byte has arrived.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use crate::error::Refusal;
use crate::routes;

/// The largest request body, in bytes.
pub(crate) const MOST_BODY: usize = 256 << 20;

/// A client's request with its whole body.
#[derive(Debug)]
pub(crate) struct Call {
    /// Counts from 1; the ids in the reply are made of it.
    pub(crate) number: u64,
    /// When it arrived, in Unix seconds.
    pub(crate) at: u64,
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why a request never became a call.
#[derive(Debug)]
pub(crate) enum Unread {
    TooLarge,
    Broken,
}

impl Call {
    pub(crate) async fn read(number: u64, request: Request<Incoming>) -> Result<Self, Unread> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MOST_BODY).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken }
        })?;
        Ok(Self {
            number,
            at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            method: head.method,
            target: head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    /// An id in the provider's style, like `msg_demo000007`.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}demo{:06}", self.number)
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The path's segments; an empty one (a doubled or trailing slash) counts.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path().trim_start_matches('/').split('/').collect()
    }

    /// A query parameter as it was written; the demo reads none that needs decoding.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The method, for choosing an endpoint: `HEAD` is a `GET` whose body hyper does not send.
    pub(crate) fn verb(&self) -> &str {
        if self.method == Method::HEAD { "GET" } else { self.method.as_str() }
    }

    /// The body as a JSON object, which every JSON endpoint of the providers expects.
    pub(crate) fn json(&self) -> Result<Value, Refusal> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(Value::Object(object)),
            Ok(_) => Err(Refusal::bad_request("The request body must be a JSON object.")),
            Err(error) => Err(Refusal::bad_request(format!(
                "We could not parse the JSON body of your request: {error}"
            ))),
        }
    }

    /// The model asked for, wherever the dialect puts it; empty when there is none.
    pub(crate) fn model(&self) -> String {
        let segments = self.segments();
        if let Some(model) = crate::gemini::model_of(self.path()).or_else(|| in_path(&segments)) {
            return model;
        }
        if routes::is_probe(&segments) || !self.body.trim_ascii_start().starts_with(b"{") {
            return String::new();
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["model"].as_str().unwrap_or_default().to_owned()
    }
}

/// The model that Workers AI has in its paths, slashes and all, and Azure had in its older ones.
fn in_path(segments: &[&str]) -> Option<String> {
    match segments {
        ["client", "v4", "accounts", _, "ai", "run", model @ ..] => Some(decoded(&model.join("/"))),
        ["openai", "deployments", deployment, ..] => Some(decoded(deployment)),
        _ => None,
    }
}

/// A part of a path with its percent-encoding undone; what is not encoded properly stays as it is.
pub(crate) fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => bytes.extend(format!("%{part}").bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A call that never crossed a socket.
    pub(crate) fn call(method: Method, target: &str, body: impl Into<Bytes>) -> Call {
        let (target, headers, body) = (target.to_owned(), HeaderMap::new(), body.into());
        Call { number: 7, at: 1_700_000_000, method, target, headers, body }
    }

    #[test]
    fn a_query_parameter_is_found_among_others() {
        let call = call(Method::GET, "/v1/x?a=1&alt=sse", "");
        assert_eq!((call.path(), call.query("alt"), call.query("b")), ("/v1/x", Some("sse"), None));
    }

    #[test]
    fn the_model_is_found_in_the_body_or_the_gemini_path() {
        let chat = call(Method::POST, "/v1/chat/completions", r#"{"model":"demo-slow"}"#);
        let gemini = call(Method::POST, "/v1beta/models/demo-cut:generateContent", "{}");
        let echo = call(Method::POST, "/echo", r#"{"model":"demo-slow"}"#);
        assert_eq!((&*chat.model(), &*gemini.model(), &*echo.model()), ("demo-slow", "demo-cut", ""));
        let workers = call(Method::POST, "/client/v4/accounts/a/ai/run/%40cf/x/demo-cut", "{}");
        assert_eq!(workers.model(), "@cf/x/demo-cut");
    }

    #[test]
    fn percent_encoding_is_undone_once() {
        for (coded, plain) in [("a%2Fb%3Ac", "a/b:c"), ("%C5%BD", "Ž"), ("100%", "100%"), ("%2525", "%25")] {
            assert_eq!(decoded(coded), plain);
        }
    }
}
