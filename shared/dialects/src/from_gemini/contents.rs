//! The conversation: Gemini's system instruction and contents as chat's messages.

use serde_json::{Map, Value, json};

use super::parts::{self, text_part};
use crate::gemini::{Fields, object};
use crate::target::{Quirks, Refusal};

/// A conversation as it is built.
#[derive(Debug, Default)]
struct Conversation {
    messages: Vec<Value>,
    /// What the model says until somebody else speaks. google-genai keeps a streamed answer as one content per event.
    turn: Turn,
    /// Calls of the last turn that are not answered: id and name.
    open: Vec<(String, String)>,
    /// All calls so far, from which ids are made where the client has none.
    calls: usize,
    quirks: Quirks,
    dropped: Vec<String>,
}

#[derive(Debug, Default)]
struct Turn {
    text: String,
    thoughts: String,
    images: Vec<Value>,
    calls: Vec<Value>,
}

/// Reads `systemInstruction` and `contents`.
pub(super) fn read(
    body: &mut Fields,
    quirks: Quirks,
    dropped: &mut Vec<String>,
) -> Result<Vec<Value>, Refusal> {
    let mut conversation = Conversation { quirks, ..Conversation::default() };
    if let Some(instruction) = body.take("systemInstruction") {
        conversation.instruct(instruction, body.path_of("systemInstruction"))?;
    }
    let Value::Array(contents) = body.need("contents")? else {
        return Err(body.wrong("contents", "an array"));
    };
    for (at, content) in contents.into_iter().enumerate() {
        conversation.content(Fields::of(content, format!("contents[{at}]"))?)?;
    }
    conversation.close_turn();
    dropped.append(&mut conversation.dropped);
    Ok(conversation.messages)
}

impl Conversation {
    fn instruct(&mut self, instruction: Value, path: String) -> Result<(), Refusal> {
        let text = match instruction {
            Value::String(text) => text,
            content => read_texts(Fields::of(content, path)?)?.join("\n\n"),
        };
        if !text.is_empty() {
            self.messages.push(json!({ "role": "system", "content": text }));
        }
        Ok(())
    }

    fn content(&mut self, mut content: Fields) -> Result<(), Refusal> {
        let parts = content.list("parts")?.into_iter().enumerate();
        let parts = parts.map(|(at, part)| Fields::of(part, format!("{}[{at}]", content.path_of("parts"))));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        match content.text("role")?.as_deref() {
            Some("model") => parts.into_iter().try_for_each(|part| self.said_by_model(part)),
            None | Some("user" | "function") => self.said_by_user(parts),
            Some(_) => Err(content.wrong("role", "user or model")),
        }
    }

    fn said_by_model(&mut self, mut part: Fields) -> Result<(), Refusal> {
        let thought = part.flag("thought")?.unwrap_or_default();
        let signature = part.text("thoughtSignature")?;
        if let Some(text) = part.text("text")? {
            let said = if thought { &mut self.turn.thoughts } else { &mut self.turn.text };
            said.push_str(&text);
        }
        if let Some(call) = part.fields("functionCall")? {
            self.call(call, signature)?;
        }
        if let Some(blob) = part.fields("inlineData")? {
            self.turn.images.push(parts::read_inline(blob, self.quirks)?);
        }
        self.leave(&part);
        Ok(())
    }

