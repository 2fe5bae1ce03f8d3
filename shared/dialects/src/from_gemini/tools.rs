//! Gemini's functions as chat's tools. What Google runs itself (search, code, maps) nobody else can.

use serde_json::{Map, Value, json};

use super::schema;
use crate::gemini::{Fields, object};
use crate::target::Refusal;

/// Which functions may be called.
#[derive(Debug, Default)]
struct Calling {
    mode: Option<&'static str>,
    /// The only ones, where it is not empty.
    allowed: Vec<String>,
}

/// Reads `tools` and `toolConfig` into a chat request.
pub(super) fn read(
    body: &mut Fields,
    chat: &mut Map<String, Value>,
    dropped: &mut Vec<String>,
) -> Result<(), Refusal> {
    let calling = read_config(body, dropped)?;
    let mut functions = Vec::new();
    for (at, tool) in body.list("tools")?.into_iter().enumerate() {
        let mut tool = Fields::of(tool, format!("tools[{at}]"))?;
        for (at, function) in tool.list("functionDeclarations")?.into_iter().enumerate() {
            let path = format!("{}[{at}]", tool.path_of("functionDeclarations"));
            functions.push(read_function(Fields::of(function, path)?, dropped)?);
        }
        dropped.extend(tool.left());
    }
    if !calling.allowed.is_empty() {
        functions.retain(|tool| calling.allowed.iter().any(|name| tool["function"]["name"] == name.as_str()));
    }
    if functions.is_empty() {
        return Ok(());
    }
    chat.insert("tools".to_owned(), Value::Array(functions));
    if let Some(choice) = calling.choice() {
        chat.insert("tool_choice".to_owned(), choice);
    }
    Ok(())
}

impl Calling {
    fn choice(self) -> Option<Value> {
        match (self.mode?, self.allowed.as_slice()) {
            ("required", [only]) => Some(json!({ "type": "function", "function": { "name": only } })),
            (mode, _) => Some(mode.into()),
        }
    }
}

fn read_config(body: &mut Fields, dropped: &mut Vec<String>) -> Result<Calling, Refusal> {
    let Some(mut config) = body.fields("toolConfig")? else { return Ok(Calling::default()) };
    let calling = config.fields("functionCallingConfig")?;
    dropped.extend(config.left());
    let Some(mut calling) = calling else { return Ok(Calling::default()) };
    let mode = match calling.text("mode")?.as_deref() {
        None | Some("MODE_UNSPECIFIED") => None,
        Some("AUTO" | "VALIDATED") => Some("auto"),
        Some("ANY") => Some("required"),
        Some("NONE") => Some("none"),
        Some(_) => return Err(calling.wrong("mode", "AUTO, ANY, NONE or VALIDATED")),
    };
    let allowed = calling.texts("allowedFunctionNames")?;
    dropped.extend(calling.left());
    Ok(Calling { mode, allowed })
}

fn read_function(mut declared: Fields, dropped: &mut Vec<String>) -> Result<Value, Refusal> {
    let mut function = Map::new();
    function.insert("name".to_owned(), declared.need_text("name")?.into());
    if let Some(description) = declared.text("description")? {
        function.insert("description".to_owned(), description.into());
    }
    let googles = declared.take("parameters").map(schema::common);
    if let Some(parameters) = declared.take("parametersJsonSchema").or(googles) {
        function.insert("parameters".to_owned(), parameters);
    }
    dropped.extend(declared.left());
    Ok(object([("type", "function".into()), ("function", Value::Object(function))]))
}
