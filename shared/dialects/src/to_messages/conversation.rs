//! The messages of a chat, as a system prompt and turns that alternate between user and assistant.

use serde_json::{Value, json};

use super::draft::Draft;
use super::names::Names;
use super::{content, object, thinking};
use crate::field::{self, Object, wrong};
use crate::target::Refusal;

/// A conversation in Anthropic's form.
#[derive(Debug)]
pub(super) struct Conversation {
    /// One block per part of the system's messages: a cache breakpoint may stand between them.
    pub(super) system: Vec<Value>,
    turns: Vec<Turn>,
    /// The tools that were called in it, by their sent names.
    pub(super) called: Vec<String>,
    /// Whether messages had a `name`, which Anthropic has no place for.
    named: bool,
    ids: Names,
    /// Calls and results of the legacy `function_call`, which have no ids: the first result answers the first call.
    legacy_calls: usize,
    legacy_results: usize,
}

#[derive(Debug)]
struct Turn {
    role: &'static str,
    /// What tools gave. Anthropic wants this before all else.
    results: Vec<Value>,
    blocks: Vec<Value>,
}

/// Reads `messages`. Tools that are called get their names from `tools`.
pub(super) fn read(messages: Vec<Value>, tools: &mut Names) -> Result<Conversation, Refusal> {
    let mut conversation = Conversation::new();
    field::each(messages, "messages", |message| conversation.take(message, tools))?;
    conversation.closed()
}

impl Conversation {
    fn new() -> Self {
        Self {
            system: Vec::new(),
            turns: Vec::new(),
            called: Vec::new(),
            named: false,
            ids: Names::new(usize::MAX, &[]),
            legacy_calls: 0,
            legacy_results: 0,
        }
    }

    /// Writes `system` and `messages`.
    pub(super) fn write(self, draft: &mut Draft) {
        if self.named {
            draft.drop("messages[].name");
        }
        if !self.system.is_empty() {
            draft.set("system", self.system);
        }
        draft.set("messages", self.turns.into_iter().map(Turn::message).collect::<Vec<_>>());
    }

    /// Whether the assistant last called tools without reasoning that it signed. A request with a thinking budget
    /// is refused then, as it wants every such turn to begin with a thought.
    pub(super) fn lacks_thought(&self) -> bool {
        let last = self.turns.iter().rev().find(|turn| turn.role == "assistant");
        let holds = |turn: &Turn, kind: &str| turn.blocks.iter().any(|block| block["type"] == kind);
        last.is_some_and(|turn| {
            holds(turn, "tool_use") && !holds(turn, "thinking") && !holds(turn, "redacted_thinking")
        })
    }

    fn take(&mut self, mut message: Object, tools: &mut Names) -> Result<(), Refusal> {
        let role = field::need_text(&mut message, "role")?;
        self.named |= role != "function" && field::take(&mut message, "name").is_some();
        match role.as_str() {
            "system" | "developer" => {
                self.system.extend(content::texts(field::need(&mut message, "content")?)?)
            }
            "user" => self.say("user", content::blocks(field::need(&mut message, "content")?)?),
            "assistant" => self.assistant(message, tools)?,
            "tool" => {
                let id = field::need_text(&mut message, "tool_call_id")?;
                self.result(&id, field::take(&mut message, "content"))?;
            }
            "function" => {
                self.legacy_results += 1;
                self.result(&legacy_id(self.legacy_results), field::take(&mut message, "content"))?;
            }
            _ => return Err(wrong("role", "one of system, developer, user, assistant, tool")),
        }
        Ok(())
    }

    /// Thoughts come first, as Anthropic demands, then words, then calls.
    fn assistant(&mut self, mut message: Object, tools: &mut Names) -> Result<(), Refusal> {
        if field::take(&mut message, "audio").is_some() {
            let why = "Audio of earlier turns cannot be sent to this model.";
            return Err(Refusal::of("audio", "unsupported_content_part", why));
        }
        let mut blocks = thinking::signed(&mut message);
        if let Some(content) = field::take(&mut message, "content") {
            blocks.extend(content::texts(content)?);
        }
        blocks.extend(field::text(&mut message, "refusal")?.and_then(content::text));
        blocks.extend(self.calls(&mut message, tools)?);
        self.say("assistant", blocks);
        Ok(())
    }

