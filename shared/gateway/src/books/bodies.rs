//! The bodies of a call, for operators who ask for them: capped, and without the headers that hold credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

/// The most bytes of a body that are kept.
const MOST: usize = 64 * 1024;

/// Words in the name of a header that holds a credential.
const CREDENTIALS: [&str; 8] =
    ["auth", "key", "token", "secret", "cookie", "signature", "password", "credential"];

/// The same for a caller's address, which is never kept, as proxies tell it, and for another page's query.
const TRACES: [&str; 5] = ["forwarded", "client-ip", "real-ip", "connecting-ip", "referer"];

/// What is kept of a call's bodies.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    request: Side,
    response: Side,
}

#[derive(Debug, Default)]
struct Side {
    headers: HeaderMap,
    body: Vec<u8>,
    /// How many bytes there were.
    size: u64,
}

impl Bodies {
    /// Begins with a request.
    pub(crate) fn of_request(headers: &HeaderMap, body: &Bytes) -> Self {
        let mut request = Side { headers: headers.clone(), ..Side::default() };
        request.take(body);
        Self { request, response: Side::default() }
    }

    /// Goes on with the head of the answer.
    pub(crate) fn answered(&mut self, headers: &HeaderMap) {
        self.response.headers = headers.clone();
    }

    /// And with a piece of its body.
    pub(crate) fn passed(&mut self, data: &[u8]) {
        self.response.take(data);
    }

    pub(super) fn json(self) -> (Value, Value) {
        (self.request.json(), self.response.json())
    }
}

impl Side {
    fn take(&mut self, data: &[u8]) {
        let room = MOST - self.body.len();
        self.body.extend_from_slice(&data[..data.len().min(room)]);
        self.size += data.len() as u64;
    }

    fn json(self) -> Value {
        let truncated = self.size > self.body.len() as u64;
        let mut told =
            json!({ "headers": headers(&self.headers), "bytes": self.size, "truncated": truncated });
        match text(self.body) {
            Ok(text) => told["body"] = text.into(),
            Err(bytes) => {
                told["body"] = STANDARD.encode(bytes).into();
                told["encoding"] = "base64".into();
            }
        }
        told
    }
}

/// A body as text, less a character that was cut at its end.
fn text(bytes: Vec<u8>) -> Result<String, Vec<u8>> {
    String::from_utf8(bytes).or_else(|error| {
        let good = error.utf8_error();
        let (valid, cut) = (good.valid_up_to(), good.error_len().is_none());
        let mut bytes = error.into_bytes();
        if !cut {
            return Err(bytes);
        }
        bytes.truncate(valid);
        String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)
    })
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let told = |(name, value): (&HeaderName, &HeaderValue)| {
        let mut words = CREDENTIALS.iter().chain(&TRACES);
        let is_redacted = words.any(|word| name.as_str().contains(word)) || value.is_sensitive();
        let value = if is_redacted { "(redacted)".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        (name.to_string(), Value::from(value))
    };
    headers.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::{Bodies, MOST};

    #[test]
    fn credentials_and_addresses_are_not_kept_and_bodies_are_cut() {
        let headers: HeaderMap = [
            ("authorization", "Bearer s3cret"),
            ("x-api-key", "s3cret"),
            ("x-auth-token", "s3cret"),
            ("cookie", "session_id=s3cret"),
            ("x-amz-security-token", "s3cret"),
            ("x-forwarded-for", "s3cret"),
            ("forwarded", "for=s3cret"),
            ("x-real-ip", "s3cret"),
            ("cf-connecting-ip", "s3cret"),
            ("true-client-ip", "s3cret"),
            ("referer", "https://a.example/?key=s3cret"),
            ("content-type", "application/json"),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
        let mut bodies = Bodies::of_request(&headers, &Bytes::from_static(b"{}"));
        bodies.passed(&[b'a'; 1000]);
        bodies.passed(&vec![b'b'; MOST]);
        let (request, response) = bodies.json();
        assert!(!request.to_string().contains("s3cret"), "{request}");
        assert_eq!(request["headers"]["content-type"], "application/json");
        assert_eq!((request["body"].as_str(), request["truncated"].as_bool()), (Some("{}"), Some(false)));
        assert_eq!(response["bytes"], MOST as u64 + 1000);
        assert_eq!(response["truncated"], true);
        assert_eq!(response["body"].as_str().map(str::len), Some(MOST));
    }

    #[test]
    fn what_is_no_text_is_kept_in_base64_and_a_cut_character_is_left_out() {
        let kept = |data: &[u8]| {
            let mut bodies = Bodies::default();
            bodies.passed(data);
            bodies.json().1
        };
        assert_eq!(kept("né".as_bytes())["body"], "né");
        assert_eq!(kept(&"né".as_bytes()[..2])["body"], "n");
        assert_eq!(kept(b"\xff\xfe")["encoding"], "base64");
    }
}
