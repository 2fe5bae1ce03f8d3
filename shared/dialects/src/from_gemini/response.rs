//! The parts of a `GenerateContentResponse`: what whole replies and streams share.

use serde_json::{Map, Value, json};

use crate::asked::Asked;
use crate::chat::Usage;
use crate::gemini::{DataUrl, mime_of_name, object, split_id};

/// Google's reasons that chat has no word for. Where the provider was Gemini, it said one of these.
const REASONS: &[&str] = &[
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
    "NO_IMAGE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
];

/// A text.
pub(super) fn text_part(text: String) -> Value {
    object([("text", Value::String(text))])
}

/// A thought.
pub(super) fn thought_part(text: String) -> Value {
    object([("text", Value::String(text)), ("thought", true.into())])
}

/// A call of a function. A signature comes out of the id again, since Gemini's clients have a field for it.
pub(super) fn call_part(id: &str, name: &str, arguments: &str) -> Value {
    let (id, signature) = split_id(id);
    let mut call = Map::new();
    if !id.is_empty() {
        call.insert("id".to_owned(), id.into());
    }
    call.insert("name".to_owned(), name.into());
    call.insert("args".to_owned(), args(arguments));
    let mut part = object([("functionCall", Value::Object(call))]);
    if let Some(signature) = signature {
        part["thoughtSignature"] = signature.into();
    }
    part
}

/// Arguments as the object that clients read. What is cut off or no object is shown as it came.
fn args(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    let parsed = serde_json::from_str::<Value>(arguments).ok().filter(Value::is_object);
    parsed.unwrap_or_else(|| json!({ "_arguments": arguments }))
}

/// The image of a chat message, by data or by URL.
pub(super) fn image_part(mut image: Value) -> Option<Value> {
    let Some(Value::String(url)) = image.pointer_mut("/image_url/url").map(Value::take) else { return None };
    Some(match DataUrl::parse(url) {
        Ok(DataUrl { mime, data }) => {
            let blob = object([("mimeType", Value::String(mime)), ("data", Value::String(data))]);
            object([("inlineData", blob)])
        }
        Err(url) => {
            let mime = mime_of_name(&url).unwrap_or("image/png");
            json!({ "fileData": { "mimeType": mime, "fileUri": url } })
        }
    })
}

/// A candidate; without a reason while it goes on.
pub(super) fn candidate(index: u64, parts: Vec<Value>, reason: Option<&str>) -> Value {
    let content = object([("parts", Value::Array(parts)), ("role", "model".into())]);
    let mut candidate = object([("content", content)]);
    if let Some(reason) = reason {
        candidate["finishReason"] = reason.into();
    }
    candidate["index"] = index.into();
    candidate
}

/// Google's word for why an answer ended, or would not begin.
pub(super) fn finish_reason<'a>(reason: Option<&str>, native: Option<&'a str>) -> &'a str {
    if let Some(native) = native.filter(|native| REASONS.contains(native)) {
        return native;
    }
    match reason {
        Some("length") => "MAX_TOKENS",
        Some("content_filter") => "SAFETY",
        _ => "STOP",
    }
}

/// A response of these candidates.
pub(super) fn response(candidates: Vec<Value>, usage: Option<&Usage>, model: &str, id: &str) -> Value {
    let mut response = object([("candidates", Value::Array(candidates))]);
    if let Some(usage) = usage {
        response["usageMetadata"] = usage_metadata(usage);
    }
    response["modelVersion"] = model.into();
    response["responseId"] = id.into();
    response
}

/// Google counts thoughts beside the answer, and leaves out what is nothing.
fn usage_metadata(usage: &Usage) -> Value {
    let total = usage.total.unwrap_or_else(|| usage.prompt.saturating_add(usage.completion));
    let mut metadata = json!({
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": usage.completion.saturating_sub(usage.reasoning),
        "totalTokenCount": total,
    });
    if usage.cached > 0 {
        metadata["cachedContentTokenCount"] = usage.cached.into();
    }
    if usage.reasoning > 0 {
        metadata["thoughtsTokenCount"] = usage.reasoning.into();
    }
    metadata
}

/// The parts of a message, or of a delta without its calls. It takes what it reads.
pub(super) fn spoken_parts(message: &mut Value, asked: &Asked) -> Vec<Value> {
    let thoughts = take_text(message, "reasoning_content").or_else(|| take_text(message, "reasoning"));
    let mut parts: Vec<_> = thoughts.filter(|_| !asked.hide_thoughts).map(thought_part).into_iter().collect();
    parts.extend(take_text(message, "content").map(text_part));
    parts.extend(take_text(message, "refusal").map(text_part));
    if let Some(Value::Array(images)) = message.get_mut("images").map(Value::take) {
        parts.extend(images.into_iter().filter_map(image_part));
    }
    if let Some(signature) = message.pointer("/extra_content/google/thought_signature") {
        parts.push(json!({ "text": "", "thoughtSignature": signature }));
    }
    parts
}

fn take_text(message: &mut Value, name: &str) -> Option<String> {
    match message.get_mut(name).map(Value::take) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
