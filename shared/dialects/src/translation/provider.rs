//! The formats that providers are asked in.

use serde_json::Value;

use crate::asked::Asked;
use crate::dialect::Dialect;
use crate::errors::Told;
use crate::piece::ToChat;
use crate::target::{Outgoing, Refusal, Target};
use crate::{to_compatible, to_gemini, to_messages, to_onemin};

/// A provider's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    Chat,
    Messages,
    Gemini,
    OneMin,
}

impl Provider {
    pub(super) fn of(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Chat => Some(Self::Chat),
            Dialect::Messages => Some(Self::Messages),
            Dialect::Gemini => Some(Self::Gemini),
            Dialect::OneMin => Some(Self::OneMin),
            Dialect::Completions | Dialect::Responses => None,
        }
    }

    /// A chat request, as its own.
    pub(super) fn request(
        self,
        chat: Value,
        target: &Target<'_>,
        assets: &[String],
    ) -> Result<Outgoing, Refusal> {
        match self {
            Self::Chat => to_compatible::request(chat, target),
            Self::Messages => to_messages::request(chat, target),
            Self::Gemini => to_gemini::request(chat, target),
            Self::OneMin => to_onemin::request_with(chat, target, assets),
        }
    }

    /// Its reply, as a completion.
    pub(super) fn reply(self, body: Value, asked: &Asked) -> Result<Value, Told> {
        match self {
            Self::Chat => to_compatible::reply(body, asked),
            Self::Messages => to_messages::reply(body, asked),
            Self::Gemini => to_gemini::reply(body, asked),
            Self::OneMin => to_onemin::reply(body, asked),
        }
    }

    /// The reader of its streams.
    pub(super) fn stream(self, asked: Asked) -> Box<dyn ToChat> {
        match self {
            Self::Chat => Box::new(to_compatible::stream(asked)),
            Self::Messages => Box::new(to_messages::stream(asked)),
            Self::Gemini => Box::new(to_gemini::stream(asked)),
            Self::OneMin => Box::new(to_onemin::stream(asked)),
        }
    }
}
