//! A chat reply as it comes in, whole or in chunks, gathered for formats that are written block by block.
//!
//! Reads what "compatible" providers really send, so that the codecs of those formats need not know their habits.

mod block;
mod blocks;

use serde_json::Value;

use crate::chat::Usage;
use crate::errors::Told;

pub(crate) use block::{Block, Kind};
pub(crate) use blocks::{Blocks, Step};

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// All was said.
    Stop,
    /// The limit of tokens was reached.
    Length,
    /// The client's tools are to be called.
    Calls,
    /// A filter cut the answer.
    Filtered,
}

impl Finish {
    /// Reads chat's `finish_reason`, also as providers misspell it. An empty one is none.
    pub(crate) fn read(reason: &Value) -> Option<Self> {
        Some(match reason.as_str().filter(|reason| !reason.is_empty())? {
            "length" | "max_tokens" | "model_length" | "MAX_TOKENS" => Self::Length,
            "tool_calls" | "function_call" | "tool_use" => Self::Calls,
            "content_filter" => Self::Filtered,
            _ => Self::Stop,
        })
    }
}

/// What a reply has said so far.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The provider's id: the first one, for some change it in every chunk.
    pub(crate) id: String,
    /// The model that answers.
    pub(crate) model: String,
    /// When the reply was made, if the provider says so.
    pub(crate) created: Option<u64>,
    /// Why it ended, once it has.
    pub(crate) finish: Option<Finish>,
    /// The last usage with numbers in it.
    pub(crate) usage: Option<Usage>,
    /// The content.
    pub(crate) blocks: Blocks,
}

impl Gathered {
    /// A whole completion.
    pub(crate) fn completion(completion: &Value) -> Self {
        let mut gathered = Self::default();
        gathered.take(completion, "message");
        gathered
    }

    /// The next chunk of a stream; an error where it is one.
    pub(crate) fn chunk(&mut self, chunk: &Value) -> Result<(), Told> {
        if let Some(told) = Told::of_object(chunk) {
            return Err(told);
        }
        self.take(chunk, "delta");
        Ok(())
    }

    /// Why the answer ended. Some providers say "stop" where they call tools.
    pub(crate) fn ended(&self) -> Option<Finish> {
        match self.finish {
            Some(Finish::Stop) if self.blocks.any(|kind| matches!(kind, Kind::Call(_))) => {
                Some(Finish::Calls)
            }
            finish => finish,
        }
    }

    /// How the stream ended, or why it was no answer although it is over.
    pub(crate) fn outcome(&self) -> Result<Finish, Told> {
        if self.blocks.any(|kind| matches!(kind, Kind::Call(call) if call.name.is_empty())) {
            return Err(Told::of_upstream("invalid_tool_call", "The model called a tool without naming it."));
        }
        self.ended().ok_or_else(Told::truncated)
    }

    fn take(&mut self, object: &Value, said: &str) {
        self.take_origin(object);
        self.take_usage(&object["usage"]);
        // What comes after the finish is a repetition.
        let Some(choice) = first_choice(object).filter(|_| self.finish.is_none()) else { return };
        self.blocks.take(&choice[said]);
        self.finish = Finish::read(&choice["finish_reason"]);
    }

    fn take_origin(&mut self, object: &Value) {
        for (field, name) in [(&mut self.id, "id"), (&mut self.model, "model")] {
            if field.is_empty() {
                object[name].as_str().unwrap_or_default().clone_into(field);
            }
        }
        self.created = self.created.or_else(|| object["created"].as_u64());
    }

    fn take_usage(&mut self, usage: &Value) {
        let Some(mut usage) = Usage::read(usage) else { return };
        // Gemini's compatible surface tells the answer's tokens only in the sum.
        if usage.completion == 0 {
            usage.completion = usage.total.unwrap_or_default().saturating_sub(usage.prompt);
        }
        if self.usage.is_none() || usage.prompt + usage.completion > 0 {
            self.usage = Some(usage);
        }
    }
}

/// The choice that the other formats have room for: number 0, or one without a number.
fn first_choice(object: &Value) -> Option<&Value> {
    let choices = object["choices"].as_array()?;
    choices.iter().find(|choice| choice["index"].as_u64().unwrap_or_default() == 0)
}
