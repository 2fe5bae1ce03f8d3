//! Google's own schemas (`type: "STRING"`, `nullable`) as JSON schemas.

use serde_json::{Map, Value, json};

/// Numbers that Google writes as text, as it does with all 64-bit ones.
const COUNTS: &[&str] = &["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// The schema as everyone else writes it.
pub(super) fn common(schema: Value) -> Value {
    let Value::Object(map) = schema else { return schema };
    let mut nullable = false;
    let mut common = Map::new();
    for (name, value) in map {
        match (our_name(&name), value) {
            ("nullable", value) => nullable = value == true,
            // Words that only Google reads.
            ("propertyOrdering" | "example", _) => {}
            ("format", value) if value == "enum" => {}
            ("type", value) if value == "TYPE_UNSPECIFIED" => {}
            (name, value) => _ = common.insert(name.to_owned(), keyword(name, value)),
        }
    }
    if nullable {
        allow_null(&mut common);
    }
    Value::Object(common)
}

/// Google reads both spellings, and has no dollar signs.
fn our_name(name: &str) -> &str {
    match name {
        "any_of" => "anyOf",
        "one_of" => "oneOf",
        "prefix_items" => "prefixItems",
        "additional_properties" => "additionalProperties",
        "property_ordering" => "propertyOrdering",
        "min_items" => "minItems",
        "max_items" => "maxItems",
        "min_length" => "minLength",
        "max_length" => "maxLength",
        "min_properties" => "minProperties",
        "max_properties" => "maxProperties",
        "defs" => "$defs",
        "ref" => "$ref",
        other => other,
    }
}

fn keyword(name: &str, value: Value) -> Value {
    match (name, value) {
        ("type", Value::String(kind)) => Value::String(kind.to_ascii_lowercase()),
        ("properties" | "$defs", Value::Object(map)) => {
            Value::Object(map.into_iter().map(|(name, schema)| (name, common(schema))).collect())
        }
        ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => {
            Value::Array(list.into_iter().map(common).collect())
        }
        ("items" | "additionalProperties", schema) => common(schema),
        ("$ref", Value::String(target)) => Value::String(target.replacen("#/defs/", "#/$defs/", 1)),
        (name, Value::String(count)) if COUNTS.contains(&name) => {
            count.parse::<u64>().map_or(Value::String(count), Value::from)
        }
        (_, value) => value,
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(list)) = schema.get_mut("enum") {
        list.push(Value::Null);
    }
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    } else if let Some(Value::Array(list)) = schema.get_mut("anyOf") {
        list.push(json!({ "type": "null" }));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::common;

    fn check(schema: Value, expected: &Value) {
        let said = schema.to_string();
        assert_eq!(&common(schema), expected, "{said}");
    }

    #[test]
    fn googles_schema_becomes_a_json_schema() {
        check(
            json!({
                "type": "OBJECT",
                "properties": {
                    "type": {"type": "STRING", "format": "enum", "enum": ["OBJECT", "STRING"]},
                    "tags": {"type": "ARRAY", "items": {"type": "NUMBER", "format": "float"}, "minItems": "1"},
                    "nullable": {"type": "STRING", "nullable": true},
                },
                "required": ["type"],
                "propertyOrdering": ["type", "tags"],
            }),
            &json!({
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": ["OBJECT", "STRING"]},
                    "tags": {"type": "array", "items": {"type": "number", "format": "float"}, "minItems": 1},
                    "nullable": {"type": ["string", "null"]},
                },
                "required": ["type"],
            }),
        );
    }

    #[test]
    fn null_is_allowed_in_every_form_of_schema() {
        check(
            json!({"any_of": [{"type": "INTEGER"}], "nullable": true}),
            &json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        );
        check(
            json!({"type": "STRING", "enum": ["a"], "nullable": true}),
            &json!({"type": ["string", "null"], "enum": ["a", null]}),
        );
        check(json!({"type": "STRING", "nullable": false}), &json!({"type": "string"}));
        check(json!({"type": "TYPE_UNSPECIFIED", "min_items": "x"}), &json!({"minItems": "x"}));
        check(
            json!({"ref": "#/defs/a", "defs": {"a": {"type": "STRING"}}}),
            &json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}),
        );
    }
}
