//! Says no in the words of the dialect that was spoken, and in its provider's accent.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::call::Call;
use crate::flavour::Flavour;
use crate::reply::{Reply, data, typed_event};

/// A wire format, as far as errors and headers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
    WorkersAi,
    OneMin,
    /// No provider's: the demo's own endpoints, which word errors as OpenAI does.
    Probe,
}

/// Why a call is not answered, before it has a dialect.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// The parameter that is wrong, its path joined by dots.
    pub(crate) param: Option<String>,
    /// What OpenAI calls the mistake, where the status does not say it.
    pub(crate) code: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None, code: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn missing(param: &'static str) -> Self {
        Self::bad_request(format!("Missing required parameter: '{param}'.")).about(param)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn about(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn into_reply(self, dialect: Dialect, flavour: Flavour, call: &Call) -> Reply {
        Reply::json(&self.body(dialect, flavour, call)).with_status(self.status)
    }

    /// The error as one event in the middle of a stream.
    pub(crate) fn in_band(&self, dialect: Dialect, flavour: Flavour, call: &Call) -> Bytes {
        let body = self.body(dialect, flavour, call);
        match dialect {
            Dialect::Anthropic => typed_event(&body),
            Dialect::Gemini if call.query("alt") == Some("sse") => format!("data: {body}\r\n\r\n").into(),
            // A stream without events is one JSON array, which ends here.
            Dialect::Gemini => format!("{body}]").into(),
            Dialect::OneMin => format!("event: error\ndata: {body}\n\n").into(),
            _ if call.path().ends_with("/responses") => typed_event(&json!({
                "type": "error", "code": openai_kind(self.status).1.unwrap_or("server_error"),
                "message": self.message, "param": null, "sequence_number": 0,
            })),
            _ if flavour == Flavour::OpenRouter => data(&openrouter_chunk(&body, call)),
            _ => data(&body),
        }
    }

    fn body(&self, dialect: Dialect, flavour: Flavour, call: &Call) -> Value {
        let Self { status, message, .. } = self;
        match dialect {
            Dialect::Anthropic => {
                let error = json!({"type": anthropic_kind(*status), "message": message});
                json!({"type": "error", "error": error, "request_id": call.id("req_")})
            }
            Dialect::Gemini => self.google(),
            Dialect::WorkersAi => {
                let code = if status.is_server_error() { 3_043 } else { 5_006 };
                let errors = json!([{"code": code, "message": message}]);
                json!({"result": null, "success": false, "errors": errors, "messages": []})
            }
            Dialect::OneMin => json!({"statusCode": status.as_u16(), "message": message}),
            Dialect::Probe => self.openai(),
            Dialect::OpenAi => self.accented(flavour),
        }
    }

    fn accented(&self, flavour: Flavour) -> Value {
        let Self { status, message, .. } = self;
        let (kind, code) = openai_kind(*status);
        match flavour {
            Flavour::GeminiCompat => json!([self.google()]),
            Flavour::Cohere => json!({"message": message}),
            Flavour::HuggingFace => json!({"error": message}),
            Flavour::Mistral if *status == StatusCode::UNPROCESSABLE_ENTITY => self.pydantic(),
            Flavour::Mistral => {
                json!({"object": "error", "message": message, "type": kind, "param": null, "code": code})
            }
            Flavour::OpenRouter => {
                let metadata = json!({"provider_name": "Demo", "raw": message});
                json!({"error": {"code": status.as_u16(), "message": message, "metadata": metadata}})
            }
            Flavour::Xai => json!({"code": self.code.or(code).unwrap_or(kind), "error": message}),
            _ => self.openai(),
        }
    }

    fn openai(&self) -> Value {
        let Self { status, message, param, code } = self;
        let (kind, usual) = openai_kind(*status);
        json!({"error": {"message": message, "type": kind, "param": param, "code": code.or(usual)}})
    }

    fn google(&self) -> Value {
        let Self { status, message, .. } = self;
        json!({"error": {"code": status.as_u16(), "message": message, "status": google_kind(*status)}})
    }

    /// Mistral has shown this list at the top and as the message of its usual error (zeroclaw#2693, eca#231);
    /// the second is the one that surprises.
    fn pydantic(&self) -> Value {
        let place: Vec<&str> = self.param.iter().flat_map(|param| param.split('.')).collect();
        let detail = json!([{"type": "extra_forbidden", "loc": place, "msg": self.message, "input": null}]);
        json!({
            "object": "error", "message": {"detail": detail}, "type": "invalid_request_error",
            "param": null, "code": null,
        })
    }
}

/// OpenRouter puts its error beside a choice that looks like any other.
fn openrouter_chunk(body: &Value, call: &Call) -> Value {
    let delta = json!({"role": "assistant", "content": ""});
    let choice =
        json!({"index": 0, "delta": delta, "finish_reason": "error", "native_finish_reason": "error"});
    json!({
        "id": call.id("gen-"), "object": "chat.completion.chunk", "created": call.at, "model": call.model(),
        "provider": "Demo", "error": body["error"], "choices": [choice],
    })
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

    fn check(dialect: Dialect, flavour: Flavour, pointer: &str, wanted: &Value) {
        let busy = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy");
        let body = busy.body(dialect, flavour, &call(http::Method::GET, "/", ""));
        assert_eq!(body.pointer(pointer), Some(wanted), "{flavour:?}: {body}");
    }

    #[test]
    fn each_dialect_words_the_same_refusal_in_its_own_shape() {
        check(Dialect::OpenAi, Flavour::Plain, "/error/code", &json!("rate_limit_exceeded"));
        check(Dialect::Anthropic, Flavour::Plain, "/error/type", &json!("rate_limit_error"));
        check(Dialect::Gemini, Flavour::Plain, "/error/status", &json!("RESOURCE_EXHAUSTED"));
        check(Dialect::WorkersAi, Flavour::Plain, "/errors/0/message", &json!("busy"));
        check(Dialect::OneMin, Flavour::Plain, "/message", &json!("busy"));
    }

    #[test]
    fn each_flavour_has_its_own_shape_too() {
        check(Dialect::OpenAi, Flavour::GeminiCompat, "/0/error/status", &json!("RESOURCE_EXHAUSTED"));
        check(Dialect::OpenAi, Flavour::Cohere, "/message", &json!("busy"));
        check(Dialect::OpenAi, Flavour::HuggingFace, "/error", &json!("busy"));
        check(Dialect::OpenAi, Flavour::Mistral, "/object", &json!("error"));
        check(Dialect::OpenAi, Flavour::OpenRouter, "/error/code", &json!(429));
        check(Dialect::OpenAi, Flavour::Xai, "/error", &json!("busy"));
    }
}
