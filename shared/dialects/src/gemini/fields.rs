//! Takes fields out of an object one by one, with their types checked, and knows what was left.

use serde_json::{Map, Value};

use crate::target::Refusal;

/// An object of a request, and where it stands in the body.
#[derive(Debug)]
pub(crate) struct Fields {
    map: Map<String, Value>,
    path: String,
}

impl Fields {
    /// The fields of an object at a path, which is empty for the body itself.
    pub(crate) fn of(value: Value, path: impl Into<String>) -> Result<Self, Refusal> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            _ => Err(wrong_type(if path.is_empty() { "body" } else { &path }, "an object")),
        }
    }

    /// Where a field of it stands.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Takes a field, whose name may also be written with underscores: Google reads both. `null` is no field.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let value = self.map.shift_remove(name).or_else(|| self.map.shift_remove(&snake(name)));
        value.filter(|value| !value.is_null())
    }

    /// Takes a field that must be there.
    pub(crate) fn need(&mut self, name: &str) -> Result<Value, Refusal> {
        self.take(name).ok_or_else(|| {
            let path = self.path_of(name);
            let message = format!("`{path}` is missing.");
            Refusal::of(path, "missing_required_parameter", message)
        })
    }

    /// Takes a string.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    /// Takes a string that must be there.
    pub(crate) fn need_text(&mut self, name: &str) -> Result<String, Refusal> {
        match self.need(name)? {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(name, "a string")),
        }
    }

    /// Takes a number, with the digits it came with.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(number @ Value::Number(_)) => Ok(Some(number)),
            Some(_) => Err(self.wrong(name, "a number")),
        }
    }

    /// Takes a yes or no.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// Takes a list; none is an empty one.
    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<Value>, Refusal> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.wrong(name, "an array")),
        }
    }

    /// Takes a list of strings.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, Refusal> {
        let list = self.list(name)?;
        list.into_iter()
            .map(|item| match item {
                Value::String(text) => Ok(text),
                _ => Err(self.wrong(name, "an array of strings")),
            })
            .collect()
    }

    /// Takes an object.
    pub(crate) fn fields(&mut self, name: &str) -> Result<Option<Self>, Refusal> {
        let path = self.path_of(name);
        self.take(name).map(|value| Self::of(value, path)).transpose()
    }

    /// Where the fields stand that were not taken.
    pub(crate) fn left(&self) -> impl Iterator<Item = String> {
        self.map.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| self.path_of(name))
    }

    /// The fields that were not taken.
    pub(crate) fn into_rest(self) -> Map<String, Value> {
        self.map
    }

    /// A refusal of a field that is not what it must be.
    pub(crate) fn wrong(&self, name: &str, expected: &str) -> Refusal {
        wrong_type(&self.path_of(name), expected)
    }
}

fn wrong_type(path: &str, expected: &str) -> Refusal {
    Refusal::of(path, "invalid_value", format!("`{path}` must be {expected}."))
}

/// `inlineData` → `inline_data`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Fields;

    #[test]
    fn both_spellings_are_read_and_the_rest_is_known() {
        let body = json!({"inline_data": 1, "fileData": 2, "other": 3, "nothing": null});
        let mut fields = Fields::of(body, "parts[0]").unwrap();
        assert_eq!(fields.take("inlineData"), Some(json!(1)));
        assert_eq!(fields.take("fileData"), Some(json!(2)));
        assert_eq!(fields.take("nothing"), None);
        assert_eq!(fields.left().collect::<Vec<_>>(), ["parts[0].other"]);
    }

    #[test]
    fn a_wrong_type_is_refused_by_its_path() {
        let mut fields = Fields::of(json!({"a": 1, "b": [1]}), "x").unwrap();
        assert_eq!(fields.text("a").unwrap_err().param.as_deref(), Some("x.a"));
        assert_eq!(fields.texts("b").unwrap_err().param.as_deref(), Some("x.b"));
        assert_eq!(fields.need("c").unwrap_err().code, "missing_required_parameter");
        assert_eq!(Fields::of(json!(1), "").unwrap_err().param.as_deref(), Some("body"));
    }
}
