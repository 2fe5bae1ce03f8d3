//! Legacy completions clients, served by chat.
//!
//! One prompt becomes one user's message. What chat models cannot do — complete tokens, fill a gap, rank their own
//! tries — is refused.

mod request;
mod stream;

use serde_json::{Value, json};

use crate::asked::Asked;

pub use request::request;
pub use stream::Stream;

/// A chat completion as a text completion.
#[must_use]
pub fn reply(mut completion: Value, asked: &Asked) -> Value {
    let choices = completion["choices"].as_array().into_iter().flatten();
    let choices: Value = choices.map(|said| choice(said, &said["message"])).collect();
    let usage = completion.get_mut("usage").map(Value::take);
    let mut reply = text_completion(&completion, choices, asked);
    if let Some(usage) = usage.filter(Value::is_object) {
        reply["usage"] = usage;
    }
    reply
}

/// Writes a chat stream as a legacy client reads one.
#[must_use]
pub fn stream(asked: Asked) -> Stream {
    Stream::new(asked)
}

/// What a whole reply and a chunk have in common.
fn text_completion(from: &Value, choices: Value, asked: &Asked) -> Value {
    let text = |name: &str| from[name].as_str().filter(|text| !text.is_empty());
    let id = text("id").unwrap_or(&asked.id);
    let mut completion = json!({
        "id": format!("cmpl-{}", id.strip_prefix("chatcmpl-").unwrap_or(id)),
        "object": "text_completion",
        "created": from["created"].as_u64().unwrap_or(asked.created),
        "model": text("model").unwrap_or(&asked.model),
    });
    completion["choices"] = choices;
    completion
}

/// A choice of a reply or of a chunk. A refusal is text, too: there is no other place for it.
fn choice(choice: &Value, said: &Value) -> Value {
    json!({
        "index": index(choice),
        "text": text(&said["content"]) + said["refusal"].as_str().unwrap_or_default(),
        "logprobs": null,
        "finish_reason": finish_reason(choice),
    })
}

/// Text, or the text among Mistral's parts.
fn text(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    content.as_str().into_iter().chain(parts).collect()
}

fn index(choice: &Value) -> u64 {
    choice["index"].as_u64().unwrap_or_default()
}

fn finish_reason(choice: &Value) -> Option<&'static str> {
    use crate::gathered::Finish;
    Some(match Finish::read(&choice["finish_reason"])? {
        // There are no tools here to be called.
        Finish::Stop | Finish::Calls => "stop",
        Finish::Length => "length",
        Finish::Filtered => "content_filter",
    })
}

#[cfg(test)]
mod tests;
