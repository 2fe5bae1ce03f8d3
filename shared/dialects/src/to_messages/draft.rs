//! A request as it is rewritten: what was asked is taken field by field, what is sent is set. What nobody took at the
//! end is what Anthropic cannot hold.

use serde_json::Value;

use crate::asked::Asked;
use crate::field::{self, Object, wrong};
use crate::target::{Outgoing, Refusal};

#[derive(Debug)]
pub(super) struct Draft {
    /// What is left of the client's body.
    pub(super) asked: Object,
    body: Object,
    dropped: Vec<String>,
}

impl Draft {
    pub(super) fn of(chat: Value) -> Result<Self, Refusal> {
        Ok(Self { asked: field::body(chat)?, body: Object::new(), dropped: Vec::new() })
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        field::text(&mut self.asked, name)
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Refusal> {
        let read = |value: Value| value.as_u64().ok_or_else(|| wrong(name, "a whole number"));
        field::take(&mut self.asked, name).map(read).transpose()
    }

    /// A number with all its digits.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<Value>, Refusal> {
        let check = |value: Value| if value.is_number() { Ok(value) } else { Err(wrong(name, "a number")) };
        field::take(&mut self.asked, name).map(check).transpose()
    }

    /// Sets a field of what is sent.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.body.insert(name.to_owned(), value.into());
    }

    /// Names a parameter that was asked for and is not sent.
    pub(super) fn drop(&mut self, name: &str) {
        self.dropped.push(name.to_owned());
    }

    /// The request to send. A parameter that asks for nothing is not worth being named as dropped.
    pub(super) fn finished(self, asked: Asked) -> Outgoing {
        let left = self.asked.into_iter().filter(|(name, value)| !asks_nothing(name, value));
        let dropped = self.dropped.into_iter().chain(left.map(|(name, _)| name)).collect();
        Outgoing { body: Value::Object(self.body), dropped, asked }
    }
}

fn asks_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty() || (name == "modalities" && *list == ["text"]),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => name.ends_with("_penalty") && number.as_f64() == Some(0.0),
        Value::Bool(true) | Value::String(_) => false,
    }
}
