//! What each provider speaks, and where: the wire formats that it has itself, each with the path under which clients
//! know it. A client whose format is here is passed through; any other is translated to the first conversation here.

use twinlane_dialects::Dialect;

/// Something a provider can be asked for in a format of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A conversation in a dialect.
    Conversation(Dialect),
    /// How many tokens a conversation has, in Anthropic's format.
    CountTokens,
    /// Embeddings, in OpenAI's format.
    Embeddings,
    /// Embeddings, in Google's.
    GeminiEmbeddings,
    /// Images, in OpenAI's format.
    Images,
    /// Images, in Cloudflare's.
    WorkersAiImages,
    /// Images, in 1min.ai's.
    OneMinImages,
    /// The list of models.
    Models,
}

/// A format, and the path below the service at which it is found.
pub type Spoken = (Format, &'static str);

use Format::{
    Conversation, CountTokens, Embeddings, GeminiEmbeddings, Images, Models, OneMinImages, WorkersAiImages,
};

const CHAT: Spoken = (Conversation(Dialect::Chat), "/v1/chat/completions");
const COMPLETIONS: Spoken = (Conversation(Dialect::Completions), "/v1/completions");
const RESPONSES: Spoken = (Conversation(Dialect::Responses), "/v1/responses");
const MESSAGES: Spoken = (Conversation(Dialect::Messages), "/v1/messages");
const COUNT_TOKENS: Spoken = (CountTokens, "/v1/messages/count_tokens");
const EMBEDDINGS: Spoken = (Embeddings, "/v1/embeddings");
const IMAGES: Spoken = (Images, "/v1/images/generations");
const MODELS: Spoken = (Models, "/v1/models");

/// Chat, as every OpenAI-compatible provider has it.
pub const COMPATIBLE: &[Spoken] = &[CHAT, EMBEDDINGS, IMAGES, MODELS];
/// The same, and responses.
pub const WITH_RESPONSES: &[Spoken] = &[CHAT, RESPONSES, EMBEDDINGS, IMAGES, MODELS];
/// OpenAI itself.
pub const OPENAI: &[Spoken] = &[CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS, IMAGES, MODELS];
/// Anthropic.
pub const ANTHROPIC: &[Spoken] = &[MESSAGES, COUNT_TOKENS, MODELS];
/// Google's native API. The `{model}` is `models/…`, checked and encoded.
pub const GEMINI: &[Spoken] = &[
    (Conversation(Dialect::Gemini), "/v1beta/{model}"),
    (GeminiEmbeddings, "/v1beta/{model}:batchEmbedContents"),
    (Models, "/v1beta/models"),
];
/// OpenRouter, which has Anthropic's format as well.
pub const OPENROUTER: &[Spoken] = &[CHAT, MESSAGES, RESPONSES, EMBEDDINGS, MODELS];
/// DeepSeek.
pub const DEEPSEEK: &[Spoken] =
    &[CHAT, (Conversation(Dialect::Messages), "/anthropic/v1/messages"), RESPONSES, MODELS];
/// Fireworks.
pub const FIREWORKS: &[Spoken] = &[CHAT, MESSAGES, RESPONSES, EMBEDDINGS, MODELS];
/// Novita.
pub const NOVITA: &[Spoken] =
    &[CHAT, (Conversation(Dialect::Messages), "/anthropic/v1/messages"), EMBEDDINGS, MODELS];
/// Amazon Bedrock's mantle: Claude by Anthropic's path, the others by OpenAI's.
pub const BEDROCK: &[Spoken] = &[CHAT, RESPONSES, MODELS];
/// Bedrock, for Claude's models.
pub const BEDROCK_CLAUDE: &[Spoken] = &[(Conversation(Dialect::Messages), "/anthropic/v1/messages"), MODELS];
/// GitHub, which lists its models in a catalogue.
pub const GITHUB: &[Spoken] = &[CHAT, EMBEDDINGS, (Models, "/catalog/models")];
/// Perplexity, which lists no models.
pub const CHAT_ONLY: &[Spoken] = &[CHAT];
/// Cloudflare's Workers AI.
pub const WORKERS_AI: &[Spoken] = &[
    CHAT,
    RESPONSES,
    EMBEDDINGS,
    (WorkersAiImages, "/run/{model}"),
    (Models, "/models/search?per_page=200"),
];
/// 1min.ai.
pub const ONEMIN: &[Spoken] = &[
    (Conversation(Dialect::OneMin), "/api/chat-with-ai"),
    (OneMinImages, "/api/features"),
    (Models, "/models?feature=UNIFY_CHAT_WITH_AI"),
];

/// The demo provider, which has everything.
pub const DEMO: &[Spoken] = &[
    CHAT,
    RESPONSES,
    MESSAGES,
    COUNT_TOKENS,
    (Conversation(Dialect::Gemini), "/v1beta/{model}"),
    EMBEDDINGS,
    IMAGES,
    MODELS,
];

/// The path of a format in `spoken`.
#[must_use]
pub fn path_of(spoken: &[Spoken], wanted: Format) -> Option<&'static str> {
    spoken.iter().find(|(format, _)| *format == wanted).map(|(_, path)| *path)
}

/// The conversation that others are translated to.
#[must_use]
pub fn own_conversation(spoken: &[Spoken]) -> Option<(Dialect, &'static str)> {
    spoken.iter().find_map(|(format, path)| match format {
        Conversation(dialect) => Some((*dialect, *path)),
        _ => None,
    })
}

/// The formats an operator's own service may name in `speaks`, each at its usual path.
#[must_use]
pub fn by_name(name: &str) -> Option<Spoken> {
    Some(match name {
        "chat" => CHAT,
        "completions" => COMPLETIONS,
        "responses" => RESPONSES,
        "messages" => MESSAGES,
        "gemini" => (Conversation(Dialect::Gemini), "/v1beta/{model}"),
        "onemin" => (Conversation(Dialect::OneMin), "/api/chat-with-ai"),
        "embeddings" => EMBEDDINGS,
        "images" => IMAGES,
        "models" => MODELS,
        _ => return None,
    })
}
