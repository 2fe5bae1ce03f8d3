//! One block of a reply.

use serde_json::value::RawValue;

/// A stretch of text, a thought or a tool call.
#[derive(Debug)]
pub(crate) struct Block {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its text; a call's arguments.
    pub(crate) text: String,
    /// Whether it was begun towards the client.
    pub(super) begun: bool,
    /// How much of the text went to the client.
    pub(super) written: usize,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text for the reader.
    Text,
    /// Why the model will not answer.
    Refusal,
    /// What the model thought, with the provider's signature where it has one.
    Thinking(String),
    /// A call of a tool.
    Call(Call),
}

/// Which tool is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Call {
    /// The call's number in the stream, where the provider counts.
    pub(super) index: Option<u64>,
    /// The provider's id of the call, empty where it has none.
    pub(crate) id: String,
    /// The tool.
    pub(crate) name: String,
}

impl Block {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, text: String::new(), begun: false, written: 0 }
    }

    /// Which tool it calls.
    pub(crate) fn call(&self) -> Option<&Call> {
        if let Kind::Call(call) = &self.kind { Some(call) } else { None }
    }

    /// Whether it can be begun: a call must have its name.
    pub(super) fn is_known(&self) -> bool {
        self.call().is_none_or(|call| !call.name.is_empty())
    }

    /// Whether nothing more can come, once another block has begun.
    pub(super) fn is_whole(&self) -> bool {
        self.call().is_none() || is_object(&self.text)
    }

    /// Whether text of this kind goes on here. After its signature a thought is closed.
    pub(super) fn goes_on_with(&self, kind: &Kind) -> bool {
        self.kind == *kind
    }
}

/// Whether arguments are a whole JSON object.
fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
        && text.trim_end().ends_with('}')
        && serde_json::from_str::<&RawValue>(text).is_ok()
}
