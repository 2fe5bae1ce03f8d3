//! What providers are particular about inside the messages.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::target::{Quirks, Refusal};

/// Whether a provider refuses messages that are right by OpenAI's documentation.
pub(super) fn must_be_looked_at(quirks: Quirks) -> bool {
    quirks.plain_messages || quirks.wants_content || quirks.short_tool_ids || quirks.reasoning_echo
}

/// Adapts every message.
///
/// # Errors
/// A [`Refusal`] of a message that is no object.
pub(super) fn adapt(
    body: &mut Map<String, Value>,
    quirks: Quirks,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(Value::Array(messages)) = body.get_mut("messages") else { return Ok(()) };
    for (at, message) in messages.iter_mut().enumerate() {
        let Value::Object(message) = message else {
            return Err(Refusal::of(
                format!("messages[{at}]"),
                "invalid_value",
                "A message must be an object.",
            ));
        };
        adapt_one(message, quirks, dropped);
    }
    Ok(())
}

fn adapt_one(message: &mut Map<String, Value>, quirks: Quirks, dropped: &mut Vec<String>) {
    if quirks.system_only && is(message, "developer") {
        message.insert("role".to_owned(), "system".into());
    }
    if quirks.reasoning_echo {
        echo_reasoning(message);
    }
    if quirks.plain_messages {
        keep_plain(message, dropped);
    }
    if quirks.wants_content && is(message, "assistant") {
        message.entry("content").or_insert(Value::Null);
    }
    if quirks.short_tool_ids {
        shorten_ids(message);
    }
}

fn is(message: &Map<String, Value>, role: &str) -> bool {
    message.get("role").and_then(Value::as_str) == Some(role)
}

/// A turn that called tools must say what was thought before. Clients that know nothing of reasoning do not send it
/// back, and the provider answers 400; a space is taken, nothing is not.
fn echo_reasoning(message: &mut Map<String, Value>) {
    let called = message.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
    if !called || !is(message, "assistant") {
        return;
    }
    let said = |field: &str| message.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    if said("reasoning_content").is_none() {
        let reasoning = said("reasoning").unwrap_or(" ").to_owned();
        message.insert("reasoning_content".to_owned(), reasoning.into());
    }
}

/// Fields of messages that OpenAI's SDKs and other providers put there, and strict ones refuse.
const MORE_THAN_PLAIN: &[&str] = &[
    "annotations",
    "audio",
    "cache_control",
    "extra_content",
    "function_call",
    "images",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "refusal",
    "thinking_blocks",
];

fn keep_plain(message: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    refusal_as_content(message);
    let named = !is(message, "tool") && !is(message, "function");
    for field in MORE_THAN_PLAIN.iter().chain(named.then_some(&"name")) {
        let said = message.shift_remove(*field).is_some_and(|value| !is_empty(&value));
        let path = format!("messages[].{field}");
        if said && !dropped.contains(&path) {
            dropped.push(path);
        }
    }
    if message.get("tool_calls").is_some_and(is_empty) {
        message.shift_remove("tool_calls");
    }
}

/// What the assistant refused with is what it said.
fn refusal_as_content(message: &mut Map<String, Value>) {
    if message.get("content").is_none_or(Value::is_null)
        && let Some(refusal @ Value::String(_)) = message.shift_remove("refusal")
    {
        message.insert("content".to_owned(), refusal);
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn shorten_ids(message: &mut Map<String, Value>) {
    if let Some(Value::String(id)) = message.get_mut("tool_call_id") {
        shorten(id);
    }
    let Some(Value::Array(calls)) = message.get_mut("tool_calls") else { return };
    for call in calls {
        if let Some(Value::String(id)) = call.get_mut("id") {
            shorten(id);
        }
    }
}

/// Another provider's id, as nine digits of its hash: the same for the call and for its result.
fn shorten(id: &mut String) {
    if id.len() != 9 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let digest = Sha256::digest(id.as_bytes());
        *id = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect::<String>()[..9].to_owned();
    }
}
