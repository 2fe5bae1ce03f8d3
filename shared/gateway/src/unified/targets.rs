//! Which provider a model is, decided by its name: `provider/model`, an alias of the operator's, a pattern. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::services::{Service, Services};

/// A model at a provider, and why it was chosen.
#[derive(Debug, Clone)]
pub struct Target {
    /// The provider.
    pub service: Arc<Service>,
    /// The provider's own name of the model.
    pub model: String,
    /// Why.
    pub why: Why,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.model.as_str() {
            "" => f.write_str(&self.service.alias),
            model => write!(f, "{}/{model}", self.service.alias),
        }
    }
}

/// Why a model is served by a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The call names the provider.
    Named,
    /// The name begins with the provider's.
    Prefix,
    /// The operator's `MODEL_ALIASES` says so.
    Alias,
    /// The name is one of the provider's kind.
    Pattern(&'static str),
    /// No rule fits, or no key for the provider that does: the default service.
    Default,
    /// A question about images names no model, and this is what answers those.
    Vision,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => f.write_str("the call names the provider"),
            Self::Prefix => f.write_str("the model's name begins with the provider's"),
            Self::Alias => f.write_str("MODEL_ALIASES names it"),
            Self::Pattern(pattern) => write!(f, "the model's name is like {pattern}"),
            Self::Default => f.write_str("it is the default service"),
            Self::Vision => f.write_str("it answers questions about images that name no model"),
        }
    }
}

/// What decides about a model's provider.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The providers there are.
    pub services: &'a Services,
    /// The operator's names for lists of targets.
    pub aliases: &'a BTreeMap<String, Vec<String>>,
    /// The alias of the default service.
    pub default: &'a str,
    /// Whether the client brings a key of its own, with which any provider can be called.
    pub own_key: bool,
}

/// A provider that a call names and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchProvider(pub String);

impl Rules<'_> {
    /// The targets of a model, in the order in which they are tried. Never empty.
    ///
    /// # Errors
    /// [`NoSuchProvider`], where `provider` or an alias names one.
    pub fn targets(&self, model: &str, provider: Option<&str>) -> Result<Vec<Target>, NoSuchProvider> {
        if let Some(provider) = provider {
            let service = self.service(provider).ok_or_else(|| NoSuchProvider(provider.to_owned()))?;
            let model = after_prefix(model, provider).unwrap_or(model);
            return Ok(vec![Target { service, model: model.to_owned(), why: Why::Named }]);
        }
        match self.aliases.get(model) {
            Some(list) => list.iter().map(|target| self.aliased(target)).collect(),
            None => self.target(model).map(|target| vec![target]),
        }
    }

    /// The targets of several models, in their order.
    ///
    /// # Errors
    /// [`NoSuchProvider`], where one of them names one.
    pub fn chain(&self, models: &[String]) -> Result<Vec<Target>, NoSuchProvider> {
        let each: Vec<_> = models.iter().map(|model| self.targets(model, None)).collect::<Result<_, _>>()?;
        Ok(each.into_iter().flatten().map(|target| Target { why: Why::Vision, ..target }).collect())
    }

    fn aliased(&self, target: &str) -> Result<Target, NoSuchProvider> {
        Ok(Target { why: Why::Alias, ..self.target(target)? })
    }

    fn target(&self, model: &str) -> Result<Target, NoSuchProvider> {
        if let Some((service, rest)) = self.prefixed(model) {
            return Ok(Target { service, model: rest.to_owned(), why: Why::Prefix });
        }
        let (service, why) = match self.patterned(model) {
            Some(found) => found,
            None => {
                let default = self.service(self.default);
                (default.ok_or_else(|| NoSuchProvider(self.default.to_owned()))?, Why::Default)
            }
        };
        Ok(Target { service, model: model.to_owned(), why })
    }

    /// The provider that a name begins with. A name of a publisher (`meta-llama/…`) is none.
    fn prefixed<'m>(&self, model: &'m str) -> Option<(Arc<Service>, &'m str)> {
        let (prefix, rest) = model.split_once('/')?;
        Some((self.service(prefix)?, rest)).filter(|(_, rest)| !rest.is_empty())
    }

    /// The provider whose models have names like this, where there is a key with which to call it.
    fn patterned(&self, model: &str) -> Option<(Arc<Service>, Why)> {
        let (pattern, alias) = PATTERNS.iter().find(|(pattern, _)| fits(pattern, model))?;
        let service = self.services.get(alias).filter(|service| self.own_key || is_open(service))?;
        Some((service, Why::Pattern(pattern)))
    }

    /// A provider by its alias, or by the name its makers have.
    fn service(&self, name: &str) -> Option<Arc<Service>> {
        self.services.get(name).or_else(|| {
            let (_, alias) = SYNONYMS.iter().find(|(synonym, _)| *synonym == name)?;
            self.services.get(alias)
        })
    }
}

