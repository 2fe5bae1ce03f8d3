//! Parts of content: of messages, and of what tools gave back.

use serde_json::{Value, json};

use crate::field::{self, Object};
use crate::target::{Quirks, Refusal};

/// Content, a string or parts, as chat's parts.
pub(super) fn read(content: Value, name: &str, quirks: Quirks) -> Result<Vec<Value>, Refusal> {
    let mut parts = Vec::new();
    match content {
        Value::String(text) => parts.push(text_part(&text)),
        Value::Array(list) => field::each(list, name, |part| {
            parts.push(one(part, quirks)?);
            Ok(())
        })?,
        _ => return Err(field::wrong(name, "a string or a list of parts")),
    }
    Ok(parts)
}

/// Parts as content: a single text is a plain string, which every provider takes.
pub(super) fn content(mut parts: Vec<Value>) -> Value {
    match parts.as_mut_slice() {
        [part] if part["type"] == "text" => part["text"].take(),
        _ => Value::Array(parts),
    }
}

/// The texts of parts, and the parts that are none.
pub(super) fn split(parts: Vec<Value>, between: &str) -> (String, Vec<Value>) {
    let (texts, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part["type"] == "text");
    let texts: Vec<_> = texts.iter().filter_map(|part| part["text"].as_str()).collect();
    (texts.join(between), others)
}

pub(super) fn text_part(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn one(mut part: Object, quirks: Quirks) -> Result<Value, Refusal> {
    let kind = field::need_text(&mut part, "type")?;
    match kind.as_str() {
        "input_text" | "output_text" | "text" => Ok(text_part(&field::need_text(&mut part, "text")?)),
        "refusal" => Ok(text_part(&field::need_text(&mut part, "refusal")?)),
        "input_image" => image(part),
        "input_file" if quirks.file_parts => file(part),
        "input_audio" => {
            Ok(json!({ "type": "input_audio", "input_audio": field::need(&mut part, "input_audio")? }))
        }
        _ => Err(field::unsupported_part(&kind)),
    }
}

fn image(mut part: Object) -> Result<Value, Refusal> {
    refuse_reference(&part, "file_id")?;
    let mut image = Object::new();
    image.insert("url".to_owned(), field::need_text(&mut part, "image_url")?.into());
    field::pass(&mut part, &["detail"], &mut image);
    Ok(json!({ "type": "image_url", "image_url": image }))
}

fn file(mut part: Object) -> Result<Value, Refusal> {
    refuse_reference(&part, "file_id")?;
    refuse_reference(&part, "file_url")?;
    let data = field::need_text(&mut part, "file_data")?;
    let mut file = Object::new();
    field::pass(&mut part, &["filename"], &mut file);
    file.insert("file_data".to_owned(), data.into());
    Ok(json!({ "type": "file", "file": file }))
}

/// A file at OpenAI's, or one to be fetched, is out of another provider's reach.
fn refuse_reference(part: &Object, name: &str) -> Result<(), Refusal> {
    if part.get(name).is_none_or(Value::is_null) {
        return Ok(());
    }
    let message = format!("`{name}` points to a file that this model cannot reach: send its data instead.");
    Err(Refusal::of(name, "unsupported_content_part", message))
}
