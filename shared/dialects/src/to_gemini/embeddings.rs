//! Embeddings: OpenAI's request as `:batchEmbedContents`, and back.

use serde_json::{Map, Value, json};

use super::model::model_path;
use crate::asked::Asked;
use crate::gemini::{Fields, object};
use crate::target::{Outgoing, Refusal, Target};

/// Translates an embeddings request into one for `:batchEmbedContents`.
///
/// # Errors
/// Tokens instead of text, and a model that has no place in a URL.
pub fn embeddings_request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = Fields::of(body, "")?;
    let Some(model) = model_path(target.model) else {
        return Err(Refusal::of("model", "invalid_value", "`model` is not the name of a model."));
    };
    let texts = read_input(&mut body)?;
    let asked = Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        prompt_estimate: texts.iter().map(|text| text.len().div_ceil(4) as u64).sum(),
        base64_embeddings: body.text("encoding_format")?.as_deref() == Some("base64"),
        ..Asked::default()
    };
    let mut common = Map::from_iter([("model".to_owned(), Value::String(model))]);
    common.extend(body.number("dimensions")?.map(|size| ("outputDimensionality".to_owned(), size)));
    common.extend(body.text("task_type")?.map(|task| ("taskType".to_owned(), Value::String(task))));
    let requests = texts.into_iter().map(|text| {
        let mut request = common.clone();
        request.insert("content".to_owned(), content(text));
        Value::Object(request)
    });
    let body_out = object([("requests", requests.collect())]);
    let dropped = body.left().filter(|name| name != "model").collect();
    Ok(Outgoing { body: body_out, dropped, asked })
}

fn content(text: String) -> Value {
    object([("parts", Value::Array(vec![object([("text", Value::String(text))])]))])
}

fn read_input(body: &mut Fields) -> Result<Vec<String>, Refusal> {
    match body.need("input")? {
        Value::String(text) => Ok(vec![text]),
        Value::Array(list) if !list.is_empty() => list.into_iter().map(read_text).collect(),
        _ => Err(body.wrong("input", "a string or an array of strings, not empty")),
    }
}

fn read_text(item: Value) -> Result<String, Refusal> {
    match item {
        Value::String(text) => Ok(text),
        _ => {
            let message = "`input` must be text: Gemini does not know another provider's tokens.";
            Err(Refusal::of("input", "unsupported_parameter", message))
        }
    }
}

/// Translates the reply of `:batchEmbedContents`.
#[must_use]
pub fn embeddings_reply(mut body: Value, asked: &Asked) -> Value {
    let used = body.pointer("/usageMetadata/promptTokenCount").and_then(Value::as_u64);
    let used = used.unwrap_or(asked.prompt_estimate);
    let embeddings = match body.get_mut("embeddings").map(Value::take) {
        Some(Value::Array(embeddings)) => embeddings,
        _ => Vec::new(),
    };
    let data = embeddings.into_iter().enumerate().map(|(at, mut embedding)| {
        let values = embedding.get_mut("values").map(Value::take).unwrap_or_else(|| json!([]));
        let values = if asked.base64_embeddings { in_base64(&values) } else { values };
        object([("object", "embedding".into()), ("index", at.into()), ("embedding", values)])
    });
    object([
        ("object", "list".into()),
        ("data", data.collect()),
        ("model", asked.model.as_str().into()),
        ("usage", json!({ "prompt_tokens": used, "total_tokens": used })),
    ])
}

/// The numbers as 32-bit floats, lowest byte first, in base64.
fn in_base64(values: &Value) -> Value {
    let numbers = values.as_array().into_iter().flatten();
    let bytes = numbers.flat_map(|number| (number.as_f64().unwrap_or_default() as f32).to_le_bytes());
    Value::String(base64(&bytes.collect::<Vec<_>>()))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn bytes_are_written_in_base64() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(base64(bytes), expected);
        check(b"", "");
        check(b"f", "Zg==");
        check(b"fo", "Zm8=");
        check(b"foo", "Zm9v");
        check(&1.0_f32.to_le_bytes(), "AACAPw==");
    }
}
