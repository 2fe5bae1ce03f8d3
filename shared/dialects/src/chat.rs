//! What every codec needs of the chat format: building its replies and chunks, and its usage.

use serde_json::{Value, json};

use crate::piece::Piece;
use crate::target::Quirks;

/// The name that a target has for the limit of the answer's tokens.
#[must_use]
pub fn limit_name(quirks: Quirks) -> &'static str {
    if quirks.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" }
}

/// Tokens that a call cost, as OpenAI counts them: cached ones and those of reasoning are part of their sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt, cached ones included.
    pub prompt: u64,
    /// Of these, read from a cache.
    pub cached: u64,
    /// Of these, written to a cache.
    pub cache_write: u64,
    /// All tokens of the answer, reasoning included.
    pub completion: u64,
    /// Of these, for reasoning.
    pub reasoning: u64,
    /// The provider's own sum, where it says one.
    pub total: Option<u64>,
}

/// A number in an object's object. `Value::pointer` would copy every name on its way.
pub(crate) fn number(value: &Value, path: &[&str]) -> Option<u64> {
    path.iter().try_fold(value, |value, name| value.get(name))?.as_u64()
}

impl Usage {
    /// Reads chat's `usage` object.
    #[must_use]
    pub fn read(usage: &Value) -> Option<Self> {
        let number = |path: &[&str]| number(usage, path);
        usage.as_object()?;
        Some(Self {
            prompt: number(&["prompt_tokens"]).unwrap_or_default(),
            cached: number(&["prompt_tokens_details", "cached_tokens"]).unwrap_or_default(),
            cache_write: number(&["prompt_tokens_details", "cache_write_tokens"]).unwrap_or_default(),
            completion: number(&["completion_tokens"]).unwrap_or_default(),
            reasoning: number(&["completion_tokens_details", "reasoning_tokens"]).unwrap_or_default(),
            total: number(&["total_tokens"]),
        })
    }

    /// Writes chat's `usage` object.
    #[must_use]
    pub fn write(&self) -> Value {
        let mut prompt_details = json!({ "cached_tokens": self.cached });
        if self.cache_write > 0 {
            prompt_details["cache_write_tokens"] = self.cache_write.into();
        }
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.total.unwrap_or(self.prompt.saturating_add(self.completion)),
            "prompt_tokens_details": prompt_details,
            "completion_tokens_details": { "reasoning_tokens": self.reasoning },
        })
    }
}

/// What all chunks of one stream, and a whole completion, have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The reply's id.
    pub id: String,
    /// The model that answered.
    pub model: String,
    /// Seconds since 1970.
    pub created: u64,
}

impl Origin {
    /// A chunk with a delta.
    #[must_use]
    pub fn delta(&self, index: u64, delta: Value) -> Piece {
        let mut choice = json!({ "index": index, "delta": null, "logprobs": null, "finish_reason": null });
        choice["delta"] = delta;
        self.choice(choice)
    }

    /// The chunk that ends a choice. `native` is the provider's own word for the reason.
    #[must_use]
    pub fn finish(&self, index: u64, reason: &str, native: &str) -> Piece {
        self.choice(json!({
            "index": index, "delta": {}, "logprobs": null, "finish_reason": reason, "native_finish_reason": native,
        }))
    }

    /// The last chunk, with the usage and no choice.
    #[must_use]
    pub fn usage(&self, usage: &Usage) -> Piece {
        let mut chunk = self.object("chat.completion.chunk", json!([]));
        chunk["usage"] = usage.write();
        Piece::Chunk(chunk)
    }

    /// A whole completion of choices.
    #[must_use]
    pub fn completion(&self, choices: Value, usage: &Usage) -> Value {
        let mut completion = self.object("chat.completion", choices);
        completion["usage"] = usage.write();
        completion
    }

    fn choice(&self, choice: Value) -> Piece {
        Piece::Chunk(self.object("chat.completion.chunk", Value::Array(vec![choice])))
    }

    fn object(&self, object: &str, choices: Value) -> Value {
        let mut object = json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model, "choices": null,
        });
        object["choices"] = choices;
        object
    }
}