    fn call(&mut self, mut call: Fields, signature: Option<String>) -> Result<(), Refusal> {
        if self.turn.calls.is_empty() {
            self.open.clear();
        }
        let name = call.need_text("name")?;
        let id =
            call.text("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{}", self.calls));
        let args = call.take("args").unwrap_or_else(|| json!({}));
        let mut written = json!({
            "id": id, "type": "function", "function": { "name": name, "arguments": args.to_string() },
        });
        if let Some(signature) = signature.filter(|_| self.quirks.thought_signatures) {
            written["extra_content"] = json!({ "google": { "thought_signature": signature } });
        }
        self.turn.calls.push(written);
        self.open.push((id, name));
        self.calls += 1;
        Ok(())
    }

    /// The results of tools come first: chat wants them right after the calls.
    fn said_by_user(&mut self, parts: Vec<Fields>) -> Result<(), Refusal> {
        self.close_turn();
        let mut said = Vec::new();
        for mut part in parts {
            match part.fields("functionResponse")? {
                Some(response) => self.answer(response, &mut said)?,
                None => said.extend(read_part(&mut part, self.quirks)?),
            }
            self.leave(&part);
        }
        let content = match said.as_mut_slice() {
            [] => return Ok(()),
            [only] if only["type"] == "text" => only["text"].take(),
            _ => Value::Array(said),
        };
        self.messages.push(object([("role", "user".into()), ("content", content)]));
        Ok(())
    }

    fn answer(&mut self, mut response: Fields, said: &mut Vec<Value>) -> Result<(), Refusal> {
        let name = response.text("name")?.unwrap_or_default();
        let id = response.text("id")?.unwrap_or_default();
        let place = self.open.iter().position(|(open, _)| *open == id);
        let place = place.or_else(|| self.open.iter().position(|(_, open)| *open == name));
        let Some(place) = place else {
            return Err(response.wrong("name", "the name of a function that was called in the turn before"));
        };
        let (id, _) = self.open.remove(place);
        let content = output(response.take("response").unwrap_or_else(|| json!({})));
        let media = response.list("parts")?;
        if !media.is_empty() {
            said.push(text_part(format!("[tool result {id}]")));
        }
        for (at, part) in media.into_iter().enumerate() {
            let path = format!("{}[{at}]", response.path_of("parts"));
            said.extend(read_part(&mut Fields::of(part, path)?, self.quirks)?);
        }
        let answer = [("role", "tool".into()), ("tool_call_id", id.into()), ("content", content.into())];
        self.messages.push(object(answer));
        self.leave(&response);
        Ok(())
    }

    fn close_turn(&mut self) {
        let turn = std::mem::take(&mut self.turn);
        self.messages.extend(turn.write(self.quirks.reasoning_echo));
    }

    /// Notes what nobody took.
    fn leave(&mut self, part: &Fields) {
        self.dropped.extend(part.left());
    }
}

impl Turn {
    /// The turn as an assistant's message; `None` where nothing was said.
    fn write(self, echo: bool) -> Option<Value> {
        if self.text.is_empty() && self.calls.is_empty() && self.images.is_empty() {
            return None;
        }
        let mut message = Map::new();
        message.insert("role".to_owned(), "assistant".into());
        let silent = self.text.is_empty() && !self.calls.is_empty();
        message.insert("content".to_owned(), if silent { Value::Null } else { self.text.into() });
        if echo && !self.thoughts.is_empty() {
            message.insert("reasoning_content".to_owned(), self.thoughts.into());
        }
        if !self.images.is_empty() {
            message.insert("images".to_owned(), self.images.into());
        }
        if !self.calls.is_empty() {
            message.insert("tool_calls".to_owned(), self.calls.into());
        }
        Some(Value::Object(message))
    }
}

/// Reads a part of a user; `None` where it holds nothing that chat knows.
fn read_part(part: &mut Fields, quirks: Quirks) -> Result<Option<Value>, Refusal> {
    if let Some(text) = part.text("text")? {
        return Ok(Some(text_part(text)));
    }
    if let Some(blob) = part.fields("inlineData")? {
        return parts::read_inline(blob, quirks).map(Some);
    }
    part.fields("fileData")?.map(parts::read_file).transpose()
}

fn read_texts(mut content: Fields) -> Result<Vec<String>, Refusal> {
    let parts = content.list("parts")?.into_iter().enumerate();
    let texts = parts.map(|(at, part)| {
        let path = format!("{}[{at}]", content.path_of("parts"));
        Fields::of(part, path)?.need_text("text")
    });
    texts.collect()
}

/// A function's response as text. Gemini's convention is a lone `output`; all else is shown as it is.
fn output(mut response: Value) -> String {
    let lone = response.as_object_mut().filter(|response| response.len() == 1);
    match lone.and_then(|response| response.get_mut("output")).map(Value::take) {
        Some(Value::String(text)) => text,
        Some(output) => output.to_string(),
        None => response.to_string(),
    }
}
