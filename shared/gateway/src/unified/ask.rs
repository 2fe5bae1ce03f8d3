//! What of a body decides where it goes: the model, and a provider named beside it. The rest is not looked at.

use std::fmt;

use bytes::Bytes;
use memchr::memmem;
use serde_json::value::RawValue;

/// A JSON object's fields as they stand: names, and the text of their values.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The fields of a body; `None` where it is no JSON object.
    #[must_use]
    pub fn of(body: &'a [u8]) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let fields = serde::Deserializer::deserialize_map(&mut reader, Reading).ok()?;
        reader.end().ok()?;
        Some(fields)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A field's value, where it is a string. Of two fields of one name the last counts, as with every provider.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// Whether a field is `true`.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| value.get() == "true")
    }

    /// The values of every field of a name, in whatever case it is written; `None` where one is of another kind.
    #[must_use]
    pub fn all<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<Vec<T>> {
        let fields = self.0.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| serde_json::from_str(value.get()).ok()).collect()
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(field, _)| field == name).map(|(_, value)| *value)
    }

    /// The object with another model and without our own field, every other byte of its values as it came.
    #[must_use]
    pub fn rewritten(&self, model: &str, without: Option<&str>) -> Bytes {
        let model = serde_json::Value::from(model).to_string();
        let kept = self.0.iter().filter(|(name, _)| Some(name.as_str()) != without);
        let fields = kept.map(|(name, value)| {
            let value = if name == "model" { &model } else { value.get() };
            format!("{}:{value}", serde_json::Value::from(name.as_str()))
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(",")).into()
    }
}

/// Reads an object without building anything of it.
struct Reading;

impl<'de> serde::de::Visitor<'de> for Reading {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// Puts another model into a body where the old one stands, and changes nothing else: white space, numbers and unknown
/// fields stay as they came.
#[must_use]
pub fn with_model(body: &Bytes, model: &str) -> Option<Bytes> {
    let fields = Fields::of(body)?;
    let old = fields.raw("model")?.get();
    // The value borrows from the body, so their distance is where it stands.
    let at = old.as_ptr() as usize - body.as_ptr() as usize;
    let new = serde_json::Value::from(model).to_string();
    let parts = [&body[..at], new.as_bytes(), &body[at + old.len()..]];
    Some(parts.concat().into())
}

/// The model that a multipart form names in its field of that name.
#[must_use]
pub fn model_of_form(body: &[u8]) -> Option<&str> {
    let at = memmem::find(body, b"name=\"model\"\r\n\r\n")? + b"name=\"model\"\r\n\r\n".len();
    let end = memmem::find(&body[at..], b"\r\n")?;
    std::str::from_utf8(&body[at..at + end]).ok().filter(|model| !model.is_empty() && model.len() < 256)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fields, model_of_form, with_model};

    #[test]
    fn only_the_model_changes_and_every_other_byte_stays() {
        let body = " {\"temperature\" : 1.50, \"model\":\t\"gpt-\\u0034\", \"x\": [1e400, {\"model\": \"inner\"}]}\n";
        let changed = with_model(&body.to_owned().into(), "o\"3").unwrap();
        assert_eq!(
            changed,
            " {\"temperature\" : 1.50, \"model\":\t\"o\\\"3\", \"x\": [1e400, {\"model\": \"inner\"}]}\n"
        );
    }

    #[test]
    fn fields_are_found_at_the_top_and_nowhere_else() {
        let body =
            br#"{"input": {"model": "inner"}, "model": "outer", "stream": true, "provider": {"order": []}}"#;
        let fields = Fields::of(body).unwrap();
        assert_eq!(fields.text("model").as_deref(), Some("outer"));
        assert!(fields.is_true("stream"));
        assert_eq!(fields.text("provider"), None, "an object is OpenRouter's own, not ours");
        for body in [&b"[1]"[..], b"{", b"{} x", b"", b"\xff"] {
            assert!(Fields::of(body).is_none(), "{body:?}");
        }
    }

    #[test]
    fn our_own_field_is_taken_out() {
        let fields = Fields::of(br#"{"provider":"openai","model":"a","n":1.0}"#).unwrap();
        assert_eq!(fields.rewritten("b", Some("provider")), r#"{"model":"b","n":1.0}"#);
    }

    #[test]
    fn a_form_s_model_is_found() {
        let form = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--x--\r\n";
        assert_eq!(model_of_form(form.as_bytes()), Some("whisper-1"));
        assert_eq!(model_of_form(b"--x\r\n"), None);
    }

    proptest! {
        #[test]
        fn a_changed_model_is_read_back(model in ".{0,20}", other in ".{0,20}") {
            let body = serde_json::json!({ "a": other, "model": "x", "b": [1, 2] }).to_string();
            let changed = with_model(&body.into(), &model).unwrap();
            prop_assert_eq!(Fields::of(&changed).unwrap().text("model"), Some(model));
        }
    }
}
