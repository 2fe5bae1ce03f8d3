//! The request: its prompt as a message. All else has the same name in chat.

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::field::{self, Object};
use crate::target::{Outgoing, Refusal, Target};

/// A completions request as a chat request.
///
/// A limit that is absent stays absent, although the legacy API's default is 16 tokens: a chat model would break off in
/// the middle of its first sentence.
///
/// # Errors
/// Where the body is not one, or asks for what chat cannot do.
pub fn request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = field::body(body)?;
    let mut dropped = Vec::new();
    refuse(&mut body)?;
    if let Some(logprobs) = field::take(&mut body, "logprobs").filter(|logprobs| *logprobs != 0) {
        dropped.extend((logprobs != false).then(|| "logprobs".to_owned()));
    }
    let prompt = prompt(field::need(&mut body, "prompt")?)?;
    let stream = field::flag(&mut body, "stream")?;
    let include_usage = include_usage(&mut body)?;
    let mut chat = Object::new();
    field::take(&mut body, "model");
    chat.insert("model".to_owned(), target.model.into());
    chat.insert("messages".to_owned(), json!([{ "role": "user", "content": prompt }]));
    field::pass_limit(&mut body, "max_tokens", target.quirks, &mut chat)?;
    chat.extend(body.into_iter().filter(|(_, value)| !value.is_null()));
    if stream {
        chat.insert("stream".to_owned(), true.into());
        chat.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    let asked = Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        stream,
        include_usage,
        ..Asked::default()
    };
    Ok(Outgoing { body: Value::Object(chat), dropped, asked })
}

/// Refuses what would make another answer if it were left out.
fn refuse(body: &mut Object) -> Result<(), Refusal> {
    let is_more_than_one = |tries: &Value| *tries != 1;
    let asks_for = [
        ("suffix", field::take(body, "suffix").is_some_and(|suffix| suffix != "")),
        ("best_of", field::take(body, "best_of").as_ref().is_some_and(is_more_than_one)),
        ("echo", field::flag(body, "echo")?),
    ];
    match asks_for.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            let message = format!("`{name}` is not possible with a chat model: leave it out.");
            Err(Refusal::of(*name, "unsupported_parameter", message))
        }
        None => Ok(()),
    }
}

fn prompt(prompt: Value) -> Result<String, Refusal> {
    match prompt {
        Value::String(text) => Ok(text),
        Value::Array(mut prompts) => match (prompts.len(), prompts.pop()) {
            (1, Some(Value::String(text))) => Ok(text),
            (2.., Some(Value::String(_))) => {
                let message = "A chat model takes one prompt at a time: send a request for each.";
                Err(Refusal::of("prompt", "unsupported_parameter", message))
            }
            (1.., Some(Value::Number(_) | Value::Array(_))) => {
                let message = "Tokens mean something else to every model: send the prompt as text.";
                Err(Refusal::of("prompt", "unsupported_parameter", message))
            }
            _ => Err(field::wrong("prompt", "a string")),
        },
        _ => Err(field::wrong("prompt", "a string")),
    }
}

fn include_usage(body: &mut Object) -> Result<bool, Refusal> {
    let mut options = field::inner(body, "stream_options")?.unwrap_or_default();
    field::flag(&mut options, "include_usage").map_err(|refusal| refusal.inside("stream_options"))
}
