//! Repairs a whole completion.

use serde_json::{Map, Value, json};

use super::choice::flatten;
use super::tools::{arguments_as_text, made_id};
use super::{fill, finish};
use crate::asked::Asked;

/// Puts a completion right: what must be there is, reasons are OpenAI's, tool calls have ids and arguments in strings.
#[must_use]
pub fn completion(mut body: Value, asked: &Asked) -> Value {
    if !body.is_object() {
        body = json!({});
    }
    if body["id"].as_str().is_none_or(str::is_empty) {
        body["id"] = format!("chatcmpl-{}", asked.id).into();
    }
    body["object"] = "chat.completion".into();
    fill(&mut body, asked);
    let choices = match body["choices"].take() {
        Value::Array(choices) => choices,
        _ => Vec::new(),
    };
    let choices = choices.into_iter().enumerate().map(|(at, choice)| repaired(choice, at, asked));
    body["choices"] = choices.collect();
    body
}

fn repaired(choice: Value, at: usize, asked: &Asked) -> Value {
    let mut choice = if choice.is_object() { choice } else { json!({}) };
    let index = choice["index"].as_u64().unwrap_or(at as u64);
    choice["index"] = index.into();
    let mut message = match choice["message"].take() {
        Value::Object(message) => message,
        _ => Map::new(),
    };
    let called = repair_message(&mut message, index, asked);
    choice["message"] = Value::Object(message);
    if choice["finish_reason"].as_str().is_none_or(str::is_empty) {
        choice["finish_reason"] = "stop".into();
    }
    finish::repair(&mut choice, called);
    choice
}

/// Says whether the message calls tools.
fn repair_message(message: &mut Map<String, Value>, choice: u64, asked: &Asked) -> bool {
    message.entry("role").or_insert_with(|| "assistant".into());
    flatten(message);
    let calls = match message.shift_remove("tool_calls") {
        Some(Value::Array(calls)) => calls,
        _ => Vec::new(),
    };
    let calls: Vec<_> = calls.into_iter().filter(Value::is_object).collect();
    let called = !calls.is_empty();
    if called {
        let calls = calls.into_iter().enumerate().map(|(at, call)| repaired_call(call, choice, at, asked));
        message.insert("tool_calls".to_owned(), calls.collect());
    }
    message.entry("content").or_insert(Value::Null);
    called
}

fn repaired_call(mut call: Value, choice: u64, at: usize, asked: &Asked) -> Value {
    if call["id"].as_str().is_none_or(str::is_empty) {
        call["id"] = made_id(&asked.id, choice, at).into();
    }
    call["type"] = "function".into();
    match call["function"].as_object_mut() {
        Some(function) => {
            arguments_as_text(function);
            function.entry("arguments").or_insert_with(|| "".into());
        }
        None => call["function"] = json!({ "name": "", "arguments": "" }),
    }
    call
}
