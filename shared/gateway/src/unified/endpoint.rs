//! What the unified API is asked for, by method and path.

use http::Method;
use twinlane_dialects::Dialect;

use crate::inband::Protocol;

/// One thing that the unified API does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A conversation in the client's dialect.
    Conversation(Dialect),
    /// A conversation with a model that the path names, as Gemini's clients have it.
    Gemini {
        /// The model, as it stands in the path.
        model: String,
        /// What is asked of it.
        action: Action,
    },
    /// How many tokens a conversation has, for Anthropic's clients.
    CountTokens,
    /// Embeddings.
    Embeddings,
    /// Images from words.
    Images,
    /// The models there are.
    Models,
    /// One of them.
    Model(String),
    /// The models there are, with all that is known of them.
    ModelOptions,
    /// Where a model's calls would go, and why.
    RouteCheck,
    /// A text's tokens.
    Tokenize,
    /// Anything else: passed to the provider that the model names, or to the default service.
    Other,
}

/// What a Gemini client asks of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// An answer.
    Generate,
    /// An answer as a stream.
    Stream,
    /// A number of tokens.
    CountTokens,
    /// Anything else, which only Gemini itself can do.
    Other,
}

const READ: &[&str] = &["GET", "HEAD"];
const POST: &[&str] = &["POST"];

/// What has a name of its own, by its methods and its path.
pub const NAMED: &[(&[&str], &str, Endpoint)] = &[
    (POST, "/v1/chat/completions", Endpoint::Conversation(Dialect::Chat)),
    (POST, "/v1/completions", Endpoint::Conversation(Dialect::Completions)),
    (POST, "/v1/responses", Endpoint::Conversation(Dialect::Responses)),
    (POST, "/v1/messages", Endpoint::Conversation(Dialect::Messages)),
    (POST, "/v1/messages/count_tokens", Endpoint::CountTokens),
    // Questions about images have been made chat by the time their endpoint is asked for (`vision.rs`).
    (POST, "/v1/vision/analyze", Endpoint::Conversation(Dialect::Chat)),
    (POST, "/v1/vision/stream", Endpoint::Conversation(Dialect::Chat)),
    (POST, "/v1/embeddings", Endpoint::Embeddings),
    (POST, "/v1/images/generations", Endpoint::Images),
    (READ, MODELS[0], Endpoint::Models),
    (READ, MODELS[1], Endpoint::Models),
    (READ, "/v1/model-options", Endpoint::ModelOptions),
    (&["GET", "HEAD", "POST"], "/v1/route-check", Endpoint::RouteCheck),
    (POST, "/v1/tokenize", Endpoint::Tokenize),
];

/// Where the models are listed; each has its address below these.
pub const MODELS: [&str; 2] = ["/v1/models", "/v1beta/models"];

/// What is asked of a model, as it stands behind the model's name in Gemini's paths.
pub const ACTIONS: &[(&str, Action)] = &[
    ("generateContent", Action::Generate),
    ("streamGenerateContent", Action::Stream),
    ("countTokens", Action::CountTokens),
];

impl Endpoint {
    /// Reads a path that has been checked, below the address of a function.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        if let Some(gemini) = gemini(path) {
            return gemini;
        }
        let named =
            NAMED.iter().find(|(methods, name, _)| *name == path && methods.contains(&method.as_str()));
        if let Some((.., endpoint)) = named {
            return endpoint.clone();
        }
        let one = MODELS.iter().find_map(|list| path.strip_prefix(list)?.strip_prefix('/'));
        match one.filter(|_| READ.contains(&method.as_str())) {
            Some(id) => Self::Model(crate::path::decode(id).into_owned()),
            None => Self::Other,
        }
    }

    /// Whether the gateway answers it of its own knowledge.
    #[must_use]
    pub fn is_own_page(&self) -> bool {
        matches!(self, Self::Models | Self::Model(_) | Self::ModelOptions | Self::RouteCheck | Self::Tokenize)
    }

    /// Whether it only asks how long something is, which costs nothing.
    #[must_use]
    pub fn is_counting(&self) -> bool {
        matches!(self, Self::CountTokens | Self::Gemini { action: Action::CountTokens, .. })
    }

    /// The protocol of a stream that answers it.
    #[must_use]
    pub fn protocol(&self, path: &str) -> Protocol {
        match self {
            Self::Gemini { .. } => Protocol::Gemini,
            Self::Conversation(Dialect::Chat | Dialect::Completions) => Protocol::Chat,
            Self::Conversation(Dialect::Responses) => Protocol::Responses,
            Self::Conversation(Dialect::Messages) => Protocol::Messages,
            _ => Protocol::of(path),
        }
    }

    /// The dialect in which its client speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Conversation(dialect) => *dialect,
            Self::Gemini { .. } => Dialect::Gemini,
            Self::CountTokens => Dialect::Messages,
            _ => Dialect::Chat,
        }
    }
}

/// Gemini's `…/models/{model}:{action}`, under either of its versions' names. The AI SDK leaves `models/` out where a
/// model's name has a slash, as ours have.
fn gemini(path: &str) -> Option<Endpoint> {
    let rest = ["/v1beta/models/", "/v1/models/", "/v1beta/tunedModels/", "/v1beta/"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))?;
    let (model, action) = rest.rsplit_once(':')?;
    let action = match ACTIONS.iter().find(|(name, _)| *name == action) {
        Some((_, action)) => *action,
        None if path.starts_with("/v1beta/") => Action::Other,
        None => return None,
    };
    let tuned = if path.starts_with("/v1beta/tunedModels/") { "tunedModels/" } else { "" };
    Some(Endpoint::Gemini { model: format!("{tuned}{}", crate::path::decode(model)), action })
}

#[cfg(test)]
mod tests {
    use http::Method;
    use twinlane_dialects::Dialect;

    use super::{Action, Endpoint};

    #[test]
    fn paths_are_known_by_method_and_name() {
        let gemini = |action| Endpoint::Gemini { model: "g-2/x".to_owned(), action };
        for (method, path, expected) in [
            ("POST", "/v1/chat/completions", Endpoint::Conversation(Dialect::Chat)),
            ("POST", "/v1/messages", Endpoint::Conversation(Dialect::Messages)),
            ("POST", "/v1/messages/count_tokens", Endpoint::CountTokens),
            ("GET", "/v1/models", Endpoint::Models),
            ("GET", "/v1beta/models", Endpoint::Models),
            ("GET", "/v1/models/openai%2Fgpt-4o", Endpoint::Model("openai/gpt-4o".to_owned())),
            ("GET", "/v1/models/ft:gpt-4o:acme::1", Endpoint::Model("ft:gpt-4o:acme::1".to_owned())),
            ("GET", "/v1/chat/completions", Endpoint::Other),
            ("POST", "/v1/audio/speech", Endpoint::Other),
            ("POST", "/v1beta/models/g-2%2fx:generateContent", gemini(Action::Generate)),
            ("POST", "/v1/models/g-2/x:streamGenerateContent", gemini(Action::Stream)),
            ("POST", "/v1beta/g-2/x:streamGenerateContent", gemini(Action::Stream)),
            ("POST", "/v1beta/models/g-2/x:embedContent", gemini(Action::Other)),
            ("POST", "/v1/route-check", Endpoint::RouteCheck),
        ] {
            assert_eq!(Endpoint::of(&method.parse::<Method>().unwrap(), path), expected, "{method} {path}");
        }
    }
}
