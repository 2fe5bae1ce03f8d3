//! Knows what a reply cost that passes untouched: the tokens that its provider tells, and the model that answered.
//!
//! It goes by where a key stands: at the top of the reply, of an event, or of what the provider wraps either in. What a
//! model says or calls a function with is deeper, so nobody can talk his bill down.

use http::Method;
use serde_json::Value;
use twinlane_dialects::chat::Usage;
use twinlane_dialects::{Dialect, usage};

use crate::lexer::{LONGEST_VALUE as LONGEST, Word};
use crate::scan;

/// What costs tokens, by the end of its path, and the dialect in which its reply tells how many.
const TOLD: [(&str, Dialect); 11] = [
    ("/completions", Dialect::Chat),
    ("/embeddings", Dialect::Chat),
    ("/responses", Dialect::Responses),
    ("/images/generations", Dialect::Responses),
    ("/images/edits", Dialect::Responses),
    ("/audio/transcriptions", Dialect::Responses),
    ("/messages", Dialect::Messages),
    (":generateContent", Dialect::Gemini),
    (":streamGenerateContent", Dialect::Gemini),
    (":embedContent", Dialect::Gemini),
    (":batchEmbedContents", Dialect::Gemini),
];

/// The dialect in which the reply to a call tells what it cost, where it does. What is merely fetched, as a response of
/// yesterday, has been paid for.
#[must_use]
pub fn told(method: &Method, path: &str) -> Option<Dialect> {
    let (_, dialect) = TOLD.iter().find(|(end, _)| path.ends_with(end) && method == Method::POST)?;
    Some(*dialect)
}

/// What makes a model work though its reply does not tell what it cost: speech, pictures, and Cohere's and Ollama's own
/// paths.
const UNTOLD: [&str; 7] =
    ["/chat", "/generate", "/embed", "/rerank", "/audio/speech", "/audio/translations", "/images/variations"];

/// Whether a request makes a model work, by its method and path alone. The path is read as a provider may read it, and a
/// body in which we find no model may be one in which the provider does: compressed, in UTF-16, with a `Model`.
pub(crate) fn works(method: &Method, path: &str) -> bool {
    let path = crate::path::decode(path);
    let path = path.trim_end_matches('/');
    told(method, path).is_some() || (method == Method::POST && UNTOLD.iter().any(|end| path.ends_with(end)))
}

/// Listens to one reply for what it cost.
#[derive(Debug)]
pub(crate) struct Receipt {
    dialect: Dialect,
    /// Whether the last key at the top was that of a wrapper.
    wrapped: bool,
    /// What the value is that has been asked for.
    wanted: Wanted,
    /// The last usage in a wrapper, as it was told.
    inner: Vec<u8>,
    /// The last usage at the top.
    outer: Vec<u8>,
    model: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Usage,
    Model,
}

impl Receipt {
    /// One for a reply in a dialect.
    pub(crate) fn of(dialect: Dialect) -> Self {
        let (inner, outer) = (Vec::new(), Vec::new());
        Self { dialect, wrapped: false, wanted: Wanted::Usage, inner, outer, model: None }
    }

    /// Whether the value of a key is wanted, which stands in this many objects.
    pub(crate) fn wants(&mut self, key: &Word, depth: u32) -> bool {
        match depth {
            1 => self.wrapped = self.is_wrapper(key),
            2 if self.wrapped => {}
            _ => return false,
        }
        let (usage, model) = self.names();
        let wanted = match () {
            () if key.is(usage.as_bytes()) => Wanted::Usage,
            () if self.model.is_none() && key.is(model.as_bytes()) => Wanted::Model,
            () => return false,
        };
        self.wanted = wanted;
        true
    }

    /// Forgets what was about an event that has ended.
    pub(crate) fn event_ended(&mut self) {
        self.wrapped = false;
    }

    /// Takes what a reply tells that is here whole; says whether it did. What only its parts tell is left to the pass
    /// over all of it.
    pub(crate) fn take_whole(&mut self, reply: &[u8]) -> bool {
        let (usage, model) = self.names();
        let Some([Some(told), served]) = scan::top(reply, [usage, model]) else { return false };
        if !told.starts_with(b"{") || told.len() > LONGEST {
            return false;
        }
        self.wrapped = false;
        self.wanted = Wanted::Usage;
        self.take(told);
        self.model = served.and_then(|served| serde_json::from_slice(served).ok());
        true
    }

    /// The names of what is wanted.
    fn names(&self) -> (&'static str, &'static str) {
        match self.dialect {
            Dialect::Gemini => ("usageMetadata", "modelVersion"),
            _ => ("usage", "model"),
        }
    }

    /// Takes the value that was wanted. Usage may come more than once; each time it is all of it.
    pub(crate) fn take(&mut self, value: &[u8]) {
        match self.wanted {
            Wanted::Model => self.model = serde_json::from_slice(value).ok(),
            Wanted::Usage => {
                let place = if self.wrapped { &mut self.inner } else { &mut self.outer };
                // Some end with a usage of nothing but zeros.
                if place.is_empty() || value.iter().any(|byte| (b'1'..=b'9').contains(byte)) {
                    place.clear();
                    place.extend_from_slice(value);
                }
            }
        }
    }

    /// What the reply has cost, as far as it has told.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let told =
            [&self.inner, &self.outer].into_iter().filter_map(|told| serde_json::from_slice(told).ok());
        usage::read(self.dialect, &told.collect::<Vec<Value>>())
    }

    /// The model that answered, in the provider's words.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether a key at the top holds what else stands there itself: OpenAI's and Anthropic's events are about a whole
    /// reply, Google's Code Assist wraps Gemini's, Groq has a place of its own, and Moonshot tells by choice.
    fn is_wrapper(&self, key: &Word) -> bool {
        match self.dialect {
            Dialect::Messages => key.is(b"message"),
            Dialect::Responses | Dialect::Gemini => key.is(b"response"),
            Dialect::Chat | Dialect::Completions => key.is(b"x_groq") || key.is(b"choices"),
            Dialect::OneMin => false,
        }
    }
}

#[cfg(test)]
mod tests;
