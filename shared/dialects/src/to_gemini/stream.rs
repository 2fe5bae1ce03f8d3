//! Gemini's stream as chat's: every event is a whole response with the next parts, and nothing says the end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::said::{self, Said, take_parts};
use super::{error_of, logprobs};
use crate::asked::Asked;
use crate::chat::{Origin, Usage};
use crate::errors::Told;
use crate::piece::{Piece, ToChat};
use crate::sse::Event;

/// Reads the stream of `:streamGenerateContent?alt=sse`.
pub fn stream(asked: Asked) -> Stream {
    Stream { asked, origin: None, choices: BTreeMap::new(), usage: None, made: 0, over: false }
}

/// Gemini's stream as it is read.
#[derive(Debug)]
pub struct Stream {
    asked: Asked,
    origin: Option<Origin>,
    choices: BTreeMap<u64, Choice>,
    /// The last word counts: it is the sum so far.
    usage: Option<Usage>,
    /// Calls of the whole stream, from which ids are made.
    made: u64,
    over: bool,
}

/// A candidate of the stream.
#[derive(Debug, Default)]
struct Choice {
    calls: u64,
    /// Chat's word and Gemini's. Held until the end, since calls may follow it.
    finish: Option<(&'static str, String)>,
}

impl ToChat for Stream {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<Piece>) {
        if self.over {
            return;
        }
        let Ok(body) = serde_json::from_str::<Value>(event.data) else { return };
        match error_of(&body) {
            Some(told) => self.fail(told, out),
            None => self.response(body, out),
        }
    }

    fn end(&mut self, out: &mut Vec<Piece>) {
        if self.over {
            return;
        }
        if self.choices.is_empty() {
            return self.fail(Told::empty(), out);
        }
        match self.last_words() {
            Some(words) => {
                self.over = true;
                out.extend(words);
                out.push(Piece::Done);
            }
            None => self.fail(Told::truncated(), out),
        }
    }
}

impl Stream {
    fn fail(&mut self, told: Told, out: &mut Vec<Piece>) {
        self.over = true;
        out.push(Piece::Failed(told));
    }

    fn response(&mut self, mut body: Value, out: &mut Vec<Piece>) {
        self.usage = said::usage(&body).or(self.usage);
        let origin = self.origin.take().unwrap_or_else(|| said::origin(&body, &self.asked));
        let candidates = body.get_mut("candidates").map(Value::take);
        match (candidates, said::block_reason(&body)) {
            (Some(Value::Array(candidates)), _) if !candidates.is_empty() => {
                for candidate in candidates {
                    self.candidate(candidate, &origin, out);
                }
            }
            (_, Some(reason)) => {
                self.choice(0, &origin, out).finish = Some(("content_filter", reason.to_owned()));
            }
            _ => {}
        }
        self.origin = Some(origin);
    }

    /// A candidate, begun where it is new.
    fn choice(&mut self, index: u64, origin: &Origin, out: &mut Vec<Piece>) -> &mut Choice {
        self.choices.entry(index).or_insert_with(|| {
            out.push(origin.delta(index, json!({ "role": "assistant", "content": "" })));
            Choice::default()
        })
    }

    fn candidate(&mut self, mut candidate: Value, origin: &Origin, out: &mut Vec<Piece>) {
        let index = candidate["index"].as_u64().unwrap_or_default();
        self.choice(index, origin, out);
        let begin = out.len();
        for said in take_parts(&mut candidate) {
            let delta = self.delta(index, said, origin);
            out.push(origin.delta(index, delta));
        }
        if let Some(Piece::Chunk(chunk)) = out.get_mut(begin) {
            chunk["choices"][0]["logprobs"] = logprobs::read(&candidate);
        }
        if let (Some(native), Some(choice)) = (said::finish_reason(&candidate), self.choices.get_mut(&index))
        {
            choice.finish = Some((said::finish(native, false), native.to_owned()));
        }
    }

    fn delta(&mut self, index: u64, said: Said, origin: &Origin) -> Value {
        match said {
            Said::Text(text) => json!({ "content": text }),
            Said::Thought(text) => json!({ "reasoning_content": text }),
            Said::Image(image) => json!({ "images": [image] }),
            Said::Signature(signature) => {
                json!({ "extra_content": { "google": { "thought_signature": signature } } })
            }
            Said::Call(call) => {
                let mut call = call.write(origin, self.made, &self.asked);
                self.made += 1;
                let choice = self.choices.entry(index).or_default();
                call["index"] = choice.calls.into();
                choice.calls += 1;
                json!({ "tool_calls": [call] })
            }
        }
    }

    /// The ends of all candidates and the usage; `None` where a candidate has no end.
    fn last_words(&self) -> Option<Vec<Piece>> {
        let origin = self.origin.as_ref()?;
        let ends = self.choices.iter().map(|(index, choice)| {
            let (reason, native) = choice.finish.as_ref()?;
            let called = *reason == "stop" && choice.calls > 0;
            let reason = if called { said::finish(native, true) } else { reason };
            Some(origin.finish(*index, reason, native))
        });
        let mut words = ends.collect::<Option<Vec<_>>>()?;
        words.extend(self.usage.as_ref().map(|usage| origin.usage(usage)));
        Some(words)
    }
}
