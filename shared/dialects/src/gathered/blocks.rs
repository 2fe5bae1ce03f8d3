//! The blocks of a reply, collected from deltas in any order and handed on one after the other.
//!
//! Chat's deltas may go to and fro between text and several calls. The other formats open a block, fill it and close it.
//! So a block stays open until another one has begun *and* nothing more can come for it; what comes meanwhile waits.

use serde_json::{Value, json};

use super::block::{Block, Call, Kind};

/// The blocks in their order.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    blocks: Vec<Block>,
    /// The block that is being written.
    at: usize,
}

/// The next thing to write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A block begins.
    Begin(usize),
    /// More of its text.
    More(usize, String),
    /// The block is whole.
    End(usize),
}

impl Blocks {
    /// All blocks so far.
    pub(crate) fn all(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether any block is of such a kind.
    pub(crate) fn any(&self, is: impl Fn(&Kind) -> bool) -> bool {
        self.blocks.iter().any(|block| is(&block.kind))
    }

    /// The block that was begun and not ended.
    pub(crate) fn open(&self) -> Option<usize> {
        self.blocks.get(self.at).filter(|block| block.begun).map(|_| self.at)
    }

    /// Takes a delta, or a whole message.
    pub(crate) fn take(&mut self, delta: &Value) {
        self.take_reasoning(delta);
        self.take_content(&delta["content"]);
        self.say(&Kind::Refusal, delta["refusal"].as_str().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.take_call(call);
        }
        if delta["function_call"].is_object() {
            self.take_call(&json!({ "function": delta["function_call"] }));
        }
    }

    /// What can be written now; with `over`, everything that is left.
    pub(crate) fn step(&mut self, over: bool) -> Option<Step> {
        let at = self.at;
        let is_last = at + 1 == self.blocks.len();
        let block = self.blocks.get_mut(at)?;
        if !block.begun {
            block.begun = over || block.is_known();
            return block.begun.then_some(Step::Begin(at));
        }
        if block.written < block.text.len() {
            let more = block.text[block.written..].to_owned();
            block.written = block.text.len();
            return Some(Step::More(at, more));
        }
        if !over && (is_last || !block.is_whole()) {
            return None;
        }
        self.at += 1;
        Some(Step::End(at))
    }

    /// Reasoning under the names providers have for it. Where it comes with details, the details hold the same text.
    fn take_reasoning(&mut self, delta: &Value) {
        let details = delta["reasoning_details"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !details.iter().any(|detail| !thought(detail).is_empty()) {
            let plain = [&delta["reasoning_content"], &delta["reasoning"]];
            let plain = plain.into_iter().find_map(|text| text.as_str().filter(|text| !text.is_empty()));
            self.think(plain.unwrap_or_default());
        }
        for detail in details {
            if !self.is_repeated_by(detail) {
                self.think(thought(detail));
            }
            self.sign(detail["signature"].as_str().unwrap_or_default());
        }
    }

    /// Whether a detail signs the thought that is here and tells it once more, for clients that send details back.
    fn is_repeated_by(&self, detail: &Value) -> bool {
        let signs = detail["signature"].as_str().is_some_and(|signature| !signature.is_empty());
        let last = self.blocks.last().filter(|last| last.kind == Kind::Thinking(String::new()));
        signs && last.is_some_and(|last| last.text == thought(detail))
    }

    /// Text, or Mistral's parts of text and thinking.
    fn take_content(&mut self, content: &Value) {
        self.say(&Kind::Text, content.as_str().unwrap_or_default());
        for part in content.as_array().into_iter().flatten() {
            for thought in part["thinking"].as_array().into_iter().flatten() {
                self.think(thought["text"].as_str().unwrap_or_default());
            }
            self.say(&Kind::Text, part["text"].as_str().unwrap_or_default());
        }
    }

    fn think(&mut self, text: &str) {
        self.say(&Kind::Thinking(String::new()), text);
    }

    /// Signs the last thought. A signature without a thought vouches for nothing.
    fn sign(&mut self, signature: &str) {
        if let Some(Block { kind: Kind::Thinking(signed), .. }) = self.blocks.last_mut() {
            signed.push_str(signature);
        }
    }

    fn say(&mut self, kind: &Kind, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.blocks.last_mut().filter(|last| last.goes_on_with(kind)) {
            Some(last) => last.text.push_str(text),
            None => self.push(kind.clone()).text.push_str(text),
        }
    }

    fn push(&mut self, kind: Kind) -> &mut Block {
        self.blocks.push(Block::new(kind));
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    fn take_call(&mut self, delta: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let function = &delta["function"];
        let call =
            Call { index: delta["index"].as_u64(), id: text(&delta["id"]), name: text(&function["name"]) };
        let block = match self.find(&call) {
            Some(at) => &mut self.blocks[at],
            None => self.push(Kind::Call(Call { index: call.index, ..Call::default() })),
        };
        if let Kind::Call(known) = &mut block.kind {
            fill(&mut known.id, call.id);
            fill(&mut known.name, call.name);
        }
        match &function["arguments"] {
            Value::String(arguments) => block.text.push_str(arguments),
            Value::Null => {}
            arguments => block.text.push_str(&arguments.to_string()),
        }
    }

    /// The block that a call's delta belongs to: by number, else by id, else the last one.
    fn find(&self, call: &Call) -> Option<usize> {
        let at = match call.index {
            Some(_) => self.last_call(|known| known.index == call.index),
            None if call.id.is_empty() => self.last_call(|_| true),
            None => self.last_call(|known| known.id == call.id).or_else(|| {
                // An id that changes with every delta, as some have it, opens no call without a name.
                self.last_call(|_| call.name.is_empty())
            }),
        }?;
        let block = self.blocks.get(at)?;
        let is_another = block.call().is_some_and(|known| is_another(known, call, block.is_whole()));
        (!is_another).then_some(at)
    }

    fn last_call(&self, is: impl Fn(&Call) -> bool) -> Option<usize> {
        self.blocks.iter().rposition(|block| block.call().is_some_and(&is))
    }
}

/// Whether a delta opens a call of its own though it looks like the known one's: some providers count every call as
/// number 0, or give neither numbers nor ids.
fn is_another(known: &Call, call: &Call, is_whole: bool) -> bool {
    if known.name.is_empty() || call.name.is_empty() {
        return false;
    }
    let has_another_id = !known.id.is_empty() && !call.id.is_empty() && known.id != call.id;
    let has_nothing = call.index.is_none() && call.id.is_empty();
    has_another_id || (has_nothing && is_whole)
}

/// Sets what is not known yet: some providers repeat the id and the name in every delta.
fn fill(field: &mut String, value: String) {
    if field.is_empty() {
        *field = value;
    }
}

/// The text of one of `reasoning_details`.
fn thought(detail: &Value) -> &str {
    [&detail["text"], &detail["summary"]].into_iter().find_map(Value::as_str).unwrap_or_default()
}