/// Whether the server can call a provider by itself.
pub(crate) fn is_open(service: &Service) -> bool {
    service.key.is_some() || service.signed || service.key_place == crate::services::KeyPlace::None
}

/// The model's name without the provider's before it.
fn after_prefix<'m>(model: &'m str, provider: &str) -> Option<&'m str> {
    model.strip_prefix(provider)?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

/// Names that people use for a provider beside its alias.
const SYNONYMS: &[(&str, &str)] = &[
    ("anthropic", "claude"),
    ("google", "gemini"),
    ("perplexity", "pplx"),
    ("cloudflare", "workers-ai"),
    ("1min", "onemin"),
    ("fireworks-ai", "fireworks"),
    ("together-ai", "together"),
    ("hf", "huggingface"),
    ("grok", "xai"),
];

/// How providers' models are called. The first that fits counts; a `*` is any text.
pub const PATTERNS: &[(&str, &str)] = &[
    ("demo*", "demo"),
    ("@cf/*", "workers-ai"),
    ("@hf/*", "workers-ai"),
    ("gpt-oss*", "groq"),
    ("gpt-*", "openai"),
    ("chatgpt-*", "openai"),
    ("o1*", "openai"),
    ("o3*", "openai"),
    ("o4*", "openai"),
    ("text-embedding-004", "gemini"),
    ("text-embedding-*", "openai"),
    ("dall-e-*", "openai"),
    ("whisper-1", "openai"),
    ("tts-1*", "openai"),
    ("omni-moderation-*", "openai"),
    ("davinci-*", "openai"),
    ("babbage-*", "openai"),
    ("codex-*", "openai"),
    ("computer-use-*", "openai"),
    ("sora-*", "openai"),
    ("claude-*", "claude"),
    ("anthropic.*", "bedrock"),
    ("amazon.*", "bedrock"),
    ("*/*:free", "openrouter"),
    ("*gemini*", "gemini"),
    ("imagen-*", "gemini"),
    ("gemma-*", "gemini"),
    ("learnlm-*", "gemini"),
    ("grok-*", "xai"),
    ("mistral-*", "mistral"),
    ("ministral-*", "mistral"),
    ("magistral-*", "mistral"),
    ("codestral-*", "mistral"),
    ("devstral-*", "mistral"),
    ("pixtral-*", "mistral"),
    ("open-mi*", "mistral"),
    ("deepseek-*", "deepseek"),
    ("command-*", "cohere"),
    ("embed-*", "cohere"),
    ("sonar*", "pplx"),
    ("kimi-*", "moonshot"),
    ("moonshot-*", "moonshot"),
    ("glm-*", "zai"),
    ("*/*", "openrouter"),
];

