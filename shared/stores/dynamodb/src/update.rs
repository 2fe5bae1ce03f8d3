//! A conditional update of one item.

use serde_json::{Map, Value, json};

use crate::item::{Item, key, number, time_to_live};
use twinlane_store::Millis;

/// A change, and what must be so for it to happen.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    key: Value,
    change: String,
    condition: String,
    names: Map<String, Value>,
    values: Map<String, Value>,
    tells: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Updated {
    /// It happened; this is the item as it is now, if the update was to tell.
    Done(Item),
    /// It did not; this is the item as it is, without attributes where there is none.
    Not(Item),
}

impl Update {
    /// A change of the only item under a key.
    pub(crate) fn of(pk: &str, change: &str, condition: &str) -> Self {
        Self::at(pk, "-", change, condition)
    }

    pub(crate) fn at(pk: &str, sk: &str, change: &str, condition: &str) -> Self {
        let (change, condition) = (change.to_owned(), condition.to_owned());
        Self { key: key(pk, sk), change, condition, names: Map::new(), values: Map::new(), tells: false }
    }

    /// What `:name` stands for.
    pub(crate) fn value(mut self, name: &str, value: Value) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn number(self, name: &str, value: impl Into<i128>) -> Self {
        self.value(name, number(value))
    }

    /// What `#name` stands for: an attribute whose name nobody here has chosen, or one that is a word of the language.
    pub(crate) fn name(mut self, name: &str, attribute: &str) -> Self {
        self.names.insert(name.to_owned(), attribute.into());
        self
    }

    /// What `#ttl` and `:ttl` stand for.
    pub(crate) fn ending(self, until: Millis) -> Self {
        self.name("#ttl", "ttl").value(":ttl", time_to_live(until))
    }

    /// Has the item told as it is afterwards.
    pub(crate) fn telling(self) -> Self {
        Self { tells: true, ..self }
    }

    pub(crate) fn tells(&self) -> bool {
        self.tells
    }

    /// The update as a request, which asks for the item where the condition does not hold.
    pub(crate) fn request(&self, table: &str) -> Value {
        let mut request = json!({
            "TableName": table,
            "Key": self.key,
            "UpdateExpression": self.change,
            "ConditionExpression": self.condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        if !self.names.is_empty() {
            request["ExpressionAttributeNames"] = self.names.clone().into();
        }
        if !self.values.is_empty() {
            request["ExpressionAttributeValues"] = self.values.clone().into();
        }
        request
    }
}
