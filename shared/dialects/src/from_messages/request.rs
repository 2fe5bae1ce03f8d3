//! The request: settings and their names. The conversation is in `turns`, the tools in `tools`.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::turns::Turns;
use super::{parts, tools};
use crate::asked::Asked;
use crate::field::{self, Object};
use crate::target::{Outgoing, Quirks, Refusal, Target};

/// OpenAI's limit of stop sequences.
const STOPS: usize = 4;

/// A messages request as a chat request.
///
/// # Errors
/// Where the body is not one, or holds content that the target cannot.
pub fn request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    if body.get("max_tokens").is_none_or(Value::is_null) && body.is_object() {
        let message = "`max_tokens` is required.";
        return Err(Refusal::of("max_tokens", "missing_required_parameter", message));
    }
    for_counting(body, target)
}

/// The same for `count_tokens`, where no answer is asked for and so no limit of it. The estimate of the prompt's tokens
/// is in [`Asked::prompt_estimate`].
///
/// # Errors
/// As [`request`].
pub fn for_counting(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let prompt_estimate = estimate(&body);
    let mut body = field::body(body)?;
    let mut dropped = Vec::new();
    let mut chat = Object::new();
    field::take(&mut body, "model");
    refuse_thread(&mut body)?;
    chat.insert("model".to_owned(), target.model.into());
    chat.insert("messages".to_owned(), conversation(&mut body, target.quirks, &mut dropped)?);
    settings(&mut body, target.quirks, &mut chat, &mut dropped)?;
    tools::read(&mut body, &mut chat, &mut dropped)?;
    thinking(&mut body, &mut chat, &mut dropped)?;
    let stream = stream(&mut body, &mut chat)?;
    dropped.extend(body.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name));
    let asked = Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        stream,
        include_usage: true,
        prompt_estimate,
        ..Asked::default()
    };
    Ok(Outgoing { body: Value::Object(chat), dropped, asked })
}

/// A thread is kept by Anthropic, and a client that has begun one sends nothing but what is new. By this code Anthropic's
/// SDK knows that it has to send everything instead.
fn refuse_thread(body: &mut Object) -> Result<(), Refusal> {
    match field::take(body, "thread") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => {
            let message = "This model cannot keep a `thread`: leave it out and send all messages.";
            Err(Refusal::of("thread", "thread_unsupported_request", message))
        }
    }
}

fn conversation(body: &mut Object, quirks: Quirks, dropped: &mut Vec<String>) -> Result<Value, Refusal> {
    let mut turns = Turns::new(quirks);
    if let Some(system) = field::take(body, "system") {
        turns.system(parts::blocks(system, "system")?).map_err(|refusal| refusal.inside("system"))?;
    }
    let Value::Array(messages) = field::need(body, "messages")? else {
        return Err(field::wrong("messages", "a list"));
    };
    field::each(messages, "messages", |message| turns.message(message))?;
    Ok(turns.into_chat(dropped))
}

fn settings(
    body: &mut Object,
    quirks: Quirks,
    chat: &mut Object,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    field::pass_limit(body, "max_tokens", quirks, chat)?;
    field::pass(body, &["temperature", "top_p"], chat);
    if quirks.top_k {
        field::pass(body, &["top_k"], chat);
    }
    let mut stops = field::list(body, "stop_sequences")?;
    if stops.len() > STOPS {
        stops.truncate(STOPS);
        dropped.push(format!("stop_sequences[{STOPS}]"));
    }
    if !stops.is_empty() {
        chat.insert("stop".to_owned(), Value::Array(stops));
    }
    let mut metadata = field::inner(body, "metadata")?.unwrap_or_default();
    if let Some(user) = field::text(&mut metadata, "user_id").map_err(|refusal| refusal.inside("metadata"))? {
        chat.insert("user".to_owned(), digest(&user).into());
    }
    Ok(())
}

