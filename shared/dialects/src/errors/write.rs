//! Tells an error in a client's format.

use serde_json::{Value, json};

use super::Told;
use super::kind::{anthropic_type, google_status};
use crate::dialect::Dialect;

/// An error's body in a client's format. `request_id` is what Anthropic's clients show to people.
#[must_use]
pub fn write(told: &Told, dialect: Dialect, request_id: &str) -> Value {
    match dialect {
        Dialect::Messages => json!({
            "type": "error",
            "error": { "type": anthropic_type(told.status), "message": told.message },
            "request_id": request_id,
        }),
        Dialect::Gemini => json!({
            "error": {
                "code": told.status, "message": told.message, "status": google_status(told.status),
            },
        }),
        Dialect::Chat | Dialect::Completions | Dialect::Responses | Dialect::OneMin => json!({
            "error": {
                "message": told.message, "type": told.kind, "param": told.param, "code": told.code,
            },
        }),
    }
}
