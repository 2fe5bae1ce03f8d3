//! Anthropic's endpoints: messages, token counts and models.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::openai::models::MODELS;
use crate::prompt::{Choice, Format, Picture, Prompt, Tool, list, text_of};
use crate::reply::{Reply, typed_event};
use crate::routes::unknown;
use crate::speech::{self, End, Speech, ToolCall};

/// Whether a path both providers have is asked of Anthropic.
pub(crate) fn is_meant(call: &Call) -> bool {
    call.headers.contains_key("anthropic-version")
}

/// Answers `/v1/…`; `path` is what follows the version.
pub(crate) fn reply(call: &Call, path: &[&str], shape: Shape) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("POST", ["messages"]) => messages(call, shape),
        ("POST", ["messages", "count_tokens"]) => count(call),
        ("GET", ["models"]) => Ok(models()),
        ("GET", ["models", id]) => one_model(id),
        _ => Err(unknown(call)),
    }
}

/// The headers Anthropic puts on every answer.
pub(crate) fn with_headers(reply: Reply, call: &Call) -> Reply {
    reply
        .tell("request-id", call.id("req_"))
        .tell("anthropic-organization-id", "00000000-0000-4000-8000-000000000000")
        .tell("anthropic-ratelimit-requests-limit", "4000")
        .tell("anthropic-ratelimit-requests-remaining", "3999")
        .tell("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z")
}

fn messages(call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    let prompt = prompt(&body, call)?;
    if prompt.limit.is_none() {
        return Err(Refusal::bad_request("max_tokens: Field required"));
    }
    let speech = speech::answer(&prompt);
    let message = Message { id: call.id("msg_"), model: body["model"].as_str().unwrap_or("demo").to_owned() };
    Ok(if body["stream"] == true { message.stream(&speech, shape) } else { message.whole(&speech, shape) })
}

fn count(call: &Call) -> Result<Reply, Refusal> {
    let prompt = prompt(&call.json()?, call)?;
    Ok(Reply::json(&json!({"input_tokens": speech::tokens(prompt.size)})))
}

fn models() -> Reply {
    let (first, last) = (MODELS[0].0, MODELS[MODELS.len() - 1].0);
    let data: Value = MODELS.iter().map(model).collect();
    Reply::json(&json!({"data": data, "has_more": false, "first_id": first, "last_id": last}))
}

fn one_model(id: &str) -> Result<Reply, Refusal> {
    let known = MODELS.iter().find(|(known, _)| *known == id);
    known.map(|known| Reply::json(&model(known))).ok_or_else(|| Refusal::not_found(format!("model: {id}")))
}

fn model((id, description): &(&str, &str)) -> Value {
    json!({
        "type": "model", "id": id, "display_name": id, "description": description,
        "created_at": "2026-01-01T00:00:00Z",
    })
}

fn prompt(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    let missing = || Refusal::bad_request("messages: Field required");
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty()).ok_or_else(missing)?;
    let asked = messages.iter().rev().find(|message| message["role"] == "user");
    let last = messages.last().map_or(&Value::Null, |message| &message["content"]);
    let results = list(last).iter().filter(|block| block["type"] == "tool_result");
    Ok(Prompt {
        user: asked.map(|message| text_of(&message["content"])).unwrap_or_default(),
        tool_results: results.map(|block| text_of(&block["content"])).collect(),
        pictures: messages.iter().flat_map(|message| list(&message["content"])).filter_map(picture).collect(),
        tools: list(&body["tools"]).iter().filter_map(tool).collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["tool_choice"]["disable_parallel_tool_use"] == true,
        format: format(body),
        limit: body["max_tokens"].as_u64(),
        size: call.body.len(),
    })
}

fn picture(block: &Value) -> Option<Picture> {
    let source = (block["type"] == "image").then(|| &block["source"])?;
    Some(source["data"].as_str().map_or(Picture::Linked, Picture::inline))
}

