//! Reads what a reply cost in each provider's own words, for replies that pass without a translation.

use serde_json::Value;

use crate::chat::{Usage, number};
use crate::dialect::Dialect;
use crate::to_gemini::usage_of as gemini;
use crate::to_messages::Tokens;

/// What a reply cost by the usage objects in it, in their order. `None` where they say nothing.
#[must_use]
pub fn read(dialect: Dialect, told: &[Value]) -> Option<Usage> {
    match dialect {
        Dialect::Messages => messages(told),
        Dialect::Gemini => told.last().and_then(gemini),
        Dialect::Chat | Dialect::Completions | Dialect::Responses => told.last().and_then(openai),
        Dialect::OneMin => None,
    }
    .filter(|usage| *usage != Usage::default())
}

/// Anthropic tells the prompt when a message starts and the answer when it ends.
fn messages(told: &[Value]) -> Option<Usage> {
    let mut tokens = Tokens::default();
    told.iter().for_each(|usage| tokens.learn(usage));
    tokens.known().then(|| tokens.usage())
}

/// OpenAI counts a prompt and a completion in chat, an input and an output everywhere else. DeepSeek and Moonshot have
/// names of their own for what was cached.
fn openai(usage: &Value) -> Option<Usage> {
    let first = |paths: &[&[&str]]| paths.iter().find_map(|path| number(usage, path));
    let count = |paths: &[&[&str]]| first(paths).unwrap_or_default();
    usage.as_object()?;
    let usage = Usage {
        prompt: count(&[&["prompt_tokens"], &["input_tokens"]]),
        cached: count(&[
            &["prompt_tokens_details", "cached_tokens"],
            &["input_tokens_details", "cached_tokens"],
            &["prompt_cache_hit_tokens"],
            &["cached_tokens"],
        ]),
        cache_write: count(&[
            &["prompt_tokens_details", "cache_write_tokens"],
            &["input_tokens_details", "cache_write_tokens"],
        ]),
        completion: count(&[&["completion_tokens"], &["output_tokens"]]),
        reasoning: count(&[
            &["completion_tokens_details", "reasoning_tokens"],
            &["output_tokens_details", "reasoning_tokens"],
        ]),
        total: first(&[&["total_tokens"]]),
    };
    Some(with_the_rest(usage))
}

/// The sum tells what the parts leave out: xAI's completion is without its reasoning, Google's chat may leave out the
/// answer, and Voyage's embeddings have nothing but the sum.
fn with_the_rest(usage: Usage) -> Usage {
    let Some(total) = usage.total else { return usage };
    let rest = total.saturating_sub(usage.prompt.saturating_add(usage.completion));
    match usage {
        Usage { prompt: 0, completion: 0, .. } => Usage { prompt: total, ..usage },
        Usage { completion: 0, .. } => Usage { completion: rest, ..usage },
        Usage { reasoning, completion, .. } if rest == reasoning => {
            Usage { completion: completion.saturating_add(rest), ..usage }
        }
        usage => usage,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;
    use crate::chat::Usage;
    use crate::dialect::Dialect;

    /// Prompt, cached, written to the cache, completion, reasoning.
    fn check(dialect: Dialect, told: &[Value], expected: Option<[u64; 5]>) {
        let read = read(dialect, told).map(|usage| {
            let Usage { prompt, cached, cache_write, completion, reasoning, .. } = usage;
            [prompt, cached, cache_write, completion, reasoning]
        });
        assert_eq!(read, expected, "{dialect} {told:?}");
    }

    #[test]
    fn openai_and_its_kin_are_read() {
        let chat = |usage| [usage];
        for (usage, expected) in [
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13 }),
                Some([9, 0, 0, 4, 0]),
            ),
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "completion_tokens_details":
                    { "reasoning_tokens": 3 }, "prompt_tokens_details": { "cached_tokens": 2, "audio_tokens": 0 } }),
                Some([9, 2, 0, 4, 3]),
            ),
            // xAI.
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 20, "completion_tokens_details":
                    { "reasoning_tokens": 7 } }),
                Some([9, 0, 0, 11, 7]),
            ),
            (
                json!({ "prompt_tokens": 9, "total_tokens": 20, "completion_tokens": 0 }),
                Some([9, 0, 0, 11, 0]),
            ),
            (
                json!({ "prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 8 }),
                Some([9, 8, 0, 1, 0]),
            ),
            (json!({ "total_tokens": 5 }), Some([5, 0, 0, 0, 0])),
            (json!({ "prompt_tokens": 5, "total_tokens": 5 }), Some([5, 0, 0, 0, 0])),
            (json!({ "type": "duration", "seconds": 3 }), None),
            (json!({ "prompt_tokens": 0, "completion_tokens": 0 }), None),
            (json!({}), None),
            (json!("none"), None),
        ] {
            check(Dialect::Chat, &chat(usage), expected);
        }
        let responses = json!({ "input_tokens": 9, "input_tokens_details": { "cached_tokens": 2 }, "output_tokens": 4,
            "output_tokens_details": { "reasoning_tokens": 3 }, "total_tokens": 13 });
        check(Dialect::Responses, &[responses], Some([9, 2, 0, 4, 3]));
    }

    #[test]
    fn anthropic_tells_in_two_places() {
        let start = json!({ "input_tokens": 3, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2,
            "output_tokens": 1 });
        check(Dialect::Messages, std::slice::from_ref(&start), Some([10, 5, 2, 1, 0]));
        check(Dialect::Messages, &[start.clone(), json!({ "output_tokens": 40 })], Some([10, 5, 2, 40, 0]));
        check(
            Dialect::Messages,
            &[start, json!({ "input_tokens": 4, "output_tokens": 40 })],
            Some([11, 5, 2, 40, 0]),
        );
        check(Dialect::Messages, &[], None);
    }

    #[test]
    fn google_counts_its_thoughts_apart() {
        let told = json!({ "promptTokenCount": 9, "toolUsePromptTokenCount": 1, "cachedContentTokenCount": 2,
            "candidatesTokenCount": 4, "thoughtsTokenCount": 3, "totalTokenCount": 17 });
        check(Dialect::Gemini, &[told], Some([10, 2, 0, 7, 3]));
        check(Dialect::Gemini, &[json!({})], None);
    }
}
