//! The counts against OpenAI's published examples, and the tokenizer against tiktoken's on any text.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;

static TOKENIZERS: LazyLock<Tokenizers> = LazyLock::new(Tokenizers::embedded);

#[track_caller]
fn check_ids(model: &str, text: &str, expected: &[u32]) {
    assert_eq!(TOKENIZERS.encode(model, text).as_deref(), Some(expected), "{text}");
    assert_eq!(TOKENIZERS.count(model, text), Count::exact(expected.len() as u64), "{text}");
}

#[track_caller]
fn check_prompt(model: &str, chat: &Value, expected: Count) {
    assert_eq!(TOKENIZERS.prompt(model, chat), expected, "{model}");
}

/// From OpenAI's cookbook, "How to count tokens with tiktoken".
#[test]
fn the_ids_are_those_of_the_cookbook() {
    check_ids("gpt-3.5-turbo", "tiktoken is great!", &[83, 1609, 5963, 374, 2294, 0]);
    check_ids("gpt-4", "antidisestablishmentarianism", &[519, 85342, 34500, 479, 8997, 2191]);
    check_ids("gpt-4", "2 + 2 = 4", &[17, 489, 220, 17, 284, 220, 19]);
    check_ids("gpt-4", "お誕生日おめでとう", &[33334, 45918, 243, 21990, 9080, 33334, 62004, 16556, 78699]);
    check_ids("gpt-4o", "", &[]);
}

#[test]
fn a_special_token_in_a_text_is_text() {
    let ids = TOKENIZERS.encode("gpt-4o", "<|endoftext|>").unwrap();
    assert!(ids.len() > 1 && ids.iter().all(|id| *id < 199_998), "{ids:?}");
}

