//! Writes a conversation as one text.

use serde_json::{Map, Value};

use crate::target::Refusal;

/// The whole history, each message under its speaker's name.
pub(super) fn write(chat: &Map<String, Value>) -> Result<String, Refusal> {
    let mut prompt = String::new();
    let messages = chat.get("messages").and_then(Value::as_array).into_iter().flatten();
    for (at, message) in messages.enumerate() {
        let path = format!("messages[{at}]");
        let text = said(message, &path)?;
        if !text.is_empty() {
            prompt.push_str(&format!("{}: {text}\n\n", speaker(message, &path)?));
        }
    }
    if let Some(format) = format_in_words(chat.get("response_format")) {
        prompt.push_str(&format!("System: {format}\n\n"));
    }
    if prompt.is_empty() {
        return Err(Refusal::of("messages", "invalid_value", "The messages have no text."));
    }
    Ok(prompt)
}

fn speaker(message: &Value, path: &str) -> Result<&'static str, Refusal> {
    match message["role"].as_str().unwrap_or_default() {
        "system" | "developer" => Ok("System"),
        "user" => Ok("Human"),
        "assistant" => Ok("Assistant"),
        "tool" | "function" => Ok("Tool"),
        other => {
            let message = format!("There is no role `{other}`.");
            Err(Refusal::of(format!("{path}.role"), "invalid_value", message))
        }
    }
}

fn said(message: &Value, path: &str) -> Result<String, Refusal> {
    let mut text = match &message["content"] {
        Value::Null => message["refusal"].as_str().unwrap_or_default().to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(parts) => of_parts(parts, path)?,
        _ => {
            let message = "`content` must be a string or a list of parts.";
            return Err(Refusal::of(format!("{path}.content"), "invalid_value", message));
        }
    };
    // Calls of an earlier turn, by another provider: without them their results make no sense.
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let (name, arguments) = (&call["function"]["name"], &call["function"]["arguments"]);
        let written = format!("[calls {} with {}]", plain(name), plain(arguments));
        text = if text.is_empty() { written } else { format!("{text}\n{written}") };
    }
    Ok(text)
}

fn of_parts(parts: &[Value], path: &str) -> Result<String, Refusal> {
    let mut texts = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        match part["type"].as_str().unwrap_or_default() {
            "text" => texts.push(plain(&part["text"])),
            "refusal" => texts.push(plain(&part["refusal"])),
            // Attached, and not part of the text.
            "image_url" => {}
            other => {
                let message = format!("1min.ai takes text and images, not content of type `{other}`.");
                return Err(Refusal::of(
                    format!("{path}.content[{at}]"),
                    "unsupported_content_part",
                    message,
                ));
            }
        }
    }
    Ok(texts.join("\n"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn format_in_words(format: Option<&Value>) -> Option<String> {
    let format = format?;
    match format["type"].as_str()? {
        "json_object" => Some("Respond with one JSON object and nothing else.".to_owned()),
        "json_schema" => {
            let schema = &format["json_schema"]["schema"];
            Some(format!(
                "Respond with one JSON object and nothing else. It must fit this JSON schema: {schema}"
            ))
        }
        _ => None,
    }
}
