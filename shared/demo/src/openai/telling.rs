//! Words an answer as a chat completion, whole or in chunks, with its provider's habits.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::flavour::{Calls, Flavour, Thoughts, UsageAt};
use crate::mischief::Shape;
use crate::reply::{Reply, data};
use crate::signature;
use crate::speech::{End, Speech};
use crate::tools::ToolCall;

/// The last line of every stream of OpenAI's.
pub(crate) const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// What OpenRouter says while it waits for the provider behind it.
const COMMENT: Bytes = Bytes::from_static(b": OPENROUTER PROCESSING\n\n");

/// What all chunks of one answer have in common.
#[derive(Debug, Clone)]
pub(crate) struct Telling {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) created: u64,
    pub(crate) choices: usize,
    /// The usage of a stream was asked for.
    pub(crate) with_usage: bool,
    pub(crate) flavour: Flavour,
}

impl Telling {
    pub(crate) fn whole(&self, speech: &Speech, shape: Shape) -> Reply {
        let message = self.message(speech, shape);
        let habits = self.flavour.habits();
        let finish = finish(speech, habits.stop, "tool_calls");
        let choice =
            |index| json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish});
        let mut completion = json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
            "choices": (0..self.choices).map(choice).collect::<Value>(), "usage": usage(speech, self.choices),
            "service_tier": "default", "system_fingerprint": "fp_demo",
        });
        if self.flavour == Flavour::Azure {
            completion["prompt_filter_results"] = filter_results();
        }
        Reply::json(&completion)
    }

    fn message(&self, speech: &Speech, shape: Shape) -> Value {
        let mut message = json!({"role": "assistant", "content": null, "refusal": null});
        let text = speech.text(shape);
        if speech.calls.is_empty() || !text.is_empty() {
            message["content"] = json!(text);
        }
        if !speech.calls.is_empty() {
            message["tool_calls"] =
                speech.calls.iter().enumerate().map(|(i, call)| self.whole_call(i, call)).collect();
        }
        let thought = speech.thought();
        if thought.is_empty() {
            return message;
        }
        if self.flavour.habits().thoughts == Thoughts::Parts {
            message["content"] = json!([thinking_part(&thought), {"type": "text", "text": text}]);
            return message;
        }
        merged(message, self.thought_fields(&thought))
    }

    /// The fields a thought is told in, of a message or of a delta.
    fn thought_fields(&self, thought: &str) -> Value {
        match self.flavour.habits().thoughts {
            Thoughts::Kept => json!({}),
            Thoughts::Field(name) => json!({name: thought}),
            Thoughts::Parts => json!({"content": [thinking_part(thought)]}),
            Thoughts::Details => {
                let details =
                    json!([{"type": "reasoning.text", "text": thought, "format": "unknown", "index": 0}]);
                json!({"reasoning": thought, "reasoning_details": details})
            }
        }
    }

    fn whole_call(&self, i: usize, call: &ToolCall) -> Value {
        let function = json!({"name": call.name, "arguments": call.told()});
        let mut told = json!({"id": self.call_id(i), "type": "function", "function": function});
        // Of parallel calls only the first is signed.
        if i == 0 && self.signs() {
            told["extra_content"] = json!({"google": {"thought_signature": signature::of(&call.name)}});
        }
        told
    }

    fn signs(&self) -> bool {
        self.flavour == Flavour::GeminiCompat && self.model.starts_with("gemini-3")
    }

    fn call_id(&self, i: usize) -> String {
        format!("{}_{i}", self.id.replace("chatcmpl-", "call_"))
    }

    pub(crate) fn stream(self, speech: &Speech, shape: Shape) -> Reply {
        let comment = self.flavour.habits().comments.then_some(COMMENT);
        let filter = (self.flavour == Flavour::Azure).then(first_of_azure);
        let ending = self.ending(speech);
        let deltas = self.deltas(speech, shape);
        let unfinished = json!(self.flavour.habits().unfinished);
        let chunks = deltas.flat_map(move |delta| self.to_every_choice(&delta, &unfinished));
        let pieces = comment.into_iter().chain(filter).chain(chunks);
        Reply::events(Box::new(pieces), ending)
    }

    fn deltas(&self, speech: &Speech, shape: Shape) -> impl Iterator<Item = Value> + Send + use<> {
        let opening = if speech.calls.is_empty() {
            json!({"role": "assistant", "content": "", "refusal": null})
        } else {
            json!({"role": "assistant", "content": null})
        };
        let kept = self.flavour.habits().thoughts == Thoughts::Kept;
        let thoughts: Vec<Value> = if kept {
            Vec::new()
        } else {
            speech.thoughts.iter().map(|thought| self.thought_fields(thought)).collect()
        };
        let words = speech.deltas(shape).map(|word| json!({"content": word}));
        std::iter::once(opening).chain(thoughts).chain(words).chain(self.call_deltas(speech))
    }

    fn call_deltas(&self, speech: &Speech) -> Vec<Value> {
        let calls = speech.calls.iter().enumerate();
        let deltas: Vec<Value> = match self.flavour.habits().calls {
            Calls::Unnumbered => calls.map(|(i, call)| self.whole_call(i, call)).collect(),
            Calls::Whole => {
                calls.map(|(i, call)| merged(self.whole_call(i, call), json!({"index": i}))).collect()
            }
            Calls::Fragments if speech.in_turns => {
                in_turns(&calls.map(|(i, call)| self.fragments(i, call)).collect::<Vec<_>>())
            }
            Calls::Fragments => calls.flat_map(|(i, call)| self.fragments(i, call)).collect(),
        };
        deltas.into_iter().map(|delta| json!({"tool_calls": [delta]})).collect()
    }

    /// A call is announced with its name, then its arguments arrive in fragments.
    fn fragments(&self, i: usize, call: &ToolCall) -> Vec<Value> {
        let function = json!({"name": call.name, "arguments": ""});
        let named = json!({"index": i, "id": self.call_id(i), "type": "function", "function": function});
        let fragment = |arguments| json!({"index": i, "function": {"arguments": arguments}});
        std::iter::once(named).chain(call.fragments().into_iter().map(fragment)).collect()
    }

    fn ending(&self, speech: &Speech) -> Vec<Bytes> {
        let habits = self.flavour.habits();
        let finish = json!(finish(speech, habits.stop, habits.tools));
        let with_finish = (habits.usage == UsageAt::Finish).then(|| usage(speech, self.choices));
        let mut ending = self.to_every_choice_with(&json!({}), &finish, with_finish.as_ref());
        if self.with_usage && with_finish.is_none() {
            let mut last = self.chunk(&json!([]));
            last["usage"] = usage(speech, self.choices);
            ending.push(data(&last));
        }
        ending.push(DONE);
        ending
    }

    fn to_every_choice(&self, delta: &Value, finish: &Value) -> Vec<Bytes> {
        self.to_every_choice_with(delta, finish, None)
    }

    fn to_every_choice_with(&self, delta: &Value, finish: &Value, usage: Option<&Value>) -> Vec<Bytes> {
        let choice =
            |index| json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        let chunk = |index| {
            let mut chunk = self.chunk(&choice(index));
            if let Some(usage) = usage {
                chunk["usage"] = usage.clone();
            }
            data(&chunk)
        };
        (0..self.choices).map(chunk).collect()
    }

    /// One chunk; with usage asked for, every chunk but the last says that it has none.
    fn chunk(&self, choices: &Value) -> Value {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "service_tier": "default", "system_fingerprint": "fp_demo", "choices": choices,
        });
        if self.with_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

