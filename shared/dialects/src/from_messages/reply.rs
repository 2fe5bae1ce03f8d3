//! The reply: what a whole one is made of, and what a stream shares with it.

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::gathered::{Block, Finish, Gathered, Kind};

/// A chat completion as a message.
#[must_use]
pub fn reply(completion: Value, asked: &Asked) -> Value {
    let gathered = Gathered::completion(&completion);
    // All that is written of it is in the blocks now.
    drop(completion);
    let blocks = gathered.blocks.all().iter().enumerate();
    let mut message = message(&gathered, asked);
    message["content"] = blocks.map(|(at, block)| whole(block, at, asked)).collect();
    message["stop_reason"] = stop_reason(&gathered).into();
    message["usage"] = usage(&gathered, asked);
    message
}

/// A message that has said nothing yet.
pub(super) fn message(gathered: &Gathered, asked: &Asked) -> Value {
    let model = if gathered.model.is_empty() { &asked.model } else { &gathered.model };
    json!({
        "id": id(&gathered.id, asked),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": { "input_tokens": asked.prompt_estimate, "output_tokens": 0 },
    })
}

/// A block as it stands at the beginning of its stream, with nothing in it.
pub(super) fn empty(block: &Block, at: usize, asked: &Asked) -> Value {
    match &block.kind {
        Kind::Text | Kind::Refusal => json!({ "type": "text", "text": "" }),
        Kind::Thinking(_) => json!({ "type": "thinking", "thinking": "", "signature": "" }),
        Kind::Call(call) => {
            let id = if call.id.is_empty() { format!("toolu_{}_{at}", asked.id) } else { call.id.clone() };
            json!({ "type": "tool_use", "id": id, "name": call.name, "input": {} })
        }
    }
}

fn whole(block: &Block, at: usize, asked: &Asked) -> Value {
    let mut whole = empty(block, at, asked);
    match &block.kind {
        Kind::Text | Kind::Refusal => whole["text"] = block.text.as_str().into(),
        Kind::Thinking(signature) => {
            whole["thinking"] = block.text.as_str().into();
            whole["signature"] = signature.as_str().into();
        }
        Kind::Call(_) => whole["input"] = input(&block.text),
    }
    whole
}

/// A tool's input must be an object. Arguments that are none, as of an answer that was cut, are kept as they are.
fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str(arguments) {
        Ok(input @ Value::Object(_)) => input,
        _ => json!({ "_arguments": arguments }),
    }
}

/// Anthropic's word for the end.
pub(super) fn stop_reason(gathered: &Gathered) -> &'static str {
    match gathered.ended() {
        Some(Finish::Length) => "max_tokens",
        Some(Finish::Calls) => "tool_use",
        Some(Finish::Filtered) => "refusal",
        Some(Finish::Stop) | None if gathered.blocks.any(|kind| *kind == Kind::Refusal) => "refusal",
        Some(Finish::Stop) | None => "end_turn",
    }
}

/// Anthropic's usage, in which the cache's tokens stand apart. Without one it is estimated: clients shorten a conversation
/// by it, and with zeros it would grow until it is refused.
pub(super) fn usage(gathered: &Gathered, asked: &Asked) -> Value {
    let Some(usage) = gathered.usage else {
        let said: usize = gathered.blocks.all().iter().map(|block| block.text.len()).sum();
        return json!({ "input_tokens": asked.prompt_estimate, "output_tokens": said.div_ceil(4) });
    };
    json!({
        "input_tokens": usage.prompt.saturating_sub(usage.cached).saturating_sub(usage.cache_write),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.completion,
    })
}

/// The provider's id under Anthropic's prefix, so that it can be found in the provider's logs.
fn id(provided: &str, asked: &Asked) -> String {
    let provided = if provided.is_empty() { &asked.id } else { provided };
    let bare = ["chatcmpl-", "msg_", "gen-"].iter().find_map(|prefix| provided.strip_prefix(prefix));
    format!("msg_{}", bare.unwrap_or(provided))
}
