//! Tools as they are declared.

use serde_json::{Value, json};

use crate::field::{self, Object, wrong};
use crate::target::Refusal;
use crate::to_messages::names::Names;
use crate::to_messages::{content, object, schema};

/// Writes tools as Anthropic wants them.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) names: &'a mut Names,
    /// Whether the model can be held to a schema.
    pub(super) strict: bool,
    /// Whether a tool wanted that in vain.
    pub(super) loosened: bool,
}

impl Writer<'_> {
    /// One of `tools`. Anthropic's own (`web_search_…`, or any with an `input_schema`) pass as they are.
    pub(super) fn tool(&mut self, mut tool: Object) -> Result<Value, Refusal> {
        if let Some(function) = field::inner(&mut tool, "function")? {
            let mut written = self.function(function).map_err(|refusal| refusal.inside("function"))?;
            content::keep_breakpoint(&mut tool, &mut written);
            return Ok(written);
        }
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or("function");
        if matches!(kind, "function" | "custom") && !tool.contains_key("input_schema") {
            let why = "Only tools of the type `function` can be offered to this model.";
            return Err(Refusal::of("type", "unsupported_tool", why));
        }
        if let Some(Value::String(name)) = tool.get_mut("name") {
            *name = self.names.sent(name);
        }
        Ok(Value::Object(tool))
    }

    /// A function, as it stands in a tool or in the legacy `functions`.
    pub(super) fn function(&mut self, mut function: Object) -> Result<Value, Refusal> {
        let name = field::need_text(&mut function, "name")?;
        let mut tool = object([("name", self.names.sent(&name).into())]);
        if let Some(description) = field::text(&mut function, "description")? {
            tool["description"] = description.into();
        }
        let parameters = match field::inner(&mut function, "parameters")? {
            Some(parameters) => typed(parameters, "parameters")?,
            None => json!({ "type": "object", "properties": {} }),
        };
        let strict = field::flag(&mut function, "strict")?;
        self.loosened |= strict && !self.strict;
        // Strict tools are bound to the same schemas as structured outputs; others keep every keyword.
        if strict && self.strict {
            tool["input_schema"] = schema::rewritten(parameters);
            tool["strict"] = true.into();
        } else {
            tool["input_schema"] = parameters;
        }
        Ok(tool)
    }
}

/// The schema of a tool's input, which must be said to be an object.
pub(super) fn typed(mut schema: Object, param: &str) -> Result<Value, Refusal> {
    match schema.get("type") {
        None => drop(schema.insert("type".to_owned(), "object".into())),
        Some(kind) if kind == "object" => {}
        Some(_) => return Err(wrong(param, "the schema of an object")),
    }
    Ok(Value::Object(schema))
}
