//! The items of a response: the whole object, or the official order of the events that build it.
//!
//! Thoughts come first, then the message, then the calls; an item that would be empty is not there, except
//! that an answer without calls always has its message.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::call::Call;
use crate::mischief::Shape;
use crate::reply::{Reply, typed_event};
use crate::signature;
use crate::speech::{End, Speech};
use crate::tools::ToolCall;

pub(crate) struct Answer<'a> {
    pub(crate) call: &'a Call,
    pub(crate) body: &'a Value,
    pub(crate) speech: &'a Speech,
}

impl Answer<'_> {
    pub(crate) fn whole(&self, shape: Shape) -> Reply {
        Reply::json(&self.finished(&self.speech.text(shape)))
    }

    pub(crate) fn stream(&self, shape: Shape) -> Reply {
        let text: String = self.speech.deltas(shape).collect();
        let mut before = self.opening();
        before.extend(self.thought_events());
        let (mut after, mut deltas) = (Vec::new(), 0);
        if self.has_message(&text) {
            before.extend(self.message_opening());
            deltas = self.speech.deltas(shape).count();
            after = self.message_ending(&text);
        }
        let calls = self.call_events(&text);
        let told = before.len() + deltas;
        let deltas = self.text_deltas(shape).take(deltas);
        if calls.is_empty() {
            after.push(self.last_event(&text));
            let events = before.into_iter().chain(deltas);
            return Reply::events(Box::new(numbered(0, events)), numbered(told, after.into_iter()).collect());
        }
        let told = told + after.len() + calls.len();
        let events = before.into_iter().chain(deltas).chain(after).chain(calls);
        let ending = numbered(told, std::iter::once(self.last_event(&text))).collect();
        Reply::events(Box::new(numbered(0, events)), ending)
    }

    fn opening(&self) -> Vec<Value> {
        let created = self.object("in_progress");
        let event = |kind| json!({"type": kind, "response": created});
        vec![event("response.created"), event("response.in_progress")]
    }

    fn thinks(&self) -> bool {
        !self.speech.thoughts.is_empty()
    }

    /// Thoughts are told in a summary, and only to those who asked for one.
    fn summarised(&self) -> bool {
        self.body["reasoning"]["summary"].is_string()
    }

    fn thought_events(&self) -> Vec<Value> {
        if !self.thinks() {
            return Vec::new();
        }
        let mut events = vec![item_event("added", 0, &self.reasoning(""))];
        if self.summarised() {
            events.extend(self.summary_events());
        }
        events.push(item_event("done", 0, &self.reasoning(&self.speech.thought())));
        events
    }

    fn summary_events(&self) -> Vec<Value> {
        let event = |kind: &str, field: &str, value: Value| {
            json!({
                "type": format!("response.reasoning_summary_{kind}"), "item_id": self.reasoning_id(),
                "output_index": 0, "summary_index": 0, field: value,
            })
        };
        let thought = self.speech.thought();
        let mut events = vec![event("part.added", "part", summary(""))];
        let words = self.speech.thoughts.iter();
        events.extend(words.map(|word| event("text.delta", "delta", json!(word))));
        events.push(event("text.done", "text", json!(thought)));
        events.push(event("part.done", "part", summary(&thought)));
        events
    }

    fn has_message(&self, text: &str) -> bool {
        !text.is_empty() || self.speech.calls.is_empty()
    }

    fn message_opening(&self) -> Vec<Value> {
        let mut item = self.message("");
        item["status"] = json!("in_progress");
        item["content"] = json!([]);
        vec![
            item_event("added", self.message_index(), &item),
            self.part_event("response.content_part.added", &json!({"part": output_text("")})),
        ]
    }

    fn text_deltas(&self, shape: Shape) -> impl Iterator<Item = Value> + Send + use<> {
        let frame = self.part_event("response.output_text.delta", &json!({"logprobs": []}));
        self.speech.deltas(shape).map(move |delta| {
            let mut event = frame.clone();
            event["delta"] = Value::String(delta);
            event
        })
    }

    fn message_ending(&self, text: &str) -> Vec<Value> {
        vec![
            self.part_event("response.output_text.done", &json!({"text": text, "logprobs": []})),
            self.part_event("response.content_part.done", &json!({"part": output_text(text)})),
            item_event("done", self.message_index(), &self.message(text)),
        ]
    }

    fn part_event(&self, kind: &str, more: &Value) -> Value {
        let mut event = json!({
            "type": kind, "item_id": self.message_id(), "content_index": 0,
            "output_index": self.message_index(),
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        event
    }

    fn call_events(&self, text: &str) -> Vec<Value> {
        let first = self.message_index() + usize::from(self.has_message(text));
        let calls = self.speech.calls.iter().enumerate();
        calls.flat_map(|(i, call)| self.events_of(i, first + i, call)).collect()
    }

    fn events_of(&self, i: usize, index: usize, call: &ToolCall) -> Vec<Value> {
        let id = self.function_id(i);
        let mut item = self.function_call(i, call);
        let done = item_event("done", index, &item);
        item["status"] = json!("in_progress");
        item["arguments"] = json!("");
        let mut events = vec![item_event("added", index, &item)];
        events.extend(call.fragments().into_iter().map(|delta| {
            let kind = "response.function_call_arguments.delta";
            json!({"type": kind, "item_id": id, "output_index": index, "delta": delta})
        }));
        events.push(json!({
            "type": "response.function_call_arguments.done", "item_id": id, "output_index": index,
            "name": call.name, "arguments": call.told(),
        }));
        events.push(done);
        events
    }

    fn last_event(&self, text: &str) -> Value {
        let kind = if self.reason().is_some() { "response.incomplete" } else { "response.completed" };
        json!({"type": kind, "response": self.finished(text)})
    }

    fn finished(&self, text: &str) -> Value {
        let mut response = self.object(self.status());
        let thought = self.thinks().then(|| self.reasoning(&self.speech.thought()));
        let message = self.has_message(text).then(|| self.message(text));
        let calls = self.speech.calls.iter().enumerate().map(|(i, call)| self.function_call(i, call));
        response["output"] = thought.into_iter().chain(message).chain(calls).collect();
        response["usage"] = usage(self.speech);
        if let Some(reason) = self.reason() {
            response["incomplete_details"] = json!({"reason": reason});
        }
        response
    }

    fn object(&self, status: &str) -> Value {
        let asked = |name: &str, otherwise: Value| self.body.get(name).cloned().unwrap_or(otherwise);
        json!({
            "id": self.call.id("resp_"), "object": "response", "created_at": self.call.at, "status": status,
            "background": false, "error": null, "incomplete_details": null, "output": [], "usage": null,
            "instructions": asked("instructions", Value::Null), "model": asked("model", json!("demo")),
            "max_output_tokens": asked("max_output_tokens", Value::Null),
            "metadata": asked("metadata", json!({})),
            "parallel_tool_calls": asked("parallel_tool_calls", json!(true)),
            "previous_response_id": asked("previous_response_id", Value::Null),
            "reasoning": asked("reasoning", json!({"effort": null, "summary": null})),
            "store": asked("store", json!(true)),
            "temperature": asked("temperature", json!(1.0)),
            "text": asked("text", json!({"format": {"type": "text"}})),
            "tool_choice": asked("tool_choice", json!("auto")), "tools": asked("tools", json!([])),
            "top_p": asked("top_p", json!(1.0)), "truncation": "disabled", "user": null,
            "service_tier": "default",
        })
    }

    fn reasoning(&self, thought: &str) -> Value {
        let told = !thought.is_empty() && self.summarised();
        let summaries = if told { json!([summary(thought)]) } else { json!([]) };
        let mut item = json!({"id": self.reasoning_id(), "type": "reasoning", "summary": summaries});
        let include = self.body["include"].as_array();
        if include.is_some_and(|include| include.iter().any(|what| what == "reasoning.encrypted_content")) {
            item["encrypted_content"] = json!(signature::of(thought));
        }
        item
    }

    fn message(&self, text: &str) -> Value {
        let content = json!([output_text(text)]);
        json!({
            "id": self.message_id(), "type": "message", "status": self.status(), "role": "assistant",
            "content": content,
        })
    }

    fn function_call(&self, i: usize, call: &ToolCall) -> Value {
        let status = if call.broken { "incomplete" } else { "completed" };
        json!({
            "id": self.function_id(i), "type": "function_call", "status": status, "name": call.name,
            "call_id": format!("{}_{i}", self.call.id("call_")), "arguments": call.told(),
        })
    }

    fn status(&self) -> &'static str {
        if self.reason().is_some() { "incomplete" } else { "completed" }
    }

    /// Why the response is incomplete.
    fn reason(&self) -> Option<&'static str> {
        match self.speech.end {
            End::Length => Some("max_output_tokens"),
            End::Refused | End::Blocked => Some("content_filter"),
            End::Stop | End::Tools => None,
        }
    }

    fn message_index(&self) -> usize {
        usize::from(self.thinks())
    }

    fn message_id(&self) -> String {
        self.call.id("msg_")
    }

    fn reasoning_id(&self) -> String {
        self.call.id("rs_")
    }

    fn function_id(&self, i: usize) -> String {
        format!("{}_{i}", self.call.id("fc_"))
    }
}

/// Every event carries its number in the stream, the ending's included.
fn numbered(first: usize, events: impl Iterator<Item = Value>) -> impl Iterator<Item = Bytes> {
    events.zip(first..).map(|(mut event, number)| {
        event["sequence_number"] = json!(number);
        typed_event(&event)
    })
}

fn item_event(what: &str, index: usize, item: &Value) -> Value {
    json!({"type": format!("response.output_item.{what}"), "output_index": index, "item": item})
}

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn summary(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

fn usage(speech: &Speech) -> Value {
    let (input, output) = (speech.input, speech.output());
    json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": speech.thoughts.len()},
        "total_tokens": input + output,
    })
}
