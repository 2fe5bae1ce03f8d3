//! The conversation: chat's messages as Gemini's contents and its system instruction.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::calls::{Answer, Calls};
use super::parts::{self, text_part};
use crate::gemini::{Fields, extra_signature, object};
use crate::target::Refusal;

/// What an assistant's message may carry that Gemini needs no more, or cannot check.
const NOT_SENT: &[&str] =
    &["reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "annotations", "refusal"];

/// A conversation as it is built.
#[derive(Debug, Default)]
pub(super) struct Contents {
    system: Vec<Value>,
    turns: Vec<Turn>,
    calls: Calls,
    /// Results of tools that follow each other: they become one turn.
    answers: Vec<Answer>,
    /// Whether the model refuses calls without a signature.
    must_sign: bool,
}

#[derive(Debug)]
struct Turn {
    role: &'static str,
    parts: Vec<Value>,
    /// Gemini 3 refuses text beside the results of tools.
    of_answers: bool,
}

impl Contents {
    /// An empty conversation with a model that may refuse calls without a signature.
    pub(super) fn new(must_sign: bool) -> Self {
        Self { must_sign, ..Self::default() }
    }

    /// Reads all messages.
    pub(super) fn read(
        mut self,
        messages: Vec<Value>,
        names: &mut BTreeMap<String, String>,
        dropped: &mut Vec<String>,
    ) -> Result<Self, Refusal> {
        for (at, message) in messages.into_iter().enumerate() {
            let mut message = Fields::of(message, format!("messages[{at}]"))?;
            self.message(&mut message, names)?;
            let left = message.left().filter(|path| !NOT_SENT.iter().any(|known| path.ends_with(known)));
            dropped.extend(left);
        }
        self.close_answers();
        Ok(self)
    }

    fn message(&mut self, message: &mut Fields, names: &mut BTreeMap<String, String>) -> Result<(), Refusal> {
        let role = message.need_text("role")?;
        if role != "tool" && role != "function" {
            self.close_answers();
        }
        match role.as_str() {
            "system" | "developer" => self.instruct(message),
            "user" => {
                let content = message.need("content")?;
                let parts = parts::read(Some(content), &message.path_of("content"))?;
                self.say("user", parts, false);
                Ok(())
            }
            "assistant" => self.assistant(message, names),
            "tool" | "function" => {
                self.answers.push(self.calls.answer(message, names)?);
                Ok(())
            }
            _ => Err(message.wrong("role", "system, developer, user, assistant or tool")),
        }
    }

    fn instruct(&mut self, message: &mut Fields) -> Result<(), Refusal> {
        let content = message.take("content");
        let texts = parts::read_texts(content, &message.path_of("content"))?;
        self.system.extend(texts.into_iter().filter(|text| !text.is_empty()).map(text_part));
        Ok(())
    }

    fn assistant(
        &mut self,
        message: &mut Fields,
        names: &mut BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let content = message.take("content");
        let mut said = parts::read(content, &message.path_of("content"))?;
        said.extend(message.text("refusal")?.map(text_part));
        said.retain(|part| part["text"] != "");
        if let Some(extra) = message.take("extra_content") {
            sign(&mut said, extra_signature(&extra));
        }
        for (at, image) in message.list("images")?.into_iter().enumerate() {
            said.push(parts::read_part(image, format!("{}[{at}]", message.path_of("images")))?);
        }
        said.extend(self.calls.read(message, self.must_sign, names)?);
        self.say("model", said, false);
        Ok(())
    }

    fn close_answers(&mut self) {
        let mut answers = std::mem::take(&mut self.answers);
        answers.sort_by_key(|answer| answer.place);
        self.say("user", answers.into_iter().map(|answer| answer.part).collect(), true);
    }

    /// Adds parts to the conversation, to the last turn where that is the same speaker's.
    fn say(&mut self, role: &'static str, parts: Vec<Value>, of_answers: bool) {
        if parts.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(last) if last.role == role && last.of_answers == of_answers => last.parts.extend(parts),
            _ => self.turns.push(Turn { role, parts, of_answers }),
        }
    }

    /// The system instruction, where there is one, and the contents, of which there is always one.
    pub(super) fn write(self) -> (Option<Value>, Value) {
        let system = (!self.system.is_empty()).then(|| object([("parts", Value::Array(self.system))]));
        if self.turns.is_empty() {
            return (system, json!([{ "role": "user", "parts": [{ "text": " " }] }]));
        }
        (system, Value::Array(self.turns.into_iter().map(Turn::write).collect()))
    }
}

impl Turn {
    fn write(mut self) -> Value {
        let mute = self.role == "user"
            && !self.of_answers
            && !self.parts.iter().any(|part| part["text"].is_string());
        if mute {
            // Gemini wants a word with every image.
            self.parts.push(json!({ "text": " " }));
        }
        object([("role", self.role.into()), ("parts", Value::Array(self.parts))])
    }
}

/// Puts the signature of a turn without calls on its last text.
fn sign(parts: &mut Vec<Value>, signature: Option<&str>) {
    let Some(signature) = signature else { return };
    match parts.last_mut() {
        Some(last) => last["thoughtSignature"] = signature.into(),
        None => parts.push(json!({ "text": "", "thoughtSignature": signature })),
    }
}
