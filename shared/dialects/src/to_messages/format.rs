//! The form that an answer is asked to have.

use crate::field::{self, Object, wrong};
use crate::target::Refusal;

/// What `response_format` asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Format {
    Text,
    /// Some JSON object.
    Object,
    /// JSON of this schema.
    Schema(Object),
}

/// Asked of models of their own accord, as an open schema is refused by structured outputs.
pub(super) const OBJECT_PLEASE: &str = "Respond with one JSON object and nothing else.";

/// Reads `response_format`.
pub(super) fn read(chat: &mut Object) -> Result<Format, Refusal> {
    match field::inner(chat, "response_format")? {
        None => Ok(Format::Text),
        Some(format) => of(format).map_err(|refusal| refusal.inside("response_format")),
    }
}

fn of(mut format: Object) -> Result<Format, Refusal> {
    match field::need_text(&mut format, "type")?.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Object),
        "json_schema" => {
            let mut named = field::inner(&mut format, "json_schema")?.unwrap_or_default();
            let schema =
                field::inner(&mut named, "schema").map_err(|refusal| refusal.inside("json_schema"))?;
            schema.map(Format::Schema).ok_or_else(|| wrong("json_schema.schema", "given"))
        }
        _ => Err(wrong("type", "one of text, json_object, json_schema")),
    }
}
