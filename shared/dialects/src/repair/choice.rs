//! One choice of a stream.

use serde_json::{Map, Value, json};

use super::finish;
use super::tools::Calls;

/// What is known of a choice so far.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u64,
    said_role: bool,
    finished: bool,
    calls: Calls,
}

impl Choice {
    pub(super) fn new(index: u64) -> Self {
        Self { index, said_role: false, finished: false, calls: Calls::default() }
    }

    pub(super) fn finished(&self) -> bool {
        self.finished
    }

    /// Puts right what a chunk says of this choice. False where it is to be left out: nothing follows a finish.
    pub(super) fn repair(&mut self, choice: &mut Value, id: &str) -> bool {
        if self.finished {
            return false;
        }
        choice["index"] = self.index.into();
        let mut delta = match choice["delta"].take() {
            Value::Object(delta) => delta,
            _ => Map::new(),
        };
        self.delta(&mut delta, id);
        choice["delta"] = Value::Object(delta);
        self.finish(choice);
        true
    }

    fn delta(&mut self, delta: &mut Map<String, Value>, id: &str) {
        // SDKs that join the pieces of a message join its roles, too.
        if delta.contains_key("role") && std::mem::replace(&mut self.said_role, true) {
            delta.shift_remove("role");
        }
        flatten(delta);
        if let Some(calls) = delta.shift_remove("tool_calls") {
            let calls = self.calls.repair(calls, self.index, id);
            if !calls.is_empty() {
                delta.insert("tool_calls".to_owned(), calls.into());
            }
        }
    }

    fn finish(&mut self, choice: &mut Value) {
        // Older Ollamas say "" while they go on.
        if choice["finish_reason"].as_str().is_none_or(str::is_empty) {
            choice["finish_reason"] = Value::Null;
            return;
        }
        self.finished = true;
        finish::repair(choice, self.calls.any());
    }
}

/// Mistral's reasoning models send content in parts, of text and of thinking. Clients expect a string of each.
pub(super) fn flatten(message: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = message.get_mut("content") else { return };
    let (mut text, mut thinking) = (String::new(), String::new());
    for part in std::mem::take(parts) {
        match part["type"].as_str() {
            Some("thinking") => thinking.push_str(&text_of(&part["thinking"])),
            _ => text.push_str(&text_of(&part["text"])),
        }
    }
    message.insert("content".to_owned(), if text.is_empty() { Value::Null } else { json!(text) });
    if !thinking.is_empty() {
        message.insert("reasoning_content".to_owned(), json!(thinking));
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(|part| text_of(&part["text"])).collect(),
        _ => String::new(),
    }
}
