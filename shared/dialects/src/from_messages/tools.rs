//! Tools and the choice among them.

use serde_json::{Value, json};

use crate::field::{self, Object};
use crate::target::Refusal;

/// Moves the tools to the chat request. Those that Anthropic runs itself, or whose form only its models know, are dropped
/// and named.
pub(super) fn read(body: &mut Object, chat: &mut Object, dropped: &mut Vec<String>) -> Result<(), Refusal> {
    let mut tools = Vec::new();
    let mut at = 0;
    field::each(field::list(body, "tools")?, "tools", |tool| {
        if is_of_client(&tool) {
            tools.push(function(tool)?);
        } else {
            dropped.push(format!("tools[{at}]"));
        }
        at += 1;
        Ok(())
    })?;
    let choice = field::inner(body, "tool_choice")?;
    if tools.is_empty()
        && choice.as_ref().and_then(|choice| choice.get("type")).is_none_or(|kind| kind != "tool")
    {
        // A choice among no tools would be refused.
        return Ok(());
    }
    if let Some(choice) = choice {
        read_choice(choice, &tools, chat).map_err(|refusal| refusal.inside("tool_choice"))?;
    }
    chat.insert("tools".to_owned(), Value::Array(tools));
    Ok(())
}

fn is_of_client(tool: &Object) -> bool {
    tool.get("type").is_none_or(|kind| kind.is_null() || kind == "custom")
}

fn function(mut tool: Object) -> Result<Value, Refusal> {
    let mut function = Object::new();
    function.insert("name".to_owned(), field::need_text(&mut tool, "name")?.into());
    field::pass(&mut tool, &["description"], &mut function);
    function.insert("parameters".to_owned(), field::need(&mut tool, "input_schema")?);
    field::pass(&mut tool, &["strict"], &mut function);
    Ok(json!({ "type": "function", "function": function }))
}

fn read_choice(mut choice: Object, tools: &[Value], chat: &mut Object) -> Result<(), Refusal> {
    let is_single = field::flag(&mut choice, "disable_parallel_tool_use")?;
    let chosen = match field::need_text(&mut choice, "type")?.as_str() {
        "auto" => "auto".into(),
        "any" => "required".into(),
        "none" => "none".into(),
        "tool" => named(&field::need_text(&mut choice, "name")?, tools)?,
        _ => return Err(field::wrong("type", "`auto`, `any`, `tool` or `none`")),
    };
    if is_single && chosen != "none" {
        chat.insert("parallel_tool_calls".to_owned(), false.into());
    }
    chat.insert("tool_choice".to_owned(), chosen);
    Ok(())
}

fn named(name: &str, tools: &[Value]) -> Result<Value, Refusal> {
    if tools.iter().any(|tool| tool["function"]["name"] == name) {
        return Ok(json!({ "type": "function", "function": { "name": name } }));
    }
    let message = format!("The tool `{name}` is not among those that can be sent to this model.");
    Err(Refusal::of("name", "unsupported_parameter", message))
}
