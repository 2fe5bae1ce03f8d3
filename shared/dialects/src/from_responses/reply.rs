//! The reply: what a whole one is made of, and what a stream shares with it.

use serde_json::{Value, json};

use super::output;
use crate::asked::Asked;
use crate::chat::Usage;
use crate::errors::Told;
use crate::gathered::{Finish, Gathered};

/// A chat completion as a response.
#[must_use]
pub fn reply(completion: Value, asked: &Asked) -> Value {
    let gathered = Gathered::completion(&completion);
    // All that is written of it is in the blocks now.
    drop(completion);
    ended(&gathered, gathered.ended().unwrap_or(Finish::Stop), asked)
}

/// A response that has said nothing yet.
pub(super) fn begun(gathered: &Gathered, asked: &Asked) -> Value {
    let model = if gathered.model.is_empty() { &asked.model } else { &gathered.model };
    let mut response = json!({
        "id": id(&gathered.id, asked),
        "object": "response",
        "created_at": gathered.created.unwrap_or(asked.created),
        "status": "in_progress",
        "error": null,
        "incomplete_details": null,
        "model": model,
        "output": [],
        "usage": null,
        // Required fields, by OpenAI's defaults where the request does not set them.
        "parallel_tool_calls": true,
        "tool_choice": "auto",
        "tools": [],
    });
    for (name, value) in &asked.repeated {
        response[name] = value.clone();
    }
    response
}

/// A response that has come to its end.
pub(super) fn ended(gathered: &Gathered, finish: Finish, asked: &Asked) -> Value {
    let mut response = begun(gathered, asked);
    response["output"] = output::items(gathered, finish == Finish::Length, asked);
    response["usage"] = gathered.usage.as_ref().map_or(Value::Null, usage);
    match finish {
        Finish::Stop | Finish::Calls => response["status"] = "completed".into(),
        Finish::Length => {
            response["status"] = "incomplete".into();
            response["incomplete_details"] = json!({ "reason": "max_output_tokens" });
        }
        // The code OpenAI has for it: clients know it, and do not pay for trying the same again.
        Finish::Filtered => {
            fail(&mut response, "invalid_prompt", "The provider's filter stopped the answer.")
        }
    }
    response
}

/// A response that broke off, with what was said until then.
pub(super) fn failed(gathered: &Gathered, told: &Told, asked: &Asked) -> Value {
    let mut response = begun(gathered, asked);
    response["output"] = output::items(gathered, true, asked);
    response["usage"] = gathered.usage.as_ref().map_or(Value::Null, usage);
    fail(&mut response, code(told), &told.message);
    response
}

/// The code of an error, which tells Codex whether to try again.
fn code(told: &Told) -> &str {
    match (told.status, told.code.as_deref()) {
        (429, None | Some("rate_limit_error" | "RESOURCE_EXHAUSTED" | "429")) => "rate_limit_exceeded",
        (_, Some(code)) => code,
        (_, None) => "server_error",
    }
}

fn fail(response: &mut Value, code: &str, message: &str) {
    response["status"] = "failed".into();
    response["error"] = json!({ "code": code, "message": message });
}

fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.prompt,
        "input_tokens_details": { "cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write },
        "output_tokens": usage.completion,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": usage.total.unwrap_or(usage.prompt + usage.completion),
    })
}

/// The provider's id under OpenAI's prefix, so that it can be found in the provider's logs.
fn id(provided: &str, asked: &Asked) -> String {
    let provided = if provided.is_empty() { &asked.id } else { provided };
    let bare = ["chatcmpl-", "msg_", "gen-", "resp_"].iter().find_map(|prefix| provided.strip_prefix(prefix));
    format!("resp_{}", bare.unwrap_or(provided))
}
