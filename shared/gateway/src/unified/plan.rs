//! A call of the unified API, understood: what is asked for, of which model, and which providers may answer.

use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use super::ask::{self, Fields};
use super::endpoint::{Action, Endpoint};
use super::targets::{NoSuchProvider, Rules, Target};
use crate::Error;
use crate::auth::{Auth, CREDENTIALS, Caller, is_real_key, key_of};
use crate::call::{Received, Stream};
use crate::config::Config;
use crate::route::Surface;
use crate::secret::Secret;
use crate::services::KeyPlace;
use crate::vision::{self, Told};

/// The header that names a provider, beside the body's field.
pub const PROVIDER: &str = "x-provider";
/// The body's field that names a provider. OpenRouter's field of that name is an object, and stays.
const PROVIDER_FIELD: &str = "provider";

/// A call of the unified API.
#[derive(Debug)]
pub struct Plan {
    /// The request.
    pub received: Received,
    /// What it asks for.
    pub endpoint: Endpoint,
    /// The model as the client named it; empty where it named none.
    pub model: String,
    /// Which providers may answer, in order.
    pub targets: Vec<Target>,
    /// Whether a stream is asked for.
    pub stream: Stream,
    /// Whether a parameter that the provider does not have is an error.
    pub strict: bool,
    /// The key that the client brings for the provider.
    pub own_key: Option<Secret>,
}

impl Plan {
    /// Understands a request.
    ///
    /// # Errors
    /// [`Error::Unfit`] for a body that is no JSON object where one is needed, and for a provider that is not there.
    pub fn of(received: Received, path: &str, auth: &Auth, config: &Config) -> Result<Self, Error> {
        let own_key = own_key(&received, auth);
        let Told { mut received, chain } = vision::told(received, path, config, own_key.is_some())?;
        let endpoint = Endpoint::of(&received.method, path);
        let named = received.headers.get(PROVIDER).and_then(|name| name.to_str().ok()).map(str::to_owned);
        let Asked { model, provider, stream } = Asked::by(&endpoint, &received)?;
        if provider.is_some() {
            let fields = Fields::of(&received.body).unwrap_or_default();
            received.body = fields.rewritten(&model, Some(PROVIDER_FIELD));
        }
        let rules = Rules {
            services: &config.services,
            aliases: &config.model_aliases,
            default: maker(&received, config)
                .filter(|_| own_key.is_some())
                .unwrap_or(&config.default_service),
            own_key: own_key.is_some(),
        };
        let targets = match &chain[..] {
            [] => rules.targets(&model, named.as_deref().or(provider.as_deref())),
            chain => rules.chain(chain),
        };
        let targets = targets.map_err(|NoSuchProvider(alias)| Error::UnknownService {
            alias,
            known: config.services.aliases(),
        })?;
        let strict = received.headers.get("x-strict").is_some_and(|strict| strict == "true" || strict == "1");
        Ok(Self { endpoint, model, targets, stream, strict, own_key, received })
    }

    /// The client's own key, where it was meant for a target's provider. It is shown to no other.
    #[must_use]
    pub fn key_for(&self, target: &Target) -> Option<&Secret> {
        let first = self.targets.first()?;
        self.own_key.as_ref().filter(|_| first.service.alias == target.service.alias)
    }

    /// Whether a target can be called with any key at all.
    #[must_use]
    pub fn has_key(&self, target: &Target, caller: &Caller) -> bool {
        let service = &target.service;
        let server = caller.server_keys && (service.key.is_some() || service.signed);
        server || service.key_place == KeyPlace::None || self.key_for(target).is_some()
    }

    /// The body as JSON, for a translation.
    ///
    /// # Errors
    /// [`Error::Unfit`]: nested too deeply, or not UTF-8 somewhere.
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.received.body).map_err(|_| not_json())
    }
}

/// Whose client speaks so. A key that it brings was made there, and where no rule says otherwise it goes there.
fn maker(received: &Received, config: &Config) -> Option<&'static str> {
    let maker = match received.surface {
        Surface::V1Anthropic => "claude",
        Surface::V1Gemini => "gemini",
        // Google's newer clients say `/v1`, and are known by their header.
        Surface::V1 if received.headers.contains_key("x-goog-api-key") => "gemini",
        Surface::V1 | Surface::Gateway => return None,
    };
    config.services.get(maker).map(|_| maker)
}

/// What of a request decides where it goes.
struct Asked {
    model: String,
    provider: Option<String>,
    stream: Stream,
}

impl Asked {
    fn by(endpoint: &Endpoint, received: &Received) -> Result<Self, Error> {
        match endpoint {
            Endpoint::Gemini { model, action } => Ok(Self {
                model: model.clone(),
                provider: None,
                stream: match action {
                    Action::Stream if has(received.query.as_deref(), "alt=sse") => Stream::Events,
                    Action::Stream => Stream::Maybe,
                    _ => Stream::No,
                },
            }),
            Endpoint::Conversation(_) | Endpoint::CountTokens | Endpoint::Embeddings | Endpoint::Images => {
                Self::by_body(received)
            }
            _ => Ok(Self::by_guess(received)),
        }
    }

    fn by_body(received: &Received) -> Result<Self, Error> {
        let fields = Fields::of(&received.body).ok_or_else(not_json)?;
        let stream = if fields.is_true("stream") { Stream::Events } else { Stream::No };
        Ok(Self {
            model: fields.text("model").unwrap_or_default(),
            provider: fields.text(PROVIDER_FIELD),
            stream,
        })
    }

    /// The model in whatever was sent: a JSON body, a form, or nothing.
    fn by_guess(received: &Received) -> Self {
        let stream =
            Stream::asked(&received.path, received.query.as_deref(), &received.headers, &received.asked);
        let model = match kind(&received.headers) {
            kind if kind.starts_with("multipart/form-data") => {
                ask::model_of_form(&received.body).map(str::to_owned)
            }
            kind if kind.contains("json") => {
                Fields::of(&received.body).and_then(|fields| fields.text("model"))
            }
            _ => None,
        };
        Self { model: model.unwrap_or_default(), provider: None, stream }
    }
}

fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase()
}

fn has(query: Option<&str>, wanted: &str) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair == wanted))
}

/// The provider's key that a client brings in whichever header its SDK uses.
fn own_key(received: &Received, auth: &Auth) -> Option<Secret> {
    let names = &CREDENTIALS;
    let values = names.iter().filter_map(|name| received.headers.get(name));
    values.filter(|value| is_real_key(value) && !auth.is_token(value)).find_map(key_of)
}

fn not_json() -> Error {
    Error::unfit("invalid_json", None, "The body is not a JSON object")
}