/// Claude Code's user ids are longer than OpenAI takes, and no other provider's business.
fn digest(user: &str) -> String {
    Sha256::digest(user).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The usage is always asked for: an Anthropic stream ends with it.
fn stream(body: &mut Object, chat: &mut Object) -> Result<bool, Refusal> {
    let stream = field::flag(body, "stream")?;
    if stream {
        chat.insert("stream".to_owned(), true.into());
        chat.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    Ok(stream)
}

/// How much the model is to think, and the form of its answer, which Anthropic puts next to that.
fn thinking(body: &mut Object, chat: &mut Object, dropped: &mut Vec<String>) -> Result<(), Refusal> {
    let mut output = field::inner(body, "output_config")?.unwrap_or_default();
    let inside = |refusal: Refusal| refusal.inside("output_config");
    let effort = field::text(&mut output, "effort").map_err(inside)?;
    let thinking = field::inner(body, "thinking")?;
    let effort = reasoning_effort(effort, thinking).map_err(|refusal| refusal.inside("thinking"))?;
    if let Some(effort) = effort {
        chat.insert("reasoning_effort".to_owned(), effort.into());
    }
    let (format, parent) = match field::inner(&mut output, "format").map_err(inside)? {
        Some(format) => (Some(format), "output_config.format"),
        // Its name in the beta.
        None => (field::inner(body, "output_format")?, "output_format"),
    };
    if let Some(format) = format {
        let format = response_format(format).map_err(|refusal| refusal.inside(parent))?;
        chat.insert("response_format".to_owned(), format);
    }
    dropped.extend(output.into_iter().map(|(name, _)| format!("output_config.{name}")));
    Ok(())
}

/// The effort asked for wins over a budget. Thinking that is switched off asks for none: `"none"` is known to few models.
fn reasoning_effort(effort: Option<String>, thinking: Option<Object>) -> Result<Option<String>, Refusal> {
    let by_thinking = thinking.map(effort_of_thinking).transpose()?;
    Ok(match (by_thinking, effort) {
        (Some(None), _) | (None, None) => None,
        // The highest word OpenAI has.
        (_, Some(effort)) if effort == "max" => Some("xhigh".to_owned()),
        (_, Some(effort)) => Some(effort),
        (Some(Some(effort)), None) => Some(effort.to_owned()),
    })
}

/// `None` where thinking is switched off.
fn effort_of_thinking(mut thinking: Object) -> Result<Option<&'static str>, Refusal> {
    match field::need_text(&mut thinking, "type")?.as_str() {
        "disabled" => Ok(None),
        "adaptive" => Ok(Some("high")),
        "enabled" => match field::need(&mut thinking, "budget_tokens")?.as_u64() {
            Some(..2048) => Ok(Some("low")),
            Some(..8192) => Ok(Some("medium")),
            Some(_) => Ok(Some("high")),
            None => Err(field::wrong("budget_tokens", "a whole number")),
        },
        _ => Err(field::wrong("type", "`enabled`, `adaptive` or `disabled`")),
    }
}

fn response_format(mut format: Object) -> Result<Value, Refusal> {
    if field::need_text(&mut format, "type")? != "json_schema" {
        return Err(field::wrong("type", "`json_schema`"));
    }
    let schema = field::need(&mut format, "schema")?;
    Ok(json!({ "type": "json_schema", "json_schema": { "name": "structured_output", "schema": schema } }))
}

/// The prompt's tokens: about four bytes make one. What is not text does not count, so that an image in base64 is not
/// taken for a novel.
fn estimate(body: &Value) -> u64 {
    u64::try_from(text_len(body) / 4).unwrap_or(u64::MAX)
}

fn text_len(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(text_len).sum(),
        Value::Object(object) if object.get("type").and_then(Value::as_str) == Some("base64") => 0,
        Value::Object(object) => object.iter().map(|(name, value)| name.len() + text_len(value)).sum(),
        _ => 1,
    }
}
