//! Gemini's request as chat's.

use serde_json::{Map, Value, json};

use super::{config, contents, tools};
use crate::asked::Asked;
use crate::gemini::Fields;
use crate::target::{Outgoing, Refusal, Target};

/// Translates a request of `:generateContent` or, with `"stream": true` in it, of `:streamGenerateContent`.
///
/// # Errors
/// What chat cannot hold and the answer depends on.
pub fn request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = Fields::of(body, "")?;
    let mut dropped = Vec::new();
    let mut asked = asked(&mut body, target)?;
    refuse_cache(&mut body)?;
    let mut chat = Map::new();
    chat.insert("model".to_owned(), target.model.into());
    let messages = contents::read(&mut body, target.quirks, &mut dropped)?;
    chat.insert("messages".to_owned(), Value::Array(messages));
    if let Some(config) = body.fields("generationConfig")? {
        asked.hide_thoughts = !config::read(config, &mut chat, target.quirks, &mut dropped)?.thoughts;
    }
    tools::read(&mut body, &mut chat, &mut dropped)?;
    if asked.stream {
        chat.insert("stream".to_owned(), true.into());
        chat.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    dropped.extend(body.left().filter(|name| name != "model"));
    Ok(Outgoing { body: Value::Object(chat), dropped, asked })
}

/// Translates a request of `:countTokens`, which is only the contents or a whole request in a field of its own.
///
/// # Errors
/// As [`request`].
pub fn for_counting(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = Fields::of(body, "")?;
    let whole = body.take("generateContentRequest");
    request(whole.unwrap_or_else(|| Value::Object(body.into_rest())), target)
}

fn asked(body: &mut Fields, target: &Target<'_>) -> Result<Asked, Refusal> {
    let stream = body.flag("stream")?.unwrap_or_default();
    Ok(Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        stream,
        include_usage: stream,
        hide_thoughts: true,
        ..Asked::default()
    })
}

/// A cache holds a part of the prompt, and only Google has it.
fn refuse_cache(body: &mut Fields) -> Result<(), Refusal> {
    match body.take("cachedContent") {
        None => Ok(()),
        Some(_) => {
            let message = "`cachedContent` is known to Google only: send the contents themselves.";
            Err(Refusal::of("cachedContent", "unsupported_parameter", message))
        }
    }
}
