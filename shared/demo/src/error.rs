//! Says no in the words of the dialect that was spoken.

use http::StatusCode;
use serde_json::{Value, json};

use crate::call::Call;
use crate::reply::Reply;

/// A wire format, as far as errors and headers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

/// Why a call is not answered, before it has a dialect.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    pub(crate) param: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn missing(param: &'static str) -> Self {
        Self { param: Some(param), ..Self::bad_request(format!("Missing required parameter: '{param}'.")) }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn into_reply(self, dialect: Dialect, call: &Call) -> Reply {
        Reply::json(&self.body(dialect, call)).with_status(self.status)
    }

    fn body(&self, dialect: Dialect, call: &Call) -> Value {
        let Self { status, message, param } = self;
        match dialect {
            Dialect::OpenAi => {
                let (kind, code) = openai_kind(*status);
                json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
            }
            Dialect::Anthropic => {
                let error = json!({"type": anthropic_kind(*status), "message": message});
                json!({"type": "error", "error": error, "request_id": call.id("req_")})
            }
            Dialect::Gemini => {
                let error =
                    json!({"code": status.as_u16(), "message": message, "status": google_kind(*status)});
                json!({"error": error})
            }
        }
    }
}

fn openai_kind(status: StatusCode) -> (&'static str, Option<&'static str>) {
    match status.as_u16() {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        402 => ("insufficient_quota", Some("insufficient_quota")),
        403 => ("invalid_request_error", Some("unsupported_country_region_territory")),
        429 => ("requests", Some("rate_limit_exceeded")),
        400..=499 => ("invalid_request_error", None),
        _ => ("server_error", None),
    }
}

fn anthropic_kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

fn google_kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        400..=498 => "INVALID_ARGUMENT",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::call;

    #[test]
    fn each_dialect_words_the_same_refusal_in_its_own_shape() {
        let busy = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy");
        let call = call(http::Method::GET, "/", "");
        assert_eq!(busy.body(Dialect::OpenAi, &call)["error"]["code"], "rate_limit_exceeded");
        assert_eq!(busy.body(Dialect::Anthropic, &call)["error"]["type"], "rate_limit_error");
        assert_eq!(busy.body(Dialect::Gemini, &call)["error"]["status"], "RESOURCE_EXHAUSTED");
    }
}
