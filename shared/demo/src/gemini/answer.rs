//! Words an answer as Gemini does: whole, as events, or as the elements of one JSON array.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::mischief::Shape;
use crate::reply::{Pieces, Reply};
use crate::signature;
use crate::speech::{End, Speech};

/// An answer and what all of its chunks have in common.
pub(super) struct Answer {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) candidates: u64,
    /// Thoughts are told, not only counted.
    pub(super) tells_thoughts: bool,
    /// The model signs its thoughts, and wants the signatures back.
    pub(super) signs: bool,
    pub(super) speech: Speech,
}

/// The parts of one chunk, and how many words were said by its end.
struct Step {
    parts: Vec<Value>,
    words: usize,
}

impl Answer {
    pub(super) fn whole(&self, shape: Shape) -> Reply {
        if self.speech.end == End::Blocked {
            return Reply::json(&self.blocked());
        }
        let thought = self.told_thoughts().concat();
        let text = self.speech.text(shape);
        let told = [(thought, true), (text, false)].into_iter().filter(|(text, _)| !text.is_empty());
        let parts: Vec<Value> =
            told.map(|(text, thought)| text_part(&text, thought)).chain(self.calls()).collect();
        let mut answer = self.last(&parts);
        let candidate = answer["candidates"][0].take();
        let numbered = |index| {
            let mut candidate = candidate.clone();
            candidate["index"] = json!(index);
            candidate
        };
        answer["candidates"] = (0..self.candidates).map(numbered).collect();
        Reply::json(&answer)
    }

    pub(super) fn events(self, shape: Shape) -> Reply {
        let ending = vec![event(&self.ending())];
        Reply::events(Box::new(self.chunks(shape).map(|chunk| event(&chunk))), ending)
    }

    /// Without `alt=sse` the chunks are the elements of one JSON array.
    pub(super) fn array(self, shape: Shape) -> Reply {
        let last = self.ending().to_string();
        let elements = self.chunks(shape).map(|chunk| Bytes::from(format!("{chunk},\r\n")));
        let pieces: Pieces = Box::new(std::iter::once(Bytes::from_static(b"[")).chain(elements));
        Reply::stream("application/json; charset=UTF-8", pieces, vec![last.into(), Bytes::from_static(b"]")])
    }

    fn chunks(self, shape: Shape) -> Chunks {
        Chunks { steps: self.steps(shape), answer: self }
    }

    /// Different tools are called in a chunk each, the first beside the text; one tool in one chunk.
    fn steps(&self, shape: Shape) -> Box<dyn Iterator<Item = Step> + Send> {
        if self.speech.end == End::Blocked {
            return Box::new(std::iter::empty());
        }
        let thoughts: Vec<Step> = self
            .told_thoughts()
            .iter()
            .map(|word| Step { parts: vec![text_part(word, true)], words: 0 })
            .collect();
        let (calls, text) = (self.calls(), self.speech.text(shape));
        if calls.is_empty() {
            let words = self.speech.deltas(shape).zip(1..);
            let said = words.map(|(text, words)| Step { parts: vec![text_part(&text, false)], words });
            return Box::new(thoughts.into_iter().chain(said));
        }
        let mut parts: Vec<Value> =
            (!text.is_empty()).then(|| text_part(&text, false)).into_iter().chain(calls).collect();
        let words = self.speech.output() - self.speech.thoughts.len();
        let alone = if self.speech.in_turns { parts.split_off(parts.len() - 1) } else { Vec::new() };
        let steps = [parts, alone].into_iter().filter(|parts| !parts.is_empty());
        Box::new(thoughts.into_iter().chain(steps.map(move |parts| Step { parts, words })))
    }

    fn told_thoughts(&self) -> &[String] {
        if self.tells_thoughts { &self.speech.thoughts } else { &[] }
    }

    /// Of parallel calls only the first is signed; one that broke off is not told at all.
    fn calls(&self) -> Vec<Value> {
        let whole = self.speech.calls.iter().filter(|call| !call.broken).enumerate();
        whole
            .map(|(i, call)| {
                let mut part = json!({"functionCall": {"name": call.name, "args": call.arguments}});
                if self.signs && i == 0 {
                    part["thoughtSignature"] = json!(signature::of(&call.name));
                }
                part
            })
            .collect()
    }

    fn chunk(&self, step: &Step) -> Value {
        let candidate = json!({"content": {"role": "model", "parts": step.parts}, "index": 0});
        json!({
            "candidates": [candidate], "usageMetadata": self.usage(step.words), "modelVersion": self.model,
            "responseId": self.id,
        })
    }

    fn ending(&self) -> Value {
        if self.speech.end == End::Blocked {
            return self.blocked();
        }
        let mut part = text_part("", false);
        if self.signs && self.speech.calls.is_empty() {
            part["thoughtSignature"] = json!(signature::of(""));
        }
        self.last(&[part])
    }

    /// The chunk that says why the answer ends; an answer of nothing has no parts.
    fn last(&self, parts: &[Value]) -> Value {
        let content = if parts.is_empty() {
            json!({"role": "model"})
        } else {
            json!({"role": "model", "parts": parts})
        };
        let candidate = json!({"content": content, "finishReason": self.finish_reason(), "index": 0});
        json!({
            "candidates": [candidate], "modelVersion": self.model, "responseId": self.id,
            "usageMetadata": self.usage(self.speech.output() - self.speech.thoughts.len()),
        })
    }

    /// A question that was refused has no candidates.
    fn blocked(&self) -> Value {
        json!({
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": self.usage(0),
            "modelVersion": self.model, "responseId": self.id,
        })
    }

    /// Counts are of the whole answer so far, not of the chunk.
    fn usage(&self, words: usize) -> Value {
        let (input, thoughts) = (self.speech.input, self.speech.thoughts.len());
        let mut usage = json!({"promptTokenCount": input, "totalTokenCount": input + thoughts + words});
        if words > 0 {
            usage["candidatesTokenCount"] = json!(words);
        }
        if thoughts > 0 {
            usage["thoughtsTokenCount"] = json!(thoughts);
        }
        usage
    }

    /// A tool call ends with STOP here, too.
    fn finish_reason(&self) -> &'static str {
        match self.speech.end {
            End::Length if !self.speech.calls.is_empty() => "MALFORMED_FUNCTION_CALL",
            End::Length => "MAX_TOKENS",
            End::Refused => "SAFETY",
            End::Stop | End::Tools | End::Blocked => "STOP",
        }
    }
}

/// The chunks before the last.
struct Chunks {
    answer: Answer,
    steps: Box<dyn Iterator<Item = Step> + Send>,
}

impl Iterator for Chunks {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        self.steps.next().map(|step| self.answer.chunk(&step))
    }
}

fn text_part(text: &str, thought: bool) -> Value {
    if thought { json!({"text": text, "thought": true}) } else { json!({"text": text}) }
}

/// Gemini ends its lines with CRLF.
fn event(chunk: &Value) -> Bytes {
    format!("data: {chunk}\r\n\r\n").into()
}
