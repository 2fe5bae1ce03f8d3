//! Puts a client-side and a provider-side codec together, so that every client format reaches every provider.
//!
//! ```
//! use serde_json::json;
//! use twinlane_dialects::{Dialect, Quirks, Target, translation};
//!
//! let target = Target { model: "claude", asked_model: "claude", quirks: Quirks::NONE, id: "1", now: 0 };
//! let body = json!({ "model": "claude", "messages": [{ "role": "user", "content": "hi" }], "stream": true });
//! let translated = translation::request(Dialect::Chat, Dialect::Messages, body, &target).unwrap();
//! assert_eq!(translated.body["messages"][0]["role"], "user");
//!
//! // What the provider answers is translated as it comes.
//! let (mut stream, mut out) = (translated.reply.stream(), Vec::new());
//! stream.push(b"event: ping\ndata: {\"type\":\"ping\"}\n\n", &mut out);
//! assert_eq!(out, b": keep-alive\n");
//! ```

use serde_json::Value;

use crate::asked::Asked;
use crate::chat::Usage;
use crate::dialect::Dialect;
use crate::errors::Told;
use crate::field;
use crate::from_chat;
use crate::target::{Outgoing, Quirks, Refusal, Target};

mod client;
mod provider;
mod stream;

use client::Client;
use provider::Provider;
pub use stream::StreamTranslation;

/// A request in the provider's format, and how its reply comes back.
#[derive(Debug, Clone, PartialEq)]
pub struct Translated {
    /// The body to send.
    pub body: Value,
    /// Parameters that were left out, by their names in the client's format or, where the client's format could tell
    /// them to chat and chat could not tell the provider, in chat's.
    pub dropped: Vec<String>,
    /// How the reply comes back.
    pub reply: ReplyTranslation,
}

/// How a reply comes back to the client.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplyTranslation {
    client: Client,
    client_asked: Asked,
    provider: Provider,
    provider_asked: Asked,
}

/// A whole reply in the client's format, and what the provider said of itself in its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// The reply.
    pub reply: Value,
    /// What it cost, where the provider told it.
    pub usage: Option<Usage>,
    /// The model that answered, where the provider told it.
    pub model: Option<String>,
}

/// Translates a request all the way.
///
/// # Errors
/// A [`Refusal`] of what the provider cannot hold, or of a pair of formats that cannot be joined.
pub fn request(
    client: Dialect,
    provider: Dialect,
    body: Value,
    target: &Target<'_>,
) -> Result<Translated, Refusal> {
    let chat = to_chat(client, provider, body, target)?;
    from_chat(client, provider, chat, target, &[])
}

/// Translates a client's request to chat, and no further: for providers that must be asked something in between, as
/// 1min.ai must be given images first.
///
/// # Errors
/// As for [`request`].
pub fn to_chat(
    client: Dialect,
    provider: Dialect,
    body: Value,
    target: &Target<'_>,
) -> Result<Outgoing, Refusal> {
    let (client, provider) = (client_of(client)?, provider_of(provider)?);
    client.request(body, &Target { quirks: provider.quirks(target.quirks), ..*target })
}

/// Translates what [`to_chat`] made for the provider. `assets` are the paths of the chat's images, where the provider
/// keeps images in a place of its own (1min.ai).
///
/// # Errors
/// As for [`request`].
pub fn from_chat(
    client: Dialect,
    provider: Dialect,
    chat: Outgoing,
    target: &Target<'_>,
    assets: &[String],
) -> Result<Translated, Refusal> {
    let (client, provider) = (client_of(client)?, provider_of(provider)?);
    let Outgoing { body, mut dropped, asked: client_asked } = chat;
    let onward = provider.request(body, target, assets)?;
    for name in onward.dropped {
        if !dropped.contains(&name) {
            dropped.push(name);
        }
    }
    let reply = ReplyTranslation { client, client_asked, provider, provider_asked: onward.asked };
    Ok(Translated { body: onward.body, dropped, reply })
}

/// How the reply to a chat request that was sent as it came is repaired on its way back.
///
/// # Errors
/// A [`Refusal`] where the body is no chat request.
pub fn repair(body: Value, target: &Target<'_>) -> Result<ReplyTranslation, Refusal> {
    let asked = from_chat::asked(&field::body(body)?, target)?;
    Ok(ReplyTranslation {
        client: client_of(Dialect::Chat)?,
        client_asked: asked.clone(),
        provider: provider_of(Dialect::Chat)?,
        provider_asked: asked,
    })
}

fn client_of(dialect: Dialect) -> Result<Client, Refusal> {
    Client::of(dialect).ok_or_else(|| cannot_join(format!("No client is served in the format {dialect}.")))
}

fn provider_of(dialect: Dialect) -> Result<Provider, Refusal> {
    Provider::of(dialect)
        .ok_or_else(|| cannot_join(format!("Nothing is translated for providers of the format {dialect}.")))
}

fn cannot_join(message: String) -> Refusal {
    Refusal::of("model", "unsupported_translation", message)
}

impl ReplyTranslation {
    /// Whether the client asked for a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.client_asked.stream
    }

    /// Translates a whole reply.
    ///
    /// # Errors
    /// What went wrong, where the provider says so with status 200.
    pub fn whole(&self, body: Value) -> Result<Whole, Told> {
        if let Some(told) = Told::of_object(&body) {
            return Err(told);
        }
        let completion = self.provider.reply(body, &self.provider_asked)?;
        let usage = Usage::read(&completion["usage"]).filter(|usage| *usage != Usage::default());
        let model = completion["model"].as_str().map(str::to_owned);
        Ok(Whole { reply: self.client.reply(completion, &self.client_asked), usage, model })
    }

    /// The translation of a stream.
    #[must_use]
    pub fn stream(self) -> StreamTranslation {
        StreamTranslation::new(
            self.provider.stream(self.provider_asked),
            self.client.stream(self.client_asked),
        )
    }
}

impl Provider {
    /// What of the chat format survives the way to this provider: a native codec takes more than most chat APIs do.
    fn quirks(self, of_chat: Quirks) -> Quirks {
        match self {
            Self::Chat => of_chat,
            Self::Messages => Quirks {
                reasoning_details: true,
                cache_control: true,
                file_parts: true,
                top_k: true,
                ..Quirks::NONE
            },
            Self::Gemini => {
                Quirks { thought_signatures: true, file_parts: true, top_k: true, ..Quirks::NONE }
            }
            Self::OneMin => Quirks::NONE,
        }
    }
}
