//! Anthropic's event stream, read as chunks of chat.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tokens::Tokens;
use super::{JSON_TOOL, finish_reason, reply};
use crate::asked::Asked;
use crate::chat::Origin;
use crate::errors::Told;
use crate::piece::{Piece, ToChat};
use crate::sse::Event;

/// Reads the stream of one message.
#[derive(Debug)]
pub struct Stream {
    asked: Asked,
    origin: Origin,
    begun: bool,
    blocks: BTreeMap<u64, Block>,
    calls: u64,
    thoughts: u64,
    tokens: Tokens,
    stop_reason: String,
    ended: bool,
}

/// A block that is being written.
#[derive(Debug)]
enum Block {
    Text,
    /// The thought so far, for the signature that ends it to be sent with what it signs.
    Thought {
        index: u64,
        text: String,
    },
    /// A call, and whether any of its arguments came.
    Call {
        index: u64,
        given: bool,
    },
    /// The call whose input is the answer.
    Answer {
        given: bool,
    },
    /// A tool that Anthropic runs itself, its result, or a kind of block that we do not know.
    Ignored,
}

/// Begins to read a stream.
#[must_use]
pub fn stream(asked: Asked) -> Stream {
    Stream {
        origin: reply::origin(&Value::Null, &asked),
        asked,
        begun: false,
        blocks: BTreeMap::new(),
        calls: 0,
        thoughts: 0,
        tokens: Tokens::default(),
        stop_reason: String::new(),
        ended: false,
    }
}

impl ToChat for Stream {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<Piece>) {
        // What cannot be read is passed over: Anthropic reserves the right to add events.
        let Ok(mut data) = serde_json::from_str::<Value>(event.data) else { return };
        if self.ended || !data.is_object() {
            return;
        }
        let kind = data["type"].as_str().unwrap_or(event.name).to_owned();
        match kind.as_str() {
            "ping" => out.push(Piece::Ping),
            "message_start" => self.begin(&data["message"], out),
            "content_block_start" => self.open(index(&data), data["content_block"].take(), out),
            "content_block_delta" => self.go_on(index(&data), &data["delta"], out),
            "content_block_stop" => self.close(index(&data), out),
            "message_delta" => self.learn(&data, out),
            "message_stop" => self.stop(out),
            "error" => {
                self.ended = true;
                out.push(Piece::Failed(told(&data)));
            }
            _ => {}
        }
    }

    fn end(&mut self, out: &mut Vec<Piece>) {
        if !std::mem::replace(&mut self.ended, true) {
            out.push(Piece::Failed(Told::truncated()));
        }
    }
}

impl Stream {
    fn begin(&mut self, message: &Value, out: &mut Vec<Piece>) {
        self.origin = reply::origin(message, &self.asked);
        self.tokens.learn(&message["usage"]);
        self.greet(out);
    }

