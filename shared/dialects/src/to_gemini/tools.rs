//! Tools and the choice among them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::gemini::{Fields, object};
use crate::target::Refusal;

/// The longest name of a function that Google takes.
const LONGEST_NAME: usize = 128;

/// Which tools may be called.
#[derive(Debug, Default, PartialEq, Eq)]
enum Choice {
    #[default]
    Free,
    /// `NONE`, `AUTO` or `ANY`.
    Mode(&'static str),
    /// This one must be.
    Named(String),
    /// Only these may be, or must be where the mode is `ANY`.
    Among(&'static str, Vec<String>),
}

/// Reads `tools` and `tool_choice` into `tools` and `toolConfig`. Names that Google does not take are changed, and
/// kept in `names` for the reply.
pub(super) fn read(
    chat: &mut Fields,
    names: &mut BTreeMap<String, String>,
    dropped: &mut Vec<String>,
) -> Result<Map<String, Value>, Refusal> {
    let choice = read_choice(chat, names)?;
    let (mut declarations, mut native) = (Vec::new(), Vec::new());
    for (at, tool) in chat.list("tools")?.into_iter().enumerate() {
        match read_tool(tool, at, names)? {
            Tool::Function(declaration) => declarations.push(declaration),
            Tool::Native(tool) => native.push(tool),
            Tool::Foreign => dropped.push(format!("tools[{at}]")),
        }
    }
    for function in chat.list("functions")? {
        declarations.push(declare(Fields::of(function, "functions")?, names)?);
    }
    if let Choice::Among(_, allowed) = &choice {
        declarations.retain(|tool| allowed.iter().any(|name| tool["name"] == name.as_str()));
    }
    Ok(written(declarations, native, choice))
}

fn written(declarations: Vec<Value>, mut native: Vec<Value>, choice: Choice) -> Map<String, Value> {
    let mut body = Map::new();
    // Without functions there is nothing to choose, and Google refuses the choice.
    let config = if declarations.is_empty() { None } else { calling_config(choice) };
    if !declarations.is_empty() {
        native.insert(0, object([("functionDeclarations", Value::Array(declarations))]));
    }
    if !native.is_empty() {
        body.insert("tools".to_owned(), Value::Array(native));
    }
    if let Some(config) = config {
        body.insert("toolConfig".to_owned(), json!({ "functionCallingConfig": config }));
    }
    body
}

fn calling_config(choice: Choice) -> Option<Value> {
    match choice {
        Choice::Free => None,
        Choice::Mode(mode) | Choice::Among(mode, _) => Some(json!({ "mode": mode })),
        Choice::Named(name) => Some(json!({ "mode": "ANY", "allowedFunctionNames": [name] })),
    }
}

enum Tool {
    Function(Value),
    /// One of Google's own, in Google's words: `{"googleSearch": {}}`.
    Native(Value),
    /// One that another provider runs.
    Foreign,
}

fn read_tool(tool: Value, at: usize, names: &mut BTreeMap<String, String>) -> Result<Tool, Refusal> {
    let mut fields = Fields::of(tool, format!("tools[{at}]"))?;
    let kind = fields.text("type")?;
    match kind.as_deref() {
        None | Some("function") => {}
        Some(_) => return Ok(Tool::Foreign),
    }
    match fields.fields("function")? {
        Some(function) => Ok(Tool::Function(declare(function, names)?)),
        None if kind.is_none() => Ok(Tool::Native(Value::Object(fields.into_rest()))),
        None => Err(fields.wrong("function", "an object")),
    }
}

fn declare(mut function: Fields, names: &mut BTreeMap<String, String>) -> Result<Value, Refusal> {
    let name = sent_name(function.need_text("name")?, names);
    let mut declaration = Map::from_iter([("name".to_owned(), Value::String(name))]);
    if let Some(description) = function.text("description")? {
        declaration.insert("description".to_owned(), Value::String(description));
    }
    match function.take("parameters") {
        // An object without properties is refused; a function without parameters is not.
        Some(Value::Object(schema)) if schema.is_empty() => {}
        Some(schema @ Value::Object(_)) => _ = declaration.insert("parametersJsonSchema".to_owned(), schema),
        Some(_) => return Err(function.wrong("parameters", "an object")),
        None => {}
    }
    Ok(Value::Object(declaration))
}

fn read_choice(chat: &mut Fields, names: &mut BTreeMap<String, String>) -> Result<Choice, Refusal> {
    let field = "tool_choice";
    let legacy = chat.take("function_call");
    match chat.take(field).or(legacy) {
        None => Ok(Choice::Free),
        Some(Value::String(word)) => {
            mode(&word).map(Choice::Mode).ok_or_else(|| chat.wrong(field, "none, auto, required or a tool"))
        }
        Some(choice) => {
            let mut choice = Fields::of(choice, chat.path_of(field))?;
            match choice.text("type")?.as_deref() {
                None => Ok(Choice::Named(sent_name(choice.need_text("name")?, names))),
                Some("function") => named(&mut choice, names),
                Some("allowed_tools") => among(&mut choice, names),
                Some(_) => Err(choice.wrong("type", "function or allowed_tools")),
            }
        }
    }
}

fn mode(word: &str) -> Option<&'static str> {
    match word {
        "none" => Some("NONE"),
        "auto" => Some("AUTO"),
        "required" | "any" => Some("ANY"),
        _ => None,
    }
}

fn named(choice: &mut Fields, names: &mut BTreeMap<String, String>) -> Result<Choice, Refusal> {
    let path = choice.path_of("function");
    let mut function = Fields::of(choice.need("function")?, path)?;
    Ok(Choice::Named(sent_name(function.need_text("name")?, names)))
}

fn among(choice: &mut Fields, names: &mut BTreeMap<String, String>) -> Result<Choice, Refusal> {
    let path = choice.path_of("allowed_tools");
    let mut allowed = Fields::of(choice.need("allowed_tools")?, path)?;
    let mode = allowed.text("mode")?.as_deref().and_then(mode).unwrap_or("AUTO");
    let mut tools = Vec::new();
    for tool in allowed.list("tools")? {
        let mut tool = Fields::of(tool, allowed.path_of("tools"))?;
        if let Some(mut function) = tool.fields("function")? {
            tools.push(sent_name(function.need_text("name")?, names));
        }
    }
    Ok(Choice::Among(mode, tools))
}

/// A function's name as Google takes it. A changed name ends in a digest of the client's, so that no two meet.
pub(super) fn sent_name(name: String, names: &mut BTreeMap<String, String>) -> String {
    if takes(&name) {
        return name;
    }
    let digest = Sha256::digest(name.as_bytes());
    let ending = format!("_{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]);
    let mut sent: String = name.chars().map(|letter| if inner(letter) { letter } else { '_' }).collect();
    if !sent.starts_with(first) {
        sent.insert(0, '_');
    }
    sent.truncate(LONGEST_NAME - ending.len());
    sent.push_str(&ending);
    names.insert(sent.clone(), name);
    sent
}

fn takes(name: &str) -> bool {
    name.starts_with(first) && name.len() <= LONGEST_NAME && name.chars().all(inner)
}

fn first(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_'
}

fn inner(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.:-".contains(letter)
}
