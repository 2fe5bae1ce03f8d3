//! Tools, and which of them the model may or must call.

mod declaration;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::declaration::Writer;
use super::draft::Draft;
use super::models::Model;
use super::names::Names;
use super::{JSON_TOOL, object};
use crate::field::{self, Object, wrong};
use crate::target::Refusal;

/// The tools of a request.
#[derive(Debug, Default)]
pub(super) struct Tools {
    list: Vec<Value>,
    choice: Option<Choice>,
    /// At most one call at a time.
    single: bool,
    /// What the client asked for and does not get.
    pub(super) dropped: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    None,
    Auto,
    Any,
    Tool(String),
}

/// Reads the tools and the choice among them, in today's fields and in the legacy `functions` and `function_call`.
pub(super) fn read(chat: &mut Object, names: &mut Names, model: &Model) -> Result<Tools, Refusal> {
    let mut tools = Tools::default();
    let mut writer = Writer { names, strict: model.schemas, loosened: false };
    field::each(field::list(chat, "tools")?, "tools", |tool| {
        tools.list.push(writer.tool(tool)?);
        Ok(())
    })?;
    field::each(field::list(chat, "functions")?, "functions", |function| {
        tools.list.push(writer.function(function)?);
        Ok(())
    })?;
    if writer.loosened {
        tools.dropped.push("tools[].function.strict");
    }
    tools.choice = tools.chosen(chat, names)?;
    let said = chat.get("parallel_tool_calls").is_some_and(|said| !said.is_null());
    tools.single = said && !field::flag(chat, "parallel_tool_calls")?;
    Ok(tools)
}

impl Tools {
    /// Adds the tool whose input is the answer, and has the model call it, or one of the client's.
    pub(super) fn answer_by_tool(&mut self, schema: Object) -> Result<(), Refusal> {
        let alone = self.list.is_empty() || self.choice == Some(Choice::None);
        self.list.push(object([
            ("name", JSON_TOOL.into()),
            ("description", "Gives the answer to the user.".into()),
            ("input_schema", declaration::typed(schema, "response_format.json_schema.schema")?),
        ]));
        self.single = true;
        self.choice = match self.choice.take() {
            Some(Choice::Tool(name)) => Some(Choice::Tool(name)),
            _ if alone => Some(Choice::Tool(JSON_TOOL.to_owned())),
            _ => Some(Choice::Any),
        };
        Ok(())
    }

    /// Fits the tools to the conversation and the model.
    pub(super) fn fit(&mut self, called: &[String], model: &Model) {
        if self.forced() && (self.list.is_empty() || !model.forced_tools) {
            self.dropped.push("tool_choice");
            self.unforce();
        }
        if self.list.is_empty() {
            self.stand_in(called);
        }
    }

    /// A model that cannot be forced to call a tool is offered that one alone.
    fn unforce(&mut self) {
        if let Some(Choice::Tool(name)) = self.choice.replace(Choice::Auto) {
            self.list.retain(|tool| tool["name"] == name.as_str());
        }
    }

    /// Whether the model must call a tool.
    pub(super) fn forced(&self) -> bool {
        matches!(self.choice, Some(Choice::Any | Choice::Tool(_)))
    }

    /// Writes `tools` and `tool_choice`.
    pub(super) fn write(self, draft: &mut Draft) {
        if self.list.is_empty() {
            return;
        }
        let mut choice = self.choice.map(Choice::written);
        if self.single && choice.as_ref().is_none_or(|choice| choice["type"] != "none") {
            choice.get_or_insert_with(|| json!({ "type": "auto" }))["disable_parallel_tool_use"] =
                true.into();
        }
        draft.set("tools", self.list);
        if let Some(choice) = choice {
            draft.set("tool_choice", choice);
        }
    }

    /// Anthropic wants tools declared when the conversation holds calls. Those of a client that offers none any more
    /// are declared for form's sake, and none may be called.
    fn stand_in(&mut self, called: &[String]) {
        let mut declared = BTreeSet::new();
        let new = called.iter().filter(|&name| name != JSON_TOOL && declared.insert(name));
        self.list = new.map(|name| json!({ "name": name, "input_schema": { "type": "object" } })).collect();
        self.choice = Some(Choice::None);
    }

    /// Reads the choice. One among some of the tools leaves only those.
    fn chosen(&mut self, chat: &mut Object, names: &mut Names) -> Result<Option<Choice>, Refusal> {
        let (choice, legacy) = (field::take(chat, "tool_choice"), field::take(chat, "function_call"));
        match (choice, legacy) {
            (Some(Value::String(word)), _) => by_word(&word, "tool_choice").map(Some),
            (Some(Value::Object(choice)), _) => {
                self.by_kind(choice, names).map(Some).map_err(|refusal| refusal.inside("tool_choice"))
            }
            (None, Some(Value::String(word))) => by_word(&word, "function_call").map(Some),
            (None, Some(Value::Object(mut function))) => {
                let name = field::need_text(&mut function, "name");
                let name = name.map_err(|refusal| refusal.inside("function_call"))?;
                Ok(Some(Choice::Tool(names.sent(&name))))
            }
            (None, None) => Ok(None),
            _ => Err(wrong("tool_choice", "a string or an object")),
        }
    }

    fn by_kind(&mut self, mut choice: Object, names: &mut Names) -> Result<Choice, Refusal> {
        match field::need_text(&mut choice, "type")?.as_str() {
            "function" => named(&mut choice, names).map(Choice::Tool),
            "allowed_tools" => {
                let allowed = field::inner(&mut choice, "allowed_tools")?.unwrap_or_default();
                self.allow(allowed, names).map_err(|refusal| refusal.inside("allowed_tools"))
            }
            _ => Err(wrong("type", "one of function, allowed_tools")),
        }
    }

    fn allow(&mut self, mut allowed: Object, names: &mut Names) -> Result<Choice, Refusal> {
        let mut kept = BTreeSet::new();
        field::each(field::list(&mut allowed, "tools")?, "tools", |mut tool| {
            kept.insert(named(&mut tool, names)?);
            Ok(())
        })?;
        self.list.retain(|tool| tool["name"].as_str().is_some_and(|name| kept.contains(name)));
        by_word(field::text(&mut allowed, "mode")?.as_deref().unwrap_or("auto"), "mode")
    }
}

impl Choice {
    fn written(self) -> Value {
        match self {
            Self::None => json!({ "type": "none" }),
            Self::Auto => json!({ "type": "auto" }),
            Self::Any => json!({ "type": "any" }),
            Self::Tool(name) => json!({ "type": "tool", "name": name }),
        }
    }
}

fn by_word(word: &str, param: &str) -> Result<Choice, Refusal> {
    match word {
        "none" => Ok(Choice::None),
        "auto" => Ok(Choice::Auto),
        "required" => Ok(Choice::Any),
        _ => Err(wrong(param, "one of none, auto, required")),
    }
}

/// The sent name of `{"function": {"name": …}}`.
fn named(tool: &mut Object, names: &mut Names) -> Result<String, Refusal> {
    let mut function = field::inner(tool, "function")?.unwrap_or_default();
    let name = field::need_text(&mut function, "name").map_err(|refusal| refusal.inside("function"))?;
    Ok(names.sent(&name))
}
