//! Chat completions: what is asked in one, and the reply to it.

use serde_json::Value;

use super::strict;
use super::telling::Telling;
use crate::call::Call;
use crate::error::Refusal;
use crate::flavour::Flavour;
use crate::mischief::Shape;
use crate::prompt::{Choice, Format, Picture, Prompt, Tool, list, text_of, texts};
use crate::reply::Reply;
use crate::scene::Twist;
use crate::speech;

/// More choices than this are not asked for by accident.
const MOST_CHOICES: u64 = 128;

pub(crate) fn reply(call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    strict::check(&body, shape.flavour)?;
    if shape.scene.twist == Twist::Blocked && shape.flavour == Flavour::Azure {
        return Err(strict::filtered());
    }
    let speech = speech::answer(&prompt(&body, call, shape.flavour)?, shape.scene);
    let telling = Telling {
        id: call.id("chatcmpl-"),
        model: if body["model"].is_string() { text_of(&body["model"]) } else { call.model() },
        created: call.at,
        choices: choices(&body)?,
        with_usage: body["stream_options"]["include_usage"] == true,
        flavour: shape.flavour,
    };
    Ok(if body["stream"] == true { telling.stream(&speech, shape) } else { telling.whole(&speech, shape) })
}

fn choices(body: &Value) -> Result<usize, Refusal> {
    let n = body["n"].as_u64().unwrap_or(1);
    let usable = (1..=MOST_CHOICES).contains(&n);
    if usable {
        Ok(n as usize)
    } else {
        Err(Refusal::bad_request(format!("n must be from 1 to {MOST_CHOICES}.")))
    }
}

fn prompt(body: &Value, call: &Call, flavour: Flavour) -> Result<Prompt, Refusal> {
    let messages = body["messages"].as_array().ok_or_else(|| Refusal::missing("messages"))?;
    if messages.is_empty() {
        return Err(Refusal::bad_request("[] is too short - 'messages'"));
    }
    let asked = messages.iter().rev().find(|message| message["role"] == "user");
    let last_tools = messages.iter().rev().take_while(|message| message["role"] == "tool");
    let mut tool_results: Vec<String> = last_tools.map(|message| text_of(&message["content"])).collect();
    tool_results.reverse();
    Ok(Prompt {
        user: asked.map(|message| text_of(&message["content"])).unwrap_or_default(),
        tool_results,
        pictures: messages.iter().flat_map(|message| pictures(&message["content"])).collect(),
        tools: list(&body["tools"]).iter().filter_map(tool).collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["parallel_tool_calls"] == false,
        format: format(&body["response_format"]),
        limit: body["max_completion_tokens"].as_u64().or(body["max_tokens"].as_u64()),
        stop: texts(&body["stop"]),
        thinks: thinks(body, flavour),
        size: call.body.len(),
    })
}

/// Asked for by an effort, or by one of the fields that OpenRouter and DeepSeek have for it.
fn thinks(body: &Value, flavour: Flavour) -> bool {
    let effort = body["reasoning_effort"].as_str().or(body["reasoning"]["effort"].as_str());
    match (effort, body["thinking"]["type"].as_str()) {
        (_, Some(kind)) => kind != "disabled",
        (Some(effort), None) => effort != "none",
        (None, None) => body["reasoning"].is_object() || strict::thinks_unasked(flavour),
    }
}

fn pictures(content: &Value) -> impl Iterator<Item = Picture> {
    list(content).iter().filter_map(|part| part["image_url"]["url"].as_str()).map(Picture::at)
}

fn tool(tool: &Value) -> Option<Tool> {
    let function = tool.get("function")?;
    Some(Tool { name: function["name"].as_str()?.to_owned(), schema: function["parameters"].clone() })
}

/// The choice of a tool; "any" is Mistral's word for "required".
pub(crate) fn choice(choice: &Value) -> Choice {
    let named = choice["function"]["name"].as_str().or(choice["name"].as_str());
    match (choice.as_str(), named) {
        (Some("none"), _) => Choice::Never,
        (Some("required" | "any"), _) => Choice::Any,
        (_, Some(name)) => Choice::Named(name.to_owned()),
        _ => Choice::Auto,
    }
}

fn format(format: &Value) -> Format {
    match format["type"].as_str() {
        Some("json_object") => Format::Object,
        Some("json_schema") => Format::Schema(format["json_schema"]["schema"].clone()),
        _ => Format::Text,
    }
}
