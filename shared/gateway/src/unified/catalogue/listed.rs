//! Reads the lists of models that providers keep: each has its own shape, and its own words for what a model can do.

use std::time::UNIX_EPOCH;

use serde_json::Value;

/// The longest name of a model that is believed.
const LONGEST_NAME: usize = 256;

/// A model, as its provider's list tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The provider's name of it.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Who made it.
    pub owner: Option<String>,
    /// When, in seconds since 1970.
    pub created: Option<u64>,
    /// What it can do, in our words.
    pub capabilities: Vec<&'static str>,
    /// The most tokens it reads.
    pub context: Option<u64>,
    /// The most tokens it writes.
    pub output: Option<u64>,
}

/// The models of a list; `None` where it is no list.
#[must_use]
pub fn read(list: &Value) -> Option<Vec<Listed>> {
    let (models, names) = LISTS.iter().find_map(|(field, names)| {
        let found = if field.is_empty() { list.as_array() } else { list[field].as_array() };
        Some((found?, *names))
    })?;
    Some(models.iter().filter_map(|model| Listed::of(model, names)).collect())
}

/// Where lists are, and which fields of a model are its name there. Cloudflare's `id` is a number of its own; 1min.ai's
/// and Google's lists are both called `models`.
const LISTS: &[(&str, &[&str])] = &[
    ("data", &["id"]),
    ("models", &["modelId", "name", "id"]),
    ("result", &["name"]),
    ("", &["id", "name"]),
];

const NAMES: &[&str] = &["/displayName", "/display_name"];
const OWNERS: &[&str] = &["/owned_by", "/organization", "/publisher", "/provider"];
const CREATED: &[&str] = &["/created", "/created_at"];
const CONTEXT: &[&str] = &[
    "/context_window",
    "/context_length",
    "/max_context_length",
    "/max_input_tokens",
    "/inputTokenLimit",
    "/max_model_len",
    "/limits/max_input_tokens",
];
const OUTPUT: &[&str] = &[
    "/max_completion_tokens",
    "/max_output_tokens",
    "/outputTokenLimit",
    "/top_provider/max_completion_tokens",
    "/limits/max_output_tokens",
    // Anthropic's.
    "/max_tokens",
];

/// Providers' words, and ours.
type Words = &'static [(&'static str, &'static str)];

/// What a model is for and what it can do.
const ABILITIES: Words = &[
    ("chat", "chat"),
    ("chat-completion", "chat"),
    ("completion_chat", "chat"),
    ("generateContent", "chat"),
    ("language", "chat"),
    ("Text Generation", "chat"),
    ("UNIFY_CHAT_WITH_AI", "chat"),
    ("embed", "embeddings"),
    ("embedContent", "embeddings"),
    ("embedding", "embeddings"),
    ("embeddings", "embeddings"),
    ("Text Embeddings", "embeddings"),
    ("image", "images"),
    ("IMAGE_GENERATOR", "images"),
    ("Text-to-Image", "images"),
    ("rerank", "rerank"),
    ("moderation", "moderation"),
    ("Automatic Speech Recognition", "transcription"),
    ("SPEECH_TO_TEXT", "transcription"),
    ("Text-to-Speech", "speech"),
    ("function_calling", "tools"),
    ("tool-calling", "tools"),
    ("tools", "tools"),
    ("image_input", "vision"),
    ("vision", "vision"),
    ("pdf_input", "files"),
    ("reasoning", "reasoning"),
    ("thinking", "reasoning"),
    ("structured_outputs", "json-schema"),
];
/// What a model reads.
const READS: Words = &[("image", "vision"), ("audio", "audio"), ("video", "video"), ("file", "files")];
/// What a model writes.
const WRITES: Words =
    &[("text", "chat"), ("image", "images"), ("audio", "speech"), ("embeddings", "embeddings")];

