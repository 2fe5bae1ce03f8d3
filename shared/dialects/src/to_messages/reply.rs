//! A message, written as a completion.

use serde_json::{Map, Value, json};

use super::tokens::Tokens;
use super::{JSON_TOOL, finish_reason, object};
use crate::asked::Asked;
use crate::chat::Origin;
use crate::errors::Told;

/// Writes a message as a completion.
///
/// # Errors
/// The error that the provider sent in place of a message, or that what it sent is no message.
pub fn reply(mut body: Value, asked: &Asked) -> Result<Value, Told> {
    if let Some(told) = Told::of_object(&body) {
        return Err(told);
    }
    let Some(Value::Array(blocks)) = body.get_mut("content").map(Value::take) else {
        return Err(Told::of_upstream("unreadable_reply", "The provider's answer is not a message."));
    };
    let mut answer = Answer::default();
    for block in blocks {
        answer.take(block, asked);
    }
    let stop_reason = body["stop_reason"].as_str().unwrap_or_default();
    let finish = finish_reason(stop_reason, !answer.calls.is_empty());
    let refusal =
        if stop_reason == "refusal" { body["stop_details"]["explanation"].clone() } else { Value::Null };
    let mut tokens = Tokens::default();
    tokens.learn(&body["usage"]);
    let choice = object([
        ("index", 0.into()),
        ("message", answer.message(refusal)),
        ("logprobs", Value::Null),
        ("finish_reason", finish.into()),
        ("native_finish_reason", stop_reason.into()),
    ]);
    Ok(origin(&body, asked).completion(Value::Array(vec![choice]), &tokens.usage()))
}

/// Where a message comes from, with what the provider leaves out filled in.
pub(super) fn origin(message: &Value, asked: &Asked) -> Origin {
    let text = |field: &str| message[field].as_str().filter(|text| !text.is_empty());
    Origin {
        id: text("id").map_or_else(|| format!("chatcmpl-{}", asked.id), str::to_owned),
        model: text("model").unwrap_or(&asked.model).to_owned(),
        created: asked.created,
    }
}

/// One of `reasoning_details`, as the client has to send it back.
pub(super) fn thought(index: u64, text: &str, signature: &str) -> Value {
    json!({ "type": "reasoning.text", "text": text, "signature": signature, "index": index })
}

/// A thought that only its author can read.
pub(super) fn sealed_thought(index: u64, data: Value) -> Value {
    object([("type", "reasoning.encrypted".into()), ("data", data), ("index", index.into())])
}

/// What the blocks of a message say.
#[derive(Debug, Default)]
struct Answer {
    text: String,
    reasoning: String,
    details: Vec<Value>,
    calls: Vec<Value>,
    annotations: Vec<Value>,
}

impl Answer {
    /// Takes a block. Only `tool_use` is for the client to run: a `server_tool_use` has been run by Anthropic.
    fn take(&mut self, mut block: Value, asked: &Asked) {
        match block["type"].as_str() {
            Some("text") => self.say(&block),
            Some("thinking") => self.think(&block),
            Some("redacted_thinking") => {
                self.details.push(sealed_thought(self.details.len() as u64, block["data"].take()));
            }
            Some("tool_use") if asked.json_tool && block["name"] == JSON_TOOL => {
                self.text.push_str(&arguments(&block["input"]));
            }
            Some("tool_use") => self.call(&block, asked),
            _ => {}
        }
    }

    fn say(&mut self, block: &Value) {
        let start = self.text.chars().count();
        self.text.push_str(block["text"].as_str().unwrap_or_default());
        let cited = block["citations"].as_array().filter(|citations| !citations.is_empty());
        let Some(citations) = cited else { return };
        let end = self.text.chars().count();
        self.annotations.extend(citations.iter().filter_map(|citation| annotation(citation, start, end)));
    }

    fn think(&mut self, block: &Value) {
        let text = block["thinking"].as_str().unwrap_or_default();
        let signature = block["signature"].as_str().unwrap_or_default();
        self.reasoning.push_str(text);
        self.details.push(thought(self.details.len() as u64, text, signature));
    }

    fn call(&mut self, block: &Value, asked: &Asked) {
        let name = asked.tool_name(block["name"].as_str().unwrap_or_default());
        let function = json!({ "name": name, "arguments": arguments(&block["input"]) });
        self.calls.push(object([
            ("id", block["id"].clone()),
            ("type", "function".into()),
            ("function", function),
        ]));
    }

    fn message(self, refusal: Value) -> Value {
        let silent = self.text.is_empty() && !self.calls.is_empty();
        let content = if silent { Value::Null } else { self.text.into() };
        let mut message = Map::new();
        let mut set = |name: &str, value: Value| drop(message.insert(name.to_owned(), value));
        set("role", "assistant".into());
        set("content", content);
        set("refusal", refusal);
        if !self.reasoning.is_empty() {
            set("reasoning_content", self.reasoning.into());
        }
        for (name, list) in [
            ("reasoning_details", self.details),
            ("tool_calls", self.calls),
            ("annotations", self.annotations),
        ] {
            if !list.is_empty() {
                set(name, list.into());
            }
        }
        Value::Object(message)
    }
}

/// A tool's input as the text that chat has in its place.
pub(super) fn arguments(input: &Value) -> String {
    if input.is_null() { "{}".to_owned() } else { input.to_string() }
}

/// A citation of the web, on the characters that it supports.
fn annotation(citation: &Value, start: usize, end: usize) -> Option<Value> {
    let url = citation["url"].as_str().filter(|_| citation["type"] == "web_search_result_location")?;
    Some(json!({
        "type": "url_citation",
        "url_citation": { "start_index": start, "end_index": end, "url": url, "title": citation["title"] },
    }))
}
