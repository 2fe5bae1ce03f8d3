//! The conversation: a list of items as chat's messages.

use serde_json::{Value, json};

use super::{SIGNED, parts};
use crate::field::{self, Object};
use crate::target::{Quirks, Refusal};

/// Collects the messages of the chat request.
pub(super) struct Items {
    quirks: Quirks,
    chat: Vec<Value>,
    /// Images and files that tools gave back. Chat's tool messages hold text only, and all of a turn's must stand together.
    given_back: Vec<Value>,
    /// Thoughts that wait for what the assistant said after them.
    thoughts: Vec<Value>,
    /// Whether there are items of tools that `OpenAI` runs itself, which chat has no place for.
    has_hosted: bool,
}

impl Items {
    pub(super) fn new(quirks: Quirks) -> Self {
        Self { quirks, chat: Vec::new(), given_back: Vec::new(), thoughts: Vec::new(), has_hosted: false }
    }

    /// The messages. What was left out is named in `dropped`.
    pub(super) fn into_chat(mut self, dropped: &mut Vec<String>) -> Value {
        self.give_back();
        dropped.extend(self.has_hosted.then(|| "input[].hosted_tool_call".to_owned()));
        Value::Array(self.chat)
    }

    /// Instructions. Adjacent ones become one message: the templates of some models have room for one.
    pub(super) fn system(&mut self, text: &str) {
        self.give_back();
        match self.chat.last_mut().filter(|last| last["role"] == "system") {
            Some(last) => append(&mut last["content"], text),
            None => self.chat.push(json!({ "role": "system", "content": text })),
        }
    }

    pub(super) fn user(&mut self, parts: Vec<Value>) {
        self.give_back();
        self.chat.push(json!({ "role": "user", "content": parts::content(parts) }));
    }

    pub(super) fn item(&mut self, mut item: Object) -> Result<(), Refusal> {
        let kind = field::text(&mut item, "type")?;
        match kind.as_deref() {
            Some("message") => self.message(item),
            None if item.contains_key("role") => self.message(item),
            Some("function_call") => {
                let arguments = field::need_text(&mut item, "arguments")?;
                self.call(item, &arguments)
            }
            Some("custom_tool_call") => {
                let input = field::need_text(&mut item, "input")?;
                self.call(item, &json!({ "input": input }).to_string())
            }
            Some("function_call_output" | "custom_tool_call_output") => self.output(item),
            Some("reasoning") => self.reasoning(item),
            Some(kind) if is_hosted(kind) => {
                self.has_hosted = true;
                Ok(())
            }
            None | Some("item_reference") => Err(elsewhere()),
            Some(kind) => Err(unknown(kind)),
        }
    }

    fn message(&mut self, mut item: Object) -> Result<(), Refusal> {
        let role = field::need_text(&mut item, "role")?;
        let parts = parts::read(field::need(&mut item, "content")?, "content", self.quirks)?;
        match role.as_str() {
            "user" => self.user(parts),
            "system" | "developer" => self.system(&parts::split(parts, "\n\n").0),
            "assistant" => {
                let (text, _) = parts::split(parts, "");
                append(&mut self.assistant()["content"], &text);
            }
            _ => return Err(field::wrong("role", "`user`, `assistant`, `system` or `developer`")),
        }
        Ok(())
    }

    fn call(&mut self, mut item: Object, arguments: &str) -> Result<(), Refusal> {
        let id = field::need_text(&mut item, "call_id")?;
        let name = field::need_text(&mut item, "name")?;
        let call =
            json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
        push(&mut self.assistant()["tool_calls"], call);
        Ok(())
    }

    fn output(&mut self, mut item: Object) -> Result<(), Refusal> {
        let id = field::need_text(&mut item, "call_id")?;
        let parts = parts::read(field::need(&mut item, "output")?, "output", self.quirks)?;
        let (text, others) = parts::split(parts, "\n");
        if !others.is_empty() {
            self.given_back.push(parts::text_part(&format!("[tool result {id}]")));
            self.given_back.extend(others);
        }
        self.chat.push(json!({ "role": "tool", "tool_call_id": id, "content": text }));
        Ok(())
    }

    /// A thought is kept for those who want it back; whose it was is known by its signature.
    fn reasoning(&mut self, mut item: Object) -> Result<(), Refusal> {
        let mut text = String::new();
        for name in ["summary", "content"] {
            field::each(field::list(&mut item, name)?, name, |mut part| {
                text.push_str(&field::text(&mut part, "text")?.unwrap_or_default());
                Ok(())
            })?;
        }
        let mut thought = json!({ "type": "reasoning.text", "text": text });
        if let Some(signature) = field::text(&mut item, "encrypted_content")?.as_deref().and_then(signature) {
            thought["signature"] = signature.into();
        }
        self.thoughts.push(thought);
        Ok(())
    }

    /// The assistant's message that is being put together, with what it thought before.
    fn assistant(&mut self) -> &mut Value {
        let thoughts = std::mem::take(&mut self.thoughts);
        self.give_back();
        if self.chat.last().is_none_or(|last| last["role"] != "assistant") {
            self.chat.push(json!({ "role": "assistant", "content": null }));
        }
        let at = self.chat.len() - 1;
        let message = &mut self.chat[at];
        for thought in thoughts {
            remember(message, thought, self.quirks);
        }
        message
    }

    /// Sends what tools gave back as the user's, now that their turn is over. Thoughts that nothing followed are forgotten.
    fn give_back(&mut self) {
        self.thoughts.clear();
        if !self.given_back.is_empty() {
            let parts = std::mem::take(&mut self.given_back);
            self.chat.push(json!({ "role": "user", "content": parts }));
        }
    }
}

fn remember(message: &mut Value, mut thought: Value, quirks: Quirks) {
    let text = thought["text"].as_str().unwrap_or_default();
    if quirks.reasoning_echo && !text.is_empty() {
        append(&mut message["reasoning_content"], text);
    }
    if quirks.reasoning_details && thought.get("signature").is_some() {
        let details = &mut message["reasoning_details"];
        thought["index"] = details.as_array().map_or(0, Vec::len).into();
        push(details, thought);
    }
}

fn signature(encrypted: &str) -> Option<&str> {
    encrypted.strip_prefix(SIGNED)
}

/// Adds a paragraph to a text that may be none yet.
fn append(text: &mut Value, more: &str) {
    match text {
        Value::String(text) if text.is_empty() => more.clone_into(text),
        Value::String(_) if more.is_empty() => {}
        Value::String(text) => {
            text.push_str("\n\n");
            text.push_str(more);
        }
        none => *none = more.into(),
    }
}

/// Adds to a list that may be none yet.
fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(list) => list.push(item),
        none => *none = Value::Array(vec![item]),
    }
}

/// Whether an item tells of a tool that `OpenAI` ran, or that only its models know how to call.
fn is_hosted(kind: &str) -> bool {
    kind.ends_with("_call") || kind.ends_with("_call_output") || kind.starts_with("mcp_")
}

/// The AI SDK sends no more than the name of what it has been told, unless it is asked not to.
fn elsewhere() -> Refusal {
    let message = "Items of type `item_reference` cannot be sent to this model: only OpenAI keeps what they name. \
                   Ask with `store: false`, and send the items themselves.";
    Refusal::of("type", "unsupported_content_part", message)
}

fn unknown(kind: &str) -> Refusal {
    let message =
        format!("Items of type `{kind}` cannot be sent to this model: they need what only OpenAI keeps.");
    Refusal::of("type", "unsupported_content_part", message)
}
