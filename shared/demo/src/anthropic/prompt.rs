//! Reads what is asked in a call for a message.

use serde_json::Value;

use crate::call::Call;
use crate::prompt::{Choice, Format, Picture, Prompt, Tool, list, text_of, texts};

pub(super) fn read(body: &Value, call: &Call) -> Prompt {
    let messages = list(&body["messages"]);
    let asked = messages.iter().rev().find(|message| message["role"] == "user");
    let last = messages.last().map_or(&Value::Null, |message| &message["content"]);
    let results = list(last).iter().filter(|block| block["type"] == "tool_result");
    Prompt {
        user: asked.map(|message| text_of(&message["content"])).unwrap_or_default(),
        tool_results: results.map(|block| text_of(&block["content"])).collect(),
        pictures: messages.iter().flat_map(|message| list(&message["content"])).filter_map(picture).collect(),
        tools: list(&body["tools"]).iter().filter_map(tool).collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["tool_choice"]["disable_parallel_tool_use"] == true,
        format: format(body),
        limit: body["max_tokens"].as_u64(),
        stop: texts(&body["stop_sequences"]),
        thinks: ["enabled", "adaptive"].iter().any(|kind| body["thinking"]["type"] == *kind),
        size: call.body.len(),
    }
}

fn picture(block: &Value) -> Option<Picture> {
    let source = (block["type"] == "image").then(|| &block["source"])?;
    let linked = || Picture::Linked(source["url"].as_str().unwrap_or("a file").to_owned());
    Some(source["data"].as_str().map_or_else(linked, Picture::inline))
}

fn tool(tool: &Value) -> Option<Tool> {
    let schema = tool.get("input_schema")?.clone();
    Some(Tool { name: tool["name"].as_str()?.to_owned(), schema })
}

fn choice(choice: &Value) -> Choice {
    match choice["type"].as_str() {
        Some("none") => Choice::Never,
        Some("any") => Choice::Any,
        Some("tool") => Choice::Named(choice["name"].as_str().unwrap_or_default().to_owned()),
        _ => Choice::Auto,
    }
}

fn format(body: &Value) -> Format {
    let schema =
        body.pointer("/output_config/format/schema").or_else(|| body.pointer("/output_format/schema"));
    schema.map_or(Format::Text, |schema| Format::Schema(schema.clone()))
}