/// Whether a name fits a pattern. Case does not count: people write `GPT-4o`.
fn fits(pattern: &str, name: &str) -> bool {
    twinlane_glob::fits_by(pattern, name, |byte, named| byte == named.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{NoSuchProvider, Rules, Target, Why, fits};
    use crate::config::Config;
    use crate::config::tests::config;

    const KEYS: &[(&str, &str)] = &[
        ("OPENAI_API_KEY", "k"),
        ("ANTHROPIC_API_KEY", "k"),
        ("GEMINI_API_KEY", "k"),
        ("OPENROUTER_API_KEY", "k"),
        ("CLOUDFLARE_API_TOKEN", "k"),
        ("CLOUDFLARE_ACCOUNT_ID", "a"),
    ];

    fn targets(
        config: &Config,
        own_key: bool,
        model: &str,
        named: Option<&str>,
    ) -> Result<Vec<Target>, NoSuchProvider> {
        let fast = vec!["claude/claude-haiku".to_owned(), "gpt-4o-mini".to_owned()];
        let aliases = BTreeMap::from([("fast".to_owned(), fast)]);
        let rules = Rules { services: &config.services, aliases: &aliases, default: "openai", own_key };
        rules.targets(model, named)
    }

    fn check(model: &str, named: Option<&str>, expected: &str) {
        let found = targets(&config(KEYS), false, model, named).expect(model);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), expected, "{model}");
    }

    #[test]
    fn a_name_tells_its_provider() {
        check("gpt-4o", None, "openai/gpt-4o");
        check("GPT-4o", None, "openai/GPT-4o");
        check("o3-mini", None, "openai/o3-mini");
        check("claude-opus-4-7", None, "claude/claude-opus-4-7");
        check("anthropic/claude-opus-4-7", None, "claude/claude-opus-4-7");
        check("models-gemini-x", None, "gemini/models-gemini-x");
        check("google/gemini-3-pro", None, "gemini/gemini-3-pro");
        check("@cf/meta/llama-3.1-8b-instruct", None, "workers-ai/@cf/meta/llama-3.1-8b-instruct");
        check("workers-ai/@cf/meta/llama", None, "workers-ai/@cf/meta/llama");
        check("meta-llama/llama-4", None, "openrouter/meta-llama/llama-4");
        check("openrouter/openai/gpt-4o", None, "openrouter/openai/gpt-4o");
        check("something-new", None, "openai/something-new");
    }

    #[test]
    fn the_provider_a_call_names_wins() {
        check("gpt-4o", Some("openrouter"), "openrouter/gpt-4o");
        check("openrouter/gpt-4o", Some("openrouter"), "openrouter/gpt-4o");
        check("fast", Some("anthropic"), "claude/fast");
        let wrong = targets(&config(KEYS), false, "gpt-4o", Some("nobody"));
        assert_eq!(wrong.unwrap_err(), NoSuchProvider("nobody".to_owned()));
    }

    #[test]
    fn an_alias_is_a_list_of_targets_in_order() {
        check("fast", None, "claude/claude-haiku openai/gpt-4o-mini");
        let found = targets(&config(KEYS), false, "fast", None).unwrap();
        assert!(found.iter().all(|target| target.why == Why::Alias));
    }

    #[test]
    fn a_provider_without_a_key_is_not_guessed_unless_the_client_brings_one() {
        let config = config(&[]);
        let alias = |own_key| {
            let found = targets(&config, own_key, "claude-opus-4-7", None).unwrap();
            (found[0].service.alias.clone(), found[0].why)
        };
        assert_eq!(alias(false), ("openai".to_owned(), Why::Default));
        assert_eq!(alias(true), ("claude".to_owned(), Why::Pattern("claude-*")));
    }

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, expected) in [
            ("gpt-*", "gpt-4o", true),
            ("gpt-*", "my-gpt-4o", false),
            ("*gemini*", "models/gemini-2", true),
            ("*/*:free", "a/b:free", true),
            ("*/*:free", "a/b:freer", false),
            ("whisper-1", "whisper-1", true),
            ("whisper-1", "whisper-12", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
