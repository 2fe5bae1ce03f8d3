//! The stream: chat's chunks as Anthropic's events.

use serde_json::{Value, json};

use super::reply;
use crate::asked::Asked;
use crate::dialect::Dialect;
use crate::errors::{self, Told};
use crate::gathered::{Gathered, Kind, Step};
use crate::piece::{FromChat, Piece};
use crate::sse;

/// Writes the stream. What looks whole at its end is whole: `message_stop` comes only after a finish.
#[derive(Debug)]
pub struct Stream {
    asked: Asked,
    gathered: Gathered,
    is_begun: bool,
    is_over: bool,
}

impl FromChat for Stream {
    fn piece(&mut self, piece: Piece, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        match piece {
            Piece::Chunk(chunk) => self.chunk(&chunk, out),
            Piece::Ping => sse::write_typed(&json!({ "type": "ping" }), out),
            Piece::Done => self.done(out),
            Piece::Failed(told) => self.fail(&told, out),
        }
    }
}

impl Stream {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, gathered: Gathered::default(), is_begun: false, is_over: false }
    }

    fn chunk(&mut self, chunk: &Value, out: &mut Vec<u8>) {
        if let Err(told) = self.gathered.chunk(chunk) {
            return self.fail(&told, out);
        }
        if !self.is_begun {
            self.is_begun = true;
            let message = reply::message(&self.gathered, &self.asked);
            sse::write_typed(&json!({ "type": "message_start", "message": message }), out);
        }
        self.write(false, out);
    }

    /// The last events wait for this, because the usage may come after the finish.
    fn done(&mut self, out: &mut Vec<u8>) {
        if let Err(told) = self.gathered.outcome() {
            return self.fail(&told, out);
        }
        self.write(true, out);
        let delta = json!({ "stop_reason": reply::stop_reason(&self.gathered), "stop_sequence": null });
        let usage = reply::usage(&self.gathered, &self.asked);
        sse::write_typed(&json!({ "type": "message_delta", "delta": delta, "usage": usage }), out);
        sse::write_typed(&json!({ "type": "message_stop" }), out);
        self.is_over = true;
    }

    fn fail(&mut self, told: &Told, out: &mut Vec<u8>) {
        if let Some(at) = self.gathered.blocks.open() {
            sse::write_typed(&json!({ "type": "content_block_stop", "index": at }), out);
        }
        sse::write_typed(&errors::write(told, Dialect::Messages, &self.asked.id), out);
        self.is_over = true;
    }

    fn write(&mut self, is_over: bool, out: &mut Vec<u8>) {
        while let Some(step) = self.gathered.blocks.step(is_over) {
            self.step(step, out);
        }
    }

    fn step(&self, step: Step, out: &mut Vec<u8>) {
        let blocks = self.gathered.blocks.all();
        match step {
            Step::Begin(at) => {
                let block = reply::empty(&blocks[at], at, &self.asked);
                let event = json!({ "type": "content_block_start", "index": at, "content_block": block });
                sse::write_typed(&event, out);
            }
            Step::More(at, text) => write_delta(at, &more(&blocks[at].kind, &text), out),
            Step::End(at) => {
                if let Kind::Thinking(signature) = &blocks[at].kind
                    && !signature.is_empty()
                {
                    write_delta(at, &json!({ "type": "signature_delta", "signature": signature }), out);
                }
                sse::write_typed(&json!({ "type": "content_block_stop", "index": at }), out);
            }
        }
    }
}

fn more(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Text | Kind::Refusal => json!({ "type": "text_delta", "text": text }),
        Kind::Thinking(_) => json!({ "type": "thinking_delta", "thinking": text }),
        Kind::Call(_) => json!({ "type": "input_json_delta", "partial_json": text }),
    }
}

fn write_delta(at: usize, delta: &Value, out: &mut Vec<u8>) {
    sse::write_typed(&json!({ "type": "content_block_delta", "index": at, "delta": delta }), out);
}
