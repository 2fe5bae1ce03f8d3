//! Tools and the choice among them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::field::{self, Object};
use crate::target::Refusal;

/// Moves the tools to the chat request. Those that `OpenAI` runs itself are dropped and named. Returns the names of the
/// ones that take free text.
pub(super) fn read(
    body: &mut Object,
    chat: &mut Object,
    dropped: &mut Vec<String>,
) -> Result<BTreeSet<String>, Refusal> {
    let mut tools = Tools::default();
    field::each(field::list(body, "tools")?, "tools", |tool| tools.read(tool))?;
    dropped.append(&mut tools.dropped);
    let choice = field::take(body, "tool_choice");
    let is_parallel = field::take(body, "parallel_tool_calls");
    if let Some(choice) = choice {
        tools.choose(choice, chat).map_err(|refusal| refusal.inside("tool_choice"))?;
    }
    if tools.chat.is_empty() {
        // A choice among no tools would be refused.
        chat.shift_remove("tool_choice");
        return Ok(tools.custom);
    }
    if let Some(is_parallel) = is_parallel {
        chat.insert("parallel_tool_calls".to_owned(), is_parallel);
    }
    chat.insert("tools".to_owned(), Value::Array(tools.chat));
    Ok(tools.custom)
}

#[derive(Default)]
struct Tools {
    chat: Vec<Value>,
    custom: BTreeSet<String>,
    dropped: Vec<String>,
    /// How many were read.
    seen: usize,
}

impl Tools {
    fn read(&mut self, mut tool: Object) -> Result<(), Refusal> {
        match field::need_text(&mut tool, "type")?.as_str() {
            "function" => self.chat.push(function(tool)?),
            "custom" => {
                let name = field::need_text(&mut tool, "name")?;
                self.chat.push(custom(&name, tool)?);
                self.custom.insert(name);
            }
            _ => self.dropped.push(format!("tools[{}]", self.seen)),
        }
        self.seen += 1;
        Ok(())
    }

    fn choose(&mut self, choice: Value, chat: &mut Object) -> Result<(), Refusal> {
        let choice = match choice {
            Value::String(mode) => mode.into(),
            Value::Object(choice) => self.chosen(choice)?,
            _ => return Err(Refusal { param: None, ..field::wrong("tool_choice", "a string or an object") }),
        };
        chat.insert("tool_choice".to_owned(), choice);
        Ok(())
    }

    fn chosen(&mut self, mut choice: Object) -> Result<Value, Refusal> {
        match field::need_text(&mut choice, "type")?.as_str() {
            "function" | "custom" => self.named(&field::need_text(&mut choice, "name")?),
            "allowed_tools" => {
                let mode = field::text(&mut choice, "mode")?.unwrap_or_else(|| "auto".to_owned());
                self.allow(field::list(&mut choice, "tools")?)?;
                Ok(mode.into())
            }
            kind => {
                let message = format!("The tool `{kind}` cannot be chosen: this model does not have it.");
                Err(Refusal::of("type", "unsupported_parameter", message))
            }
        }
    }

    fn named(&self, name: &str) -> Result<Value, Refusal> {
        if self.chat.iter().any(|tool| tool["function"]["name"] == name) {
            return Ok(json!({ "type": "function", "function": { "name": name } }));
        }
        let message = format!("The tool `{name}` is not among those that can be sent to this model.");
        Err(Refusal::of("name", "unsupported_parameter", message))
    }

    /// Keeps the tools that may be used. Few chat providers know the choice itself.
    fn allow(&mut self, allowed: Vec<Value>) -> Result<(), Refusal> {
        let mut names = BTreeSet::new();
        field::each(allowed, "tools", |mut tool| {
            names.extend(field::text(&mut tool, "name")?);
            Ok(())
        })?;
        self.chat.retain(|tool| tool["function"]["name"].as_str().is_some_and(|name| names.contains(name)));
        Ok(())
    }
}

fn function(mut tool: Object) -> Result<Value, Refusal> {
    let mut function = Object::new();
    function.insert("name".to_owned(), field::need_text(&mut tool, "name")?.into());
    field::pass(&mut tool, &["description"], &mut function);
    let parameters = field::take(&mut tool, "parameters");
    let parameters = parameters.unwrap_or_else(|| json!({ "type": "object", "properties": {} }));
    function.insert("parameters".to_owned(), parameters);
    field::pass(&mut tool, &["strict"], &mut function);
    Ok(json!({ "type": "function", "function": function }))
}

/// A tool that takes free text, as one that takes it in a JSON string. Its grammar becomes words, for want of better.
fn custom(name: &str, mut tool: Object) -> Result<Value, Refusal> {
    let mut description = field::text(&mut tool, "description")?.unwrap_or_default();
    let mut format = field::inner(&mut tool, "format")?.unwrap_or_default();
    if let Some(grammar) =
        field::text(&mut format, "definition").map_err(|refusal| refusal.inside("format"))?
    {
        description.push_str("\n\nThe input keeps to this grammar:\n");
        description.push_str(&grammar);
    }
    Ok(json!({
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": { "input": { "type": "string" } },
                "required": ["input"],
                "additionalProperties": false,
            },
        },
    }))
}
