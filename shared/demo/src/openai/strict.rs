//! Refuses what the real provider refuses, so that a gateway cannot get away with sending it.
//!
//! A conversation that makes no sense is refused in any flavour; everything else depends on the provider, and
//! on the model where its name says what it cannot do.

use http::StatusCode;
use serde_json::Value;

use crate::error::Refusal;
use crate::flavour::Flavour;
use crate::prompt::list;
use crate::signature;

/// OpenAI takes no more stop sequences than this.
const MOST_STOPS: usize = 4;

/// What Mistral's chat endpoint knows; everything else is an extra input.
const MISTRAL_KNOWS: [&str; 21] = [
    "frequency_penalty",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_mode",
    "random_seed",
    "reasoning_effort",
    "response_format",
    "safe_prompt",
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
];

/// What Groq answers 400 to (console.groq.com/docs/openai).
const GROQ_REFUSES: [&str; 3] = ["logit_bias", "logprobs", "top_logprobs"];
/// What xAI's reasoning models refuse.
const XAI_REFUSES: [&str; 3] = ["frequency_penalty", "presence_penalty", "stop"];

/// Whether a provider thinks before it answers unless told not to.
pub(crate) fn thinks_unasked(flavour: Flavour) -> bool {
    flavour == Flavour::DeepSeek
}

/// Azure's answer to a question its filter does not like.
pub(crate) fn filtered() -> Refusal {
    let message = "The response was filtered due to the prompt triggering Azure OpenAI's content management \
         policy.";
    Refusal::bad_request(message).about("prompt").with_code("content_filter")
}

pub(crate) fn check(body: &Value, flavour: Flavour) -> Result<(), Refusal> {
    let messages = list(&body["messages"]);
    answered_calls(messages)?;
    match flavour {
        Flavour::Plain => old_limit(body),
        Flavour::OpenAi | Flavour::Azure => openai(body, messages),
        Flavour::Groq => groq(body, messages),
        Flavour::Mistral => mistral(body, messages),
        Flavour::DeepSeek => deepseek(body, messages),
        Flavour::GeminiCompat => gemini(body, messages),
        Flavour::Xai => {
            refused(body, &XAI_REFUSES, |name| format!("Argument not supported on this model: {name}"))
        }
        _ => Ok(()),
    }
}

/// Every call is answered by the messages right behind it, and nothing else is.
fn answered_calls(messages: &[Value]) -> Result<(), Refusal> {
    let mut open: Vec<&str> = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            let at = open.iter().position(|open| *open == id).ok_or_else(|| stray_result(i))?;
            open.remove(at);
            continue;
        }
        unanswered(&open, i)?;
        open = list(&message["tool_calls"]).iter().filter_map(|call| call["id"].as_str()).collect();
    }
    unanswered(&open, messages.len())
}

fn stray_result(i: usize) -> Refusal {
    let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding \
         message with 'tool_calls'.";
    Refusal::bad_request(message).about(format!("messages.[{i}].role"))
}

fn unanswered(open: &[&str], i: usize) -> Result<(), Refusal> {
    if open.is_empty() {
        return Ok(());
    }
    Err(Refusal::bad_request(format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
         'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    ))
    .about(format!("messages.[{i}].role")))
}

/// Models that reason do not know the limit by its old name.
fn old_limit(body: &Value) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    let reasons = ["gpt-5", "o1", "o3", "o4"].iter().any(|family| model.starts_with(family));
    if reasons && body.get("max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.";
        return Err(Refusal::bad_request(message).about("max_tokens").with_code("unsupported_parameter"));
    }
    Ok(())
}

fn openai(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    old_limit(body)?;
    if list(&body["stop"]).len() > MOST_STOPS {
        let message =
            format!("Invalid 'stop': array too long. Expected an array with maximum length {MOST_STOPS}.");
        return Err(Refusal::bad_request(message).about("stop").with_code("array_above_max_length"));
    }
    says_json(body, messages)?;
    strict_schema(&body["response_format"]["json_schema"])
}

