//! What a Gemini response says, piece by piece: the one reading that whole replies and streams share.

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::chat::{Origin, Usage};
use crate::gemini::{DataUrl, object, signed_id};

/// One thing that a part of a candidate says.
#[derive(Debug)]
pub(super) enum Said {
    Text(String),
    Thought(String),
    Image(Value),
    Call(Call),
    /// The signature of an answer without calls.
    Signature(String),
}

/// A function that the model calls.
#[derive(Debug)]
pub(super) struct Call {
    id: Option<String>,
    name: String,
    args: Value,
    signature: Option<String>,
}

impl Call {
    /// The call as chat has it. `made` counts the calls of the whole reply, for ids where Gemini gives none.
    pub(super) fn write(self, origin: &Origin, made: u64, asked: &Asked) -> Value {
        let id = self.id.unwrap_or_else(|| format!("call_{}_{made}", origin.id));
        let arguments = if self.args.is_null() { "{}".to_owned() } else { self.args.to_string() };
        json!({
            "id": signed_id(&id, self.signature.as_deref()),
            "type": "function",
            "function": { "name": asked.tool_name(&self.name), "arguments": arguments },
        })
    }
}

/// Takes a candidate's parts, in their order. Code that Google runs itself, and what we do not know, says nothing.
pub(super) fn take_parts(candidate: &mut Value) -> Vec<Said> {
    let parts = candidate.pointer_mut("/content/parts").map(Value::take);
    let Some(Value::Array(parts)) = parts else { return Vec::new() };
    let mut said = Vec::new();
    for part in parts {
        read_part(part, &mut said);
    }
    said
}

fn read_part(mut part: Value, said: &mut Vec<Said>) {
    let thought = part["thought"] == true;
    let signature = take_text(&mut part, "thoughtSignature").filter(|signature| !signature.is_empty());
    if let Some(mut call) = part.get_mut("functionCall").map(Value::take) {
        let id = take_text(&mut call, "id").filter(|id| !id.is_empty());
        let args = call.get_mut("args").map(Value::take).unwrap_or_default();
        let Some(name) = take_text(&mut call, "name") else { return };
        return said.push(Said::Call(Call { id, name, args, signature }));
    }
    if let Some(text) = take_text(&mut part, "text").filter(|text| !text.is_empty()) {
        said.push(if thought { Said::Thought(text) } else { Said::Text(text) });
    }
    // Images of a thought are drafts.
    if let Some(blob) = part.get_mut("inlineData").filter(|_| !thought) {
        said.extend(image(blob.take()).map(Said::Image));
    }
    said.extend(signature.filter(|_| !thought).map(Said::Signature));
}

/// An image as `OpenRouter` writes them in chat.
fn image(mut blob: Value) -> Option<Value> {
    let mime = take_text(&mut blob, "mimeType")?;
    let data = take_text(&mut blob, "data")?;
    let url = DataUrl { mime, data }.write();
    Some(object([("type", "image_url".into()), ("image_url", object([("url", Value::String(url))]))]))
}

fn take_text(value: &mut Value, name: &str) -> Option<String> {
    match value.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Who answered.
pub(super) fn origin(body: &Value, asked: &Asked) -> Origin {
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Origin {
        id: text("responseId").unwrap_or_else(|| format!("gen-{}", asked.id)),
        model: text("modelVersion").unwrap_or_else(|| asked.model.clone()),
        created: asked.created,
    }
}

/// What the call cost. In a stream it is on every event, and each time the whole of it.
pub(super) fn usage(body: &Value) -> Option<Usage> {
    body.get("usageMetadata").and_then(usage_of)
}

/// What a `usageMetadata` says.
pub(crate) fn usage_of(metadata: &Value) -> Option<Usage> {
    metadata.as_object()?;
    let count = |name: &str| metadata[name].as_u64();
    let thoughts = count("thoughtsTokenCount").unwrap_or_default();
    let sum = |one: Option<u64>, other: u64| one.unwrap_or_default().saturating_add(other);
    Some(Usage {
        prompt: sum(count("promptTokenCount"), count("toolUsePromptTokenCount").unwrap_or_default()),
        cached: count("cachedContentTokenCount").unwrap_or_default(),
        cache_write: 0,
        completion: sum(count("candidatesTokenCount"), thoughts),
        reasoning: thoughts,
        total: count("totalTokenCount"),
    })
}

/// Why a candidate ended, in Gemini's word; `None` while it has not.
pub(super) fn finish_reason(candidate: &Value) -> Option<&str> {
    candidate["finishReason"]
        .as_str()
        .filter(|reason| !reason.is_empty() && *reason != "FINISH_REASON_UNSPECIFIED")
}

/// Why the prompt was not answered at all.
pub(super) fn block_reason(body: &Value) -> Option<&str> {
    body.pointer("/promptFeedback/blockReason").and_then(Value::as_str)
}

/// Chat's word for Gemini's. `called` is whether functions were called, which Gemini has no word for.
pub(super) fn finish(native: &str, called: bool) -> &'static str {
    match native {
        "STOP" if called => "tool_calls",
        "MAX_TOKENS" => "length",
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => "content_filter",
        _ => "stop",
    }
}
