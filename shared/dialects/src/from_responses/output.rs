//! Blocks of a reply as output items.

use serde_json::{Value, json};

use super::SIGNED;
use crate::asked::Asked;
use crate::gathered::{Block, Gathered, Kind};

/// How far an item has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It has begun, and nothing of it is known yet.
    InProgress,
    /// It is whole.
    Completed,
    /// It was cut.
    Incomplete,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }
}

/// A block as an item, numbered by its place in the output.
pub(super) fn item(block: &Block, at: usize, status: Status, asked: &Asked) -> Value {
    let begun = status == Status::InProgress;
    let text = if begun { "" } else { block.text.as_str() };
    let parts = |part: Value| if begun { json!([]) } else { json!([part]) };
    let id = id(block, at, asked);
    let status = status.as_str();
    match &block.kind {
        Kind::Text | Kind::Refusal => json!({
            "id": id, "type": "message", "status": status, "role": "assistant", "content": parts(part(block, text)),
        }),
        Kind::Thinking(signature) => {
            let mut item = json!({ "id": id, "type": "reasoning", "summary": parts(part(block, text)) });
            if !begun && !signature.is_empty() {
                item["encrypted_content"] = format!("{SIGNED}{signature}").into();
            }
            item
        }
        Kind::Call(call) => {
            let call_id =
                if call.id.is_empty() { format!("call_{}_{at}", asked.id) } else { call.id.clone() };
            let mut item = json!({ "id": id, "type": "function_call", "status": status, "call_id": call_id });
            item["name"] = call.name.as_str().into();
            if is_custom(block, asked) {
                item["type"] = "custom_tool_call".into();
                item["input"] = if begun { "".into() } else { input(text).into() };
            } else {
                item["arguments"] = if begun { "" } else { arguments(text) }.into();
            }
            item
        }
    }
}

/// All items. The last one is incomplete where the answer was cut.
pub(super) fn items(gathered: &Gathered, is_cut: bool, asked: &Asked) -> Value {
    let blocks = gathered.blocks.all();
    let status =
        |at: usize| if is_cut && at + 1 == blocks.len() { Status::Incomplete } else { Status::Completed };
    blocks.iter().enumerate().map(|(at, block)| item(block, at, status(at), asked)).collect()
}

/// What a message or a thought has inside.
pub(super) fn part(block: &Block, text: &str) -> Value {
    match &block.kind {
        Kind::Thinking(_) => json!({ "type": "summary_text", "text": text }),
        Kind::Refusal => json!({ "type": "refusal", "refusal": text }),
        _ => json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] }),
    }
}

pub(super) fn id(block: &Block, at: usize, asked: &Asked) -> String {
    let prefix = match &block.kind {
        Kind::Text | Kind::Refusal => "msg",
        Kind::Thinking(_) => "rs",
        Kind::Call(_) if is_custom(block, asked) => "ctc",
        Kind::Call(_) => "fc",
    };
    format!("{prefix}_{}_{at}", asked.id)
}

/// Whether the tool takes free text.
pub(super) fn is_custom(block: &Block, asked: &Asked) -> bool {
    block.call().is_some_and(|call| asked.custom_tools.contains(&call.name))
}

/// A call's arguments. A tool without any is called with an empty text by some providers, which is no JSON.
pub(super) fn arguments(text: &str) -> &str {
    if text.trim().is_empty() { "{}" } else { text }
}

/// The free text in a call's arguments. What is not the JSON that was asked for is taken as the text itself.
pub(super) fn input(arguments: &str) -> String {
    let parsed = serde_json::from_str::<Value>(arguments).unwrap_or_default();
    parsed["input"].as_str().unwrap_or(arguments).to_owned()
}