fn says_json(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    let wanted = body["response_format"]["type"] == "json_object";
    let said =
        || messages.iter().any(|message| message["content"].to_string().to_lowercase().contains("json"));
    if wanted && !said() {
        let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of \
             type 'json_object'.";
        return Err(Refusal::bad_request(message).about("messages"));
    }
    Ok(())
}

/// A schema that is to be followed strictly closes its objects and requires all of their properties.
fn strict_schema(format: &Value) -> Result<(), Refusal> {
    let open = |schema: &Value| {
        let all = schema["properties"].as_object().map_or(0, serde_json::Map::len);
        schema["additionalProperties"] != false || list(&schema["required"]).len() != all
    };
    if format["strict"] == true && any_object(&format["schema"], &open) {
        let message = "Invalid schema for response_format: 'additionalProperties' is required to be \
             supplied and to be false, and 'required' to include every key in properties.";
        return Err(Refusal::bad_request(message).about("response_format"));
    }
    Ok(())
}

/// Whether any object schema, however deep, is so.
pub(crate) fn any_object(schema: &Value, so: &dyn Fn(&Value) -> bool) -> bool {
    match schema {
        Value::Object(fields) => {
            (schema["type"] == "object" && so(schema)) || fields.values().any(|inner| any_object(inner, so))
        }
        Value::Array(items) => items.iter().any(|inner| any_object(inner, so)),
        _ => false,
    }
}

fn refused(body: &Value, names: &[&str], word: impl Fn(&str) -> String) -> Result<(), Refusal> {
    match names.iter().find(|name| body.get(**name).is_some_and(|value| !value.is_null())) {
        Some(name) => Err(Refusal::bad_request(word(name)).about(*name)),
        None => Ok(()),
    }
}

fn groq(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    refused(body, &GROQ_REFUSES, |name| format!("property '{name}' is unsupported"))?;
    if body["n"].as_u64().is_some_and(|n| n > 1) {
        return Err(Refusal::bad_request("'n' : number must be at most 1").about("n"));
    }
    if let Some(i) = messages.iter().position(|message| message.get("name").is_some()) {
        let message = format!("'messages.{i}' : property 'name' is unsupported");
        return Err(Refusal::bad_request(message).about(format!("messages.{i}.name")));
    }
    says_json(body, messages)
}

fn mistral(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    let known = |name: &str| MISTRAL_KNOWS.contains(&name);
    if let Some(name) = body.as_object().and_then(|body| body.keys().find(|name| !known(name))) {
        return Err(extra(format!("body.{name}")));
    }
    let extras = ["name", "refusal", "reasoning_content", "reasoning", "reasoning_details"];
    for (i, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        let found = extras.iter().find(|name| message.get(**name).is_some());
        // A tool's message is the one that may have a name.
        if let Some(name) = found.filter(|name| **name != "name" || role != "tool") {
            return Err(extra(format!("body.messages.{i}.{role}.{name}")));
        }
    }
    Ok(())
}

fn extra(place: String) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "Extra inputs are not permitted").about(place)
}

/// In thinking mode, which is the usual one, a turn that called tools must come back with its thoughts.
fn deepseek(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    let thoughtless = |message: &Value| {
        !list(&message["tool_calls"]).is_empty() && !message["reasoning_content"].is_string()
    };
    if body["thinking"]["type"] != "disabled" && messages.iter().any(thoughtless) {
        let message = "The `reasoning_content` in the thinking mode must be passed back to the API.";
        return Err(Refusal::bad_request(message).with_code("invalid_request_error"));
    }
    Ok(())
}

