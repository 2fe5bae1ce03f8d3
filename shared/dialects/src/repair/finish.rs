//! The reasons for which an answer ends, in OpenAI's words.

use serde_json::Value;

/// OpenAI's word for a provider's reason.
pub(super) fn reason(native: &str) -> &'static str {
    match native {
        "length" | "model_length" | "max_tokens" | "MAX_TOKENS" => "length",
        "tool_calls" | "tool_use" | "TOOL_CALL" => "tool_calls",
        "function_call" => "function_call",
        "content_filter" | "SAFETY" => "content_filter",
        // `stop`, and what other words there are for it: eos, end_turn, COMPLETE, stop_sequence. What is neither known
        // nor like it (insufficient_system_resource, error) ends here, too, with the provider's word beside it: SDKs
        // pass unknown reasons on, and programs then do not know whether the answer is over.
        _ => "stop",
    }
}

/// Puts a choice's reason right. `called` says whether it has called tools, which ends in `tool_calls` whatever the
/// provider says.
pub(super) fn repair(choice: &mut Value, called: bool) {
    let Some(native) = choice["finish_reason"].as_str().map(str::to_owned) else { return };
    let said = reason(&native);
    let meant = if said == "stop" && called { "tool_calls" } else { said };
    if meant != native {
        choice["finish_reason"] = meant.into();
        if choice["native_finish_reason"].is_null() {
            choice["native_finish_reason"] = native.into();
        }
    }
}
