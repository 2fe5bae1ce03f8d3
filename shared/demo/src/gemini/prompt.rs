//! Reads what is asked in a call for content.

use serde_json::Value;

use crate::call::Call;
use crate::error::Refusal;
use crate::prompt::{Choice, Format, Picture, Prompt, Tool, list, text_of, texts};

pub(super) fn read(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    let contents = body["contents"].as_array().filter(|contents| !contents.is_empty());
    let contents = contents.ok_or_else(|| Refusal::bad_request("* contents: contents is not specified"))?;
    let asked = contents
        .iter()
        .rev()
        .find(|content| content["role"] != "model" && content["parts"][0]["text"].is_string());
    let last = contents.last().map_or(&Value::Null, |content| &content["parts"]);
    let config = &body["generationConfig"];
    Ok(Prompt {
        user: asked.map(|content| text_of(&content["parts"])).unwrap_or_default(),
        tool_results: list(last).iter().filter_map(tool_result).collect(),
        pictures: contents.iter().flat_map(|content| list(&content["parts"])).filter_map(picture).collect(),
        tools: declarations(body).filter_map(tool).collect(),
        choice: choice(&body["toolConfig"]["functionCallingConfig"]),
        one_call: false,
        format: format(config),
        limit: config["maxOutputTokens"].as_u64(),
        stop: texts(&config["stopSequences"]),
        thinks: thinks(&config["thinkingConfig"]),
        size: call.body.len(),
    })
}

/// Every function that is declared in any of the tools.
pub(super) fn declarations(body: &Value) -> impl Iterator<Item = &Value> {
    let tools = list(&body["tools"]).iter();
    tools.flat_map(|tool| list(&tool["functionDeclarations"]))
}

fn thinks(config: &Value) -> bool {
    config["includeThoughts"] == true
        || config["thinkingLevel"].is_string()
        || config["thinkingBudget"].as_i64().is_some_and(|budget| budget != 0)
}

fn tool_result(part: &Value) -> Option<String> {
    Some(part.get("functionResponse")?["response"].to_string())
}

fn picture(part: &Value) -> Option<Picture> {
    let linked = || Picture::Linked(part["fileData"]["fileUri"].as_str().unwrap_or("a file").to_owned());
    let file = || part.get("fileData").map(|_| linked());
    part["inlineData"]["data"].as_str().map(Picture::inline).or_else(file)
}

fn tool(tool: &Value) -> Option<Tool> {
    let schema = tool.get("parameters").unwrap_or(&tool["parametersJsonSchema"]).clone();
    Some(Tool { name: tool["name"].as_str()?.to_owned(), schema })
}

fn choice(config: &Value) -> Choice {
    match (config["mode"].as_str(), config["allowedFunctionNames"][0].as_str()) {
        (Some("NONE"), _) => Choice::Never,
        (Some("ANY"), Some(name)) => Choice::Named(name.to_owned()),
        (Some("ANY"), None) => Choice::Any,
        _ => Choice::Auto,
    }
}

fn format(config: &Value) -> Format {
    let schema = config.get("responseSchema").or_else(|| config.get("responseJsonSchema"));
    match (schema, config["responseMimeType"].as_str()) {
        (Some(schema), _) => Format::Schema(schema.clone()),
        (None, Some("application/json")) => Format::Object,
        _ => Format::Text,
    }
}
