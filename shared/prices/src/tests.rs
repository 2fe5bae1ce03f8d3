//! What models cost, and that every line of the table is of use.

use crate::pattern::fits;
use crate::{Price, Prices, Tokens, expensive, table};

/// A price as the table writes it, in dollars per million tokens.
fn price(text: &str) -> Price {
    table::parse(text).expect(text)
}

fn check(provider: &str, model: &str, expected: &str) {
    let provider = (!provider.is_empty()).then_some(provider);
    let expected = (!expected.is_empty()).then(|| price(expected));
    assert_eq!(Prices::default().of(provider, model), expected, "{provider:?} {model}");
}

#[test]
fn models_cost_what_genai_prices_says() {
    check("openai", "gpt-4o", "2.5 10 1.25");
    check("openai", "gpt-4o-2024-08-06", "2.5 10 1.25");
    check("openai", "gpt-4o-2024-05-13", "5 15");
    check("openai", "gpt-4o-mini-2024-07-18", "0.15 0.6 0.075");
    check("openai", "gpt-4.1-nano-2025-04-14", "0.1 0.4 0.025");
    check("openai", "o3-mini", "1.1 4.4 0.55");
    check("openai", "o1-pro-2025-03-19", "150 600");
    check("openai", "gpt-5.4", "2.5 15 0.25 >272000 5 22.5 0.5");
    check("openai", "text-embedding-3-small", "0.02 0");
    check("openai", "omni-moderation-latest", "0 0");
    check("claude", "claude-sonnet-4-5-20250929", "3 15 0.3 3.75 >200000 6 22.5 0.6 7.5");
    check("claude", "claude-3-haiku-20240307", "0.25 1.25 0.03 0.3");
    check("claude", "claude-opus-4-5", "5 25 0.5 6.25");
    check("gemini", "models/gemini-2.5-pro", "1.25 10 0.125 >200000 2.5 15 0.25");
    check("gemini", "gemini-2.5-flash", "0.3 2.5 0.03");
    check("gemini", "gemini-2.5-pro-preview-tts", "1 20");
    check("gemini", "gemini-embedding-001", "0.15 0");
    check("azure", "gpt-4o-2024-05-13", "5 15");
    check("azure", "gpt-35-turbo", "0.5 1.5");
    check("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3 16.5 0.33 4.125");
    check("bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "3 15 0.3 3.75");
    check("bedrock", "openai.gpt-oss-120b", "0.15 0.6");
    check("bedrock", "amazon.nova-lite-v1:0", "0.06 0.24 0.015");
    check("groq", "llama-3.1-8b-instant", "0.05 0.08");
    check("mistral", "ministral-8b-2512", "0.15 0.15 0.015");
    check("deepseek", "deepseek-v4-pro", "1.32 3.96 0.044");
    check("xai", "grok-3-mini", "0.3 0.5 0.075");
    check("cohere", "command-a-03-2025", "2.5 10");
    check("pplx", "sonar-pro", "3 15 @14");
    check("moonshot", "kimi-k2.6", "0.95 4 0.16");
    check("zai", "glm-4.6", "0.6 2.2 0.11");
    check("cerebras", "llama3.1-8b", "0.1 0.1");
    check("fireworks", "accounts/fireworks/models/deepseek-v3p2", "0.56 1.68 0.28");
    check("workers-ai", "@cf/baai/bge-m3", "0.012 0");
    check("openrouter", "openai/gpt-4o", "2.5 10 1.25");
    check("openrouter", "deepseek/deepseek-r1:free", "0 0");
    check("huggingface", "openai/gpt-oss-120b:fireworks-ai", "0.15 0.6");
    check("OpenAI", "GPT-4o", "2.5 10 1.25");
}

#[test]
fn without_a_provider_the_makers_price_holds() {
    check("", "gpt-4o", "2.5 10 1.25");
    check("", "claude-opus-4-5-20251101", "5 25 0.5 6.25");
    check("", "models/gemini-2.5-flash", "0.3 2.5 0.03");
    check("github", "openai/gpt-4o-2024-05-13", "5 15");
    check("our-proxy", "grok-3-mini", "0.3 0.5 0.075");
}

#[test]
fn no_price_is_guessed() {
    check("openai", "gpt-17", "");
    check("openai", "gpt-4o-mini-fast", "");
    check("openai", "", "");
    check("openai", &"gpt-4o".repeat(50), "");
    check("", "llama-3.3-70b", "");
    check("", "gpt-oss-120b", "");
    check("our-vllm", "deepseek-ai/deepseek-v3.2", "");
    check("chutes", "gpt-4o", "");
    check("groq", "gpt-4o", "");
    check("huggingface", "openai/gpt-oss-120b", "");
    check("huggingface", "openai/gpt-oss-120b:nobody", "");
}

#[test]
fn an_answer_that_is_more_than_text_has_no_price() {
    check("openai", "gpt-4o-realtime-preview-2024-12-17", "");
    check("openai", "whisper-1", "");
    check("gemini", "gemini-2.5-flash-image", "");
}

#[test]
fn what_runs_at_home_is_free() {
    check("ollama", "llama3.2", "0 0");
    check("demo", "anything", "0 0");
}

#[test]
fn a_new_date_changes_no_price() {
    check("openai", "gpt-4o-mini-2031-01-01", "0.15 0.6 0.075");
    check("openrouter", "openai/gpt-4o-20310101", "2.5 10 1.25");
}

fn own(json: &str) -> Prices {
    Prices::new(Prices::read_overrides(json).expect(json))
}

#[test]
fn the_operators_prices_come_first_and_the_closest_of_them() {
    let prices = own(
        r#"{"gpt-*":{"input":1,"output":1},"gpt-4o-*":{"input":2,"output":2},"gpt-4o":{"input":3,"output":3},
            "azure/*":{"input":4,"output":4},"azure/gpt-4o":{"input":5,"output":5},
            "openai/gpt-4o":{"input":6.000001,"output":6,"cached_input":0.1,"cache_write":7}}"#,
    );
    let check = |provider: &str, model: &str, expected: &str| {
        assert_eq!(prices.of(Some(provider), model), Some(price(expected)), "{provider} {model}");
    };
    check("groq", "gpt-5", "1 1");
    check("groq", "GPT-4o-mini", "2 2");
    check("groq", "gpt-4o", "3 3");
    check("groq", "gpt-4o-2024-08-06", "3 3");
    check("azure", "phi", "4 4");
    check("Azure", "gpt-4o", "5 5");
    check("openai", "gpt-4o", "6.000001 6 0.1 7");
    check("openrouter", "openai/gpt-4o", "6.000001 6 0.1 7");
    check("claude", "claude-opus-4-5", "5 25 0.5 6.25");
}

