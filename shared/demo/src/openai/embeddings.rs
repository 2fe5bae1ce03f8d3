//! Embeddings, as numbers or as base64.

use serde_json::{Value, json};

use crate::base64;
use crate::call::Call;
use crate::embedding::vector;
use crate::error::Refusal;
use crate::reply::Reply;
use crate::speech::tokens;

/// How many numbers a vector has unless the call says otherwise.
const USUAL_DIMENSIONS: u64 = 1_536;

pub(crate) fn reply(call: &Call) -> Result<Reply, Refusal> {
    let body = call.json()?;
    let texts = texts(&body["input"]).ok_or_else(|| Refusal::missing("input"))?;
    let dimensions = body["dimensions"].as_u64().unwrap_or(USUAL_DIMENSIONS);
    let used = texts.iter().map(|text| tokens(text.len())).sum::<usize>();
    let embedding = |(index, text): (usize, &String)| {
        let coded = encoded(&vector(text, dimensions), &body["encoding_format"]);
        json!({"object": "embedding", "index": index, "embedding": coded})
    };
    let data: Value = texts.iter().enumerate().map(embedding).collect();
    let usage = json!({"prompt_tokens": used, "total_tokens": used});
    Ok(Reply::json(&json!({"object": "list", "data": data, "model": body["model"], "usage": usage})))
}

/// One text, several, or the same as token numbers, which the demo takes by their digits.
fn texts(input: &Value) -> Option<Vec<String>> {
    match input {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) if items.iter().all(Value::is_number) => Some(vec![input.to_string()]),
        Value::Array(items) => Some(
            items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect(),
        ),
        _ => None,
    }
}

/// As base64, a vector is its 32-bit floats in little-endian order.
fn encoded(vector: &[f32], format: &Value) -> Value {
    if format == "base64" {
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        return Value::String(base64::encode(&bytes));
    }
    json!(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_one_text_or_several() {
        let count = |input: Value| texts(&input).map(|texts| texts.len());
        assert_eq!(count(json!("a")), Some(1));
        assert_eq!(count(json!(["a", "b"])), Some(2));
        assert_eq!(count(json!([1, 2, 3])), Some(1));
        assert_eq!(count(json!([[1, 2], [3]])), Some(2));
        assert_eq!((count(json!([])), count(Value::Null)), (None, None));
    }
}
