//! Sampling, limits, output format and thinking: chat's parameters as Gemini's `generationConfig`.

use serde_json::{Map, Value};

use super::{schema, thinking};
use crate::gemini::Fields;
use crate::target::Refusal;

/// Numbers that only have another name.
const NUMBERS: &[(&str, &str)] = &[
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("seed", "seed"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
    ("top_logprobs", "logprobs"),
];

/// Gemini refuses more.
const MOST_STOPS: usize = 5;

/// Reads the parameters.
pub(super) fn read(
    chat: &mut Fields,
    model: &str,
    stream: bool,
    dropped: &mut Vec<String>,
) -> Result<Map<String, Value>, Refusal> {
    let mut config = Map::new();
    read_numbers(chat, &mut config)?;
    if let Some(count) = read_count(chat, stream)? {
        config.insert("candidateCount".to_owned(), count);
    }
    if let Some(stops) = read_stops(chat, dropped)? {
        config.insert("stopSequences".to_owned(), stops);
    }
    if chat.flag("logprobs")? == Some(true) {
        config.insert("responseLogprobs".to_owned(), true.into());
    }
    if let Some(format) = chat.fields("response_format")? {
        read_format(format, &mut config)?;
    }
    let modalities = chat.texts("modalities")?;
    if !modalities.is_empty() {
        let upper: Vec<_> = modalities.iter().map(|modality| modality.to_ascii_uppercase()).collect();
        config.insert("responseModalities".to_owned(), upper.into());
    }
    read_effort(chat, model, &mut config, dropped)?;
    Ok(config)
}

fn read_numbers(chat: &mut Fields, config: &mut Map<String, Value>) -> Result<(), Refusal> {
    let older = chat.number("max_tokens")?;
    if let Some(limit) = chat.number("max_completion_tokens")?.or(older) {
        config.insert("maxOutputTokens".to_owned(), limit);
    }
    for (name, theirs) in NUMBERS {
        if let Some(number) = chat.number(name)? {
            config.insert((*theirs).to_owned(), number);
        }
    }
    Ok(())
}

/// Several answers come whole only.
fn read_count(chat: &mut Fields, stream: bool) -> Result<Option<Value>, Refusal> {
    let count = chat.number("n")?.filter(|count| count.as_u64() != Some(1));
    if stream && count.is_some() {
        let message = "Gemini streams one answer: leave `n` out, or do not stream.";
        return Err(Refusal::of("n", "unsupported_parameter", message));
    }
    Ok(count)
}

fn read_stops(chat: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<Value>, Refusal> {
    let mut stops = match chat.take("stop") {
        None => return Ok(None),
        Some(Value::String(stop)) => vec![Value::String(stop)],
        Some(Value::Array(stops)) if stops.iter().all(Value::is_string) => stops,
        Some(_) => return Err(chat.wrong("stop", "a string or an array of strings")),
    };
    for at in MOST_STOPS..stops.len() {
        dropped.push(format!("stop[{at}]"));
    }
    stops.truncate(MOST_STOPS);
    Ok((!stops.is_empty()).then_some(Value::Array(stops)))
}

fn read_format(mut format: Fields, config: &mut Map<String, Value>) -> Result<(), Refusal> {
    match format.need_text("type")?.as_str() {
        "text" => return Ok(()),
        "json_object" => {}
        "json_schema" => {
            let path = format.path_of("json_schema");
            let mut holder = Fields::of(format.need("json_schema")?, path)?;
            let asked = schema::supported(holder.need("schema")?);
            config.insert("responseJsonSchema".to_owned(), asked);
        }
        _ => return Err(format.wrong("type", "text, json_object or json_schema")),
    }
    config.insert("responseMimeType".to_owned(), "application/json".into());
    Ok(())
}

fn read_effort(
    chat: &mut Fields,
    model: &str,
    config: &mut Map<String, Value>,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(effort) = chat.text("reasoning_effort")? else { return Ok(()) };
    match thinking::config(&effort, model)? {
        Some(thinking) => _ = config.insert("thinkingConfig".to_owned(), thinking),
        None => dropped.push("reasoning_effort".to_owned()),
    }
    Ok(())
}
