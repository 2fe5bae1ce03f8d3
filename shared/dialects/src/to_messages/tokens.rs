//! Anthropic's usage, summed up as OpenAI sums it.

use serde_json::Value;

use crate::chat::{Usage, number};

/// What is known so far. A stream tells it more than once; what comes later holds, and what is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_creation: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

impl Tokens {
    /// Takes over what a `usage` object says. Its numbers are totals: they replace, they never add.
    pub(crate) fn learn(&mut self, usage: &Value) {
        let learn = |known: &mut Option<u64>, path: &[&str]| *known = number(usage, path).or(*known);
        learn(&mut self.input, &["input_tokens"]);
        learn(&mut self.cache_read, &["cache_read_input_tokens"]);
        learn(&mut self.cache_creation, &["cache_creation_input_tokens"]);
        learn(&mut self.output, &["output_tokens"]);
        learn(&mut self.thinking, &["output_tokens_details", "thinking_tokens"]);
    }

    /// Whether the provider said anything.
    pub(crate) fn known(&self) -> bool {
        *self != Self::default()
    }

    /// Anthropic counts cached tokens beside the prompt's, OpenAI among them.
    pub(crate) fn usage(&self) -> Usage {
        let count = Option::unwrap_or_default;
        let (cached, cache_write) = (count(self.cache_read), count(self.cache_creation));
        Usage {
            prompt: count(self.input).saturating_add(cached).saturating_add(cache_write),
            cached,
            cache_write,
            completion: count(self.output),
            reasoning: count(self.thinking),
            total: None,
        }
    }
}
