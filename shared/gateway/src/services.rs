//! The providers a caller can name, and everything the gateway knows about each.

mod builtin;
pub mod formats;
mod paths;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Uri};

pub use builtin::{Builtin, TABLE};
pub use formats::{Format, Spoken};
pub use paths::Mapping;

use crate::secret::Secret;

/// An upstream provider known by an alias.
#[derive(Debug, Clone)]
pub struct Service {
    /// The name in `/gateway/{alias}/…`.
    pub alias: String,
    /// `https`, or `http` where the operator allowed it.
    pub scheme: Scheme,
    /// Host, and port where it is not the scheme's own.
    pub authority: Authority,
    /// What goes before every path, without a trailing slash; may be empty.
    pub base_path: String,
    /// How the paths clients use become the paths the provider has.
    pub mapping: Mapping,
    /// Where the provider looks for a key.
    pub key_place: KeyPlace,
    /// The server's key, used for admitted callers only, sent to this service's host only.
    pub key: Option<Secret>,
    /// The wire formats the provider has itself, each with its path.
    pub speaks: Vec<Spoken>,
    /// Whether the provider fetches an image by its URL; otherwise the gateway does.
    pub fetches_images: bool,
    /// Whether the door's signature serves where there is no key.
    pub signed: bool,
    /// Sent where the client does not say otherwise.
    pub default_headers: Vec<(HeaderName, HeaderValue)>,
    /// Request headers that pass beside the usual ones: exact names, or prefixes ending in `*`.
    pub forward_headers: Vec<String>,
    /// The first-byte clock, where it differs from the lane's.
    pub first_byte: Option<Duration>,
    /// How many times a call is tried again at most.
    pub max_retries: u32,
    /// Methods the operator vouches for as harmless to repeat.
    pub retryable_methods: Vec<Method>,
    /// The largest reply.
    pub max_response: ResponseLimit,
    /// Whether a call may ask this service for a stream.
    pub supports_streaming: bool,
    /// Whether the edge lane takes over when the background cannot be reached.
    pub allow_fallback: bool,
    /// Whether paths may be logged; some services put credentials there.
    pub log_paths: bool,
}

/// How large a reply may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseLimit {
    /// The most bytes.
    pub bytes: u64,
    /// Whether event streams are held to it, too: only where an operator set the limit. The built-in limits are
    /// meant for replies that somebody holds in memory, and a long answer told token by token may well be larger.
    pub streams_too: bool,
}

/// Where a provider looks for its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// `Authorization: Bearer …`
    Bearer,
    /// A header of the provider's own, with the bare key.
    Header(&'static str),
    /// Google: `x-goog-api-key` on the native API, a bearer on the OpenAI-compatible one.
    Google,
    /// Not in a header.
    None,
}

impl Service {
    /// The URL of a path and query at this service. Nothing else in the gateway builds provider URLs.
    ///
    /// `path` has been checked; it is appended as it is. `None` where the result is not a URI that can be sent.
    #[must_use]
    pub fn url(&self, path: &str, query: Option<&str>) -> Option<Uri> {
        let (base, path) = self.mapping.apply(&self.base_path, path);
        let target = match query {
            Some(query) => format!("{base}{path}?{query}"),
            None => format!("{base}{path}"),
        };
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(PathAndQuery::try_from(target).ok()?)
            .build()
            .ok()
    }

    /// The header that carries the server's key to a path of this service.
    #[must_use]
    pub fn key_header(&self, path: &str) -> Option<(HeaderName, HeaderValue)> {
        self.credential(path, self.key.as_ref()?)
    }

    /// The header in which this service looks for a key at a path.
    #[must_use]
    pub fn credential(&self, path: &str, key: &Secret) -> Option<(HeaderName, HeaderValue)> {
        let bare = |name| Some((HeaderName::from_static(name), key.header("")?));
        match self.key_place {
            KeyPlace::None => None,
            // Keys of Anthropic's own sign-in are bearers.
            KeyPlace::Header("x-api-key") if key.starts_with("sk-ant-oat") => {
                Some((http::header::AUTHORIZATION, key.header("Bearer ")?))
            }
            KeyPlace::Header(name) => bare(name),
            KeyPlace::Google if !path.starts_with("/v1beta/openai/") => bare("x-goog-api-key"),
            KeyPlace::Google | KeyPlace::Bearer => {
                Some((http::header::AUTHORIZATION, key.header("Bearer ")?))
            }
        }
    }

    /// The path of a format that the provider has itself.
    #[must_use]
    pub fn path_of(&self, format: Format) -> Option<&'static str> {
        formats::path_of(&self.speaks, format)
    }

    /// What the provider speaks about one of its models. Bedrock serves Claude in Anthropic's format only.
    #[must_use]
    pub fn spoken_of(&self, model: &str) -> &[Spoken] {
        if self.alias == "bedrock" && model.contains("anthropic.") {
            formats::BEDROCK_CLAUDE
        } else {
            &self.speaks
        }
    }

    /// A path of this service that a newcomer can try.
    #[must_use]
    pub fn example(&self) -> String {
        let path = match self.alias.as_str() {
            "claude" => "/v1/messages",
            "gemini" => "/v1beta/models/gemini-2.5-flash:generateContent",
            _ => "/v1/chat/completions",
        };
        format!("/gateway/{}{path}", self.alias)
    }
}

