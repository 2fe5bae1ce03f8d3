//! Makes the smallest JSON value a JSON Schema is content with, for want of a model with a better idea.

use serde_json::{Map, Value, json};

/// References and nesting are followed this deep, so that a schema that contains itself ends.
const DEEPEST: usize = 12;

/// A minimal instance of `schema`; what the demo does not understand it leaves out.
pub(crate) fn instance(schema: &Value) -> Value {
    Maker { root: schema }.make(schema, 0)
}

struct Maker<'s> {
    root: &'s Value,
}

impl Maker<'_> {
    fn make(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(fixed) = fixed(schema) {
            return fixed;
        }
        if let Some(inner) = self.stand_in(schema) {
            return self.make(inner, depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "string" => string(schema),
            "integer" | "number" => number(schema),
            "boolean" => Value::Bool(true),
            _ => Value::Null,
        }
    }

    /// The schema that is meant instead: behind a reference, or the first of the alternatives.
    fn stand_in<'v>(&'v self, schema: &'v Value) -> Option<&'v Value> {
        if let Some(pointer) = schema["$ref"].as_str() {
            return self.root.pointer(pointer.strip_prefix('#')?);
        }
        ["anyOf", "oneOf", "allOf"].iter().find_map(|word| schema[word].get(0))
    }

    /// Every required property; all of them when none is said to be required.
    fn object(&self, schema: &Value, depth: usize) -> Value {
        let Some(properties) = schema["properties"].as_object() else { return json!({}) };
        let required = schema["required"].as_array();
        let wanted =
            |name: &String| required.is_none_or(|names| names.iter().any(|required| required == name));
        let made = properties.iter().filter(|(name, _)| wanted(name));
        Value::Object(
            made.map(|(name, schema)| (name.clone(), self.make(schema, depth + 1))).collect::<Map<_, _>>(),
        )
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        let items = schema["minItems"].as_u64().unwrap_or(1).min(100);
        (0..items).map(|_| self.make(&schema["items"], depth + 1)).collect()
    }
}

fn fixed(schema: &Value) -> Option<Value> {
    schema.get("const").or_else(|| schema["enum"].get(0)).or_else(|| schema.get("default")).cloned()
}

/// The type in lower case, as Gemini shouts it; guessed from the properties when it is not said.
fn kind(schema: &Value) -> &'static str {
    let said = schema["type"].as_str().or_else(|| schema["type"].get(0)?.as_str());
    let known = ["object", "array", "string", "integer", "number", "boolean"];
    match said {
        Some(said) => known.into_iter().find(|kind| said.eq_ignore_ascii_case(kind)).unwrap_or("null"),
        None if schema.get("properties").is_some() => "object",
        None if schema.get("items").is_some() => "array",
        None => "string",
    }
}

fn string(schema: &Value) -> Value {
    let text = match schema["format"].as_str() {
        Some("date") => "2026-01-01",
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("time") => "00:00:00Z",
        Some("email") => "demo@example.com",
        Some("uri") => "https://example.com/demo",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "demo",
    };
    let shortest = schema["minLength"].as_u64().map_or(0, |length| length.min(10_000) as usize);
    Value::String(format!("{text:.<shortest$}"))
}

fn number(schema: &Value) -> Value {
    let above = schema["exclusiveMinimum"].as_i64().map(|bound| json!(bound + 1));
    let bound = schema.get("minimum").filter(|bound| bound.is_number()).cloned();
    let most = schema.get("maximum").filter(|most| most.as_f64().is_some_and(|most| most < 1.0)).cloned();
    above.or(bound).or(most).unwrap_or_else(|| json!(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &Value, made: &Value) {
        assert_eq!(&instance(schema), made, "{schema}");
    }

    #[test]
    fn every_required_property_is_there_and_of_its_type() {
        let properties = json!({
            "name": {"type": "string"},
            "kind": {"enum": ["b", "a"]},
            "age": {"type": ["integer", "null"], "minimum": 18},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "extra": {"type": "boolean"},
        });
        let schema =
            json!({"type": "object", "properties": properties, "required": ["name", "kind", "age", "tags"]});
        check(&schema, &json!({"name": "demo", "kind": "b", "age": 18, "tags": ["demo", "demo"]}));
    }

    #[test]
    fn references_are_followed_until_they_bite_their_tail() {
        let node =
            json!({"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]});
        let schema = json!({"$ref": "#/$defs/node", "$defs": {"node": node}});
        assert!(instance(&schema)["next"]["next"].is_object());
    }

    #[test]
    fn alternatives_constants_and_geminis_capitals_are_understood() {
        check(&json!({"anyOf": [{"const": 4}, {"type": "null"}]}), &json!(4));
        check(&json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}), &json!({"a": "demo"}));
        check(&json!({"type": "string", "minLength": 6}), &json!("demo.."));
        check(&json!({"type": "number", "exclusiveMinimum": 4}), &json!(5));
    }
}
