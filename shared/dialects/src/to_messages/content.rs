//! The contents of messages, as blocks. A part that Claude cannot see is refused by name, never left out.

use serde_json::Value;

use super::{media, object};
use crate::field::{self, Object, wrong};
use crate::target::Refusal;

/// A block of text. Anthropic refuses blocks of nothing but whitespace, so there is none for those.
pub(super) fn text(text: String) -> Option<Value> {
    let blank = text.trim().is_empty();
    (!blank).then(|| object([("type", "text".into()), ("text", text.into())]))
}

/// The blocks of a user's message or of a tool's result.
pub(super) fn blocks(content: Value) -> Result<Vec<Value>, Refusal> {
    each(content, |kind, part| match kind {
        "text" => field::need_text(part, "text").map(text),
        "image_url" => media::image(part).map(Some),
        "file" => media::file(part).map(Some),
        kind => Err(field::unsupported_part(kind)),
    })
}

/// The blocks of a message that is only text: the system's, the assistant's.
pub(super) fn texts(content: Value) -> Result<Vec<Value>, Refusal> {
    each(content, |kind, part| match kind {
        "text" => field::need_text(part, "text").map(text),
        "refusal" => field::need_text(part, "refusal").map(text),
        kind => Err(field::unsupported_part(kind)),
    })
}

/// Reads a content, which is one text or a list of parts, with `read` for a part by its type.
fn each(
    content: Value,
    read: impl Fn(&str, &mut Object) -> Result<Option<Value>, Refusal>,
) -> Result<Vec<Value>, Refusal> {
    let parts = match content {
        Value::String(whole) => return Ok(text(whole).into_iter().collect()),
        Value::Array(parts) => parts,
        _ => return Err(wrong("content", "a string or an array of parts")),
    };
    let mut blocks = Vec::with_capacity(parts.len());
    field::each(parts, "content", |mut part| {
        let kind = field::need_text(&mut part, "type")?;
        if let Some(mut block) = read(&kind, &mut part)? {
            keep_breakpoint(&mut part, &mut block);
            blocks.push(block);
        }
        Ok(())
    })?;
    Ok(blocks)
}

/// A cache breakpoint stays with the block it stood on.
pub(super) fn keep_breakpoint(part: &mut Object, block: &mut Value) {
    if let Some(cache_control) = field::take(part, "cache_control") {
        block["cache_control"] = cache_control;
    }
}
