//! Chat clients, served by 1min.ai, which takes one text and gives one: no tools, no usage, no reason for the end.
//!
//! Images must be uploaded before they can be spoken of. The gateway asks [`images_of`] for them, uploads them as
//! assets, and gives their paths to [`request_with`].

use serde_json::{Map, Value, json};

use crate::asked::Asked;
use crate::chat::{Origin, Usage};
use crate::errors::Told;
use crate::field;
use crate::from_chat;
use crate::target::{Outgoing, Refusal, Target};

mod images;
mod prompt;
mod stream;

pub use images::{Picture, image_reply, image_request, images_of};
pub use stream::{Stream, stream};

/// Where chat requests go, below the API's host.
#[must_use]
pub fn chat_path(stream: bool) -> &'static str {
    if stream { "/api/chat-with-ai?isStreaming=true" } else { "/api/chat-with-ai" }
}

/// Where image requests go, below the API's host.
pub const FEATURES_PATH: &str = "/api/features?isStreaming=false";

/// Translates a chat request without images.
///
/// # Errors
/// A [`Refusal`] of what 1min.ai has no place for: tools, audio, files, and here images.
pub fn request(chat: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    request_with(chat, target, &[])
}

/// Translates a chat request whose images, in the order of [`images_of`], have been uploaded to these paths.
///
/// # Errors
/// A [`Refusal`] of what 1min.ai has no place for, and of an image without a path.
pub fn request_with(chat: Value, target: &Target<'_>, paths: &[String]) -> Result<Outgoing, Refusal> {
    let chat = field::body(chat)?;
    let asked = from_chat::asked(&chat, target)?;
    let images = images::of_messages(&chat["messages"])?;
    if let Some(picture) = images.get(paths.len()) {
        let message = "Images must be uploaded to 1min.ai first, and this one was not.";
        return Err(Refusal::of(picture.param.clone(), "unsupported_content_part", message));
    }
    refuse_tools(&chat)?;
    let prompt = prompt::write(&chat)?;
    let (model, online) = match target.model.strip_suffix(":online") {
        Some(model) => (model, true),
        None => (target.model, chat.get("web_search_options").is_some_and(Value::is_object)),
    };
    let mut object = json!({ "prompt": prompt, "settings": settings(online) });
    if !paths.is_empty() {
        object["attachments"] = json!({ "images": paths });
    }
    let body = json!({ "type": "UNIFY_CHAT_WITH_AI", "model": model, "promptObject": object });
    Ok(Outgoing { body, dropped: dropped(&chat), asked })
}

/// Reads a whole reply. It carries no usage: 1min.ai tells none.
///
/// # Errors
/// What the provider says went wrong, or that it said nothing.
pub fn reply(body: Value, asked: &Asked) -> Result<Value, Told> {
    if let Some(told) = Told::of_object(&body) {
        return Err(told);
    }
    let text = answer_of(body).filter(|text| !text.is_empty()).ok_or_else(Told::empty)?;
    let message = json!({ "role": "assistant", "content": text, "refusal": null });
    let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" });
    let mut completion = origin(asked.clone()).completion(json!([choice]), &Usage::default());
    if let Some(fields) = completion.as_object_mut() {
        fields.shift_remove("usage");
    }
    Ok(completion)
}

/// The text of a record.
fn answer_of(mut body: Value) -> Option<String> {
    let result = body.pointer_mut("/aiRecord/aiRecordDetail/resultObject").map(Value::take);
    match result.or_else(|| body.get_mut("content").map(Value::take))? {
        Value::String(text) => Some(text),
        Value::Array(texts) => Some(texts.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

fn origin(asked: Asked) -> Origin {
    Origin { id: format!("chatcmpl-{}", asked.id), model: asked.model, created: asked.created }
}

/// No memory of other chats may leak into this one: a gateway's key serves many people.
fn settings(online: bool) -> Value {
    let mut settings = json!({ "historySettings": { "isMixed": false }, "withMemories": false });
    if online {
        settings["webSearchSettings"] = json!({ "webSearch": true, "numOfSite": 1, "maxWord": 500 });
    }
    settings
}

fn refuse_tools(chat: &Map<String, Value>) -> Result<(), Refusal> {
    let unused = chat.get("tool_choice").is_some_and(|choice| choice == "none");
    for param in ["tools", "functions"] {
        let asked = chat.get(param).and_then(Value::as_array).is_some_and(|tools| !tools.is_empty());
        if asked && !unused {
            let message = "1min.ai cannot call tools: choose another provider for this call.";
            return Err(Refusal::of(param, "unsupported_parameter", message));
        }
    }
    if chat.get("n").and_then(Value::as_u64).is_some_and(|n| n > 1) {
        let message = "1min.ai makes one choice only: leave `n` out or set it to 1.";
        return Err(Refusal::of("n", "unsupported_parameter", message));
    }
    Ok(())
}

/// The parameters that go nowhere. `response_format` is asked for in words, which binds nobody, so it is among them.
fn dropped(chat: &Map<String, Value>) -> Vec<String> {
    let kept =
        ["model", "messages", "stream", "stream_options", "web_search_options", "n", "tools", "functions"];
    let moot = |name: &str, value: &Value| {
        kept.contains(&name) || value.is_null() || (name == "response_format" && value["type"] == "text")
    };
    chat.iter().filter(|(name, value)| !moot(name, value)).map(|(name, _)| name.clone()).collect()
}
