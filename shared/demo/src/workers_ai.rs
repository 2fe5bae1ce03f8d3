//! Cloudflare Workers AI in its own dialect: one endpoint, whose model decides what goes in and comes out.
//!
//! Its OpenAI-compatible endpoints are next door, below `/ai/v1`.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::call::{Call, decoded};
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::openai::models::MODELS;
use crate::prompt::{Format, Prompt, Tool, list, text_of, texts};
use crate::reply::{Reply, data};
use crate::routes::unknown;
use crate::speech::{self, Speech};
use crate::{base64, embedding, media};

/// How many numbers a vector of `bge-base` has.
const DIMENSIONS: u64 = 768;
/// Flux takes no more steps than this.
const MOST_STEPS: u64 = 8;

const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// What a model makes, which only its name says.
enum Kind {
    /// An image in base64, inside the usual envelope.
    Flux,
    /// The bytes of an image, without any envelope.
    Diffusion,
    Vectors,
    Text,
}

/// Answers `/client/v4/accounts/{account}/ai/…`; `path` is what follows that.
pub(crate) fn reply(call: &Call, path: &[&str], shape: Shape) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("POST", ["run", model @ ..]) => run(call, &decoded(&model.join("/")), shape),
        ("GET", ["models", "search"]) => Ok(models()),
        _ => Err(unknown(call)),
    }
}

fn run(call: &Call, model: &str, shape: Shape) -> Result<Reply, Refusal> {
    if !model.starts_with("@cf/") && !model.starts_with("@hf/") {
        return Err(Refusal::bad_request(format!("No such model {model} or task")));
    }
    let body = call.json()?;
    match kind(model) {
        Kind::Flux => flux(&body),
        Kind::Diffusion => Ok(Reply::bytes("image/png", media::png(&words(&body)?))),
        Kind::Vectors => vectors(&body),
        Kind::Text => text(&body, call, shape),
    }
}

fn kind(model: &str) -> Kind {
    let names = |words: &[&str]| words.iter().any(|word| model.contains(word));
    if names(&["flux"]) {
        Kind::Flux
    } else if names(&["diffusion", "dreamshaper", "lucid-origin"]) {
        Kind::Diffusion
    } else if names(&["bge", "embedding"]) {
        Kind::Vectors
    } else {
        Kind::Text
    }
}

fn words(body: &Value) -> Result<String, Refusal> {
    let missing =
        || Refusal::bad_request("AiError: Bad input: Error: required properties at '/' are 'prompt'");
    body["prompt"].as_str().map(str::to_owned).ok_or_else(missing)
}

fn flux(body: &Value) -> Result<Reply, Refusal> {
    let steps = body.get("steps").or_else(|| body.get("num_steps")).and_then(Value::as_u64);
    if steps.is_some_and(|steps| steps > MOST_STEPS) {
        let message = format!("AiError: Bad input: Error: '/steps' must be <= {MOST_STEPS}");
        return Err(Refusal::bad_request(message));
    }
    Ok(enveloped(&json!({"image": base64::encode(&media::png(&words(body)?))})))
}

fn vectors(body: &Value) -> Result<Reply, Refusal> {
    let texts = texts(&body["text"]);
    if texts.is_empty() {
        return Err(Refusal::bad_request("AiError: Bad input: Error: required properties at '/' are 'text'"));
    }
    let vectors: Value = texts.iter().map(|text| json!(embedding::vector(text, DIMENSIONS))).collect();
    Ok(enveloped(&json!({"shape": [texts.len(), DIMENSIONS], "data": vectors, "pooling": "mean"})))
}

fn text(body: &Value, call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let speech = speech::answer(&prompt(body, call)?, shape.scene);
    if body["stream"] == true {
        return Ok(stream(&speech, shape));
    }
    let calls = speech.calls.iter().map(|call| json!({"name": call.name, "arguments": call.arguments}));
    let mut result = json!({"response": speech.text(shape), "usage": usage(&speech)});
    if !speech.calls.is_empty() {
        result["tool_calls"] = calls.collect();
    }
    Ok(enveloped(&result))
}

fn prompt(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    let messages = list(&body["messages"]);
    let asked = messages.iter().rev().find(|message| message["role"] == "user");
    let asked = asked.map(|message| text_of(&message["content"]));
    let results = messages.iter().rev().take_while(|message| message["role"] == "tool");
    Ok(Prompt {
        user: asked.map_or_else(|| words(body), Ok)?,
        tool_results: results.map(|message| text_of(&message["content"])).collect(),
        tools: list(&body["tools"]).iter().filter_map(tool).collect(),
        format: match body["response_format"]["type"].as_str() {
            Some("json_schema") => Format::Schema(body["response_format"]["json_schema"].clone()),
            Some("json_object") => Format::Object,
            _ => Format::Text,
        },
        limit: body["max_tokens"].as_u64(),
        size: call.body.len(),
        ..Prompt::default()
    })
}

/// A tool is described flat, or as OpenAI does.
fn tool(tool: &Value) -> Option<Tool> {
    let tool = tool.get("function").unwrap_or(tool);
    Some(Tool { name: tool["name"].as_str()?.to_owned(), schema: tool["parameters"].clone() })
}

/// `p` is padding, so that nobody learns a word from its length.
fn stream(speech: &Speech, shape: Shape) -> Reply {
    let tell = |word: String| data(&json!({"response": word, "p": "abcdefghijklmno"}));
    let last = data(&json!({"response": "", "usage": usage(speech)}));
    Reply::events(Box::new(speech.deltas(shape).map(tell)), vec![last, DONE])
}

fn usage(speech: &Speech) -> Value {
    let (input, output) = (speech.input, speech.output());
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn models() -> Reply {
    let model = |(id, description): &(&str, &str)| {
        json!({
            "id": id, "name": format!("@cf/demo/{id}"), "description": description, "source": 1,
            "task": {"name": "Text Generation"}, "properties": [],
        })
    };
    enveloped(&MODELS.iter().map(model).collect::<Value>())
}

fn enveloped(result: &Value) -> Reply {
    Reply::json(&json!({"result": result, "success": true, "errors": [], "messages": []}))
}
