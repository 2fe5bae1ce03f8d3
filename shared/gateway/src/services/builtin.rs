//! The services every gateway knows without being told.
//!
//! The hosts are those of November 2026. Where a provider moved, the alias stayed and its paths are mapped.

use super::formats::{self, COMPATIBLE, Spoken, WITH_RESPONSES};
use super::{KeyPlace, Mapping};

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// The name in `/gateway/{alias}/…`.
    pub alias: &'static str,
    /// The host; empty where a setting must name it.
    pub host: &'static str,
    /// What goes before every path.
    pub base_path: &'static str,
    /// How paths are mapped.
    pub mapping: Mapping,
    /// Where the key goes.
    pub key_place: KeyPlace,
    /// Settings that may hold the key, beside `{ALIAS}_API_KEY`.
    pub key_settings: &'static [&'static str],
    /// The wire formats the provider has itself.
    pub speaks: &'static [Spoken],
    /// Whether the provider fetches an image by its URL; otherwise the gateway does.
    pub fetches_images: bool,
    /// Sent where the client does not say otherwise.
    pub default_headers: &'static [(&'static str, &'static str)],
    /// Largest reply in bytes, where it differs from the default.
    pub max_response: Option<u64>,
    /// Whether the service is there without being asked for. The three that are no LLM providers are not: an open
    /// relay to a chat service is of use to nobody but a spammer.
    pub on: bool,
    /// Whether paths may be logged.
    pub log_paths: bool,
}

const ROW: Builtin = Builtin {
    alias: "",
    host: "",
    base_path: "",
    mapping: Mapping::Append,
    key_place: KeyPlace::Bearer,
    key_settings: &[],
    speaks: COMPATIBLE,
    fetches_images: true,
    default_headers: &[],
    max_response: None,
    on: true,
    log_paths: true,
};

/// A service that takes OpenAI's paths as they are and a bearer key.
const fn plain(alias: &'static str, host: &'static str) -> Builtin {
    Builtin { alias, host, ..ROW }
}

/// The same, below a base path.
const fn based(alias: &'static str, host: &'static str, base_path: &'static str) -> Builtin {
    Builtin { alias, host, base_path, ..ROW }
}

/// All of them.
pub const TABLE: &[Builtin] = &[
    Builtin { max_response: Some(10_485_760), speaks: formats::OPENAI, ..plain("openai", "api.openai.com") },
    Builtin {
        key_place: KeyPlace::Header("x-api-key"),
        key_settings: &["ANTHROPIC_API_KEY"],
        speaks: formats::ANTHROPIC,
        default_headers: &[("anthropic-version", "2023-06-01")],
        ..plain("claude", "api.anthropic.com")
    },
    Builtin {
        key_place: KeyPlace::Google,
        key_settings: &["GOOGLE_API_KEY"],
        speaks: formats::GEMINI,
        ..plain("gemini", "generativelanguage.googleapis.com")
    },
    // Named by AZURE_OPENAI_ENDPOINT. The shared host of earlier years, models.inference.ai.azure.com, is retired.
    Builtin {
        mapping: Mapping::Azure,
        key_place: KeyPlace::Header("api-key"),
        key_settings: &["AZURE_OPENAI_API_KEY"],
        speaks: WITH_RESPONSES,
        ..plain("azure", "")
    },
    Builtin {
        mapping: Mapping::WithoutV1(&["/inference", "/orgs", "/catalog"]),
        speaks: formats::GITHUB,
        ..based("github", "models.github.ai", "/inference")
    },
    Builtin { speaks: WITH_RESPONSES, ..based("groq", "api.groq.com", "/openai") },
    Builtin { mapping: Mapping::OpenAiShapedOnly, ..based("cohere", "api.cohere.ai", "/compatibility") },
    Builtin {
        mapping: Mapping::HuggingFace,
        key_settings: &["HF_TOKEN"],
        speaks: WITH_RESPONSES,
        ..plain("huggingface", "router.huggingface.co")
    },
    plain("together", "api.together.ai"),
    plain("siliconflow", "api.siliconflow.cn"),
    plain("cerebras", "api.cerebras.ai"),
    plain("chutes", "llm.chutes.ai"),
    Builtin { speaks: formats::FIREWORKS, ..based("fireworks", "api.fireworks.ai", "/inference") },
    based("friendli", "api.friendli.ai", "/serverless"),
    plain("gmi", "api.gmi-serving.com"),
    Builtin { speaks: WITH_RESPONSES, ..plain("meta", "api.meta.ai") },
    plain("modelscope", "api-inference.modelscope.cn"),
    Builtin {
        mapping: Mapping::Unless(&["/openai", "/v3", "/anthropic"]),
        speaks: formats::NOVITA,
        ..based("novita", "api.novita.ai", "/openai")
    },
    Builtin { speaks: formats::OPENROUTER, ..based("openrouter", "openrouter.ai", "/api") },
    plain("poe", "api.poe.com"),
    Builtin { key_place: KeyPlace::Header("x-portkey-api-key"), ..plain("portkey", "api.portkey.ai") },
    Builtin {
        mapping: Mapping::WithoutV1(&[]),
        key_settings: &["PERPLEXITY_API_KEY"],
        speaks: formats::CHAT_ONLY,
        ..plain("pplx", "api.perplexity.ai")
    },
    plain("targon", "api.targon.com"),
    Builtin { speaks: WITH_RESPONSES, ..plain("xai", "api.x.ai") },
    plain("mistral", "api.mistral.ai"),
    Builtin { speaks: formats::DEEPSEEK, ..plain("deepseek", "api.deepseek.com") },
    plain("moonshot", "api.moonshot.ai"),
    Builtin {
        mapping: Mapping::WithoutV1(&["/api"]),
        key_settings: &["ZHIPU_API_KEY"],
        ..based("zai", "api.z.ai", "/api/paas/v4")
    },
    plain("nvidia", "integrate.api.nvidia.com"),
    Builtin {
        key_place: KeyPlace::Header("api-key"),
        key_settings: &["ONE_MIN_API_KEY"],
        speaks: formats::ONEMIN,
        fetches_images: false,
        ..plain("onemin", "api.1min.ai")
    },
    // The base path holds the account, which CLOUDFLARE_ACCOUNT_ID names.
    Builtin {
        key_settings: &["CLOUDFLARE_API_TOKEN"],
        speaks: formats::WORKERS_AI,
        fetches_images: false,
        ..based("workers-ai", "api.cloudflare.com", "/client/v4/accounts/{account}/ai")
    },
    // The host holds the region, which BEDROCK_REGION or AWS_REGION names. Mantle has chat, responses and messages.
    Builtin {
        key_settings: &["AWS_BEARER_TOKEN_BEDROCK"],
        speaks: formats::BEDROCK,
        fetches_images: false,
        ..plain("bedrock", "bedrock-mantle.{region}.api.aws")
    },
    // Named by OLLAMA_HOST: a server of the operator's own.
    Builtin {
        speaks: WITH_RESPONSES,
        fetches_images: false,
        key_place: KeyPlace::None,
        ..plain("ollama", "")
    },
    plain("dmxcn", "www.dmxapi.cn"),
    plain("dmxcom", "www.dmxapi.com"),
    Builtin { on: false, log_paths: false, speaks: &[], ..based("discord", "discord.com", "/api") },
    Builtin {
        on: false,
        log_paths: false,
        speaks: &[],
        key_place: KeyPlace::None,
        ..plain("telegram", "api.telegram.org")
    },
    Builtin { on: false, speaks: &[], key_place: KeyPlace::None, ..plain("httpbin", "httpbin.org") },
];
