//! A chat completion as Gemini's response.

use serde_json::{Value, json};

use super::response::{call_part, candidate, finish_reason, response, spoken_parts};
use crate::asked::Asked;
use crate::chat::Usage;

/// Translates a chat completion.
#[must_use]
pub fn reply(mut completion: Value, asked: &Asked) -> Value {
    let choices = match completion.get_mut("choices").map(Value::take) {
        Some(Value::Array(choices)) => choices,
        _ => Vec::new(),
    };
    let numbered = choices.into_iter().enumerate();
    let candidates = numbered.map(|(at, choice)| read_choice(at, choice, asked)).collect();
    let usage = completion.get("usage").and_then(Usage::read);
    let model = completion["model"].as_str().unwrap_or(&asked.model);
    let id = completion["id"].as_str().unwrap_or(&asked.id);
    response(candidates, usage.as_ref(), model, id)
}

/// The reply of `:countTokens`.
#[must_use]
pub fn counted(tokens: u64) -> Value {
    json!({ "totalTokens": tokens })
}

fn read_choice(at: usize, mut choice: Value, asked: &Asked) -> Value {
    let mut parts = Vec::new();
    if let Some(message) = choice.get_mut("message") {
        parts = spoken_parts(message, asked);
        parts.extend(message["tool_calls"].as_array().into_iter().flatten().map(read_call));
        parts.extend(
            message.get("function_call").filter(|call| call.is_object()).map(|call| read_function("", call)),
        );
    }
    let reason = finish_reason(choice["finish_reason"].as_str(), choice["native_finish_reason"].as_str());
    let mut written = candidate(choice["index"].as_u64().unwrap_or(at as u64), parts, Some(reason));
    if let Some(logprobs) = read_logprobs(&choice["logprobs"]["content"]) {
        written["logprobsResult"] = logprobs;
    }
    written
}

fn read_call(call: &Value) -> Value {
    read_function(call["id"].as_str().unwrap_or_default(), &call["function"])
}

fn read_function(id: &str, function: &Value) -> Value {
    let text = |name: &str| function[name].as_str().unwrap_or_default();
    call_part(id, text("name"), text("arguments"))
}

fn read_logprobs(content: &Value) -> Option<Value> {
    let tokens = content.as_array()?;
    let top = tokens.iter().map(|token| {
        let candidates: Value =
            token["top_logprobs"].as_array().into_iter().flatten().map(read_token).collect();
        json!({ "candidates": candidates })
    });
    let chosen: Value = tokens.iter().map(read_token).collect();
    Some(json!({ "topCandidates": top.collect::<Value>(), "chosenCandidates": chosen }))
}

fn read_token(token: &Value) -> Value {
    json!({ "token": token["token"], "logProbability": token["logprob"] })
}
