//! A chat request as Gemini's.

use serde_json::{Map, Value};

use super::contents::Contents;
use super::model::{model_path, third_or_later};
use super::{config, google, tools};
use crate::asked::Asked;
use crate::gemini::{Fields, object};
use crate::target::{Outgoing, Refusal, Target};

/// Parameters of chat that say nothing to Gemini and whose loss changes nothing.
const HEARD: &[&str] = &["model", "stream_options"];

/// Translates a chat request. The model is not in the body but in the URL: see [`super::model_path`].
///
/// # Errors
/// What Gemini cannot hold and the answer depends on.
pub fn request(chat: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut chat = Fields::of(chat, "")?;
    let mut asked = asked(&mut chat, target)?;
    let mut dropped = Vec::new();
    let config = config::read(&mut chat, target.model, asked.stream, &mut dropped)?;
    let tools = tools::read(&mut chat, &mut asked.tool_names, &mut dropped)?;
    let google = google::read(&mut chat)?;
    let messages = messages(&mut chat)?;
    let contents = Contents::new(third_or_later(target.model));
    let (system, contents) = contents.read(messages, &mut asked.tool_names, &mut dropped)?.write();

    let mut body = Map::new();
    if let Some(system) = system {
        body.insert("systemInstruction".to_owned(), system);
    }
    body.insert("contents".to_owned(), contents);
    body.extend(tools);
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    google::apply(google, &mut body, &mut dropped);
    dropped.extend(chat.left().filter(|name| !HEARD.contains(&name.as_str())));
    Ok(Outgoing { body: Value::Object(body), dropped, asked })
}

/// Translates a chat request into one for `:countTokens`.
///
/// # Errors
/// As [`request`]; also a model that has no place in a URL.
pub fn count_request(chat: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let Some(model) = model_path(target.model) else {
        return Err(Refusal::of("model", "invalid_value", "`model` is not the name of a model."));
    };
    let mut outgoing = request(chat, target)?;
    if let Value::Object(body) = &mut outgoing.body {
        body.insert("model".to_owned(), Value::String(model));
    }
    outgoing.body = object([("generateContentRequest", outgoing.body)]);
    Ok(outgoing)
}

fn asked(chat: &mut Fields, target: &Target<'_>) -> Result<Asked, Refusal> {
    let options = chat.fields("stream_options")?;
    let include_usage = options.map(|mut options| options.flag("include_usage")).transpose()?.flatten();
    Ok(Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        stream: chat.flag("stream")?.unwrap_or_default(),
        include_usage: include_usage.unwrap_or_default(),
        ..Asked::default()
    })
}

fn messages(chat: &mut Fields) -> Result<Vec<Value>, Refusal> {
    match chat.need("messages")? {
        Value::Array(messages) => Ok(messages),
        _ => Err(chat.wrong("messages", "an array")),
    }
}
