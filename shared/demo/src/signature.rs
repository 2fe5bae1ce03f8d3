//! Signs thoughts the way Anthropic and Google do: the caller cannot read a signature, only send it back.

use serde_json::Value;

use crate::error::Refusal;
use crate::{base64, noise};

/// What Google takes for a signature where there is none, as in a history from another model.
pub(crate) const SKIP: &str = "skip_thought_signature_validator";

const MARK: &str = "demo-thought-";

/// The signature of a thought, or of the name of a function that was called in thought.
pub(crate) fn of(text: &str) -> String {
    base64::encode(signed(text).as_bytes())
}

/// Whether a signature was made here, for this text.
pub(crate) fn holds(text: &str, signature: &str) -> bool {
    base64::decode(signature).is_some_and(|bytes| bytes == signed(text).as_bytes())
}

/// Gemini's words for a call that came back without its signature.
pub(crate) fn missing(name: &Value) -> Refusal {
    Refusal::bad_request(format!(
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to \
         work correctly. Additional data, function call `default_api:{}`.",
        name.as_str().unwrap_or_default()
    ))
}

fn signed(text: &str) -> String {
    format!("{MARK}{:016x}", noise::seed(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_own_text_only() {
        assert!(holds("a thought", &of("a thought")));
        assert!(!holds("another", &of("a thought")) && !holds("a thought", "c2lnbmVk"));
    }
}
