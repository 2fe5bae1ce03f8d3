//! The request: settings and their names. The conversation is in `items`, the tools in `tools`.

use serde_json::{Value, json};

use super::items::Items;
use super::tools;
use crate::asked::Asked;
use crate::field::{self, Object};
use crate::target::{Outgoing, Quirks, Refusal, Target};

/// What points to something that a gateway without a memory has not.
const STATE: &[&str] = &["previous_response_id", "conversation", "prompt"];

/// What a response repeats of its request.
const REPEATED: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "reasoning",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "user",
];

/// A responses request as a chat request.
///
/// # Errors
/// Where the body is not one, leans on a stored conversation, or holds content that the target cannot.
pub fn request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = field::body(body)?;
    refuse_state(&mut body)?;
    let mut asked = asked(&body, target);
    let mut dropped = Vec::new();
    let mut chat = Object::new();
    field::take(&mut body, "model");
    chat.insert("model".to_owned(), target.model.into());
    chat.insert("messages".to_owned(), conversation(&mut body, target.quirks, &mut dropped)?);
    field::pass_limit(&mut body, "max_output_tokens", target.quirks, &mut chat)?;
    field::pass(&mut body, &["temperature", "top_p", "user", "safety_identifier"], &mut chat);
    asked.custom_tools = tools::read(&mut body, &mut chat, &mut dropped)?;
    reasoning(&mut body, &mut chat)?;
    text(&mut body, &mut chat).map_err(|refusal| refusal.inside("text"))?;
    asked.stream = field::flag(&mut body, "stream")?;
    if asked.stream {
        chat.insert("stream".to_owned(), true.into());
        chat.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    dropped.extend(
        body.into_iter()
            .filter(|(name, value)| !value.is_null() && !is_silent(name, value))
            .map(|(name, _)| name),
    );
    Ok(Outgoing { body: Value::Object(chat), dropped, asked })
}

fn asked(body: &Object, target: &Target<'_>) -> Asked {
    let repeated = REPEATED.iter().filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())));
    Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        include_usage: true,
        repeated: repeated.filter(|(_, value)| !value.is_null()).collect(),
        ..Asked::default()
    }
}

fn refuse_state(body: &mut Object) -> Result<(), Refusal> {
    for name in STATE {
        if field::take(body, name).is_some() {
            let message =
                format!("`{name}` needs a stored conversation, and none is kept here: send the whole input.");
            return Err(Refusal::of(*name, "unsupported_parameter", message));
        }
    }
    if field::flag(body, "background")? {
        let message = "Responses cannot be made in the background: leave `background` out.";
        return Err(Refusal::of("background", "unsupported_parameter", message));
    }
    Ok(())
}

/// Whether leaving a parameter out makes no other answer: hints for caches, and settings that say what happens anyway.
fn is_silent(name: &str, value: &Value) -> bool {
    match name {
        "client_metadata" | "stream_options" => true,
        "prompt_cache_key" | "prompt_cache_options" | "prompt_cache_retention" => true,
        "background" | "store" => *value == false,
        "service_tier" => *value == "auto",
        "truncation" => *value == "disabled",
        _ => false,
    }
}

fn conversation(body: &mut Object, quirks: Quirks, dropped: &mut Vec<String>) -> Result<Value, Refusal> {
    let mut items = Items::new(quirks);
    if let Some(instructions) = field::text(body, "instructions")? {
        items.system(&instructions);
    }
    match field::need(body, "input")? {
        Value::String(text) => items.user(vec![json!({ "type": "text", "text": text })]),
        Value::Array(input) => field::each(input, "input", |item| items.item(item))?,
        _ => return Err(field::wrong("input", "a string or a list of items")),
    }
    Ok(items.into_chat(dropped))
}

/// How much the model is to think. How its thoughts are summarised is the provider's business.
fn reasoning(body: &mut Object, chat: &mut Object) -> Result<(), Refusal> {
    let mut reasoning = field::inner(body, "reasoning")?.unwrap_or_default();
    if let Some(effort) =
        field::text(&mut reasoning, "effort").map_err(|refusal| refusal.inside("reasoning"))?
    {
        chat.insert("reasoning_effort".to_owned(), effort.into());
    }
    Ok(())
}

fn text(body: &mut Object, chat: &mut Object) -> Result<(), Refusal> {
    let Some(text) = field::take(body, "text") else { return Ok(()) };
    let Value::Object(mut text) = text else {
        return Err(Refusal { param: None, ..field::wrong("text", "an object") });
    };
    field::pass(&mut text, &["verbosity"], chat);
    if let Some(format) = field::inner(&mut text, "format")?
        && let Some(format) = response_format(format).map_err(|refusal| refusal.inside("format"))?
    {
        chat.insert("response_format".to_owned(), format);
    }
    Ok(())
}

/// Chat nests what the schema is called; plain text is what it writes anyway.
fn response_format(mut format: Object) -> Result<Option<Value>, Refusal> {
    match field::need_text(&mut format, "type")?.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(json!({ "type": "json_object" }))),
        "json_schema" => {
            let mut schema = Object::new();
            field::pass(&mut format, &["name", "description", "schema", "strict"], &mut schema);
            schema.entry("name").or_insert_with(|| "response".into());
            Ok(Some(json!({ "type": "json_schema", "json_schema": schema })))
        }
        _ => Err(field::wrong("type", "`text`, `json_object` or `json_schema`")),
    }
}