/// The first of each list, then the second of each, until all are told.
fn in_turns(lists: &[Vec<Value>]) -> Vec<Value> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|i| lists.iter().filter_map(move |list| list.get(i).cloned())).collect()
}

fn thinking_part(thought: &str) -> Value {
    json!({"type": "thinking", "thinking": [{"type": "text", "text": thought}]})
}

/// Azure says first what it thinks of the question, in a chunk that has no choices.
fn first_of_azure() -> Bytes {
    data(&json!({
        "id": "", "object": "", "created": 0, "model": "", "choices": [],
        "prompt_filter_results": filter_results(),
    }))
}

fn filter_results() -> Value {
    let safe = json!({"filtered": false, "severity": "safe"});
    let results = json!({"hate": safe, "self_harm": safe, "sexual": safe, "violence": safe});
    json!([{"prompt_index": 0, "content_filter_results": results}])
}

fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut one, other) {
        fields.extend(more);
    }
    one
}

pub(crate) fn finish(speech: &Speech, stop: &'static str, tools: &'static str) -> &'static str {
    match speech.end {
        End::Stop => stop,
        End::Length => "length",
        End::Tools => tools,
        End::Refused | End::Blocked => "content_filter",
    }
}

pub(crate) fn usage(speech: &Speech, choices: usize) -> Value {
    let (input, output) = (speech.input, speech.output() * choices);
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": speech.thoughts.len() * choices, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}
