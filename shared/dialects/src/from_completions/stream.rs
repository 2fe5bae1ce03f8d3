//! The stream: chat's chunks as text completions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{choice, index, text_completion};
use crate::asked::Asked;
use crate::dialect::Dialect;
use crate::errors::{self, Told};
use crate::piece::{FromChat, Piece};
use crate::sse;

/// Writes the stream. `[DONE]` comes only where every choice has come to its end.
#[derive(Debug)]
pub struct Stream {
    asked: Asked,
    /// Choices that have begun.
    begun: BTreeSet<u64>,
    /// Choices that have ended.
    ended: BTreeSet<u64>,
    usage: Option<Value>,
    /// The last chunk without its choices, for the usage to go out with.
    last: Value,
    is_over: bool,
}

impl FromChat for Stream {
    fn piece(&mut self, piece: Piece, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        match piece {
            Piece::Chunk(chunk) => self.chunk(chunk, out),
            Piece::Ping => out.extend_from_slice(b": keep-alive\n"),
            Piece::Done => self.done(out),
            Piece::Failed(told) => self.fail(&told, out),
        }
    }
}

impl Stream {
    pub(super) fn new(asked: Asked) -> Self {
        Self {
            asked,
            begun: BTreeSet::new(),
            ended: BTreeSet::new(),
            usage: None,
            last: Value::Null,
            is_over: false,
        }
    }

    fn chunk(&mut self, mut chunk: Value, out: &mut Vec<u8>) {
        if let Some(told) = Told::of_object(&chunk) {
            return self.fail(&told, out);
        }
        let usage = chunk.get_mut("usage").map(Value::take).filter(Value::is_object);
        self.usage = usage.or_else(|| self.usage.take());
        let choices = chunk.get_mut("choices").map(Value::take).unwrap_or_default();
        let written: Vec<_> =
            choices.as_array().into_iter().flatten().filter_map(|c| self.choice(c)).collect();
        if !written.is_empty() {
            self.write(&chunk, Value::Array(written), None, out);
        }
        self.last = chunk;
    }

    /// A choice, if it says anything. What comes after its end is a repetition.
    fn choice(&mut self, said: &Value) -> Option<Value> {
        let index = index(said);
        self.begun.insert(index);
        if self.ended.contains(&index) {
            return None;
        }
        let written = choice(said, &said["delta"]);
        if !written["finish_reason"].is_null() {
            self.ended.insert(index);
        } else if written["text"] == "" {
            return None;
        }
        Some(written)
    }

    fn write(&self, from: &Value, choices: Value, usage: Option<Value>, out: &mut Vec<u8>) {
        let mut chunk = text_completion(from, choices, &self.asked);
        if self.asked.include_usage {
            chunk["usage"] = usage.unwrap_or_default();
        }
        sse::write_data(&chunk, out);
    }

    fn done(&mut self, out: &mut Vec<u8>) {
        if self.ended.is_empty() || self.begun != self.ended {
            return self.fail(&Told::truncated(), out);
        }
        if let Some(usage) = self.usage.take().filter(|_| self.asked.include_usage) {
            self.write(&self.last, Value::Array(Vec::new()), Some(usage), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.is_over = true;
    }

    fn fail(&mut self, told: &Told, out: &mut Vec<u8>) {
        sse::write_data(&errors::write(told, Dialect::Completions, &self.asked.id), out);
        self.is_over = true;
    }
}