/// Where lists say what a model can do.
const PLACES: &[(&str, Words)] = &[
    ("", ABILITIES),
    ("/type", ABILITIES),
    ("/task/name", ABILITIES),
    ("/endpoints", ABILITIES),
    ("/features", ABILITIES),
    ("/properties", ABILITIES),
    ("/capabilities", ABILITIES),
    ("/supported_parameters", ABILITIES),
    ("/supportedGenerationMethods", ABILITIES),
    ("/modality/INPUT", READS),
    ("/input_modalities", READS),
    ("/supported_input_modalities", READS),
    ("/architecture/input_modalities", READS),
    ("/modality/OUTPUT", WRITES),
    ("/output_modalities", WRITES),
    ("/supported_output_modalities", WRITES),
    ("/architecture/output_modalities", WRITES),
];

impl Listed {
    fn of(model: &Value, names: &[&str]) -> Option<Self> {
        let id = names.iter().find_map(|name| model[name].as_str())?;
        let id = id.strip_prefix("models/").unwrap_or(id);
        let is_sane = !id.is_empty() && id.len() <= LONGEST_NAME && !id.contains(char::is_control);
        is_sane.then(|| Self {
            id: id.to_owned(),
            name: first(model, NAMES, |name| name.as_str().map(str::to_owned)),
            owner: first(model, OWNERS, |owner| owner.as_str().map(str::to_owned)),
            created: first(model, CREATED, seconds),
            capabilities: capabilities(model),
            context: first(model, CONTEXT, number).or_else(|| property(model, "context_window")),
            output: first(model, OUTPUT, number),
        })
    }
}

fn first<T>(model: &Value, places: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    places.iter().find_map(|place| read(model.pointer(place)?))
}

/// A number above nothing: an unknown limit is 0 in some lists.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).filter(|number| *number > 0)
}

/// Cloudflare's way to say a number.
fn property(model: &Value, name: &str) -> Option<u64> {
    let properties = model["properties"].as_array()?;
    number(&properties.iter().find(|property| property["property_id"] == name)?["value"])
}

/// A moment, be it a number or a date.
fn seconds(value: &Value) -> Option<u64> {
    let date = || humantime::parse_rfc3339_weak(value.as_str()?).ok()?.duration_since(UNIX_EPOCH).ok();
    number(value).or_else(|| date().map(|since| since.as_secs()))
}

fn capabilities(model: &Value) -> Vec<&'static str> {
    let ours = |(place, words): &(&str, Words)| -> Vec<&'static str> {
        let said = model.pointer(place).map(said).unwrap_or_default();
        said.iter().filter_map(|word| Some(words.iter().find(|(theirs, _)| theirs == word)?.1)).collect()
    };
    let mut found: Vec<_> = PLACES.iter().flat_map(ours).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The words of a string, of a list of them, or of an object in which those that hold are true.
