//! `generationConfig` as chat's parameters.

use serde_json::{Map, Value, json};

use super::schema;
use crate::gemini::Fields;
use crate::target::{Quirks, Refusal};

/// Numbers that only have another name.
const NUMBERS: &[(&str, &str)] = &[
    ("maxOutputTokens", "max_completion_tokens"),
    ("temperature", "temperature"),
    ("topP", "top_p"),
    ("seed", "seed"),
    ("presencePenalty", "presence_penalty"),
    ("frequencyPenalty", "frequency_penalty"),
    ("logprobs", "top_logprobs"),
];

/// Chat refuses more.
const MOST_STOPS: usize = 4;

/// What a configuration says of the reply.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Whether thoughts are to be seen.
    pub(super) thoughts: bool,
}

/// Reads the configuration into a chat request.
pub(super) fn read(
    mut config: Fields,
    chat: &mut Map<String, Value>,
    quirks: Quirks,
    dropped: &mut Vec<String>,
) -> Result<Wishes, Refusal> {
    for (name, ours) in NUMBERS {
        if let Some(number) = config.number(name)? {
            chat.insert((*ours).to_owned(), number);
        }
    }
    read_top_k(&mut config, chat, quirks, dropped)?;
    if let Some(count) = config.number("candidateCount")?.filter(|count| count.as_u64() != Some(1)) {
        chat.insert("n".to_owned(), count);
    }
    if config.flag("responseLogprobs")? == Some(true) {
        chat.insert("logprobs".to_owned(), true.into());
    }
    read_stops(&mut config, chat, dropped)?;
    read_format(&mut config, chat, dropped)?;
    read_modalities(&mut config, chat)?;
    let wishes = read_thinking(&mut config, chat, dropped)?;
    dropped.extend(config.left());
    Ok(wishes)
}

/// OpenAI never had it, and refuses it.
fn read_top_k(
    config: &mut Fields,
    chat: &mut Map<String, Value>,
    quirks: Quirks,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    match config.number("topK")? {
        Some(number) if quirks.top_k => _ = chat.insert("top_k".to_owned(), number),
        Some(_) => dropped.push(config.path_of("topK")),
        None => {}
    }
    Ok(())
}

fn read_stops(
    config: &mut Fields,
    chat: &mut Map<String, Value>,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    let mut stops = config.texts("stopSequences")?;
    if stops.is_empty() {
        return Ok(());
    }
    for at in MOST_STOPS..stops.len() {
        dropped.push(format!("{}[{at}]", config.path_of("stopSequences")));
    }
    stops.truncate(MOST_STOPS);
    chat.insert("stop".to_owned(), stops.into());
    Ok(())
}

fn read_format(
    config: &mut Fields,
    chat: &mut Map<String, Value>,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    let mime = config.text("responseMimeType")?;
    let googles = config.take("responseSchema").map(schema::common);
    let schema = config.take("responseJsonSchema").or(googles);
    let format = match (mime.as_deref(), schema) {
        (Some("application/json"), Some(schema)) => {
            json!({ "type": "json_schema", "json_schema": { "name": "structured_output", "schema": schema } })
        }
        (Some("application/json"), None) => json!({ "type": "json_object" }),
        (None | Some("text/plain"), None) => return Ok(()),
        (None, Some(_)) => return Err(config.wrong("responseMimeType", "application/json beside a schema")),
        (Some(_), _) => {
            dropped.push(config.path_of("responseMimeType"));
            return Ok(());
        }
    };
    chat.insert("response_format".to_owned(), format);
    Ok(())
}

/// Text alone is what chat answers with anyway.
fn read_modalities(config: &mut Fields, chat: &mut Map<String, Value>) -> Result<(), Refusal> {
    let mut modalities = config.texts("responseModalities")?;
    modalities.iter_mut().for_each(|modality| modality.make_ascii_lowercase());
    if modalities.iter().any(|modality| modality != "text") {
        chat.insert("modalities".to_owned(), modalities.into());
    }
    Ok(())
}

fn read_thinking(
    config: &mut Fields,
    chat: &mut Map<String, Value>,
    dropped: &mut Vec<String>,
) -> Result<Wishes, Refusal> {
    let Some(mut thinking) = config.fields("thinkingConfig")? else { return Ok(Wishes::default()) };
    let thoughts = thinking.flag("includeThoughts")?.unwrap_or_default();
    let level = thinking.text("thinkingLevel")?;
    let budget = thinking.number("thinkingBudget")?;
    let (name, effort) = match (&level, &budget) {
        (Some(level), _) => ("thinkingLevel", read_level(level)),
        (None, Some(budget)) => ("thinkingBudget", read_budget(budget)),
        (None, None) => ("", Effort::Free),
    };
    match effort {
        Effort::Asked(effort) => _ = chat.insert("reasoning_effort".to_owned(), effort.into()),
        Effort::Unknown => dropped.push(thinking.path_of(name)),
        Effort::Free => {}
    }
    dropped.extend(thinking.left());
    Ok(Wishes { thoughts })
}

/// How much a client wants a model to think.
enum Effort {
    Asked(&'static str),
    /// As much as the model likes.
    Free,
    /// In words that chat does not have. Not to think at all is one: many models refuse to be told so.
    Unknown,
}

fn read_level(level: &str) -> Effort {
    let efforts = ["minimal", "low", "medium", "high", "xhigh"];
    match efforts.into_iter().find(|effort| level.eq_ignore_ascii_case(effort)) {
        Some(effort) => Effort::Asked(effort),
        None if level == "THINKING_LEVEL_UNSPECIFIED" => Effort::Free,
        None => Effort::Unknown,
    }
}

/// The inverse of the budgets that efforts stand for; -1 leaves it to the model.
fn read_budget(budget: &Value) -> Effort {
    match budget.as_i64() {
        Some(-1) => Effort::Free,
        Some(1..=512) => Effort::Asked("minimal"),
        Some(513..=4096) => Effort::Asked("low"),
        Some(4097..=16384) => Effort::Asked("medium"),
        Some(16385..) => Effort::Asked("high"),
        _ => Effort::Unknown,
    }
}