/// The cookbook's conversation; OpenAI answered `prompt_tokens` of 129 and 124.
#[test]
fn a_conversation_costs_what_the_cookbook_says() {
    let chat = json!({"messages": [
        {"role": "system", "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."},
        {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
        {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
        {"role": "system", "name": "example_user", "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."},
        {"role": "system", "name": "example_assistant", "content": "Let's talk later when we're less busy about how to do better."},
        {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client deliverable."},
    ]});
    check_prompt("gpt-3.5-turbo", &chat, Count::exact(129));
    check_prompt("gpt-4", &chat, Count::exact(129));
    check_prompt("gpt-4o", &chat, Count::exact(124));
    check_prompt("gpt-4o-mini", &chat, Count::exact(124));
    check_prompt("gpt-5", &chat, Count::estimate(124));
}

/// The cookbook's tools; OpenAI answered `prompt_tokens` of 105 and 101.
#[test]
fn tools_cost_what_the_cookbook_says() {
    let chat = json!({
        "messages": [
            {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."},
            {"role": "user", "content": "What's the weather like in San Francisco?"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "get_current_weather",
            "description": "Get the current weather in a given location",
            "parameters": {"type": "object", "required": ["location"], "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {"type": "string", "description": "The unit of temperature to return", "enum": ["celsius", "fahrenheit"]},
            }},
        }}],
    });
    check_prompt("gpt-4", &chat, Count::estimate(105));
    check_prompt("gpt-4o", &chat, Count::estimate(101));
}

/// Checked against the API by the authors of openai-messages-token-helper (`tests/messages.py`).
#[test]
fn an_image_in_a_message_costs_its_tiles() {
    let dot = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z/C/HgAGgwJ/lK3Q6wAAAABJRU5ErkJggg==";
    let chat = |url: &str| {
        json!({"messages": [{"role": "user", "content": [
            {"type": "text", "text": "Describe this picture:"},
            {"type": "image_url", "image_url": {"url": url, "detail": "auto"}},
        ]}]})
    };
    check_prompt("gpt-4o", &chat(dot), Count::exact(266));
    check_prompt("gpt-4o", &chat("https://example.com/a.png"), Count::estimate(11 + 765));
}

#[test]
fn what_is_not_published_makes_an_estimate() {
    let marked = |message: Value| {
        let count = TOKENIZERS.prompt("gpt-4o", &json!({"messages": [message]}));
        assert!(!count.exact, "{message}");
        count.tokens
    };
    let call = json!({"function": {"name": "f", "arguments": "{\"a\": 1}"}});
    assert!(marked(json!({"role": "assistant", "content": null, "tool_calls": [call]})) > 10);
    marked(json!({"role": "tool", "tool_call_id": "c", "content": "done"}));
    marked(json!({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AAAA"}}]}));
    marked(
        json!({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
    );
    let schema = json!({"messages": [], "response_format": {"json_schema": {"name": "x", "schema": {}}}});
    assert!(!TOKENIZERS.prompt("gpt-4o", &schema).exact);
}

#[test]
fn another_family_is_estimated_by_the_nearest_tokenizer() {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(10);
    let nearest = TOKENIZERS.count("gpt-4o", &text).tokens;
    assert_eq!(TOKENIZERS.count("gemini-2.5-pro", &text), Count::estimate(nearest));
    assert_eq!(TOKENIZERS.count("claude-3-haiku", &text), Count::estimate((nearest * 11 + 5) / 10));
    assert_eq!(TOKENIZERS.encode("gemini-2.5-pro", &text), None);
}

#[test]
fn a_long_text_of_another_family_is_estimated_by_its_length() {
    let text = "a ".repeat(LONGEST_ESTIMATED);
    assert_eq!(TOKENIZERS.count("claude-opus-5", &text), Count::estimate(text.len() as u64 / 4));
}

#[test]
fn without_vocabularies_everything_is_an_estimate() {
    for without in [Tokenizers::new(|_| None), Tokenizers::new(|_| Some(b"damaged".as_slice().into()))] {
        assert_eq!(without.count("gpt-4o", "tiktoken is great!"), Count::estimate(5));
        assert_eq!(without.encode("gpt-4o", "tiktoken"), None);
        assert!(!without.prompt("gpt-4o", &json!({"messages": [{"role": "user", "content": "a"}]})).exact);
    }
}

#[test]
fn one_endless_word_takes_no_hours() {
    let text = "a".repeat(1 << 18);
    assert_eq!(TOKENIZERS.count("gpt-4o", &text), Count::exact(tiktoken("o200k_base").count(&text) as u64));
}

#[test]
fn a_request_of_any_shape_is_counted() {
    for chat in [
        json!(null),
        json!([1]),
        json!({"messages": "no"}),
        json!({"messages": [null, 1, "a", {"role": 1, "content": {"a": 1}, "name": [], "tool_calls": 7}]}),
        json!({"messages": [{"content": [1, "a", {"image_url": 5}, {"image_url": {"url": 5, "detail": 5}}]}]}),
        json!({"messages": [], "tools": [null, 1, {"function": 5}, {"function": {"parameters": {"properties": 5}}}]}),
        json!({"messages": [], "tools": [{"parameters": {"properties": {"a": 1, "b": {"enum": [], "items": 5}}}}]}),
    ] {
        assert!(TOKENIZERS.prompt("gpt-4o", &chat).tokens >= REPLY, "{chat}");
    }
}

/// What even an empty request costs.
const REPLY: u64 = 3;

#[test]
fn nested_parameters_are_counted() {
    let tool = |schema: Value| json!({"tools": [{"function": {"name": "f", "parameters": schema}}]});
    let flat = json!({"properties": {"a": {"type": "object"}}});
    let nested = json!({"properties": {"a": {"type": "object", "properties": {"deep": {"type": "string"}}}}});
    let listed = json!({"properties": {"a": {"type": "object", "items": {"properties": {"deep": {"type": "string"}}}}}});
    let tokens = |schema| TOKENIZERS.prompt("gpt-4o", &tool(schema)).tokens;
    assert_eq!(tokens(nested.clone()), tokens(listed));
    assert!(tokens(nested) > tokens(flat) + 6);
}

fn tiktoken(name: &str) -> &'static tiktoken::CoreBpe {
    tiktoken::get_encoding(name).unwrap()
}

fn check_against_tiktoken(text: &str) {
    for (model, name) in [("gpt-4o", "o200k_base"), ("gpt-4", "cl100k_base")] {
        let ids = TOKENIZERS.encode(model, text).unwrap();
        assert_eq!(ids, tiktoken(name).encode(text), "{name}: {text:?}");
        assert_eq!(TOKENIZERS.count(model, text), Count::exact(ids.len() as u64));
        assert_eq!(tiktoken(name).decode(&ids), text.as_bytes());
        assert!(ids.len() <= text.len());
    }
}

/// What text is made of where the patterns cut: cases, marks, digits, spaces, line ends, quotes, scripts, joiners.
const AWKWARD: &[&str] = &[
    "a",
    "b",
    "the",
    "A",
    "Z",
    "HTTP",
    "ǅ",
    "é",
    "E\u{301}",
    "\u{301}",
    "ß",
    "ſ",
    "K",
    "ʰ",
    "ª",
    "中",
    "日本",
    "ก็",
    "א",
    "שּׁ",
    "한",
    "ع",
    "१",
    "²",
    "Ⅷ",
    "7",
    "42",
    "2026",
    " ",
    "  ",
    "\t",
    "\u{a0}",
    "\u{85}",
    "\u{3000}",
    "\u{200b}",
    "\u{200d}",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "'",
    "'s",
    "'S",
    "'ll",
    "'Re",
    "'vE",
    "'d",
    "’s",
    "/",
    "//",
    ".",
    "...",
    "{",
    "\"",
    "_",
    "-",
    "😀",
    "👩\u{200d}🚀",
    "\u{fe0f}",
    "<|endoftext|>",
    "\0",
    "\u{feff}",
    "\u{1F1E9}\u{1F1EA}",
    "x=1;",
];

fn awkward() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(AWKWARD), 0..24).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn awkward_text_is_tokenized_as_tiktoken_does(text in awkward()) {
        check_against_tiktoken(&text);
    }

    #[test]
    fn any_text_is_tokenized_as_tiktoken_does(text in "\\PC{0,40}|(?s:.{0,40})") {
        check_against_tiktoken(&text);
    }

    #[test]
    fn any_request_is_counted(role in ".{0,9}", text in ".{0,99}", url in "data:image/[a-z]{3};base64,[A-Za-z0-9+/]{0,99}") {
        let part = json!({"type": "image_url", "image_url": {"url": url}});
        let chat = json!({"messages": [{"role": role, "content": [{"type": "text", "text": text}, part]}]});
        for model in ["gpt-4o", "gpt-4.1-mini", "claude-opus-5", "gemini-2.5-pro", "llama-4"] {
            prop_assert!(TOKENIZERS.prompt(model, &chat).tokens > MESSAGE_AND_REPLY);
        }
    }
}

/// What a message costs that says nothing, before its image.
const MESSAGE_AND_REPLY: u64 = 6;
