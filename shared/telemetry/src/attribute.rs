//! Names with values: what is told of a span, and of the program that tells it.

use std::borrow::Cow;

use crate::proto::Message;

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(number.try_into().unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Attributes, in the order in which they were told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<(Cow<'static, str>, Value)>);

impl Attributes {
    /// Adds an attribute.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds an attribute where there is a value.
    pub fn set_some(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Writes each as a `KeyValue`.
    pub(crate) fn write(&self, message: &mut Message, field: u8) {
        for (name, value) in &self.0 {
            message.message(field, &key_value(name, value));
        }
    }
}

/// OTLP's `KeyValue`.
pub(crate) fn key_value(name: &str, value: &Value) -> Message {
    let mut any = Message::default();
    match value {
        // Not `text`, which leaves an empty one out: here that would be no value at all.
        Value::Text(text) if text.is_empty() => any.message(1, &Message::default()),
        Value::Text(text) => any.text(1, text),
        Value::Flag(flag) => any.integer(2, i64::from(*flag)),
        Value::Integer(number) => any.integer(3, *number),
        Value::Number(number) => any.double(4, *number),
    }
    let mut pair = Message::default();
    pair.text(1, name);
    pair.message(2, &any);
    pair
}

/// Which program tells: its name, its version, where it runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resource {
    /// What is told of it.
    pub attributes: Attributes,
    /// The version of this project, under whose name everything is told.
    pub version: &'static str,
}

impl Resource {
    /// A request of OTLP's with the resource, the scope, and what `fill` puts into the scope. Spans and metrics are
    /// wrapped alike, down to the numbers of the fields.
    pub(crate) fn wrap(&self, fill: impl FnOnce(&mut Message)) -> Vec<u8> {
        let (mut resource, mut scope) = (Message::default(), Message::default());
        self.attributes.write(&mut resource, 1);
        scope.text(1, "twinlane");
        scope.text(2, self.version);
        let mut scoped = Message::default();
        scoped.message(1, &scope);
        fill(&mut scoped);
        let mut whole = Message::default();
        whole.message(1, &resource);
        whole.message(2, &scoped);
        let mut request = Message::default();
        request.message(1, &whole);
        request.into_bytes()
    }
}