/// All services by alias.
#[derive(Debug, Clone, Default)]
pub struct Services(BTreeMap<String, Arc<Service>>);

impl Services {
    /// The service of that alias.
    #[must_use]
    pub fn get(&self, alias: &str) -> Option<Arc<Service>> {
        self.0.get(alias).cloned()
    }

    /// Adds a service, unless one of its alias is there.
    pub fn add(&mut self, service: Service) {
        self.0.entry(service.alias.clone()).or_insert_with(|| Arc::new(service));
    }

    /// Every service, by alias.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.values().map(AsRef::as_ref)
    }

    /// The aliases, for people.
    #[must_use]
    pub fn aliases(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl FromIterator<Service> for Services {
    fn from_iter<T: IntoIterator<Item = Service>>(services: T) -> Self {
        Self(services.into_iter().map(|service| (service.alias.clone(), Arc::new(service))).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::config::tests::config;
    use crate::path;

    fn url(alias: &str, path: &str) -> String {
        let config = config(&[("AZURE_OPENAI_ENDPOINT", "https://acme.openai.azure.com")]);
        config.services.get(alias).expect(alias).url(path, None).expect(path).to_string()
    }

    #[test]
    fn the_paths_clients_use_reach_the_paths_providers_have() {
        for (alias, path, expected) in [
            ("openai", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
            ("claude", "/v1/messages", "https://api.anthropic.com/v1/messages"),
            (
                "gemini",
                "/v1beta/models/g:generateContent",
                "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent",
            ),
            ("groq", "/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
            ("openrouter", "/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
            ("fireworks", "/v1/chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions"),
            ("friendli", "/v1/chat/completions", "https://api.friendli.ai/serverless/v1/chat/completions"),
            ("together", "/v1/chat/completions", "https://api.together.ai/v1/chat/completions"),
            ("meta", "/v1/chat/completions", "https://api.meta.ai/v1/chat/completions"),
            ("pplx", "/v1/chat/completions", "https://api.perplexity.ai/chat/completions"),
            ("pplx", "/chat/completions", "https://api.perplexity.ai/chat/completions"),
            ("github", "/v1/chat/completions", "https://models.github.ai/inference/chat/completions"),
            ("github", "/chat/completions", "https://models.github.ai/inference/chat/completions"),
            ("github", "/inference/chat/completions", "https://models.github.ai/inference/chat/completions"),
            (
                "github",
                "/orgs/acme/inference/chat/completions",
                "https://models.github.ai/orgs/acme/inference/chat/completions",
            ),
            ("github", "/catalog/models", "https://models.github.ai/catalog/models"),
            ("cohere", "/v1/chat/completions", "https://api.cohere.ai/compatibility/v1/chat/completions"),
            ("cohere", "/v1/embeddings", "https://api.cohere.ai/compatibility/v1/embeddings"),
            (
                "cohere",
                "/compatibility/v1/chat/completions",
                "https://api.cohere.ai/compatibility/v1/chat/completions",
            ),
            ("cohere", "/v2/chat", "https://api.cohere.ai/v2/chat"),
            ("huggingface", "/v1/chat/completions", "https://router.huggingface.co/v1/chat/completions"),
            ("huggingface", "/models/bert", "https://router.huggingface.co/hf-inference/models/bert"),
            ("novita", "/v1/chat/completions", "https://api.novita.ai/openai/v1/chat/completions"),
            ("novita", "/v3/openai/chat/completions", "https://api.novita.ai/v3/openai/chat/completions"),
            ("novita", "/anthropic/v1/messages", "https://api.novita.ai/anthropic/v1/messages"),
            ("azure", "/v1/chat/completions", "https://acme.openai.azure.com/openai/v1/chat/completions"),
            ("azure", "/chat/completions", "https://acme.openai.azure.com/openai/v1/chat/completions"),
            (
                "azure",
                "/openai/deployments/d/chat/completions",
                "https://acme.openai.azure.com/openai/deployments/d/chat/completions",
            ),
        ] {
            assert_eq!(url(alias, path), expected, "{alias} {path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leaves_its_host_or_its_base(path in "(/|\\.|%2e|%2f|@|#|\\?|:|[a-z]|%23|\\\\|;|é){0,16}") {
            let path = format!("/{path}");
            let config = config(&[("PROXY_CONFIG", r#"{"own":{"host":"api.example","basePath":"/base"}}"#)]);
            let own = config.services.get("own").unwrap();
            if path::check(&path).is_ok() && let Some(url) = own.url(&path, None) {
                prop_assert_eq!(url.host(), Some("api.example"));
                prop_assert!(url.path().starts_with("/base/"), "{}", url);
            }
        }
    }
}
