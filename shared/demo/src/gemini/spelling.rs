//! Reads a field in either spelling: protocol buffers accept `topP` and `top_p`, and Google's own SDK sends both.

use serde_json::{Map, Value};

/// What is below these is the caller's own, and stays as it is spelt.
const OWN: [&str; 7] =
    ["args", "default", "example", "labels", "parametersJsonSchema", "response", "responseJsonSchema"];

/// The same value with the names of its fields in camel case.
pub(super) fn camel(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(field).collect()),
        Value::Array(items) => items.into_iter().map(camel).collect(),
        other => other,
    }
}

fn field((name, value): (String, Value)) -> (String, Value) {
    let name = camel_name(&name);
    let value = match value {
        own if OWN.contains(&name.as_str()) => own,
        // The names in a schema are the caller's, what they stand for is not.
        Value::Object(properties) if name == "properties" => {
            let kept = properties.into_iter().map(|(name, schema)| (name, camel(schema)));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        other => camel(other),
    };
    (name, value)
}

fn camel_name(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        name + &head.to_uppercase() + tail
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(sent: Value, read: &Value) {
        assert_eq!(&camel(sent), read);
    }

    #[test]
    fn both_spellings_are_one_and_the_callers_own_words_are_kept() {
        check(json!({"top_p": 1, "topK": 2}), &json!({"topP": 1, "topK": 2}));
        check(
            json!({"parts": [{"inline_data": {"mime_type": "a_b"}}]}),
            &json!({"parts": [{"inlineData": {"mimeType": "a_b"}}]}),
        );
        check(json!({"function_call": {"args": {"a_b": 1}}}), &json!({"functionCall": {"args": {"a_b": 1}}}));
        let schema = json!({"properties": {"a_b": {"any_of": []}}});
        check(
            json!({"response_schema": schema}),
            &json!({"responseSchema": {"properties": {"a_b": {"anyOf": []}}}}),
        );
        check(json!({"parameters_json_schema": schema}), &json!({"parametersJsonSchema": schema}));
    }
}
