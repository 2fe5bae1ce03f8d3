//! How many tokens a text, an image or a whole request is: exact where the tokenizer is known, else a marked estimate.
//!
//! Pure: no clock, no network. OpenAI's vocabularies, o200k and cl100k, are read when they are first needed. That takes
//! 40 ms of CPU and 7 MB of memory; counting a megabyte takes 50 to 250 ms. So **callers run everything here in
//! `spawn_blocking`**.
//!
//! Where the vocabularies come from is told by the door. [`Tokenizers::embedded`] carries them in the program, 1.2 MB; a
//! program that never calls it does not contain them, and one that must stay small gives [`Tokenizers::new`] a way to
//! the files in `data/` instead. The tokenizer itself is ours, since the crates that have one bring `regex`, 1.7 MB. Without vocabularies everything is an estimate, and nothing fails.
//!
//! ```
//! let tokenizers = twinlane_tokens::Tokenizers::embedded();
//! let count = tokenizers.count("gpt-4o", "tiktoken is great!");
//! assert!(count.exact && count.tokens == 6);
//! assert!(!tokenizers.count("claude-opus-5", "tiktoken is great!").exact);
//! ```

use std::borrow::Cow;
use std::fmt;
use std::ops::Add;
use std::sync::OnceLock;

use serde_json::Value;

mod chat;
mod family;
mod images;
mod merge;
mod size;
mod split;
mod tools;
mod vocabulary;

use family::{Family, Text};
use merge::Merge;
use vocabulary::Vocabulary;

/// The longest text of which an estimate looks at every word; of a longer one it looks at the length only.
const LONGEST_ESTIMATED: usize = 1024 * 1024;

/// English has about four bytes to a token, says OpenAI, and so says Google of Gemini.
const BYTES_PER_TOKEN: u64 = 4;

/// A number of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub tokens: u64,
    /// Whether the provider would bill the same number. A sum is exact if all of it is.
    pub exact: bool,
}

impl Count {
    const fn exact(tokens: u64) -> Self {
        Self { tokens, exact: true }
    }

    const fn estimate(tokens: u64) -> Self {
        Self { tokens, exact: false }
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { tokens: self.tokens.saturating_add(other.tokens), exact: self.exact && other.exact }
    }
}

/// A way of cutting text into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Of gpt-4o, gpt-4.1, gpt-5, the o-series and gpt-oss.
    O200k,
    /// Of gpt-4, gpt-3.5 and the embeddings.
    Cl100k,
}

impl Encoding {
    /// The name of its vocabulary's file in `data/`.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base.tkv.zst",
            Self::Cl100k => "cl100k_base.tkv.zst",
        }
    }
}

/// The packed vocabularies, as they are in `data/`. What calls this carries them.
#[must_use]
pub fn embedded(encoding: Encoding) -> &'static [u8] {
    match encoding {
        Encoding::O200k => include_bytes!("../data/o200k_base.tkv.zst"),
        Encoding::Cl100k => include_bytes!("../data/cl100k_base.tkv.zst"),
    }
}

/// Where a packed vocabulary is got from.
type Source = dyn Fn(Encoding) -> Option<Cow<'static, [u8]>> + Send + Sync;

/// The tokenizers of this process, each unpacked when it is first needed and kept. One is enough; share it.
pub struct Tokenizers {
    source: Box<Source>,
    o200k: OnceLock<Option<Vocabulary>>,
    cl100k: OnceLock<Option<Vocabulary>>,
}

impl fmt::Debug for Tokenizers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizers").finish_non_exhaustive()
    }
}

impl Tokenizers {
    /// With the vocabularies inside the program.
    #[must_use]
    pub fn embedded() -> Self {
        Self::new(|encoding| Some(embedded(encoding).into()))
    }

    /// With vocabularies from elsewhere. `source` is asked once for each, on first use; it may answer `None`.
    pub fn new(source: impl Fn(Encoding) -> Option<Cow<'static, [u8]>> + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source), o200k: OnceLock::new(), cl100k: OnceLock::new() }
    }

    /// Counts a text as `model` would read it. A name such as `<|endoftext|>` in it is text like any other.
    ///
    /// What is before the last `/` of the model's name is left out. An exact count looks at the whole text, whatever its
    /// length: the limit on the body is the limit here.
    pub fn count(&self, model: &str, text: &str) -> Count {
        self.reader(model).text(text)
    }

    /// The tokens of a text; `None` if the tokenizer of `model` is not known.
    pub fn encode(&self, model: &str, text: &str) -> Option<Vec<u32>> {
        let family = family::of(model);
        let vocabulary = self.vocabulary(family.encoding).filter(|_| family.text.is_exact())?;
        let mut ids = Vec::new();
        each_token(family.encoding, vocabulary, text, |id| ids.push(id));
        Some(ids)
    }

    /// Counts a request in OpenAI's chat format: what the provider would call `prompt_tokens`.
    ///
    /// Tools, calls, schemas and more than one text in a message make it an estimate, as do images of unknown size. Sound
    /// and files add nothing to it, since their length is not ours to know, but make it an estimate too.
    pub fn prompt(&self, model: &str, chat: &Value) -> Count {
        chat::count(&self.reader(model), chat)
    }

    fn reader<'a>(&'a self, model: &'a str) -> Reader<'a> {
        Reader { tokenizers: self, model, family: family::of(model) }
    }

    fn vocabulary(&self, encoding: Encoding) -> Option<&Vocabulary> {
        let loaded = match encoding {
            Encoding::O200k => &self.o200k,
            Encoding::Cl100k => &self.cl100k,
        };
        loaded.get_or_init(|| Vocabulary::unpack(&(self.source)(encoding)?)).as_ref()
    }
}

/// Reads text as one model does.
struct Reader<'a> {
    tokenizers: &'a Tokenizers,
    model: &'a str,
    family: Family,
}

impl Reader<'_> {
    fn text(&self, text: &str) -> Count {
        match self.family.text {
            Text::Exact => self.tokens(text).map_or_else(|| by_length(text), Count::exact),
            Text::PerTen(_) if text.len() > LONGEST_ESTIMATED => by_length(text),
            Text::PerTen(more) => self
                .tokens(text)
                .map_or_else(|| by_length(text), |tokens| Count::estimate((tokens * more + 5) / 10)),
        }
    }

    fn tokens(&self, text: &str) -> Option<u64> {
        let vocabulary = self.tokenizers.vocabulary(self.family.encoding)?;
        let mut tokens = 0;
        each_token(self.family.encoding, vocabulary, text, |_| tokens += 1);
        Some(tokens)
    }
}

fn by_length(text: &str) -> Count {
    Count::estimate((text.len() as u64).div_ceil(BYTES_PER_TOKEN))
}

fn each_token(encoding: Encoding, vocabulary: &Vocabulary, text: &str, mut found: impl FnMut(u32)) {
    let mut merge = Merge::default();
    for piece in split::pieces(encoding, text) {
        merge.tokens(vocabulary, piece.as_bytes(), &mut found);
    }
}

#[cfg(test)]
mod tests;
