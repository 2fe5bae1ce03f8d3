//! The names of the wire formats, so that a client's and a provider's can be told and joined.

use std::fmt;

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `OpenAI`'s `/chat/completions`: the pivot.
    Chat,
    /// `OpenAI`'s legacy `/completions`.
    Completions,
    /// `OpenAI`'s `/responses`.
    Responses,
    /// Anthropic's `/messages`.
    Messages,
    /// Gemini's `:generateContent`.
    Gemini,
    /// 1min.ai's own.
    OneMin,
}

impl Dialect {
    /// Its name in settings, logs and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
            Self::Gemini => "gemini",
            Self::OneMin => "onemin",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
