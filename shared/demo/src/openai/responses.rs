//! The Responses API: the whole object, or the official order of events.

use bytes::Bytes;
use serde_json::{Value, json};

use super::chat::choice;
use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::prompt::{Format, Picture, Prompt, Tool, list, text_of};
use crate::reply::{Reply, typed_event};
use crate::speech::{self, End, Speech, ToolCall};

pub(crate) fn reply(call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    let speech = speech::answer(&prompt(&body, call)?);
    let answer = Answer { call, body: &body, speech: &speech };
    Ok(if body["stream"] == true { answer.stream(shape) } else { answer.whole(shape) })
}

fn prompt(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    let items = list(&body["input"]);
    let user = match &body["input"] {
        Value::String(text) => text.clone(),
        Value::Array(_) => last_user_text(items),
        _ => return Err(Refusal::missing("input")),
    };
    let results = items.iter().rev().take_while(|item| item["type"] == "function_call_output");
    let mut tool_results: Vec<String> = results.map(|item| text_of(&item["output"])).collect();
    tool_results.reverse();
    Ok(Prompt {
        user,
        tool_results,
        pictures: items.iter().flat_map(|item| list(&item["content"])).filter_map(picture).collect(),
        tools: list(&body["tools"]).iter().filter_map(tool).collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["parallel_tool_calls"] == false,
        format: format(&body["text"]["format"]),
        limit: body["max_output_tokens"].as_u64(),
        size: call.body.len(),
    })
}

fn last_user_text(items: &[Value]) -> String {
    let asked = items.iter().rev().find(|item| item["role"] == "user");
    asked.map(|item| text_of(&item["content"])).unwrap_or_default()
}

fn picture(part: &Value) -> Option<Picture> {
    (part["type"] == "input_image").then(|| part["image_url"].as_str().map_or(Picture::Linked, Picture::at))
}

fn tool(tool: &Value) -> Option<Tool> {
    let name = (tool["type"] == "function").then(|| tool["name"].as_str())??;
    Some(Tool { name: name.to_owned(), schema: tool["parameters"].clone() })
}

fn format(format: &Value) -> Format {
    match format["type"].as_str() {
        Some("json_object") => Format::Object,
        Some("json_schema") => Format::Schema(format["schema"].clone()),
        _ => Format::Text,
    }
}

struct Answer<'a> {
    call: &'a Call,
    body: &'a Value,
    speech: &'a Speech,
}

impl Answer<'_> {
    fn whole(&self, shape: Shape) -> Reply {
        Reply::json(&self.finished(&self.speech.text(shape)))
    }

    fn stream(&self, shape: Shape) -> Reply {
        let mut opening = self.opening();
        let ending = match self.speech.end {
            End::Tools => {
                opening.extend(self.call_events());
                vec![self.last_event("")]
            }
            _ => {
                opening.extend(self.text_opening());
                self.text_ending(&self.speech.deltas(shape).collect::<String>())
            }
        };
        let told = opening.len() + self.speech.deltas(shape).count();
        let events = opening.into_iter().chain(self.text_deltas(shape));
        Reply::events(Box::new(numbered(0, events)), numbered(told, ending.into_iter()).collect())
    }

    fn opening(&self) -> Vec<Value> {
        let created = self.object("in_progress");
        let event = |kind| json!({"type": kind, "response": created});
        vec![event("response.created"), event("response.in_progress")]
    }

    fn text_opening(&self) -> Vec<Value> {
        let mut item = self.message("");
        item["status"] = json!("in_progress");
        item["content"] = json!([]);
        vec![
            json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
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

    fn text_ending(&self, text: &str) -> Vec<Value> {
        vec![
            self.part_event("response.output_text.done", &json!({"text": text, "logprobs": []})),
            self.part_event("response.content_part.done", &json!({"part": output_text(text)})),
            json!({"type": "response.output_item.done", "output_index": 0, "item": self.message(text)}),
            self.last_event(text),
        ]
    }

    fn part_event(&self, kind: &str, more: &Value) -> Value {
        let mut event =
            json!({"type": kind, "item_id": self.item_id(), "output_index": 0, "content_index": 0});
        for (key, value) in more.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        event
    }

    fn call_events(&self) -> Vec<Value> {
        self.speech.calls.iter().enumerate().flat_map(|(i, call)| self.events_of(i, call)).collect()
    }

    fn events_of(&self, i: usize, call: &ToolCall) -> Vec<Value> {
        let id = self.function_id(i);
        let mut item = self.function_call(i, call);
        let done = json!({"type": "response.output_item.done", "output_index": i, "item": item});
        item["status"] = json!("in_progress");
        item["arguments"] = json!("");
        let mut events = vec![json!({"type": "response.output_item.added", "output_index": i, "item": item})];
        events.extend(call.fragments().into_iter().map(|delta| {
            let kind = "response.function_call_arguments.delta";
            json!({"type": kind, "item_id": id, "output_index": i, "delta": delta})
        }));
        let arguments = call.arguments.to_string();
        events.push(json!({
            "type": "response.function_call_arguments.done", "item_id": id, "output_index": i,
            "name": call.name, "arguments": arguments,
        }));
        events.push(done);
        events
    }

    fn last_event(&self, text: &str) -> Value {
        let kind = if self.speech.end == End::Length { "response.incomplete" } else { "response.completed" };
        json!({"type": kind, "response": self.finished(text)})
    }

    fn finished(&self, text: &str) -> Value {
        let mut response = self.object(self.status());
        response["output"] = match self.speech.end {
            End::Tools => {
                self.speech.calls.iter().enumerate().map(|(i, call)| self.function_call(i, call)).collect()
            }
            _ => json!([self.message(text)]),
        };
        response["usage"] = usage(self.speech);
        if self.speech.end == End::Length {
            response["incomplete_details"] = json!({"reason": "max_output_tokens"});
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
            "parallel_tool_calls": asked("parallel_tool_calls", json!(true)), "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null}, "store": asked("store", json!(true)),
            "temperature": asked("temperature", json!(1.0)),
            "text": asked("text", json!({"format": {"type": "text"}})),
            "tool_choice": asked("tool_choice", json!("auto")), "tools": asked("tools", json!([])),
            "top_p": asked("top_p", json!(1.0)), "truncation": "disabled", "user": null,
            "service_tier": "default",
        })
    }

    fn message(&self, text: &str) -> Value {
        let content = json!([output_text(text)]);
        json!({
            "id": self.item_id(), "type": "message", "status": self.status(), "role": "assistant",
            "content": content,
        })
    }

    fn function_call(&self, i: usize, call: &ToolCall) -> Value {
        json!({
            "id": self.function_id(i), "type": "function_call", "status": "completed", "name": call.name,
            "call_id": format!("{}_{i}", self.call.id("call_")), "arguments": call.arguments.to_string(),
        })
    }

    fn status(&self) -> &'static str {
        if self.speech.end == End::Length { "incomplete" } else { "completed" }
    }

    fn item_id(&self) -> String {
        self.call.id("msg_")
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

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn usage(speech: &Speech) -> Value {
    let (input, output) = (speech.input, speech.output());
    json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output,
    })
}
