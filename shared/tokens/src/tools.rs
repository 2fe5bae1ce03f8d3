//! What the description of tools costs in a prompt.
//!
//! OpenAI does not say how it writes tools into the prompt. Its cookbook ("How to count tokens with tiktoken", section 7)
//! gives prices that fit flat parameters; nested ones are counted here like further parameters. It is an estimate always.

use serde_json::{Map, Value};

use crate::{Count, Encoding, Reader};

/// For the first parameter, for each, and for each value of an enum, the first of which is free.
const PARAMETERS: u64 = 3;
const PARAMETER: u64 = 3;
const CHOICE: u64 = 3;
/// Once, for all tools together.
const END: u64 = 12;

/// The tokens of `tools`, or of their predecessor `functions`.
pub(crate) fn count(reader: &Reader<'_>, tools: &[Value]) -> Count {
    if tools.is_empty() {
        return Count::exact(0);
    }
    tools.iter().fold(Count::estimate(END), |total, tool| total + one(reader, tool))
}

fn one(reader: &Reader<'_>, tool: &Value) -> Count {
    let function = tool.get("function").unwrap_or(tool);
    let line = format!("{}:{}", text(function, "name"), description(function));
    let schema = function.get("parameters").unwrap_or(&Value::Null);
    Count::exact(begin(reader.family.encoding)) + reader.text(&line) + parameters(reader, schema)
}

/// For each function.
fn begin(encoding: Encoding) -> u64 {
    match encoding {
        Encoding::O200k => 7,
        Encoding::Cl100k => 10,
    }
}

/// The properties of an object, or of what an array holds.
fn parameters(reader: &Reader<'_>, schema: &Value) -> Count {
    let items = schema.get("items").map_or(Count::exact(0), |items| parameters(reader, items));
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) if !properties.is_empty() => items + named(reader, properties),
        _ => items,
    }
}

fn named(reader: &Reader<'_>, properties: &Map<String, Value>) -> Count {
    properties.iter().fold(Count::exact(PARAMETERS), |total, (name, schema)| {
        let line = format!("{name}:{}:{}", text(schema, "type"), description(schema));
        let choices =
            schema.get("enum").and_then(Value::as_array).map_or(Count::exact(0), |all| choices(reader, all));
        total + Count::exact(PARAMETER) + reader.text(&line) + choices + parameters(reader, schema)
    })
}

fn choices(reader: &Reader<'_>, all: &[Value]) -> Count {
    let prices = CHOICE * (all.len() as u64).saturating_sub(1);
    all.iter().fold(Count::exact(prices), |total, choice| {
        total + choice.as_str().map_or_else(|| reader.text(&choice.to_string()), |choice| reader.text(choice))
    })
}

/// The full stop at its end is not written into the prompt.
fn description(value: &Value) -> &str {
    let text = text(value, "description");
    text.strip_suffix('.').unwrap_or(text)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