fn tool(tool: &Value) -> Option<Tool> {
    Some(Tool { name: tool["name"].as_str()?.to_owned(), schema: tool["input_schema"].clone() })
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

struct Message {
    id: String,
    model: String,
}

impl Message {
    fn whole(&self, speech: &Speech, shape: Shape) -> Reply {
        let mut message = self.object(&usage(speech.input, speech.output()));
        message["content"] = match speech.end {
            End::Tools => speech
                .calls
                .iter()
                .enumerate()
                .map(|(i, call)| self.tool_use(i, call, &call.arguments))
                .collect(),
            _ => json!([{"type": "text", "text": speech.text(shape)}]),
        };
        message["stop_reason"] = json!(stop_reason(speech));
        Reply::json(&message)
    }

    fn object(&self, usage: &Value) -> Value {
        json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage,
        })
    }

    fn tool_use(&self, i: usize, call: &ToolCall, input: &Value) -> Value {
        let id = format!("{}_{i}", self.id.replace("msg_", "toolu_"));
        json!({"type": "tool_use", "id": id, "name": call.name, "input": input})
    }

    fn stream(&self, speech: &Speech, shape: Shape) -> Reply {
        let start = json!({"type": "message_start", "message": self.object(&usage(speech.input, 1))});
        let blocks: Box<dyn Iterator<Item = Value> + Send> = match speech.end {
            End::Tools => Box::new(self.tool_blocks(speech).into_iter()),
            _ => Box::new(text_block(speech, shape)),
        };
        let events = std::iter::once(start).chain(blocks).map(|event| typed_event(&event));
        Reply::events(Box::new(events), ending(speech))
    }

    /// The blocks of the calls; the last one is left open for the ending to close.
    fn tool_blocks(&self, speech: &Speech) -> Vec<Value> {
        let mut events = Vec::new();
        for (i, call) in speech.calls.iter().enumerate() {
            events.extend((i > 0).then(|| stop_block(i - 1)));
            events.extend(start_block(i, &self.tool_use(i, call, &json!({}))));
            // The first fragment is empty at Anthropic, too.
            let fragments = std::iter::once(String::new()).chain(call.fragments());
            let delta = |json| json!({"type": "input_json_delta", "partial_json": json});
            events.extend(fragments.map(|fragment| block_delta(i, &delta(fragment))));
        }
        events
    }
}

fn text_block(speech: &Speech, shape: Shape) -> impl Iterator<Item = Value> + Send + use<> {
    let deltas =
        speech.deltas(shape).map(|text| block_delta(0, &json!({"type": "text_delta", "text": text})));
    start_block(0, &json!({"type": "text", "text": ""})).into_iter().chain(deltas)
}

/// Opens a block; after the first one Anthropic sends a ping.
fn start_block(index: usize, block: &Value) -> Vec<Value> {
    let ping = (index == 0).then(|| json!({"type": "ping"}));
    let start = json!({"type": "content_block_start", "index": index, "content_block": block});
    std::iter::once(start).chain(ping).collect()
}

fn block_delta(index: usize, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop_block(index: usize) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn ending(speech: &Speech) -> Vec<Bytes> {
    let delta = json!({"stop_reason": stop_reason(speech), "stop_sequence": null});
    let usage = json!({"output_tokens": speech.output()});
    let events = [
        stop_block(speech.calls.len().saturating_sub(1)),
        json!({"type": "message_delta", "delta": delta, "usage": usage}),
        json!({"type": "message_stop"}),
    ];
    events.iter().map(typed_event).collect()
}

fn stop_reason(speech: &Speech) -> &'static str {
    match speech.end {
        End::Stop => "end_turn",
        End::Length => "max_tokens",
        End::Tools => "tool_use",
    }
}

fn usage(input: usize, output: usize) -> Value {
    json!({
        "input_tokens": input, "output_tokens": output, "service_tier": "standard",
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
    })
}
