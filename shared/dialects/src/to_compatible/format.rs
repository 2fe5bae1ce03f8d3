//! The answer's format: what a provider cannot be told in `response_format` it is told in words.

use serde_json::{Map, Value, json};

use crate::target::Quirks;

/// Says in `response_format` what the provider understands, and the rest in the system message.
pub(super) fn adapt(body: &mut Map<String, Value>, quirks: Quirks, dropped: &mut Vec<String>) {
    let kind = body.get("response_format").and_then(|format| format["type"].as_str()).unwrap_or_default();
    match kind {
        "text" if quirks.no_text_format => {
            body.shift_remove("response_format");
        }
        "json_schema" if quirks.json_object_only => {
            let format = body.insert("response_format".to_owned(), json!({ "type": "json_object" }));
            dropped.push("response_format.json_schema".to_owned());
            let schema =
                format.and_then(|format| format.pointer("/json_schema/schema").map(Value::to_string));
            say(body, &schema.map_or_else(|| JSON.to_owned(), |schema| format!("{FITTING} {schema}")));
        }
        "json_object" if quirks.json_word && !speaks_of_json(body) => say(body, JSON),
        _ => {}
    }
}

const JSON: &str = "Respond using JSON.";
const FITTING: &str = "Respond with one JSON object and nothing else. It must fit this JSON schema:";

fn speaks_of_json(body: &Map<String, Value>) -> bool {
    let contents = body["messages"].as_array().into_iter().flatten().map(|message| &message["content"]);
    contents.into_iter().any(|content| match content {
        Value::Array(parts) => parts.iter().any(|part| has_word(&part["text"])),
        text => has_word(text),
    })
}

fn has_word(text: &Value) -> bool {
    let bytes = text.as_str().unwrap_or_default().as_bytes();
    bytes.windows(4).any(|word| word.eq_ignore_ascii_case(b"json"))
}

/// Adds a sentence to the system message, or makes one of it.
fn say(body: &mut Map<String, Value>, sentence: &str) {
    let Some(Value::Array(messages)) = body.get_mut("messages") else { return };
    let first =
        messages.first_mut().filter(|first| matches!(first["role"].as_str(), Some("system" | "developer")));
    match first.and_then(|first| first.get_mut("content")) {
        Some(Value::String(text)) => {
            text.push_str("\n\n");
            text.push_str(sentence);
        }
        Some(Value::Array(parts)) => parts.push(json!({ "type": "text", "text": sentence })),
        _ => messages.insert(0, json!({ "role": "system", "content": sentence })),
    }
}
