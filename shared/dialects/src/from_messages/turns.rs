//! The conversation: Anthropic's turns of blocks as chat's messages.

use serde_json::{Value, json};

use super::parts;
use crate::field::{self, Object};
use crate::target::{Quirks, Refusal};

/// Collects the messages of the chat request.
pub(super) struct Turns {
    quirks: Quirks,
    chat: Vec<Value>,
    /// Whether an earlier answer holds what Anthropic's own tools did, which chat has no place for.
    has_server_tools: bool,
}

impl Turns {
    pub(super) fn new(quirks: Quirks) -> Self {
        Self { quirks, chat: Vec::new(), has_server_tools: false }
    }

    /// The messages. What was left out is named in `dropped`.
    pub(super) fn into_chat(self, dropped: &mut Vec<String>) -> Value {
        dropped.extend(self.has_server_tools.then(|| "server_tool_use".to_owned()));
        Value::Array(self.chat)
    }

    /// Instructions: one text, or parts where the target keeps their cache breakpoints.
    pub(super) fn system(&mut self, blocks: Vec<Value>) -> Result<(), Refusal> {
        let mut texts = Vec::new();
        for (at, block) in blocks.into_iter().enumerate() {
            texts.push(text_block(block, self.quirks).map_err(|refusal| refusal.inside(&format!("[{at}]")))?);
        }
        let content = if self.quirks.cache_control { parts::content(texts) } else { joined(&texts, "\n\n") };
        if content != "" && content != json!([]) {
            self.chat.push(json!({ "role": "system", "content": content }));
        }
        Ok(())
    }

    pub(super) fn message(&mut self, mut message: Object) -> Result<(), Refusal> {
        let role = field::need_text(&mut message, "role")?;
        let blocks = parts::blocks(field::need(&mut message, "content")?, "content")?;
        match role.as_str() {
            "user" => self.user(blocks),
            "assistant" => self.assistant(blocks),
            "system" => self.system(blocks).map_err(|refusal| refusal.inside("content")),
            _ => Err(field::wrong("role", "`user`, `assistant` or `system`")),
        }
    }

    /// The results of tools come first, each a message of its own: chat wants them right after the calls.
    fn user(&mut self, blocks: Vec<Value>) -> Result<(), Refusal> {
        let mut rest = Vec::new();
        field::each(blocks, "content", |block| match block.get("type").and_then(Value::as_str) {
            Some("tool_result") => self.tool_result(block, &mut rest),
            _ => parts::read(block, self.quirks, &mut rest),
        })?;
        if !rest.is_empty() {
            self.chat.push(json!({ "role": "user", "content": parts::content(rest) }));
        }
        Ok(())
    }

    /// One message per result, whatever its parts: a second one with the same id would be refused. What is not text goes
    /// to the user's message that follows.
    fn tool_result(&mut self, mut block: Object, rest: &mut Vec<Value>) -> Result<(), Refusal> {
        let id = field::need_text(&mut block, "tool_use_id")?;
        let is_error = field::flag(&mut block, "is_error")?;
        let content = field::take(&mut block, "content")
            .map_or_else(|| Ok(Vec::new()), |content| parts::blocks(content, "content"))?;
        let mut found = Vec::new();
        field::each(content, "content", |block| parts::read(block, self.quirks, &mut found))?;
        let (texts, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|part| part["type"] == "text");
        let mut content = joined(&texts, "\n");
        if is_error {
            content = format!("Error: {}", content.as_str().unwrap_or_default()).into();
        }
        if !others.is_empty() {
            rest.push(json!({ "type": "text", "text": format!("[tool result {id}]") }));
            rest.extend(others);
        }
        self.chat.push(json!({ "role": "tool", "tool_call_id": id, "content": content }));
        Ok(())
    }

    fn assistant(&mut self, blocks: Vec<Value>) -> Result<(), Refusal> {
        let mut said = Said::default();
        field::each(blocks, "content", |block| said.block(block))?;
        self.has_server_tools |= said.has_server_tools;
        self.chat.push(said.into_message(self.quirks));
        Ok(())
    }
}

/// What the assistant said in one turn.
#[derive(Default)]
struct Said {
    text: String,
    calls: Vec<Value>,
    thoughts: String,
    details: Vec<Value>,
    has_server_tools: bool,
}

impl Said {
    fn block(&mut self, mut block: Object) -> Result<(), Refusal> {
        let kind = field::need_text(&mut block, "type")?;
        match kind.as_str() {
            "text" => self.text.push_str(&field::need_text(&mut block, "text")?),
            "tool_use" => self.calls.push(call(block)?),
            "thinking" => self.thinking(block)?,
            "redacted_thinking" => {
                let data = field::need_text(&mut block, "data")?;
                self.detail(json!({ "type": "reasoning.encrypted", "data": data }));
            }
            kind if is_of_server(kind) => self.has_server_tools = true,
            kind => return Err(field::unsupported_part(kind)),
        }
        Ok(())
    }

    fn thinking(&mut self, mut block: Object) -> Result<(), Refusal> {
        let thought = field::need_text(&mut block, "thinking")?;
        let signature = field::text(&mut block, "signature")?.filter(|signature| !signature.is_empty());
        self.thoughts.push_str(&thought);
        let mut detail = json!({ "type": "reasoning.text", "text": thought });
        if let Some(signature) = signature {
            detail["signature"] = signature.into();
        }
        self.detail(detail);
        Ok(())
    }

    fn detail(&mut self, mut detail: Value) {
        detail["index"] = self.details.len().into();
        self.details.push(detail);
    }

    /// Thoughts go back only to those who want them: others refuse what they do not know.
    fn into_message(self, quirks: Quirks) -> Value {
        let content =
            if self.text.is_empty() && !self.calls.is_empty() { Value::Null } else { self.text.into() };
        let mut message = json!({ "role": "assistant", "content": content });
        if quirks.reasoning_echo && !self.thoughts.is_empty() {
            message["reasoning_content"] = self.thoughts.into();
        }
        if quirks.reasoning_details && !self.details.is_empty() {
            message["reasoning_details"] = self.details.into();
        }
        if !self.calls.is_empty() {
            message["tool_calls"] = self.calls.into();
        }
        message
    }
}

fn call(mut block: Object) -> Result<Value, Refusal> {
    let id = field::need_text(&mut block, "id")?;
    let name = field::need_text(&mut block, "name")?;
    let arguments =
        field::take(&mut block, "input").map_or_else(|| "{}".to_owned(), |input| input.to_string());
    Ok(json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } }))
}

/// Whether a block tells of a tool that Anthropic ran itself: `server_tool_use`, `web_search_tool_result`, ….
fn is_of_server(kind: &str) -> bool {
    matches!(kind, "server_tool_use" | "mcp_tool_use") || kind.ends_with("_tool_result")
}

fn text_block(block: Value, quirks: Quirks) -> Result<Value, Refusal> {
    match block {
        Value::Object(block) if block.get("type").is_some_and(|kind| kind == "text") => {
            parts::text(block, quirks)
        }
        _ => Err(field::wrong("type", "`text`")),
    }
}

fn joined(texts: &[Value], between: &str) -> Value {
    texts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join(between).into()
}