#[test]
fn a_model_of_the_operators_own_can_be_free() {
    let prices = own(r#"{"our-vllm/*":{"input":0,"output":0}}"#);
    assert_eq!(prices.of(Some("our-vllm"), "gpt-4o"), Some(Price::free()));
    assert_eq!(prices.of(None, "gpt-4o"), Some(price("2.5 10 1.25")));
}

/// The lines of the table: provider, patterns, price.
fn lines() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
    let mut provider = "";
    let mut lines = Vec::new();
    for line in table::TEXT.lines() {
        if let Some(head) = line.strip_prefix('[') {
            provider = head.trim_end_matches(']').split(' ').next().unwrap();
        } else if let Some((patterns, price)) = line.split_once('\t') {
            lines.push((provider, patterns.split('|').collect(), price));
        }
    }
    lines.retain(|(provider, ..)| !provider.is_empty());
    lines
}

#[test]
fn every_line_of_the_table_is_found_by_its_own_names() {
    let lines = lines();
    assert!(lines.len() > 1_500, "{}", lines.len());
    for (at, (provider, patterns, text)) in lines.iter().enumerate() {
        assert!(*text == "?" || table::parse(text).is_some(), "{text}");
        for pattern in patterns {
            let name = pattern.split('!').next().unwrap().replace('*', "").replace('#', "1");
            let before = &lines[..at];
            let earlier = before.iter().any(|(other, patterns, _)| {
                other == provider && patterns.iter().any(|pattern| fits(pattern, &name))
            });
            let found = table::find(provider, std::slice::from_ref(&name));
            assert!(earlier || found == table::parse(text), "{provider} {name}: {found:?}, not {text}");
        }
    }
}

#[test]
fn few_lines_are_idle() {
    let lines = lines();
    let idle = lines.iter().enumerate().filter(|(at, (provider, patterns, _))| {
        patterns.iter().all(|name| {
            let before = lines[..*at].iter().filter(|(other, ..)| other == provider);
            before.flat_map(|(_, patterns, _)| patterns).any(|pattern| fits(pattern, name))
        })
    });
    assert!(idle.count() < 10, "the order of the table's lines has been lost");
}

#[test]
fn the_table_is_small() {
    assert!(table::TEXT.len() < 100 * 1024, "{} bytes", table::TEXT.len());
    assert!(table::TEXT.contains("MIT License"), "the licence of the data is named in its head");
}

#[test]
fn nearly_nothing_is_dearer_than_what_is_assumed() {
    let most = expensive().rates;
    let prices: Vec<_> = lines().iter().filter_map(|(.., text)| table::parse(text)).collect();
    let dearer =
        prices.iter().filter(|price| price.rates.input > most.input || price.rates.output > most.output);
    assert!(dearer.count() * 100 <= prices.len() * 2);
}

#[test]
fn a_million_small_calls_cost_exactly_a_million_times_one() {
    let price = price("0.075 0.3");
    let one = price.cost(&Tokens { prompt: 7, completion: 3, ..Tokens::default() });
    let all = price.cost(&Tokens { prompt: 7_000_000, completion: 3_000_000, ..Tokens::default() });
    // 1.425 millionths: 1425 billionths, of which nothing is rounded away.
    assert_eq!((one.nano_dollars(), all.nano_dollars()), (1_425, 1_425_000_000));
}
