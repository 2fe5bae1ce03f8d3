//! Chat clients: their requests are in the pivot format already, and their streams are written with OpenAI's rules.

use serde_json::{Value, json};

use crate::asked::Asked;
use crate::dialect::Dialect;
use crate::errors;
use crate::field::{self, Object};
use crate::piece::{FromChat, Piece};
use crate::repair;
use crate::target::{Outgoing, Refusal, Target};

mod estimate;

/// Takes a chat client's request. A stream is asked for with its usage, for the record; [`ChatStream`] keeps it from
/// clients that did not ask.
///
/// # Errors
/// A [`Refusal`] where the body is no chat request.
pub fn request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = field::body(body)?;
    let asked = asked(&body, target)?;
    if asked.stream {
        let options = body.entry("stream_options").or_insert(Value::Null);
        options["include_usage"] = true.into();
    }
    body.insert("model".to_owned(), target.model.into());
    Ok(Outgoing { body: Value::Object(body), dropped: Vec::new(), asked })
}

/// Writes a completion for a chat client. It is one already, but for the liberties that providers take.
#[must_use]
pub fn reply(completion: Value, asked: &Asked) -> Value {
    repair::completion(completion, asked)
}

/// The writer of a chat client's stream.
#[must_use]
pub fn stream(asked: Asked) -> ChatStream {
    ChatStream { asked, ..ChatStream::default() }
}

/// What a chat request asks for.
pub(crate) fn asked(body: &Object, target: &Target<'_>) -> Result<Asked, Refusal> {
    if !body.get("messages").is_some_and(Value::is_array) {
        return Err(field::wrong("messages", "a list of messages"));
    }
    Ok(Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        stream: flag(body.get("stream"), "stream")?,
        include_usage: includes_usage(body.get("stream_options"))?,
        prompt_estimate: estimate::tokens_of(&body["messages"]),
        ..Asked::default()
    })
}

fn includes_usage(options: Option<&Value>) -> Result<bool, Refusal> {
    match options {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Object(options)) => flag(options.get("include_usage"), "stream_options.include_usage"),
        Some(_) => Err(field::wrong("stream_options", "an object")),
    }
}

fn flag(value: Option<&Value>, param: &str) -> Result<bool, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(field::wrong(param, "true or false")),
    }
}

/// Writes chunks as `OpenAI` does: usage only for those who asked, in a last chunk of its own, and `[DONE]` only after a
/// whole answer.
#[derive(Debug, Default)]
pub struct ChatStream {
    asked: Asked,
    /// The last chunk's id, model and so on, for the usage that the provider did not send.
    last: Option<Value>,
    told_usage: bool,
    answer: estimate::Answer,
    over: bool,
}

impl FromChat for ChatStream {
    fn piece(&mut self, piece: Piece, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match piece {
            Piece::Chunk(chunk) => self.chunk(chunk, out),
            // A comment of one line, with no blank line of its own: on that, older SDKs see an empty event.
            Piece::Ping => out.extend_from_slice(b": keep-alive\n"),
            Piece::Done => self.done(out),
            Piece::Failed(told) => {
                self.over = true;
                write(&errors::write(&told, Dialect::Chat, ""), out);
            }
        }
    }
}

impl ChatStream {
    fn chunk(&mut self, mut chunk: Value, out: &mut Vec<u8>) {
        let no_choice = chunk["choices"].as_array().is_none_or(Vec::is_empty);
        let Some(fields) = chunk.as_object_mut() else { return };
        let has_usage = fields.get("usage").is_some_and(Value::is_object);
        if !self.asked.include_usage {
            if no_choice && has_usage {
                return;
            }
            fields.shift_remove("usage");
            return write(&chunk, out);
        }
        fields.entry("usage").or_insert(Value::Null);
        self.told_usage |= has_usage;
        self.answer.count(&chunk);
        write(&chunk, out);
        self.last = Some(chunk);
    }

    fn done(&mut self, out: &mut Vec<u8>) {
        self.over = true;
        if let Some(mut last) = self.last.take().filter(|_| !self.told_usage) {
            last["choices"] = json!([]);
            last["usage"] = self.answer.usage(self.asked.prompt_estimate).write();
            write(&last, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

fn write(data: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("data: {data}\n\n").as_bytes());
}
