//! JSON schemas, cut down to what Anthropic's structured outputs take.
//!
//! The rules are those of the official SDK (`lib/_parse/_transform.py` of anthropic 2.11): objects are closed, `oneOf`
//! becomes `anyOf`, and every keyword that is not understood moves into the description, where the model may still
//! follow it. Other than the SDK we keep `definitions` (that a `$ref` may point into), lists of types, and `type`
//! beside `enum` or `anyOf`, all of which the API takes.

use serde_json::{Map, Value};

/// The formats of strings that are understood.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// Rewrites a schema and all schemas in it.
pub(super) fn rewritten(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else { return schema };
    if schema.contains_key("$ref") {
        return Value::Object(reference(schema));
    }
    if !schema.contains_key("anyOf")
        && let Some(variants) = schema.shift_remove("oneOf")
    {
        schema.insert("anyOf".to_owned(), variants);
    }
    let kinds = Kinds::of(&schema);
    let (mut kept, mut rest) = (Map::new(), Vec::new());
    for (keyword, value) in schema {
        match keep(&keyword, value, kinds) {
            Ok(value) => drop(kept.insert(keyword, value)),
            Err(value) => rest.push(format!("{keyword}: {}", written(&value))),
        }
    }
    close(&mut kept, kinds);
    describe(&mut kept, &rest);
    Value::Object(kept)
}

/// Beside a reference nothing but definitions is taken.
fn reference(schema: Map<String, Value>) -> Map<String, Value> {
    let kept = schema.into_iter().filter_map(|(keyword, value)| match keyword.as_str() {
        "$ref" => Some((keyword, value)),
        "$defs" | "definitions" => Some((keyword, each(value))),
        _ => None,
    });
    kept.collect()
}

/// Which types a schema allows, as far as keywords depend on them.
#[derive(Debug, Clone, Copy)]
struct Kinds {
    object: bool,
    array: bool,
    string: bool,
}

impl Kinds {
    fn of(schema: &Map<String, Value>) -> Self {
        let named = |kind: &str| match schema.get("type") {
            Some(Value::String(only)) => only == kind,
            Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
            _ => false,
        };
        Self {
            object: named("object") || schema.contains_key("properties"),
            array: named("array"),
            string: named("string"),
        }
    }
}

/// A keyword's value as it is kept, or as it was where it is not understood.
fn keep(keyword: &str, value: Value, kinds: Kinds) -> Result<Value, Value> {
    match keyword {
        "type" | "title" | "description" => Ok(value),
        "enum" if all_plain(&value) => Ok(value),
        "const" if is_plain(&value) => Ok(value),
        "$defs" | "definitions" => Ok(each(value)),
        "anyOf" | "allOf" if value.is_array() => Ok(each(value)),
        "properties" if kinds.object => Ok(each(value)),
        "required" if kinds.object => Ok(value),
        // A map from any key would be lost without a word otherwise; the plain `true` or `false` is no loss.
        "additionalProperties" if kinds.object && value.is_boolean() => Ok(false.into()),
        "items" if kinds.array => Ok(rewritten(value)),
        "minItems" if kinds.array && matches!(value.as_u64(), Some(0 | 1)) => Ok(value),
        "format" if kinds.string && value.as_str().is_some_and(|format| FORMATS.contains(&format)) => {
            Ok(value)
        }
        _ => Err(value),
    }
}

/// Rewrites each schema of a list or of an object of schemas.
fn each(mut schemas: Value) -> Value {
    match &mut schemas {
        Value::Array(list) => list.iter_mut().for_each(rewrite),
        Value::Object(named) => named.values_mut().for_each(rewrite),
        _ => {}
    }
    schemas
}

fn rewrite(schema: &mut Value) {
    *schema = rewritten(schema.take());
}

/// An object must name its properties and allow no others.
fn close(schema: &mut Map<String, Value>, kinds: Kinds) {
    if kinds.object {
        schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        schema.insert("additionalProperties".to_owned(), false.into());
    }
}

fn describe(schema: &mut Map<String, Value>, rest: &[String]) {
    if rest.is_empty() {
        return;
    }
    let rest = format!("{{{}}}", rest.join(", "));
    let described = match schema.get("description").and_then(Value::as_str) {
        Some(description) => format!("{description}\n\n{rest}"),
        None => rest,
    };
    schema.insert("description".to_owned(), described.into());
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_plain(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn all_plain(values: &Value) -> bool {
    values.as_array().is_some_and(|values| !values.is_empty() && values.iter().all(is_plain))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: &Value, expected: &Value) {
        assert_eq!(rewritten(schema.clone()).to_string(), expected.to_string(), "{schema}");
    }

    #[test]
    fn what_is_not_understood_moves_into_the_description() {
        check(
            &json!({ "type": "integer", "minimum": 1, "maximum": 10, "description": "A number" }),
            &json!({ "type": "integer", "description": "A number\n\n{minimum: 1, maximum: 10}" }),
        );
        check(
            &json!({ "type": "string", "pattern": "^a", "format": "email" }),
            &json!({ "type": "string", "format": "email", "description": "{pattern: ^a}" }),
        );
        check(
            &json!({ "type": "string", "format": "color" }),
            &json!({ "type": "string", "description": "{format: color}" }),
        );
        check(
            &json!({ "type": "array", "items": { "type": "number", "minimum": 0.10 }, "minItems": 2 }),
            &json!({
                "type": "array",
                "items": { "type": "number", "description": "{minimum: 0.1}" },
                "description": "{minItems: 2}",
            }),
        );
        check(&json!({ "type": "array", "minItems": 1 }), &json!({ "type": "array", "minItems": 1 }));
    }

    #[test]
    fn objects_are_closed_wherever_they_stand() {
        let open =
            json!({ "type": "object", "properties": { "a": { "type": "object" } }, "required": ["a"] });
        let inner = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        let closed = json!({
            "type": "object", "properties": { "a": inner.clone() }, "required": ["a"], "additionalProperties": false,
        });
        check(&open, &closed);
        check(&json!({ "oneOf": [open.clone()] }), &json!({ "anyOf": [closed.clone()] }));
        check(&json!({ "allOf": [open.clone()] }), &json!({ "allOf": [closed.clone()] }));
        check(
            &json!({ "type": ["object", "null"] }),
            &json!({
                "type": ["object", "null"], "properties": {}, "additionalProperties": false,
            }),
        );
        check(
            &json!({ "$ref": "#/$defs/X", "title": "gone", "$defs": { "X": open } }),
            &json!({ "$ref": "#/$defs/X", "$defs": { "X": closed } }),
        );
    }

    #[test]
    fn what_is_understood_stays() {
        for schema in [
            json!({ "type": "string", "enum": ["a", "b"] }),
            json!({ "type": ["string", "null"], "title": "T", "description": "D" }),
            json!({ "const": 7 }),
            json!({ "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/X" }] }),
            json!(true),
        ] {
            check(&schema, &schema);
        }
    }
}
