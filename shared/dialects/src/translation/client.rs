//! The formats that clients are served in.

use serde_json::Value;

use crate::asked::Asked;
use crate::dialect::Dialect;
use crate::piece::FromChat;
use crate::target::{Outgoing, Refusal, Target};
use crate::{from_chat, from_completions, from_gemini, from_messages, from_responses};

/// A client's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Chat,
    Completions,
    Responses,
    Messages,
    Gemini,
}

impl Client {
    pub(super) fn of(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Chat => Some(Self::Chat),
            Dialect::Completions => Some(Self::Completions),
            Dialect::Responses => Some(Self::Responses),
            Dialect::Messages => Some(Self::Messages),
            Dialect::Gemini => Some(Self::Gemini),
            Dialect::OneMin => None,
        }
    }

    /// Its request, as a chat request.
    pub(super) fn request(self, body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
        match self {
            Self::Chat => from_chat::request(body, target),
            Self::Completions => from_completions::request(body, target),
            Self::Responses => from_responses::request(body, target),
            Self::Messages => from_messages::request(body, target),
            Self::Gemini => from_gemini::request(body, target),
        }
    }

    /// A completion, as its reply.
    pub(super) fn reply(self, completion: Value, asked: &Asked) -> Value {
        match self {
            Self::Chat => from_chat::reply(completion, asked),
            Self::Completions => from_completions::reply(completion, asked),
            Self::Responses => from_responses::reply(completion, asked),
            Self::Messages => from_messages::reply(completion, asked),
            Self::Gemini => from_gemini::reply(completion, asked),
        }
    }

    /// The writer of its streams.
    pub(super) fn stream(self, asked: Asked) -> Box<dyn FromChat> {
        match self {
            Self::Chat => Box::new(from_chat::stream(asked)),
            Self::Completions => Box::new(from_completions::stream(asked)),
            Self::Responses => Box::new(from_responses::stream(asked)),
            Self::Messages => Box::new(from_messages::stream(asked)),
            Self::Gemini => Box::new(from_gemini::stream(asked)),
        }
    }
}
