//! Reads 1min.ai's stream.

use serde_json::{Value, json};

use super::{answer_of, origin};
use crate::asked::Asked;
use crate::chat::Origin;
use crate::errors::{self, Told};
use crate::piece::{Piece, ToChat};
use crate::sse::Event;

/// Reads `content` events up to `done`.
///
/// The last of them may repeat the whole text. Whether a text that equals all before it is that repetition or goes on
/// ("ha", "ha") is settled by what follows: another text, or the `result` with the full record.
#[derive(Debug)]
pub struct Stream {
    origin: Origin,
    begun: bool,
    told: String,
    /// Whether a text came that equals all that was told.
    repeated: bool,
    whole: bool,
    over: bool,
}

/// The reader of a stream.
#[must_use]
pub fn stream(asked: Asked) -> Stream {
    Stream {
        origin: origin(asked),
        begun: false,
        told: String::new(),
        repeated: false,
        whole: false,
        over: false,
    }
}

impl ToChat for Stream {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<Piece>) {
        if self.over {
            return;
        }
        let data = serde_json::from_str::<Value>(event.data).ok();
        match (event.name, data) {
            _ if event.data.trim() == "[DONE]" => self.done(out),
            ("done", _) => self.done(out),
            ("error", _) => self.fail(errors::read(502, None, event.data.as_bytes()), out),
            ("result", data) => self.result(data.and_then(answer_of).as_deref(), out),
            (_, Some(data)) => self.data(&data, out),
            // Text that is no JSON has been seen in place of an object with text.
            ("content", None) => self.content(event.data, out),
            (_, None) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<Piece>) {
        match self.whole {
            _ if self.over => {}
            true => self.done(out),
            false => self.fail(Told::truncated(), out),
        }
    }
}

impl Stream {
    fn data(&mut self, data: &Value, out: &mut Vec<Piece>) {
        match (Told::of_object(data), data["content"].as_str()) {
            (Some(told), _) => self.fail(told, out),
            (None, Some(text)) => self.content(text, out),
            (None, None) => {}
        }
    }

    fn content(&mut self, text: &str, out: &mut Vec<Piece>) {
        if std::mem::take(&mut self.repeated) {
            // Something follows, so that was no repetition of the end.
            self.tell(&self.told.clone(), out);
        }
        if !text.is_empty() && text == self.told {
            self.repeated = true;
        } else {
            self.tell(text, out);
        }
    }

    /// The record has the full text, and what of it was not told yet.
    fn result(&mut self, full: Option<&str>, out: &mut Vec<Piece>) {
        self.whole = true;
        self.repeated = false;
        if let Some(rest) = full.and_then(|full| full.strip_prefix(self.told.as_str())) {
            self.tell(rest, out);
        }
    }

    fn tell(&mut self, text: &str, out: &mut Vec<Piece>) {
        if text.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            out.push(self.origin.delta(0, json!({ "role": "assistant", "content": "" })));
        }
        self.told.push_str(text);
        out.push(self.origin.delta(0, json!({ "content": text })));
    }

    fn done(&mut self, out: &mut Vec<Piece>) {
        if !self.begun {
            return self.fail(Told::empty(), out);
        }
        self.over = true;
        out.push(self.origin.finish(0, "stop", "done"));
        out.push(Piece::Done);
    }

    fn fail(&mut self, told: Told, out: &mut Vec<Piece>) {
        self.over = true;
        out.push(Piece::Failed(told));
    }
}