/// Gemini 3 wants its signature back on the first of the calls of a turn, in the old dialect as in its own.
fn gemini(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    if !body["model"]
        .as_str()
        .is_some_and(|model| model.trim_start_matches("models/").starts_with("gemini-3"))
    {
        return Ok(());
    }
    let unsigned = messages.iter().filter_map(|message| list(&message["tool_calls"]).first()).find(|call| {
        let name = call["function"]["name"].as_str().unwrap_or_default();
        let sent = call.pointer("/extra_content/google/thought_signature").and_then(Value::as_str);
        !sent.is_some_and(|sent| sent == signature::SKIP || signature::holds(name, sent))
    });
    unsigned.map_or(Ok(()), |call| Err(signature::missing(&call["function"]["name"])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_with(flavour: Flavour, more: &Value) -> Result<(), String> {
        let mut body = json!({"model": "demo", "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        check(&body, flavour).map_err(|refusal| refusal.message)
    }

    #[test]
    fn each_flavour_refuses_its_own() {
        for (flavour, more) in [
            (Flavour::Groq, json!({"logit_bias": {}})),
            (Flavour::Groq, json!({"n": 2})),
            (Flavour::Groq, json!({"messages": [{"role": "user", "content": "hi", "name": "me"}]})),
            (Flavour::Groq, json!({"response_format": {"type": "json_object"}})),
            (Flavour::Mistral, json!({"max_completion_tokens": 5})),
            (Flavour::Mistral, json!({"messages": [{"role": "assistant", "reasoning_content": ""}]})),
            (Flavour::Xai, json!({"stop": ["x"]})),
            (Flavour::OpenAi, json!({"stop": ["1", "2", "3", "4", "5"]})),
            (
                Flavour::OpenAi,
                json!({"response_format": {"json_schema": {"strict": true, "schema": {"type": "object"}}}}),
            ),
        ] {
            assert!(check_with(flavour, &more).is_err(), "{flavour:?} {more}");
            assert_eq!(check_with(Flavour::Plain, &more), Ok(()));
        }
    }

    #[test]
    fn a_model_that_reasons_does_not_know_the_old_limit() {
        for flavour in [Flavour::Plain, Flavour::OpenAi, Flavour::Azure] {
            assert!(check_with(flavour, &json!({"model": "gpt-5-mini", "max_tokens": 5})).is_err());
            assert_eq!(check_with(flavour, &json!({"model": "gpt-4o", "max_tokens": 5})), Ok(()));
        }
    }

    fn conversation(call: &Value, results: &[&str]) -> Value {
        let results = results.iter().map(|id| json!({"role": "tool", "tool_call_id": id, "content": "1"}));
        let opening = [
            json!({"role": "user", "content": "hi"}),
            json!({"role": "assistant", "content": null, "tool_calls": [call]}),
        ];
        json!({"model": "gemini-3-pro", "messages": opening.into_iter().chain(results).collect::<Value>()})
    }

    #[test]
    fn calls_and_results_have_to_match() {
        let call = json!({"id": "a", "function": {"name": "f"}});
        let with = |results: &[&str]| check_with(Flavour::Plain, &conversation(&call, results));
        assert_eq!(with(&["a"]), Ok(()));
        assert!(with(&[]).unwrap_err().contains("must be followed by"));
        assert!(with(&["b"]).unwrap_err().contains("preceeding"));
        assert!(with(&["a", "a"]).is_err());
    }

    #[test]
    fn thoughts_have_to_come_back_where_they_are_wanted() {
        let mut call = json!({"id": "a", "function": {"name": "f"}});
        assert!(check_with(Flavour::DeepSeek, &conversation(&call, &["a"])).is_err());
        assert!(check_with(Flavour::GeminiCompat, &conversation(&call, &["a"])).is_err());
        call["extra_content"] = json!({"google": {"thought_signature": signature::of("f")}});
        assert_eq!(check_with(Flavour::GeminiCompat, &conversation(&call, &["a"])), Ok(()));
        let mut echoed = conversation(&call, &["a"]);
        echoed["messages"][1]["reasoning_content"] = json!("hm");
        assert_eq!(check_with(Flavour::DeepSeek, &echoed), Ok(()));
    }
}
