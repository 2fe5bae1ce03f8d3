//! How a client is told of an error: in the words of the API it called.

use std::time::SystemTime;

use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use twinlane_dialects::errors::google_status;

use super::Error;
use crate::body::{Body, full};
use crate::route::Surface;

/// The longest that OpenAI's and Anthropic's SDKs wait because they are told to, in seconds.
const LONGEST_WAIT: u64 = 60;

impl Error {
    /// The error as the client's own API would say it.
    #[must_use]
    pub fn json(&self, surface: Surface, id: &str) -> Value {
        let (status, kind, code) = self.terms();
        let message = self.to_string();
        if surface == Surface::V1Gemini {
            return google_error(status, &message);
        }
        if surface == Surface::V1Anthropic {
            let mut error = json!({ "type": anthropic_type(status), "message": message });
            if code == "thread_unsupported_request" {
                // Anthropic's SDKs read it, and send all messages from then on.
                error["details"] = json!({ "error_code": code, "unsupported": ["model"] });
            }
            return json!({ "type": "error", "error": error, "request_id": id });
        }
        let kind = match self {
            _ if surface == Surface::Gateway => kind.as_str(),
            Self::Limited(limited) if limited.budget => "insufficient_quota",
            _ => openai_type(status),
        };
        let (kind, param, code) = match self {
            Self::Provider(told) => (told.kind.as_str(), told.param.as_deref(), told.code.as_deref()),
            Self::Unfit(refusal) => (kind, refusal.param.as_deref(), Some(code)),
            Self::OutsideScope(outside) => (kind, Some(outside.scope.as_str()), Some(code)),
            _ => (kind, None, Some(code)),
        };
        let error = json!({
            "message": message,
            "type": kind,
            "param": param,
            "code": code,
            "request_id": id,
            "timestamp": humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        });
        json!({ "error": error, "status": status.as_u16() })
    }

    /// The error as an answer.
    #[must_use]
    pub fn into_response(self, surface: Surface, id: &str) -> Response<Body> {
        let mut response = Response::new(full(self.json(surface, id).to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-error-source", HeaderValue::from_static("gateway"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
            if seconds > LONGEST_WAIT {
                // SDKs do not wait so long: they would try again at once, in vain.
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
        }
        if self.status() == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert("allow", HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}

/// An error in Google's shape.
fn google_error(status: StatusCode, message: &str) -> Value {
    let word = google_status(status.as_u16());
    json!({ "error": { "code": status.as_u16(), "message": message, "status": word } })
}

/// OpenAI's `error.type` for a status.
fn openai_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// Anthropic's `error.type` for a status.
fn anthropic_type(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "request_too_large",
        status => openai_type(status),
    }
}
