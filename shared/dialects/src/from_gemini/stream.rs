//! Chat's stream as Gemini's: every event is a response with the next parts, and the last has the reasons and usage.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fragments::Calls;
use super::response::{candidate, finish_reason, response, spoken_parts};
use crate::asked::Asked;
use crate::chat::Usage;
use crate::dialect::Dialect;
use crate::errors;
use crate::piece::{FromChat, Piece};

/// Writes the stream that google-genai reads.
pub fn stream(asked: Asked) -> Stream {
    Stream { asked, model: None, id: None, choices: BTreeMap::new(), usage: None, over: false }
}

/// Gemini's stream as it is written.
#[derive(Debug)]
pub struct Stream {
    asked: Asked,
    model: Option<String>,
    id: Option<String>,
    choices: BTreeMap<u64, Choice>,
    usage: Option<Usage>,
    over: bool,
}

/// A choice of the stream.
#[derive(Debug, Default)]
struct Choice {
    calls: Calls,
    reason: Option<String>,
    native: Option<String>,
}

impl FromChat for Stream {
    fn piece(&mut self, piece: Piece, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match piece {
            Piece::Chunk(chunk) => self.chunk(chunk, out),
            // google-genai takes a comment for JSON and dies of it; an empty line it skips.
            Piece::Ping => out.push(b'\n'),
            Piece::Done => {
                self.over = true;
                self.last(out);
            }
            Piece::Failed(told) => {
                self.over = true;
                write_event(&errors::write(&told, Dialect::Gemini, &self.asked.id), out);
            }
        }
    }
}

impl Stream {
    fn chunk(&mut self, mut chunk: Value, out: &mut Vec<u8>) {
        let text = |name: &str| chunk[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        self.model = self.model.take().or_else(|| text("model"));
        self.id = self.id.take().or_else(|| text("id"));
        self.usage = chunk.get("usage").and_then(Usage::read).or(self.usage);
        let Some(Value::Array(choices)) = chunk.get_mut("choices").map(Value::take) else { return };
        let candidates: Vec<_> = choices.into_iter().filter_map(|choice| self.choice(choice)).collect();
        if !candidates.is_empty() {
            write_event(&self.response(candidates, None), out);
        }
    }

    /// What a choice says now, where it says something that is not held back.
    fn choice(&mut self, mut choice: Value) -> Option<Value> {
        let index = choice["index"].as_u64().unwrap_or_default();
        let held = self.choices.entry(index).or_default();
        let text = |name: &str| choice[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        held.reason = text("finish_reason").or(held.reason.take());
        held.native = text("native_finish_reason").or(held.native.take());
        let delta = choice.get_mut("delta")?;
        held.calls.take(&delta["tool_calls"]);
        let parts = spoken_parts(delta, &self.asked);
        (!parts.is_empty()).then(|| candidate(index, parts, None))
    }

    /// The calls, why each choice ended, and what it cost.
    fn last(&mut self, out: &mut Vec<u8>) {
        let choices = std::mem::take(&mut self.choices);
        let candidates = choices.into_iter().map(|(index, mut choice)| {
            let reason = finish_reason(choice.reason.as_deref(), choice.native.as_deref());
            candidate(index, choice.calls.drain(), Some(reason))
        });
        let candidates = candidates.collect();
        write_event(&self.response(candidates, self.usage.as_ref()), out);
    }

    fn response(&self, candidates: Vec<Value>, usage: Option<&Usage>) -> Value {
        let model = self.model.as_deref().unwrap_or(&self.asked.model);
        response(candidates, usage, model, self.id.as_deref().unwrap_or(&self.asked.id))
    }
}

/// Writes an event. Older google-genai splits lines wherever Unicode may, so those letters are written as escapes.
fn write_event(value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    let json = value.to_string();
    let mut rest = json.as_str();
    while let Some(at) = rest.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        let (before, after) = rest.split_at(at);
        let letter = after.chars().next().unwrap_or_default();
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(format!("\\u{:04x}", u32::from(letter)).as_bytes());
        rest = &after[letter.len_utf8()..];
    }
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(b"\n\n");
}