    fn calls(&mut self, message: &mut Object, tools: &mut Names) -> Result<Vec<Value>, Refusal> {
        let mut blocks = Vec::new();
        field::each(field::list(message, "tool_calls")?, "tool_calls", |mut call| {
            let id = field::need_text(&mut call, "id")?;
            let function = field::inner(&mut call, "function")?.unwrap_or_default();
            blocks.push(self.call(&id, function, tools).map_err(|refusal| refusal.inside("function"))?);
            Ok(())
        })?;
        if let Some(function) = field::inner(message, "function_call")? {
            self.legacy_calls += 1;
            let call = self.call(&legacy_id(self.legacy_calls), function, tools);
            blocks.push(call.map_err(|refusal| refusal.inside("function_call"))?);
        }
        Ok(blocks)
    }

    fn call(&mut self, id: &str, mut function: Object, tools: &mut Names) -> Result<Value, Refusal> {
        let name = tools.sent(&field::need_text(&mut function, "name")?);
        self.called.push(name.clone());
        Ok(object([
            ("type", "tool_use".into()),
            ("id", self.ids.sent(id).into()),
            ("name", name.into()),
            ("input", input(field::take(&mut function, "arguments"))),
        ]))
    }

    fn result(&mut self, id: &str, content: Option<Value>) -> Result<(), Refusal> {
        let content = match content {
            None => "".into(),
            Some(Value::String(text)) => text.into(),
            Some(parts) => match content::blocks(parts)? {
                blocks if blocks.is_empty() => "".into(),
                blocks => Value::Array(blocks),
            },
        };
        let id = self.ids.sent(id);
        let block =
            object([("type", "tool_result".into()), ("tool_use_id", id.into()), ("content", content)]);
        self.turn("user").results.push(block);
        Ok(())
    }

    fn say(&mut self, role: &'static str, blocks: Vec<Value>) {
        if !blocks.is_empty() {
            self.turn(role).blocks.extend(blocks);
        }
    }

    /// The turn of this role that is going on, or a new one.
    fn turn(&mut self, role: &'static str) -> &mut Turn {
        if self.turns.last().is_none_or(|turn| turn.role != role) {
            self.turns.push(Turn { role, results: Vec::new(), blocks: Vec::new() });
        }
        let last = self.turns.len() - 1;
        &mut self.turns[last]
    }

    /// Makes it a conversation that Anthropic takes: one message at least, and no space after a prefill.
    fn closed(mut self) -> Result<Self, Refusal> {
        if self.turns.is_empty() {
            let last = self.system.pop();
            let last = last.ok_or_else(|| wrong("messages", "at least one message that is not empty"))?;
            self.say("user", vec![last]);
        }
        if let Some(Turn { role: "assistant", blocks, .. }) = self.turns.last_mut()
            && let Some(Value::String(text)) = blocks.last_mut().and_then(|block| block.get_mut("text"))
        {
            text.truncate(text.trim_end().len());
        }
        Ok(self)
    }
}

impl Turn {
    fn message(mut self) -> Value {
        self.results.append(&mut self.blocks);
        object([("role", self.role.into()), ("content", self.results.into())])
    }
}

fn legacy_id(number: usize) -> String {
    format!("call_fn_{number}")
}

/// A call's arguments as the object that Anthropic wants. What is no JSON object travels whole under a name that says
/// so: a model that once wrote half a call must not make the conversation unusable.
fn input(arguments: Option<Value>) -> Value {
    let raw = match arguments {
        None => return json!({}),
        Some(Value::String(raw)) if raw.trim().is_empty() => return json!({}),
        Some(Value::String(raw)) => raw,
        Some(Value::Object(input)) => return Value::Object(input),
        Some(other) => other.to_string(),
    };
    match serde_json::from_str(&raw) {
        Ok(Value::Object(input)) => Value::Object(input),
        _ => object([("_arguments", raw.into())]),
    }
}
