//! What both Gemini codecs know: how fields are read, where signatures travel, and what media are called.

mod fields;
mod media;

use serde_json::Value;

pub(crate) use fields::Fields;
pub(crate) use media::{DataUrl, mime_of_name};

/// Stands between a tool call's id and its thought signature. Chat has no field for signatures that clients return,
/// but every client returns ids. `LiteLLM` and agentgateway use the same separator, so histories can move.
const SIGNATURE: &str = "__thought__";

/// A tool call's id, and the signature that travels in it.
pub(crate) fn split_id(id: &str) -> (&str, Option<&str>) {
    match id.split_once(SIGNATURE) {
        Some((id, signature)) => (id, Some(signature).filter(|signature| !signature.is_empty())),
        None => (id, None),
    }
}

/// A tool call's id that carries a signature.
pub(crate) fn signed_id(id: &str, signature: Option<&str>) -> String {
    signature.map_or_else(|| id.to_owned(), |signature| format!("{id}{SIGNATURE}{signature}"))
}

/// The signature in the place where Google's own chat API has it.
pub(crate) fn extra_signature(value: &Value) -> Option<&str> {
    value.pointer("/google/thought_signature").and_then(Value::as_str)
}

/// An object of these fields, in this order. Unlike `json!` it moves the values in, which matters for media.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::{signed_id, split_id};

    #[test]
    fn a_signature_travels_in_the_id() {
        assert_eq!(split_id("call_1__thought__a+/b=="), ("call_1", Some("a+/b==")));
        assert_eq!(split_id("call_1__thought__a__thought__b"), ("call_1", Some("a__thought__b")));
        assert_eq!(split_id("call_1__thought__"), ("call_1", None));
        assert_eq!(split_id("call_1"), ("call_1", None));
        assert_eq!(split_id(&signed_id("x", Some("y"))), ("x", Some("y")));
        assert_eq!(signed_id("x", None), "x");
    }
}
