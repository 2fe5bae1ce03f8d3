//! Names with values, few enough to be looked through.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What is known of a call by name. A list rather than a map, and without a copy of each name: one is made for every
/// call, and read rarely.
#[derive(Debug, Clone, Default)]
pub struct Facts(Vec<(Cow<'static, str>, Value)>);

impl Facts {
    /// None yet, and room for some.
    #[must_use]
    pub fn with_capacity(room: usize) -> Self {
        Self(Vec::with_capacity(room))
    }

    /// Adds one, under a name that is not there yet.
    pub fn put(&mut self, name: &'static str, value: Value) {
        self.0.push((Cow::Borrowed(name), value));
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Leaves one out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl From<Map<String, Value>> for Facts {
    fn from(map: Map<String, Value>) -> Self {
        Self(map.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect())
    }
}

/// Whatever their order.
impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Facts;

    fn facts(json: Value) -> Facts {
        let Value::Object(map) = json else { panic!("an object") };
        map.into()
    }

    #[test]
    fn facts_are_the_same_in_any_order() {
        let mut one = Facts::with_capacity(2);
        one.put("a", 1.into());
        one.put("b", Value::Null);
        assert_eq!(one, facts(json!({ "b": null, "a": 1 })));
        assert_ne!(one, facts(json!({ "b": null, "a": 2 })));
        assert_ne!(one, facts(json!({ "a": 1 })));
        one.remove("b");
        assert_eq!((one.get("a"), one.get("b")), (Some(&Value::from(1)), None));
    }
}
