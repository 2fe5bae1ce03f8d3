//! JSON schemas for `responseJsonSchema`, which takes a part of the language and refuses the rest.

use serde_json::{Map, Value};

/// What Google's reference lists as supported.
const KEPT: &[&str] = &[
    "$id",
    "$defs",
    "$ref",
    "$anchor",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "properties",
    "additionalProperties",
    "required",
    "propertyOrdering",
];

/// The schema with what Gemini takes of it.
pub(super) fn supported(schema: Value) -> Value {
    let Value::Object(map) = schema else { return schema };
    let map = rewritten(map);
    let referring = map.contains_key("$ref");
    // Beside a reference only what begins with a dollar sign may stand.
    let kept = |name: &str| KEPT.contains(&name) && (!referring || name.starts_with('$'));
    let parts = map.into_iter().filter(|(name, _)| kept(name));
    Value::Object(parts.map(|(name, value)| part(name, value)).collect())
}

/// Says in other words what can be said in other words.
fn rewritten(mut map: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(definitions)) = map.shift_remove("definitions") {
        map.entry("$defs").or_insert_with(|| Value::Object(definitions));
    }
    // An enum may hold strings and numbers only.
    if let Some(only @ (Value::String(_) | Value::Number(_))) = map.shift_remove("const") {
        map.entry("enum").or_insert_with(|| Value::Array(vec![only]));
    }
    // Pydantic writes `allOf` around a lone reference, to have a description beside it.
    if let Some(Value::Array(all)) = map.shift_remove("allOf")
        && let Ok([Value::Object(lone)]) = <[Value; 1]>::try_from(all)
    {
        lone.into_iter().for_each(|(name, value)| _ = map.entry(name).or_insert(value));
    }
    map
}

fn part(name: String, value: Value) -> (String, Value) {
    let value = match (name.as_str(), value) {
        ("properties" | "$defs", Value::Object(map)) => {
            Value::Object(map.into_iter().map(|(name, schema)| (name, supported(schema))).collect())
        }
        ("anyOf" | "oneOf" | "prefixItems", Value::Array(list)) => {
            Value::Array(list.into_iter().map(supported).collect())
        }
        ("items" | "additionalProperties", schema) => supported(schema),
        ("$ref", Value::String(target)) => Value::String(target.replacen("#/definitions/", "#/$defs/", 1)),
        (_, value) => value,
    };
    (name, value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::supported;

    fn check(schema: Value, expected: &Value) {
        let said = schema.to_string();
        assert_eq!(&supported(schema), expected, "{said}");
    }

    #[test]
    fn what_is_supported_stays_untouched() {
        let schema = json!({
            "type": "object",
            "$defs": {"city": {"type": ["string", "null"], "title": "City"}},
            "properties": {
                "pattern": {"$ref": "#/$defs/city"},
                "count": {"type": "integer", "minimum": 1, "maximum": 9007199254740993_u64},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            },
            "required": ["pattern"],
            "additionalProperties": false,
        });
        check(schema.clone(), &schema);
    }

    #[test]
    fn what_is_not_supported_is_left_out_but_never_a_property() {
        check(
            json!({"$schema": "x", "type": "object", "strict": true, "properties": {
                "const": {"type": "string", "pattern": "^a", "minLength": 1},
                "$schema": {"type": "number", "exclusiveMinimum": 0},
            }}),
            &json!({"type": "object", "properties": {"const": {"type": "string"}, "$schema": {"type": "number"}}}),
        );
    }

    #[test]
    fn what_can_be_said_otherwise_is() {
        check(json!({"const": "a"}), &json!({"enum": ["a"]}));
        check(json!({"type": "boolean", "const": true}), &json!({"type": "boolean"}));
        check(
            json!({"definitions": {"a": {"const": 1}}, "properties": {"b": {"$ref": "#/definitions/a"}}}),
            &json!({"properties": {"b": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"enum": [1]}}}),
        );
        check(json!({"description": "d", "allOf": [{"$ref": "#/$defs/a"}]}), &json!({"$ref": "#/$defs/a"}));
        check(json!({"$ref": "#/$defs/a", "description": "d"}), &json!({"$ref": "#/$defs/a"}));
        check(
            json!({"items": true, "anyOf": [{"not": {}}, {"type": "null"}]}),
            &json!({"items": true, "anyOf": [{}, {"type": "null"}]}),
        );
    }
}
