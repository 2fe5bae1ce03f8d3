//! Words an answer as a message, whole or as the events that build it.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::mischief::Shape;
use crate::reply::{Reply, typed_event};
use crate::signature;
use crate::speech::{End, Speech};
use crate::tools::ToolCall;

/// The tokens of the question that the cache had to do with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cached {
    pub(super) written: usize,
    pub(super) read: usize,
}

/// What all parts of one answer have in common.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) cached: Cached,
}

impl Message {
    pub(super) fn whole(&self, speech: &Speech, shape: Shape) -> Reply {
        let mut message = self.object(&self.usage(speech, speech.output()));
        let text = speech.text(shape);
        let thinking = (!speech.thoughts.is_empty()).then(|| thinking(&speech.thought()));
        let text = (!text.is_empty()).then(|| json!({"type": "text", "text": text}));
        let calls = speech.calls.iter().enumerate().map(|(i, call)| self.tool_use(i, call, &call.arguments));
        message["content"] = thinking.into_iter().chain(text).chain(calls).collect();
        for (name, value) in ending(speech).as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        Reply::json(&message)
    }

    fn object(&self, usage: &Value) -> Value {
        json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage,
        })
    }

    fn tool_use(&self, i: usize, call: &ToolCall, input: &Value) -> Value {
        let id = format!("{}_{i}", self.id.replace("msg_", "toolu_"));
        json!({"type": "tool_use", "id": id, "name": call.name, "input": input})
    }

    /// What the cache had to do with is not counted as input a second time.
    fn usage(&self, speech: &Speech, output: usize) -> Value {
        let Cached { written, read } = self.cached;
        json!({
            "input_tokens": speech.input - written - read, "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read, "output_tokens": output, "service_tier": "standard",
            "output_tokens_details": {"thinking_tokens": speech.thoughts.len()},
        })
    }

    pub(super) fn stream(&self, speech: &Speech, shape: Shape) -> Reply {
        let start = json!({"type": "message_start", "message": self.object(&self.usage(speech, 1))});
        let mut opened = Blocks::default();
        let mut before = thinking_events(speech, &mut opened);
        let text =
            if speech.deltas(shape).next().is_some() { opened.open(&text_block()) } else { Vec::new() };
        let index = opened.last();
        before.extend(text);
        let deltas = speech
            .deltas(shape)
            .map(move |text| block_delta(index, &json!({"type": "text_delta", "text": text})));
        let calls = self.call_events(speech, &mut opened);
        let events = std::iter::once(start).chain(before).chain(deltas).chain(calls);
        let pieces = events.map(|event| typed_event(&event));
        Reply::events(Box::new(pieces), self.ending(speech, &opened))
    }

    fn call_events(&self, speech: &Speech, opened: &mut Blocks) -> Vec<Value> {
        let mut events = Vec::new();
        for (i, call) in speech.calls.iter().enumerate() {
            events.extend(opened.open(&self.tool_use(i, call, &json!({}))));
            // The first fragment is empty at Anthropic, too.
            let fragments = std::iter::once(String::new()).chain(call.fragments());
            let delta = |json| json!({"type": "input_json_delta", "partial_json": json});
            events.extend(fragments.map(|fragment| block_delta(opened.last(), &delta(fragment))));
        }
        events
    }

    fn ending(&self, speech: &Speech, opened: &Blocks) -> Vec<Bytes> {
        let usage = self.usage(speech, speech.output());
        let stop = opened.close();
        let last = [
            json!({"type": "message_delta", "delta": ending(speech), "usage": usage}),
            json!({"type": "message_stop"}),
        ];
        stop.iter().chain(&last).map(typed_event).collect()
    }
}

/// Numbers the blocks of a stream: one has to be closed before the next opens.
#[derive(Debug, Default)]
struct Blocks {
    opened: usize,
}

impl Blocks {
    /// Opens a block; after the first one Anthropic sends a ping.
    fn open(&mut self, block: &Value) -> Vec<Value> {
        let ping = (self.opened == 0).then(|| json!({"type": "ping"}));
        let stop = self.close();
        let index = self.opened;
        self.opened += 1;
        let start = json!({"type": "content_block_start", "index": index, "content_block": block});
        stop.into_iter().chain([start]).chain(ping).collect()
    }

    fn last(&self) -> usize {
        self.opened.saturating_sub(1)
    }

    fn close(&self) -> Option<Value> {
        (self.opened > 0).then(|| json!({"type": "content_block_stop", "index": self.last()}))
    }
}

fn thinking(thought: &str) -> Value {
    json!({"type": "thinking", "thinking": thought, "signature": signature::of(thought)})
}

fn text_block() -> Value {
    json!({"type": "text", "text": ""})
}

/// The thoughts word by word, and their signature at the end.
fn thinking_events(speech: &Speech, opened: &mut Blocks) -> Vec<Value> {
    if speech.thoughts.is_empty() {
        return Vec::new();
    }
    let mut events = opened.open(&json!({"type": "thinking", "thinking": "", "signature": ""}));
    let deltas = speech.thoughts.iter().map(|word| json!({"type": "thinking_delta", "thinking": word}));
    let signed = json!({"type": "signature_delta", "signature": signature::of(&speech.thought())});
    events.extend(deltas.chain([signed]).map(|delta| block_delta(opened.last(), &delta)));
    events
}

fn block_delta(index: usize, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

/// Why the answer ends, in the fields that say so.
fn ending(speech: &Speech) -> Value {
    let reason = match speech.end {
        End::Stop if speech.stopped_by.is_some() => "stop_sequence",
        End::Stop => "end_turn",
        End::Length => "max_tokens",
        End::Tools => "tool_use",
        End::Refused | End::Blocked => "refusal",
    };
    let mut ending = json!({"stop_reason": reason, "stop_sequence": speech.stopped_by});
    if reason == "refusal" {
        let explanation = "The demo provider was asked to refuse.";
        ending["stop_details"] = json!({"type": "refusal", "category": null, "explanation": explanation});
    }
    ending
}
