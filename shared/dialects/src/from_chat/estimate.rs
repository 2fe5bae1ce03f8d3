//! Counts tokens by guess, where a client was promised usage and the provider tells none.

use serde_json::Value;

use crate::chat::Usage;

/// What four bytes of English are, on the whole.
const BYTES_PER_TOKEN: u64 = 4;

/// The tokens of a prompt's messages. Images and files have no length that says anything and count for nothing.
pub(super) fn tokens_of(messages: &Value) -> u64 {
    bytes_of(messages).div_ceil(BYTES_PER_TOKEN)
}

fn bytes_of(value: &Value) -> u64 {
    match value {
        Value::String(text) if text.starts_with("data:") => 0,
        Value::String(text) => text.len() as u64,
        Value::Array(items) => items.iter().map(bytes_of).sum(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "file_data" | "data"))
            .map(|(_, v)| bytes_of(v))
            .sum(),
        _ => 0,
    }
}

/// How much of an answer has been told.
#[derive(Debug, Default)]
pub(super) struct Answer {
    bytes: u64,
}

impl Answer {
    /// Counts what a chunk adds.
    pub(super) fn count(&mut self, chunk: &Value) {
        let deltas = chunk["choices"].as_array().into_iter().flatten().map(|choice| &choice["delta"]);
        for delta in deltas {
            for field in ["content", "reasoning_content", "reasoning", "refusal"] {
                self.bytes += bytes_of(&delta[field]);
            }
            for call in delta["tool_calls"].as_array().into_iter().flatten() {
                self.bytes += bytes_of(&call["function"]);
            }
        }
    }

    /// The usage, by guess.
    pub(super) fn usage(&self, prompt: u64) -> Usage {
        Usage { prompt, completion: self.bytes.div_ceil(BYTES_PER_TOKEN), ..Usage::default() }
    }
}
