//! Anthropic's endpoints: messages, token counts and models.

mod check;
mod conversation;
mod message;
mod prompt;

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::noise;
use crate::openai::models::MODELS;
use crate::reply::Reply;
use crate::routes::unknown;
use crate::speech::{self, Speech};
use crate::state::State;
use message::{Cached, Message};

/// Whether a path below `/v1` is Anthropic's: its own, or one that others have too, with Anthropic's header.
pub(crate) fn is_meant(call: &Call, path: &[&str]) -> bool {
    match path {
        ["messages", ..] => true,
        ["models", ..] => call.headers.contains_key("anthropic-version"),
        _ => false,
    }
}

/// Answers `/v1/…`; `path` is what follows the version.
pub(crate) fn reply(state: &State, call: &Call, path: &[&str], shape: Shape) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("POST", ["messages"]) => messages(state, call, shape),
        ("POST", ["messages", "count_tokens"]) => count(call),
        ("GET", ["models"]) => Ok(models()),
        ("GET", ["models", id]) => one_model(id),
        _ => Err(unknown(call)),
    }
}

/// The headers Anthropic puts on every answer.
pub(crate) fn with_headers(reply: Reply, call: &Call) -> Reply {
    reply
        .tell("request-id", call.id("req_"))
        .tell("anthropic-organization-id", "00000000-0000-4000-8000-000000000000")
        .tell("anthropic-ratelimit-requests-limit", "4000")
        .tell("anthropic-ratelimit-requests-remaining", "3999")
        .tell("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z")
}

fn messages(state: &State, call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    check::known_fields(&body)?;
    conversation::check(&body)?;
    check::limits(&body)?;
    let speech = speech::answer(&prompt::read(&body, call), shape.scene);
    let message = Message {
        id: call.id("msg_"),
        model: body["model"].as_str().unwrap_or("demo").to_owned(),
        cached: cached(state, &body, &speech),
    };
    Ok(if body["stream"] == true { message.stream(&speech, shape) } else { message.whole(&speech, shape) })
}

/// A block marked for the cache is written there by the first call that has it, and read by the others.
fn cached(state: &State, body: &Value, speech: &Speech) -> Cached {
    let Some(block) = marked(body) else { return Cached::default() };
    let tokens = speech::tokens(block.to_string().len()).min(speech.input);
    let key = format!("cache {}", noise::sha256(block.to_string().as_bytes()));
    if state.times_seen(&key) == 1 {
        Cached { written: tokens, read: 0 }
    } else {
        Cached { written: 0, read: tokens }
    }
}

/// The first value, however deep, that carries a `cache_control`.
fn marked(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(fields) if fields.get("cache_control").is_some_and(Value::is_object) => Some(value),
        Value::Object(fields) => fields.values().find_map(marked),
        Value::Array(items) => items.iter().find_map(marked),
        _ => None,
    }
}

fn count(call: &Call) -> Result<Reply, Refusal> {
    let body = call.json()?;
    conversation::check(&body)?;
    Ok(Reply::json(&json!({"input_tokens": speech::tokens(prompt::read(&body, call).size)})))
}

fn models() -> Reply {
    let (first, last) = (MODELS[0].0, MODELS[MODELS.len() - 1].0);
    let data: Value = MODELS.iter().map(model).collect();
    Reply::json(&json!({"data": data, "has_more": false, "first_id": first, "last_id": last}))
}

fn one_model(id: &str) -> Result<Reply, Refusal> {
    let known = MODELS.iter().find(|(known, _)| *known == id);
    known.map(|known| Reply::json(&model(known))).ok_or_else(|| Refusal::not_found(format!("model: {id}")))
}

fn model((id, description): &(&str, &str)) -> Value {
    json!({
        "type": "model", "id": id, "display_name": id, "description": description,
        "created_at": "2026-01-01T00:00:00Z", "max_input_tokens": 200_000, "max_tokens": 64_000,
    })
}
