//! Where a request goes, and what a translated request is.

use serde_json::Value;

use crate::asked::Asked;

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The provider's name of the model, without any prefix of ours.
    pub model: &'a str,
    /// The model as the client asked for it.
    pub asked_model: &'a str,
    /// What the provider does differently.
    pub quirks: Quirks,
    /// The call's id.
    pub id: &'a str,
    /// Seconds since 1970.
    pub now: u64,
}

/// How a provider differs from what its format's documentation says. The default differs in nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Top-level parameters of a chat request that it refuses; they are dropped and named.
    pub refuses: &'static [&'static str],
    /// Top-level parameters under another name: OpenAI's → its own.
    pub renames: &'static [(&'static str, &'static str)],
    /// The output limit is `max_completion_tokens` (OpenAI, Azure) and not `max_tokens`.
    pub max_completion_tokens: bool,
    /// `tool_choice: "required"` is spelt `"any"` (Mistral).
    pub any_for_required: bool,
    /// Only JSON objects can be asked for, no schema (`DeepSeek`).
    pub json_object_only: bool,
    /// `json_object` wants the word "json" in the messages (Groq).
    pub json_word: bool,
    /// `temperature: 0` is refused (Groq wants 1e-8).
    pub no_zero_temperature: bool,
    /// An assistant's `reasoning_content` must be sent back on tool turns (`DeepSeek`, Moonshot, Z.ai).
    pub reasoning_echo: bool,
    /// `reasoning_details` are understood (`OpenRouter`).
    pub reasoning_details: bool,
    /// `extra_content.google.thought_signature` on tool calls is understood (Gemini, natively or by its chat API).
    pub thought_signatures: bool,
    /// `cache_control` on text parts survives (`OpenRouter`).
    pub cache_control: bool,
    /// `file` parts are understood.
    pub file_parts: bool,
    /// `top_k` is understood.
    pub top_k: bool,
    /// `max_tokens` and `max_completion_tokens` are both understood: the client's own word stays.
    pub either_limit: bool,
    /// There is no `developer` role; it is spelt `system`.
    pub system_only: bool,
    /// Messages may hold no more than role, content and tool calls: names and reasoning are refused (Mistral, Groq).
    pub plain_messages: bool,
    /// An assistant's message must have `content`, if only `null` (Mistral).
    pub wants_content: bool,
    /// Tool call ids have nine letters and digits (Mistral).
    pub short_tool_ids: bool,
    /// `response_format: text` beside tools is refused (Fireworks).
    pub no_text_format: bool,
    /// Its streams keep to the format and pass untouched.
    pub clean_stream: bool,
}

impl Quirks {
    /// The default, for tables.
    pub const NONE: Self = Self {
        refuses: &[],
        renames: &[],
        max_completion_tokens: false,
        any_for_required: false,
        json_object_only: false,
        json_word: false,
        no_zero_temperature: false,
        reasoning_echo: false,
        reasoning_details: false,
        thought_signatures: false,
        cache_control: false,
        file_parts: false,
        top_k: false,
        either_limit: false,
        system_only: false,
        plain_messages: false,
        wants_content: false,
        short_tool_ids: false,
        no_text_format: false,
        clean_stream: false,
    };
}

/// A request in another format.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The body to send.
    pub body: Value,
    /// Parameters of the client that the target cannot hold, by their names in the client's format.
    pub dropped: Vec<String>,
    /// What the reply's translation needs to know.
    pub asked: Asked,
}

/// Why a request cannot be translated: dropping the thing would have changed the answer. Told to the client as a 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong and what to do, for people.
    pub message: String,
    /// The parameter, by its path in the client's body (`messages[2].content[0]`).
    pub param: Option<String>,
    /// For programs: `unsupported_parameter`, `unsupported_content_part`, `invalid_value`, …
    pub code: &'static str,
}

impl Refusal {
    /// A refusal of one parameter.
    #[must_use]
    pub fn of(param: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), param: Some(param.into()), code }
    }

    /// The same, seen from further out: what is at fault lies inside of `parent`.
    #[must_use]
    pub fn inside(mut self, parent: &str) -> Self {
        self.param = Some(match self.param {
            Some(param) if param.starts_with('[') => format!("{parent}{param}"),
            Some(param) => format!("{parent}.{param}"),
            None => parent.to_owned(),
        });
        self
    }
}
