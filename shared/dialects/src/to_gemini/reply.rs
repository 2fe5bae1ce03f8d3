//! A whole reply of Gemini as a chat completion.

use serde_json::{Map, Value, json};

use super::said::{self, Said, take_parts};
use super::{error_of, logprobs};
use crate::asked::Asked;
use crate::chat::Origin;
use crate::errors::Told;

/// Translates a reply of `:generateContent`.
///
/// # Errors
/// What came with status 200 and is no answer.
pub fn reply(mut body: Value, asked: &Asked) -> Result<Value, Told> {
    if let Some(told) = error_of(&body) {
        return Err(told);
    }
    let origin = said::origin(&body, asked);
    let candidates = match body.get_mut("candidates").map(Value::take) {
        Some(Value::Array(candidates)) => candidates,
        _ => Vec::new(),
    };
    let choices = match said::block_reason(&body) {
        Some(reason) if candidates.is_empty() => vec![blocked(reason)],
        None if candidates.is_empty() => return Err(Told::empty()),
        _ => read_candidates(candidates, &origin, asked),
    };
    let usage = said::usage(&body);
    let mut completion = origin.completion(Value::Array(choices), &usage.unwrap_or_default());
    if usage.is_none()
        && let Value::Object(completion) = &mut completion
    {
        // Nothing known is not nothing spent.
        completion.shift_remove("usage");
    }
    Ok(completion)
}

/// The choice of a prompt that Google would not answer.
fn blocked(reason: &str) -> Value {
    json!({
        "index": 0,
        "message": { "role": "assistant", "content": "" },
        "logprobs": null,
        "finish_reason": "content_filter",
        "native_finish_reason": reason,
    })
}

fn read_candidates(candidates: Vec<Value>, origin: &Origin, asked: &Asked) -> Vec<Value> {
    let mut made = 0;
    let numbered = candidates.into_iter().enumerate();
    numbered.map(|(at, candidate)| read_candidate(at, candidate, &mut made, origin, asked)).collect()
}

fn read_candidate(at: usize, mut candidate: Value, made: &mut u64, origin: &Origin, asked: &Asked) -> Value {
    let mut message = Message::default();
    for said in take_parts(&mut candidate) {
        match said {
            Said::Call(call) => {
                message.calls.push(call.write(origin, *made, asked));
                *made += 1;
            }
            said => message.add(said),
        }
    }
    let native = said::finish_reason(&candidate).unwrap_or("STOP");
    let mut choice = Map::new();
    choice.insert("index".to_owned(), candidate["index"].as_u64().unwrap_or(at as u64).into());
    choice.insert("logprobs".to_owned(), logprobs::read(&candidate));
    choice.insert("finish_reason".to_owned(), said::finish(native, !message.calls.is_empty()).into());
    choice.insert("native_finish_reason".to_owned(), native.into());
    choice.shift_insert(1, "message".to_owned(), message.write());
    Value::Object(choice)
}

/// An assistant's message as it is put together.
#[derive(Debug, Default)]
struct Message {
    content: String,
    reasoning: String,
    images: Vec<Value>,
    calls: Vec<Value>,
    signature: Option<String>,
}

impl Message {
    fn add(&mut self, said: Said) {
        match said {
            Said::Text(text) => self.content.push_str(&text),
            Said::Thought(text) => self.reasoning.push_str(&text),
            Said::Image(image) => self.images.push(image),
            Said::Signature(signature) => self.signature = Some(signature),
            // Counted where the whole reply is seen.
            Said::Call(_) => {}
        }
    }

    fn write(self) -> Value {
        let silent = self.content.is_empty() && !self.calls.is_empty();
        let mut message = Map::new();
        message.insert("role".to_owned(), "assistant".into());
        message.insert("content".to_owned(), if silent { Value::Null } else { self.content.into() });
        if !self.reasoning.is_empty() {
            message.insert("reasoning_content".to_owned(), self.reasoning.into());
        }
        if !self.images.is_empty() {
            message.insert("images".to_owned(), self.images.into());
        }
        if !self.calls.is_empty() {
            message.insert("tool_calls".to_owned(), self.calls.into());
        }
        if let Some(signature) = self.signature {
            message
                .insert("extra_content".to_owned(), json!({ "google": { "thought_signature": signature } }));
        }
        Value::Object(message)
    }
}
