//! How the answer's words are drawn, and where it stops.

use serde_json::{Value, json};

use super::draft::Draft;
use super::models::{Model, Sampling};
use crate::field::{self, wrong};
use crate::target::Refusal;

/// Writes `temperature`, `top_p` and `top_k` as far as the model takes them.
pub(super) fn write(draft: &mut Draft, model: &Model, thinks: bool) -> Result<(), Refusal> {
    let temperature = draft.number("temperature")?.map(cooled);
    let (top_p, top_k) = (draft.number("top_p")?, draft.number("top_k")?);
    let free = model.sampling != Sampling::None;
    let hot = free && !thinks;
    let alone = model.sampling == Sampling::All || !hot || temperature.is_none();
    // While it thinks, Claude takes no `top_p` below 0.95.
    let wide = !thinks || top_p.as_ref().and_then(Value::as_f64).is_some_and(|top_p| top_p >= 0.95);
    for (name, value, taken) in
        [("temperature", temperature, hot), ("top_p", top_p, free && alone && wide), ("top_k", top_k, hot)]
    {
        match value {
            Some(value) if taken => draft.set(name, value),
            Some(_) => draft.drop(name),
            None => {}
        }
    }
    Ok(())
}

/// Chat's scale ends at 2, Anthropic's at 1.
fn cooled(temperature: Value) -> Value {
    let hotter = temperature.as_f64().is_some_and(|temperature| temperature > 1.0);
    if hotter { json!(1) } else { temperature }
}

/// Writes `stop`. Anthropic refuses stop sequences of nothing but whitespace.
pub(super) fn stop(draft: &mut Draft) -> Result<(), Refusal> {
    let all = match field::take(&mut draft.asked, "stop") {
        None => return Ok(()),
        Some(Value::Array(all)) => all,
        Some(one) => vec![one],
    };
    if !all.iter().all(Value::is_string) {
        return Err(wrong("stop", "a string or an array of strings"));
    }
    let is_blank = |stop: &Value| stop.as_str().is_some_and(|stop| stop.trim().is_empty());
    let (blank, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(is_blank);
    if !blank.is_empty() {
        draft.drop("stop");
    }
    if !kept.is_empty() {
        draft.set("stop_sequences", kept);
    }
    Ok(())
}
