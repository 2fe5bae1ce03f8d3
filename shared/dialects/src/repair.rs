//! Puts right what providers that call themselves compatible do to the chat format.
//!
//! Without it, clients raise on a missing tool index, lose tool calls that end with `stop`, and take a cut stream for a
//! whole answer. The rules are data that many gateways paid for; each is said where it is kept.

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::chat::Usage;
use crate::errors::Told;
use crate::piece::{Piece, ToChat};
use crate::sse::Event;

mod choice;
mod finish;
mod reply;
mod tools;

pub use reply::completion;

use choice::Choice;

/// Reads the stream of a provider of chat, and emits chunks that keep to the format.
#[derive(Debug)]
pub struct Repair {
    asked: Asked,
    /// The id of the first chunk. Some providers send another with every chunk, which clients take for another answer.
    id: Option<String>,
    choices: Vec<Choice>,
    /// The last usage with anything in it, as the provider wrote it.
    usage: Option<Value>,
    /// What the usage's chunk has in common with the others.
    last: Option<Value>,
    over: bool,
}

/// The reader of a stream of chat chunks.
#[must_use]
pub fn stream(asked: Asked) -> Repair {
    Repair { asked, id: None, choices: Vec::new(), usage: None, last: None, over: false }
}

impl ToChat for Repair {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<Piece>) {
        if self.over {
            return;
        }
        if event.data.trim() == "[DONE]" {
            return self.end(out);
        }
        match serde_json::from_str::<Value>(event.data) {
            Ok(data) => self.data(event.name, data, out),
            Err(_) if event.name == "error" => {
                self.fail(Told::of_upstream("upstream_error", event.data), out)
            }
            // What is no JSON is no chunk. Should it have been one, the stream ends without its finish and says so.
            Err(_) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<Piece>) {
        if self.over {
            return;
        }
        if self.choices.is_empty() || !self.choices.iter().all(Choice::finished) {
            return self.fail(Told::truncated(), out);
        }
        self.over = true;
        if let (Some(usage), Some(mut chunk)) = (self.usage.take(), self.last.take()) {
            chunk["choices"] = json!([]);
            chunk["usage"] = usage;
            out.push(Piece::Chunk(chunk));
        }
        out.push(Piece::Done);
    }
}

impl Repair {
    fn data(&mut self, name: &str, data: Value, out: &mut Vec<Piece>) {
        if let Some(told) = error_in(name, &data) {
            return self.fail(told, out);
        }
        if data.is_object() {
            self.chunk(data, out);
        }
    }

    fn fail(&mut self, told: Told, out: &mut Vec<Piece>) {
        self.over = true;
        out.push(Piece::Failed(told));
    }

    fn chunk(&mut self, mut chunk: Value, out: &mut Vec<Piece>) {
        let had_usage = self.keep_usage(&mut chunk);
        let came = match chunk["choices"].take() {
            Value::Array(choices) => choices,
            _ => Vec::new(),
        };
        let had_choices = !came.is_empty();
        let choices: Vec<_> = came.into_iter().filter_map(|choice| self.choice(choice)).collect();
        self.name(&mut chunk);
        // Azure's first chunk has no choice but the filter's verdict on the prompt, and passes; nothing at all does not.
        let says_something = !choices.is_empty() || (!had_choices && !had_usage && has_more(&chunk));
        self.last.get_or_insert_with(|| common(&chunk));
        if says_something {
            chunk["choices"] = Value::Array(choices);
            out.push(Piece::Chunk(chunk));
        }
    }

    fn choice(&mut self, mut choice: Value) -> Option<Value> {
        choice.as_object()?;
        let index = choice["index"].as_u64().unwrap_or_default();
        let at = self.choices.iter().position(|known| known.index == index).unwrap_or_else(|| {
            self.choices.push(Choice::new(index));
            self.choices.len() - 1
        });
        self.choices[at].repair(&mut choice, &self.asked.id).then_some(choice)
    }

    /// Usage may come on every chunk, growing, in the finish chunk, or alone: the last with anything in it counts.
    fn keep_usage(&mut self, chunk: &mut Value) -> bool {
        let Some(fields) = chunk.as_object_mut() else { return false };
        let usage = fields.shift_remove("usage").filter(Value::is_object);
        // Groq has put it here.
        let usage = usage.or_else(|| Some(fields.get("x_groq")?.get("usage")?.clone()));
        let counts = usage.as_ref().and_then(Usage::read).is_some_and(|usage| usage != Usage::default());
        let came = usage.is_some();
        if counts || self.usage.is_none() {
            self.usage = usage;
        }
        came
    }

    fn name(&mut self, chunk: &mut Value) {
        if self.id.is_none() {
            let sent = chunk["id"].as_str().filter(|id| !id.is_empty());
            self.id = Some(sent.map_or_else(|| format!("chatcmpl-{}", self.asked.id), str::to_owned));
        }
        chunk["id"] = self.id.clone().into();
        chunk["object"] = "chat.completion.chunk".into();
        fill(chunk, &self.asked);
    }
}

/// What every chunk and completion must have.
fn fill(object: &mut Value, asked: &Asked) {
    if !object["created"].is_number() {
        object["created"] = asked.created.into();
    }
    if object["model"].as_str().is_none_or(str::is_empty) {
        object["model"] = asked.model.as_str().into();
    }
}

/// The error an event is, or one of its choices: there `OpenRouter` tells what its provider said.
fn error_in(name: &str, data: &Value) -> Option<Told> {
    let choices = data.get("choices").and_then(Value::as_array).into_iter().flatten();
    Told::of_object(data)
        .or_else(|| choices.into_iter().find_map(Told::of_object))
        .or_else(|| (name == "error").then(|| crate::errors::read(502, None, data.to_string().as_bytes())))
}

fn has_more(chunk: &Value) -> bool {
    let usual =
        ["id", "object", "created", "model", "choices", "system_fingerprint", "service_tier", "x_groq"];
    chunk.as_object().is_some_and(|fields| fields.keys().any(|field| !usual.contains(&field.as_str())))
}

/// A chunk's fields that say where it comes from.
fn common(chunk: &Value) -> Value {
    let named = ["id", "object", "created", "model", "system_fingerprint", "service_tier", "provider"];
    named.iter().filter_map(|field| Some(((*field).to_owned(), chunk.get(field)?.clone()))).collect()
}
