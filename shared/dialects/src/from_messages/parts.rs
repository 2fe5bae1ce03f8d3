//! Blocks of content as chat's parts.

use serde_json::{Value, json};

use crate::field::{self, Object};
use crate::target::{Quirks, Refusal};

/// Content as a list of blocks; a string is one block of text.
pub(super) fn blocks(content: Value, name: &str) -> Result<Vec<Value>, Refusal> {
    match content {
        Value::String(text) => Ok(vec![json!({ "type": "text", "text": text })]),
        Value::Array(blocks) => Ok(blocks),
        _ => Err(field::wrong(name, "a string or a list of blocks")),
    }
}

/// Reads a block that a user may send. A document that is itself made of blocks gives several parts.
pub(super) fn read(mut block: Object, quirks: Quirks, out: &mut Vec<Value>) -> Result<(), Refusal> {
    let kind = field::need_text(&mut block, "type")?;
    match kind.as_str() {
        "text" => out.push(text(block, quirks)?),
        "image" => out.push(image(block)?),
        "document" => document(block, quirks, out)?,
        _ => return Err(field::unsupported_part(&kind)),
    }
    Ok(())
}

/// A text part, with its cache breakpoint where the target keeps it.
pub(super) fn text(mut block: Object, quirks: Quirks) -> Result<Value, Refusal> {
    let mut part = json!({ "type": "text", "text": field::need_text(&mut block, "text")? });
    if let Some(cache) = field::take(&mut block, "cache_control").filter(|_| quirks.cache_control) {
        part["cache_control"] = cache;
    }
    Ok(part)
}

/// Parts as content: a single text is a plain string, which every provider takes.
pub(super) fn content(mut parts: Vec<Value>) -> Value {
    let is_plain = |part: &Value| part["type"] == "text" && part.get("cache_control").is_none();
    match parts.as_mut_slice() {
        [part] if is_plain(part) => part["text"].take(),
        _ => Value::Array(parts),
    }
}

fn image(mut block: Object) -> Result<Value, Refusal> {
    let source = source(&mut block)?;
    let url = match source.kind.as_str() {
        "base64" => source.data_url(),
        "url" => source.field("url"),
        _ => Err(field::wrong("type", "`base64` or `url`")),
    }
    .map_err(in_source)?;
    Ok(json!({ "type": "image_url", "image_url": { "url": url } }))
}

fn document(mut block: Object, quirks: Quirks, out: &mut Vec<Value>) -> Result<(), Refusal> {
    let title = field::text(&mut block, "title")?;
    let mut source = source(&mut block)?;
    match source.kind.as_str() {
        "text" => {
            out.push(json!({ "type": "text", "text": source.field("data").map_err(in_source)? }));
            Ok(())
        }
        "content" => {
            let content = field::need(&mut source.fields, "content").map_err(in_source)?;
            let blocks = blocks(content, "content").map_err(in_source)?;
            field::each(blocks, "content", |block| no_document(block, quirks, out)).map_err(in_source)
        }
        "base64" if quirks.file_parts => {
            let data = source.data_url().map_err(in_source)?;
            let name = title.unwrap_or_else(|| "document.pdf".to_owned());
            out.push(json!({ "type": "file", "file": { "filename": name, "file_data": data } }));
            Ok(())
        }
        _ => Err(field::unsupported_part("document")),
    }
}

/// A document's blocks are texts and images, so that none holds another.
fn no_document(block: Object, quirks: Quirks, out: &mut Vec<Value>) -> Result<(), Refusal> {
    if block.get("type").is_some_and(|kind| kind == "document") {
        return Err(field::wrong("type", "`text` or `image`"));
    }
    read(block, quirks, out)
}

/// Where an image or a document comes from.
struct Source {
    kind: String,
    fields: Object,
}

fn source(block: &mut Object) -> Result<Source, Refusal> {
    let Value::Object(mut fields) = field::need(block, "source")? else {
        return Err(field::wrong("source", "an object"));
    };
    let kind = field::need_text(&mut fields, "type").map_err(in_source)?;
    Ok(Source { kind, fields })
}

impl Source {
    fn field(mut self, name: &str) -> Result<String, Refusal> {
        field::need_text(&mut self.fields, name)
    }

    fn data_url(mut self) -> Result<String, Refusal> {
        let kind = field::need_text(&mut self.fields, "media_type")?;
        let mut data = field::need_text(&mut self.fields, "data")?;
        data.insert_str(0, &format!("data:{kind};base64,"));
        Ok(data)
    }
}

fn in_source(refusal: Refusal) -> Refusal {
    refusal.inside("source")
}
