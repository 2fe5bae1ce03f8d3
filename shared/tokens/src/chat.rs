//! What a whole chat request costs before the answer: messages, images and tools.

use serde_json::{Map, Value};

use crate::images::{self, Detail};
use crate::size::Size;
use crate::{Count, Reader, tools};

/// OpenAI's cookbook, "How to count tokens with tiktoken", section 6: for each message, for a name in it, and for the
/// beginning of the reply.
const MESSAGE: u64 = 3;
const NAME: u64 = 1;
const REPLY: u64 = 3;

pub(crate) fn count(reader: &Reader<'_>, chat: &Value) -> Count {
    let reply = Count { tokens: REPLY, exact: reader.family.exact_messages };
    let messages = list(chat, "messages").iter().map(|it| message(reader, it));
    let described = ["tools", "functions"].iter().map(|key| tools::count(reader, list(chat, key)));
    messages.chain(described).fold(reply, |total, part| total + part) + answer_format(reader, chat)
}

fn message(reader: &Reader<'_>, message: &Value) -> Count {
    let fields = message.as_object().into_iter().flatten();
    fields.fold(Count::exact(MESSAGE), |total, (key, value)| total + field(reader, key, value))
}

fn field(reader: &Reader<'_>, key: &str, value: &Value) -> Count {
    match (key, value) {
        (_, Value::Null) => Count::exact(0),
        ("name", Value::String(name)) => Count::exact(NAME) + reader.text(name),
        ("role", Value::String(role)) => reader.text(role),
        ("content", content) => self::content(reader, content),
        ("tool_call_id", _) => Count::estimate(0),
        ("tool_calls", Value::Array(calls)) => total(calls.iter().map(|call| tool_call(reader, call))),
        ("function_call", call) => called(reader, call),
        (_, other) => json(reader, other),
    }
}

/// How a call is written into the prompt is not published; its name and arguments are the most of it.
fn tool_call(reader: &Reader<'_>, call: &Value) -> Count {
    ["function", "custom"]
        .iter()
        .filter_map(|kind| call.get(kind))
        .fold(Count::estimate(0), |total, call| total + called(reader, call))
}

fn called(reader: &Reader<'_>, call: &Value) -> Count {
    ["name", "arguments", "input"]
        .iter()
        .filter_map(|key| call.get(key))
        .fold(Count::estimate(0), |total, text| total + json(reader, text))
}

fn content(reader: &Reader<'_>, content: &Value) -> Count {
    match content {
        Value::String(text) => reader.text(text),
        Value::Array(parts) => {
            total(parts.iter().map(|it| part(reader, it)))
                + Count { exact: parts_add_up(parts), ..Count::exact(0) }
        }
        other => json(reader, other),
    }
}

/// Two texts side by side may share a token, or something between them that is not ours to know.
fn parts_add_up(parts: &[Value]) -> bool {
    parts.iter().filter(|part| part.get("text").is_some()).count() < 2
}

fn part(reader: &Reader<'_>, part: &Value) -> Count {
    match part.as_object() {
        Some(part) if part.contains_key("image_url") => image(reader, part),
        Some(part) => {
            part.get("text").and_then(Value::as_str).map_or(Count::estimate(0), |text| reader.text(text))
        }
        None => json(reader, part),
    }
}

/// `{"image_url": {"url": …, "detail": …}}`, or the URL alone, as the responses API has it.
fn image(reader: &Reader<'_>, part: &Map<String, Value>) -> Count {
    let image = &part["image_url"];
    let url = image.get("url").unwrap_or(image).as_str().unwrap_or_default();
    let detail = image.get("detail").or_else(|| part.get("detail")).and_then(Value::as_str);
    let size = Size::of_data_url(url);
    let tokens = images::count(reader.model, size, Detail::named(detail));
    Count { tokens, exact: size.is_some() && images::is_exact(reader.model) }
}

/// A schema for the answer is told to the model as well; in which words is not published.
fn answer_format(reader: &Reader<'_>, chat: &Value) -> Count {
    chat.pointer("/response_format/json_schema").map_or(Count::exact(0), |schema| json(reader, schema))
}

/// The text of a string, or of any other value as JSON: an estimate, as nobody says how it is written.
fn json(reader: &Reader<'_>, value: &Value) -> Count {
    let count = value.as_str().map_or_else(|| reader.text(&value.to_string()), |text| reader.text(text));
    Count::estimate(count.tokens)
}

fn total(parts: impl Iterator<Item = Count>) -> Count {
    parts.fold(Count::exact(0), |total, part| total + part)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
