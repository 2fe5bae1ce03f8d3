//! Providers that speak chat, each with its deviations: what they refuse is left out and named, what they spell
//! differently is renamed, and their replies are repaired.

use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::errors::Told;
use crate::field;
use crate::from_chat;
use crate::repair::{self, Repair};
use crate::target::{Outgoing, Quirks, Refusal, Target};

mod format;
mod messages;

/// Whether a request with these top-level keys has to be adapted. If not, the client's bytes may go as they are, but
/// for the model.
///
/// What stands inside the messages counts only where the provider is strict there; a `developer` role, which a client
/// of such a provider rarely sends, does not cost every call its bytes.
pub fn needs_adapting<'a>(quirks: Quirks, mut keys: impl Iterator<Item = &'a str>) -> bool {
    keys.any(|key| offends(quirks, key))
}

fn offends(quirks: Quirks, key: &str) -> bool {
    let quirk = match key {
        "max_tokens" => quirks.max_completion_tokens && !quirks.either_limit,
        "max_completion_tokens" => !quirks.max_completion_tokens && !quirks.either_limit,
        "tool_choice" => quirks.any_for_required,
        "response_format" => quirks.json_object_only || quirks.json_word || quirks.no_text_format,
        "temperature" => quirks.no_zero_temperature,
        "messages" => messages::must_be_looked_at(quirks),
        _ => false,
    };
    quirk || quirks.refuses.contains(&key) || quirks.renames.iter().any(|(from, _)| *from == key)
}

/// Adapts a chat request to a provider.
///
/// # Errors
/// A [`Refusal`] where the body is no chat request, or asks for several choices of a provider that makes one.
pub fn request(chat: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = field::body(chat)?;
    let asked = from_chat::asked(&body, target)?;
    let (quirks, mut dropped) = (target.quirks, Vec::new());
    body.insert("model".to_owned(), target.model.into());
    leave_out(&mut body, quirks, &mut dropped)?;
    limit(&mut body, quirks);
    for (from, to) in quirks.renames {
        rename(&mut body, from, to);
    }
    choose_tools(&mut body, quirks);
    if quirks.no_zero_temperature && body.get("temperature").and_then(Value::as_f64) == Some(0.0) {
        body.insert("temperature".to_owned(), serde_json::json!(1e-8));
    }
    format::adapt(&mut body, quirks, &mut dropped);
    messages::adapt(&mut body, quirks, &mut dropped)?;
    Ok(Outgoing { body: Value::Object(body), dropped, asked })
}

/// Reads a whole reply.
///
/// # Errors
/// What the provider says went wrong, where it says so with status 200, and where it says nothing at all.
pub fn reply(body: Value, asked: &Asked) -> Result<Value, Told> {
    if let Some(told) = Told::of_object(&body) {
        return Err(told);
    }
    let choices = body.get("choices").and_then(Value::as_array);
    match choices {
        Some(choices) if !choices.is_empty() => match choices.iter().find_map(Told::of_object) {
            Some(told) => Err(told),
            None => Ok(repair::completion(body, asked)),
        },
        _ => Err(Told::empty()),
    }
}

/// The reader of its streams.
#[must_use]
pub fn stream(asked: Asked) -> Repair {
    repair::stream(asked)
}

fn leave_out(
    body: &mut Map<String, Value>,
    quirks: Quirks,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    for name in quirks.refuses {
        let Some(value) = body.shift_remove(*name) else { continue };
        if *name == "n" && value.as_u64().is_some_and(|n| n > 1) {
            let message = "This provider makes one choice only: leave `n` out or set it to 1.";
            return Err(Refusal::of("n", "unsupported_parameter", message));
        }
        if says_something(name, &value) {
            dropped.push((*name).to_owned());
        }
    }
    Ok(())
}

/// Whether leaving a parameter out makes a difference. `stream_options` is ours to keep.
fn says_something(name: &str, value: &Value) -> bool {
    match name {
        "stream_options" => false,
        "n" => value.as_u64() != Some(1),
        "logprobs" | "store" => *value == Value::Bool(true),
        _ => !value.is_null(),
    }
}

/// The answer's limit, under the name that the provider knows. The newer name counts where both are given.
fn limit(body: &mut Map<String, Value>, quirks: Quirks) {
    if body.get("max_completion_tokens").is_some_and(|limit| !limit.is_null()) {
        body.shift_remove("max_tokens");
    }
    if quirks.either_limit {
        return;
    }
    let (from, to) = match quirks.max_completion_tokens {
        true => ("max_tokens", "max_completion_tokens"),
        false => ("max_completion_tokens", "max_tokens"),
    };
    rename(body, from, to);
}

/// Gives a parameter another name, where it stands. One that is there under that name stays.
fn rename(body: &mut Map<String, Value>, from: &str, to: &str) {
    if !body.contains_key(from) {
        return;
    }
    if body.get(to).is_some_and(|value| !value.is_null()) {
        body.shift_remove(from);
        return;
    }
    body.shift_remove(to);
    let fields = std::mem::take(body);
    body.extend(
        fields.into_iter().map(|(name, value)| (if name == from { to.to_owned() } else { name }, value)),
    );
}

/// Tools that are none go: Mistral refuses an empty list, `OpenAI` a choice between none.
fn choose_tools(body: &mut Map<String, Value>, quirks: Quirks) {
    let none =
        body.get("tools").is_some_and(|tools| tools.is_null() || tools.as_array().is_some_and(Vec::is_empty));
    if none {
        for field in ["tools", "tool_choice", "parallel_tool_calls"] {
            body.shift_remove(field);
        }
    }
    if quirks.any_for_required
        && let Some(choice) = body.get_mut("tool_choice").filter(|choice| **choice == "required")
    {
        *choice = "any".into();
    }
}