    /// The role comes first and once, whatever the stream begins with.
    fn greet(&mut self, out: &mut Vec<Piece>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.push(self.origin.delta(0, json!({ "role": "assistant", "content": "" })));
        }
    }

    fn delta(&mut self, delta: Value, out: &mut Vec<Piece>) {
        self.greet(out);
        out.push(self.origin.delta(0, delta));
    }

    /// Sends a text as this field of a delta, unless there is nothing to send.
    fn say(&mut self, field: &str, text: &str, out: &mut Vec<Piece>) {
        if !text.is_empty() {
            self.delta(json!({ field: text }), out);
        }
    }

    fn open(&mut self, at: u64, mut block: Value, out: &mut Vec<Piece>) {
        let text = |field: &str| block[field].as_str().unwrap_or_default();
        let opened = match block["type"].as_str() {
            Some("text") => {
                self.say("content", text("text"), out);
                Block::Text
            }
            Some("thinking") => self.open_thought(text("thinking"), out),
            Some("redacted_thinking") => {
                let detail = reply::sealed_thought(self.next_thought(), block["data"].take());
                self.delta(json!({ "reasoning_details": [detail] }), out);
                Block::Ignored
            }
            Some("tool_use") if self.asked.json_tool && text("name") == JSON_TOOL => {
                Block::Answer { given: false }
            }
            Some("tool_use") => self.open_call(&block, out),
            _ => Block::Ignored,
        };
        self.blocks.insert(at, opened);
        // Some providers of this format send the whole input at once.
        if block["input"].as_object().is_some_and(|input| !input.is_empty()) {
            self.argue(at, &block["input"].to_string(), out);
        }
    }

    fn open_thought(&mut self, text: &str, out: &mut Vec<Piece>) -> Block {
        self.say("reasoning_content", text, out);
        Block::Thought { index: self.next_thought(), text: text.to_owned() }
    }

    fn open_call(&mut self, block: &Value, out: &mut Vec<Piece>) -> Block {
        let index = self.calls;
        self.calls += 1;
        let name = self.asked.tool_name(block["name"].as_str().unwrap_or_default());
        let function = json!({ "name": name, "arguments": "" });
        let call = json!({ "index": index, "id": block["id"], "type": "function", "function": function });
        self.delta(json!({ "tool_calls": [call] }), out);
        Block::Call { index, given: false }
    }

    fn next_thought(&mut self) -> u64 {
        self.thoughts += 1;
        self.thoughts - 1
    }

    fn go_on(&mut self, at: u64, delta: &Value, out: &mut Vec<Piece>) {
        if matches!(self.blocks.get(&at), Some(Block::Ignored)) {
            return;
        }
        let text = |field: &str| delta[field].as_str().unwrap_or_default();
        match delta["type"].as_str() {
            Some("text_delta") => self.say("content", text("text"), out),
            Some("thinking_delta") => {
                if let Some(Block::Thought { text: so_far, .. }) = self.blocks.get_mut(&at) {
                    so_far.push_str(text("thinking"));
                }
                self.say("reasoning_content", text("thinking"), out);
            }
            Some("signature_delta") => self.sign(at, text("signature"), out),
            Some("input_json_delta") => self.argue(at, text("partial_json"), out),
            _ => {}
        }
    }

    fn sign(&mut self, at: u64, signature: &str, out: &mut Vec<Piece>) {
        let Some(Block::Thought { index, text }) = self.blocks.get_mut(&at) else { return };
        // Taken, so that a signature in several parts does not repeat the text.
        let detail = reply::thought(*index, &std::mem::take(text), signature);
        self.delta(json!({ "reasoning_details": [detail] }), out);
    }

    /// A fragment of a call's arguments, or of the answer that is given as such.
    fn argue(&mut self, at: u64, fragment: &str, out: &mut Vec<Piece>) {
        if fragment.is_empty() {
            return;
        }
        match self.blocks.get_mut(&at) {
            Some(Block::Call { index, given }) => {
                *given = true;
                let call = json!({ "index": *index, "function": { "arguments": fragment } });
                self.delta(json!({ "tool_calls": [call] }), out);
            }
            Some(Block::Answer { given }) => {
                *given = true;
                self.say("content", fragment, out);
            }
            _ => {}
        }
    }

    /// A call without arguments has an empty object for them: clients parse what they collected.
    fn close(&mut self, at: u64, out: &mut Vec<Piece>) {
        if let Some(Block::Call { given: false, .. } | Block::Answer { given: false }) = self.blocks.get(&at)
        {
            self.argue(at, "{}", out);
        }
        self.blocks.remove(&at);
    }

    fn learn(&mut self, data: &Value, out: &mut Vec<Piece>) {
        self.tokens.learn(&data["usage"]);
        let Some(stop_reason) = data["delta"]["stop_reason"].as_str() else { return };
        stop_reason.clone_into(&mut self.stop_reason);
        if stop_reason == "refusal" {
            let why = data["delta"]["stop_details"]["explanation"].as_str();
            self.say("refusal", why.unwrap_or_default(), out);
        }
    }

    fn stop(&mut self, out: &mut Vec<Piece>) {
        self.ended = true;
        self.greet(out);
        let finish = finish_reason(&self.stop_reason, self.calls > 0);
        out.push(self.origin.finish(0, finish, &self.stop_reason));
        if self.tokens.known() {
            out.push(self.origin.usage(&self.tokens.usage()));
        }
        out.push(Piece::Done);
    }
}

fn told(data: &Value) -> Told {
    let unsaid = || Told::of_upstream("error", "The provider ended the answer with an error.");
    Told::of_object(data).unwrap_or_else(unsaid)
}

fn index(data: &Value) -> u64 {
    data["index"].as_u64().unwrap_or_default()
}
