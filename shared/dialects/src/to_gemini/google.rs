//! What chat has no word for, in Google's words: `safety_settings`, `cached_content` and the `google` object that
//! Google's own chat API reads (there it stands in `extra_body`).

use serde_json::{Map, Value};

use crate::gemini::Fields;
use crate::target::Refusal;

/// Fields of the `google` object that belong to `generationConfig`.
const OF_CONFIG: &[&str] =
    &["thinkingConfig", "responseModalities", "imageConfig", "speechConfig", "mediaResolution"];

/// What a cache holds already. Google refuses it beside one.
const CACHED: &[(&str, &str)] =
    &[("systemInstruction", "messages.system"), ("tools", "tools"), ("toolConfig", "tool_choice")];

/// Google's own fields of a chat request.
pub(super) fn read(chat: &mut Fields) -> Result<Map<String, Value>, Refusal> {
    let mut google = Map::new();
    if let Some(mut extra) = chat.fields("extra_body")? {
        google.extend(extra.fields("google")?.map(Fields::into_rest).unwrap_or_default());
    }
    google.extend(chat.fields("google")?.map(Fields::into_rest).unwrap_or_default());
    for name in ["safety_settings", "cached_content"] {
        if let Some(value) = chat.take(name) {
            google.insert(name.to_owned(), value);
        }
    }
    Ok(google)
}

/// Writes them into the request, where their word counts more than chat's.
pub(super) fn apply(google: Map<String, Value>, body: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    for (name, value) in google {
        let name = camel(&name);
        match (name.as_str(), value) {
            ("contents" | "model", _) => dropped.push(format!("google.{name}")),
            ("generationConfig", Value::Object(config)) => {
                config.into_iter().for_each(|(name, value)| set_config(body, name, value));
            }
            ("tools", Value::Array(tools)) => add_tools(body, tools),
            (known, value) if OF_CONFIG.contains(&known) => set_config(body, name, value),
            (_, value) => _ = body.insert(name, value),
        }
    }
    if body.contains_key("cachedContent") {
        leave_out_what_is_cached(body, dropped);
    }
}

fn set_config(body: &mut Map<String, Value>, name: String, value: Value) {
    if let Value::Object(config) = body.entry("generationConfig").or_insert_with(|| Value::Object(Map::new()))
    {
        config.insert(name, value);
    }
}

fn add_tools(body: &mut Map<String, Value>, tools: Vec<Value>) {
    if let Value::Array(list) = body.entry("tools").or_insert_with(|| Value::Array(Vec::new())) {
        list.extend(tools);
    }
}

fn leave_out_what_is_cached(body: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    for (name, ours) in CACHED {
        if body.shift_remove(*name).is_some() {
            dropped.push((*ours).to_owned());
        }
    }
}

/// `safety_settings` → `safetySettings`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
