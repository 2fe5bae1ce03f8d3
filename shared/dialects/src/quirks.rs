//! What each provider of chat does differently, as one table.
//!
//! From the providers' documentation and from what their users reported, in November 2026. A provider that is not here
//! differs in nothing we know of; then only `max_tokens` is used, which every compatible server understands.

use crate::target::Quirks;

/// How a provider differs, by the name of its service.
#[must_use]
pub fn of(provider: &str) -> Quirks {
    TABLE.iter().find(|(names, _)| names.contains(&provider)).map_or(Quirks::NONE, |(_, quirks)| *quirks)
}

/// How a provider differs for one of its models.
#[must_use]
pub fn for_model(provider: &str, model: &str) -> Quirks {
    let quirks = of(provider);
    if provider == "xai" && reasons_at_xai(model) {
        return Quirks { refuses: XAI_REASONING_REFUSES, ..quirks };
    }
    if provider == "openai" && takes_either_limit(model) {
        return Quirks { max_completion_tokens: false, either_limit: true, ..quirks };
    }
    quirks
}

/// OpenAI's models before those that reason take `max_tokens` as well, so what a client wrote may stay as it is.
fn takes_either_limit(model: &str) -> bool {
    let model = model.strip_prefix("ft:").unwrap_or(model);
    ["gpt-4", "gpt-3.5", "chatgpt-4o"].iter().any(|prefix| model.starts_with(prefix))
}

/// xAI's reasoning models answer 400 to the penalties and to `stop`.
fn reasons_at_xai(model: &str) -> bool {
    let newer =
        ["grok-3-mini", "grok-4", "grok-5", "grok-code"].iter().any(|prefix| model.starts_with(prefix));
    newer && !model.contains("non-reasoning")
}

const XAI_REASONING_REFUSES: &[&str] = &["presence_penalty", "frequency_penalty", "stop"];

/// Groq answers 400 to these (console.groq.com/docs/openai), and to `n` unless it is one.
const GROQ_REFUSES: &[&str] = &["logprobs", "top_logprobs", "logit_bias", "n"];

/// Mistral answers 422 `extra_forbidden` to every field it does not know. These are OpenAI's that it does not.
const MISTRAL_REFUSES: &[&str] = &[
    "audio",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "modalities",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "top_k",
    "top_logprobs",
    "user",
    "verbosity",
    "web_search_options",
];

/// Perplexity drops these without a word; we drop them with one.
const PERPLEXITY_REFUSES: &[&str] = &[
    "logit_bias",
    "logprobs",
    "parallel_tool_calls",
    "seed",
    "stop",
    "tool_choice",
    "tools",
    "top_logprobs",
];

/// Cerebras answers 400 to these.
const CEREBRAS_REFUSES: &[&str] = &["frequency_penalty", "logit_bias", "presence_penalty"];

const SYSTEM_ONLY: Quirks = Quirks { system_only: true, ..Quirks::NONE };
const ECHO: Quirks = Quirks { reasoning_echo: true, ..SYSTEM_ONLY };
const TOP_K: Quirks = Quirks { top_k: true, ..SYSTEM_ONLY };
const OPENAI: Quirks =
    Quirks { max_completion_tokens: true, file_parts: true, clean_stream: true, ..Quirks::NONE };

const TABLE: &[(&[&str], Quirks)] = &[
    (&["openai", "azure"], OPENAI),
    (&["github", "bedrock"], Quirks { either_limit: true, ..Quirks::NONE }),
    (
        &["openrouter"],
        Quirks {
            max_completion_tokens: true,
            either_limit: true,
            reasoning_details: true,
            cache_control: true,
            file_parts: true,
            top_k: true,
            clean_stream: true,
            ..Quirks::NONE
        },
    ),
    (
        &["groq"],
        Quirks {
            refuses: GROQ_REFUSES,
            max_completion_tokens: true,
            either_limit: true,
            json_word: true,
            no_zero_temperature: true,
            plain_messages: true,
            clean_stream: true,
            ..Quirks::NONE
        },
    ),
    (
        &["mistral"],
        Quirks {
            refuses: MISTRAL_REFUSES,
            renames: &[("seed", "random_seed")],
            any_for_required: true,
            plain_messages: true,
            wants_content: true,
            short_tool_ids: true,
            ..SYSTEM_ONLY
        },
    ),
    (
        &["xai"],
        Quirks { max_completion_tokens: true, either_limit: true, clean_stream: true, ..Quirks::NONE },
    ),
    // DeepSeek's JSON mode, too, wants the word in the prompt.
    (&["deepseek"], Quirks { json_object_only: true, json_word: true, ..ECHO }),
    (&["moonshot", "zai"], ECHO),
    (&["fireworks"], Quirks { refuses: &["seed"], no_text_format: true, ..TOP_K }),
    (&["pplx", "perplexity"], Quirks { refuses: PERPLEXITY_REFUSES, ..SYSTEM_ONLY }),
    (
        &["cerebras"],
        Quirks { refuses: CEREBRAS_REFUSES, max_completion_tokens: true, either_limit: true, ..SYSTEM_ONLY },
    ),
    (&["together", "siliconflow", "novita", "friendli", "chutes"], TOP_K),
    (
        &[
            "huggingface",
            "nvidia",
            "ollama",
            "gmi",
            "modelscope",
            "meta",
            "poe",
            "targon",
            "workers-ai",
            "dmxcn",
            "dmxcom",
            "portkey",
        ],
        SYSTEM_ONLY,
    ),
    (&["gemini"], Quirks { thought_signatures: true, ..Quirks::NONE }),
    // Cohere's compatible surface; Claude and 1min.ai have formats of their own.
    (&["cohere", "claude", "anthropic", "onemin"], Quirks::NONE),
];

#[cfg(test)]
mod tests {
    use super::{Quirks, TABLE, for_model, of};

    #[test]
    fn an_unknown_provider_differs_in_nothing() {
        assert_eq!(of("somebody"), Quirks::default());
        assert_eq!(Quirks::NONE, Quirks::default());
    }

    #[test]
    fn a_provider_is_in_the_table_once() {
        let mut names: Vec<_> = TABLE.iter().flat_map(|(names, _)| names.iter()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn xais_reasoning_models_refuse_more_than_its_others() {
        let check = |model: &str, refuses: bool| {
            assert_eq!(for_model("xai", model).refuses.contains(&"stop"), refuses, "{model}");
        };
        check("grok-4", true);
        check("grok-4-1-fast-reasoning", true);
        check("grok-4-1-fast-non-reasoning", false);
        check("grok-3", false);
        check("grok-3-mini", true);
        assert_eq!(for_model("groq", "grok-4"), of("groq"));
    }
}