fn said(value: &Value) -> Vec<&str> {
    let holds = |value: &Value| *value == true || *value == "true" || value["supported"] == true;
    match value {
        Value::String(word) => vec![word],
        Value::Array(list) => list
            .iter()
            .filter_map(|item| {
                item.as_str().or_else(|| item["property_id"].as_str().filter(|_| holds(&item["value"])))
            })
            .collect(),
        Value::Object(fields) => {
            fields.iter().filter(|(_, value)| holds(value)).map(|(name, _)| name.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Listed, read};

    fn check(list: &Value, expected: Listed) {
        assert_eq!(read(list).expect("a list"), [expected], "{list}");
    }

    fn listed(id: &str, owner: &str, capabilities: &[&'static str], context: u64, output: u64) -> Listed {
        Listed {
            id: id.to_owned(),
            owner: Some(owner.to_owned()).filter(|owner| !owner.is_empty()),
            capabilities: capabilities.to_vec(),
            context: Some(context).filter(|context| *context > 0),
            output: Some(output).filter(|output| *output > 0),
            ..Listed::default()
        }
    }

    #[test]
    fn openai_s_list_and_its_likes_are_read() {
        let openai = json!({ "object": "list", "data": [
            { "id": "gpt-4o", "object": "model", "created": 1_715_367_049, "owned_by": "system" }] });
        check(&openai, Listed { created: Some(1_715_367_049), ..listed("gpt-4o", "system", &[], 0, 0) });
        let groq = json!({ "data": [{ "id": "llama", "owned_by": "Meta", "active": true,
            "context_window": 131_072, "max_completion_tokens": 32_768 }] });
        check(&groq, listed("llama", "Meta", &[], 131_072, 32_768));
        let openrouter = json!({ "data": [{ "id": "openai/gpt-4o", "name": "OpenAI: GPT-4o", "context_length": 128_000,
            "architecture": { "input_modalities": ["text", "image"], "output_modalities": ["text"] },
            "top_provider": { "max_completion_tokens": 16_384 }, "supported_parameters": ["tools", "seed"] }] });
        check(&openrouter, listed("openai/gpt-4o", "", &["chat", "tools", "vision"], 128_000, 16_384));
        let mistral = json!({ "data": [{ "id": "pixtral-12b", "owned_by": "mistralai", "max_context_length": 131_072,
            "capabilities": { "completion_chat": true, "function_calling": false, "vision": true } }] });
        check(&mistral, listed("pixtral-12b", "mistralai", &["chat", "vision"], 131_072, 0));
        let together =
            json!([{ "id": "a/b", "type": "embedding", "organization": "A", "context_length": 512 }]);
        check(&together, listed("a/b", "A", &["embeddings"], 512, 0));
    }

    #[test]
    fn anthropic_s_list_tells_capabilities_and_limits() {
        let list = json!({ "data": [{ "type": "model", "id": "claude-x", "display_name": "Claude X",
            "created_at": "2026-01-01T00:00:00Z", "max_input_tokens": 200_000, "max_tokens": 64_000,
            "capabilities": { "image_input": { "supported": true }, "pdf_input": { "supported": false } } }] });
        let expected = listed("claude-x", "", &["vision"], 200_000, 64_000);
        check(&list, Listed { name: Some("Claude X".to_owned()), created: Some(1_767_225_600), ..expected });
    }

    #[test]
    fn google_s_cohere_s_and_1min_s_lists_are_called_models() {
        let google = json!({ "models": [{ "name": "models/gemini-3-pro", "displayName": "Gemini 3 Pro",
            "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536, "thinking": true,
            "supportedGenerationMethods": ["generateContent", "countTokens"] }] });
        let expected = listed("gemini-3-pro", "", &["chat", "reasoning"], 1_048_576, 65_536);
        check(&google, Listed { name: Some("Gemini 3 Pro".to_owned()), ..expected });
        let cohere =
            json!({ "models": [{ "name": "embed-v4", "endpoints": ["embed"], "context_length": 128_000 }] });
        check(&cohere, listed("embed-v4", "", &["embeddings"], 128_000, 0));
        let onemin = json!({ "models": [{ "modelId": "gpt-4o", "name": "GPT-4o", "provider": "openai",
            "features": ["UNIFY_CHAT_WITH_AI"], "modality": { "INPUT": ["text", "image"], "OUTPUT": ["text"] } }] });
        check(&onemin, listed("gpt-4o", "openai", &["chat", "vision"], 0, 0));
    }

    #[test]
    fn cloudflare_s_models_are_known_by_name_and_described_by_properties() {
        let list = json!({ "success": true, "result": [{ "id": "f8703a00", "name": "@cf/meta/llama",
            "task": { "name": "Text Generation" }, "properties": [
                { "property_id": "context_window", "value": "24000" },
                { "property_id": "function_calling", "value": "true" }] }] });
        check(&list, listed("@cf/meta/llama", "", &["chat", "tools"], 24_000, 0));
    }

    #[test]
    fn what_is_no_list_is_none_and_what_is_no_model_is_left_out() {
        for wrong in
            [json!({}), json!({ "data": {} }), json!("list"), json!({ "error": { "message": "no" } })]
        {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
        let odd = json!({ "data": [{ "id": "" }, { "id": 1 }, {}, "x", { "id": "a\nb" }, { "id": "a".repeat(300) }] });
        assert_eq!(read(&odd), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_list_is_too_odd_to_read(field in "data|models|result|x", key in "[a-z_/A-Z]{0,12}", text in ".{0,12}") {
            let model = json!({ "id": "m", "name": text, key: { "supported": [text] }, "properties": [text] });
            let _ = read(&json!({ field: [model, text, [1]] }));
        }
    }
}
