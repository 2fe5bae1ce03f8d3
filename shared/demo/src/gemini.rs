//! Gemini's endpoints: content whole and streamed, token counts, embeddings and models.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::call::Call;
use crate::embedding;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::openai::models::MODELS;
use crate::prompt::{Choice, Format, Picture, Prompt, Tool, list, text_of};
use crate::reply::{Pieces, Reply};
use crate::routes::unknown;
use crate::speech::{self, End, Speech};

/// How many numbers an embedding has unless the call says otherwise.
const USUAL_DIMENSIONS: u64 = 768;

/// The model a path names, as in `/v1beta/models/{model}:generateContent`.
pub(crate) fn model_of(path: &str) -> Option<&str> {
    let versionless = path.strip_prefix("/v1beta").or_else(|| path.strip_prefix("/v1"))?;
    let (model, _) = versionless.strip_prefix("/models/")?.rsplit_once(':')?;
    Some(model)
}

/// Whether a path below `/v1/models` is asked of Gemini: by its verb, or by the key's header.
pub(crate) fn is_meant(call: &Call) -> bool {
    model_of(call.path()).is_some() || call.headers.contains_key("x-goog-api-key")
}

/// Answers `/v1beta/…` and `/v1/…`; `path` is what follows the version.
pub(crate) fn reply(call: &Call, path: &[&str], shape: Shape) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("GET", ["models"]) => {
            Ok(Reply::json(&json!({"models": MODELS.iter().map(model).collect::<Value>()})))
        }
        ("GET", ["models", id]) => one_model(id),
        ("POST", ["models", action]) => act(call, action, shape),
        _ => Err(unknown(call)),
    }
}

fn act(call: &Call, action: &str, shape: Shape) -> Result<Reply, Refusal> {
    let (model, verb) = action.rsplit_once(':').ok_or_else(|| unknown(call))?;
    let answer = Answer { id: call.id("resp-"), model: model.to_owned() };
    match verb {
        "generateContent" => Ok(answer.whole(&speech(call)?, shape)),
        "streamGenerateContent" if call.query("alt") == Some("sse") => {
            Ok(answer.events(&speech(call)?, shape))
        }
        "streamGenerateContent" => Ok(answer.array(&speech(call)?, shape)),
        "countTokens" => Ok(Reply::json(&json!({"totalTokens": speech(call)?.input}))),
        "embedContent" => Ok(Reply::json(&json!({"embedding": embedding(&call.json()?)}))),
        "batchEmbedContents" => embeddings(&call.json()?),
        _ => Err(unknown(call)),
    }
}

fn one_model(id: &str) -> Result<Reply, Refusal> {
    let known = MODELS.iter().find(|(known, _)| *known == id);
    let missing = || Refusal::not_found(format!("models/{id} is not found for API version v1beta."));
    known.map(|known| Reply::json(&model(known))).ok_or_else(missing)
}

fn model((id, description): &(&str, &str)) -> Value {
    json!({
        "name": format!("models/{id}"), "version": "1", "displayName": id, "description": description,
        "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
    })
}

fn embedding(request: &Value) -> Value {
    let dimensions = request["outputDimensionality"].as_u64().unwrap_or(USUAL_DIMENSIONS);
    json!({"values": embedding::vector(&text_of(&request["content"]["parts"]), dimensions)})
}

fn embeddings(body: &Value) -> Result<Reply, Refusal> {
    let requests = body["requests"].as_array().ok_or_else(|| Refusal::missing("requests"))?;
    Ok(Reply::json(&json!({"embeddings": requests.iter().map(embedding).collect::<Value>()})))
}

fn speech(call: &Call) -> Result<Speech, Refusal> {
    Ok(speech::answer(&prompt(&call.json()?, call)?))
}

fn prompt(body: &Value, call: &Call) -> Result<Prompt, Refusal> {
    // countTokens may wrap the request it is to count.
    let body = body.get("generateContentRequest").unwrap_or(body);
    let contents = body["contents"].as_array().filter(|contents| !contents.is_empty());
    let contents = contents.ok_or_else(|| Refusal::bad_request("* contents: contents is not specified"))?;
    let asked = contents
        .iter()
        .rev()
        .find(|content| content["role"] != "model" && content["parts"][0]["text"].is_string());
    let last = contents.last().map_or(&Value::Null, |content| &content["parts"]);
    let tools = list(&body["tools"])
        .iter()
        .flat_map(|tool| list(either(tool, "functionDeclarations", "function_declarations")));
    Ok(Prompt {
        user: asked.map(|content| text_of(&content["parts"])).unwrap_or_default(),
        tool_results: list(last).iter().filter_map(tool_result).collect(),
        pictures: contents.iter().flat_map(|content| list(&content["parts"])).filter_map(picture).collect(),
        tools: tools.filter_map(tool).collect(),
        choice: choice(&either(body, "toolConfig", "tool_config")["functionCallingConfig"]),
        one_call: false,
        format: format(either(body, "generationConfig", "generation_config")),
        limit: either(body, "generationConfig", "generation_config")["maxOutputTokens"].as_u64(),
        size: call.body.len(),
    })
}

/// Protocol buffers accept a field in either spelling.
fn either<'v>(value: &'v Value, camel: &str, snake: &str) -> &'v Value {
    value.get(camel).unwrap_or(&value[snake])
}

fn tool_result(part: &Value) -> Option<String> {
    Some(part.get("functionResponse")?["response"].to_string())
}

fn picture(part: &Value) -> Option<Picture> {
    let linked = || part.get("fileData").map(|_| Picture::Linked);
    either(part, "inlineData", "inline_data")["data"].as_str().map(Picture::inline).or_else(linked)
}

fn tool(tool: &Value) -> Option<Tool> {
    let schema = either(tool, "parameters", "parametersJsonSchema").clone();
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

struct Answer {
    id: String,
    model: String,
}

impl Answer {
    fn whole(&self, speech: &Speech, shape: Shape) -> Reply {
        let parts = match speech.end {
            End::Tools => call_parts(speech),
            _ => json!([{"text": speech.text(shape)}]),
        };
        Reply::json(&self.last(&parts, speech))
    }

    fn events(&self, speech: &Speech, shape: Shape) -> Reply {
        let pieces = self.chunks(speech, shape).map(|chunk| event(&chunk));
        Reply::events(Box::new(pieces), vec![event(&self.last(&json!([{"text": ""}]), speech))])
    }

    /// Without `alt=sse` the chunks are the elements of one JSON array.
    fn array(&self, speech: &Speech, shape: Shape) -> Reply {
        let elements = self.chunks(speech, shape).map(|chunk| Bytes::from(format!("{chunk},\r\n")));
        let pieces: Pieces = Box::new(std::iter::once(Bytes::from_static(b"[")).chain(elements));
        let last = self.last(&json!([{"text": ""}]), speech).to_string();
        Reply::stream("application/json; charset=UTF-8", pieces, vec![last.into(), Bytes::from_static(b"]")])
    }

    fn chunks(&self, speech: &Speech, shape: Shape) -> Box<dyn Iterator<Item = Value> + Send> {
        let (id, model) = (self.id.clone(), self.model.clone());
        let usage = json!({"promptTokenCount": speech.input, "totalTokenCount": speech.input});
        let chunk = move |parts: Value| {
            let candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
            json!({
                "candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": id,
            })
        };
        match speech.end {
            End::Tools => Box::new(std::iter::once(chunk(call_parts(speech)))),
            _ => Box::new(speech.deltas(shape).map(move |text| chunk(json!([{"text": text}])))),
        }
    }

    /// The chunk that says why the answer ends.
    fn last(&self, parts: &Value, speech: &Speech) -> Value {
        let content = json!({"role": "model", "parts": parts});
        let candidate = json!({"content": content, "finishReason": finish_reason(speech), "index": 0});
        let (input, output) = (speech.input, speech.output());
        json!({
            "candidates": [candidate], "modelVersion": self.model, "responseId": self.id,
            "usageMetadata": {
                "promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output,
            },
        })
    }
}

/// Gemini ends its lines with CRLF.
fn event(chunk: &Value) -> Bytes {
    format!("data: {chunk}\r\n\r\n").into()
}

fn call_parts(speech: &Speech) -> Value {
    speech
        .calls
        .iter()
        .map(|call| json!({"functionCall": {"name": call.name, "args": call.arguments}}))
        .collect()
}

/// A tool call ends with STOP here, too.
fn finish_reason(speech: &Speech) -> &'static str {
    if speech.end == End::Length { "MAX_TOKENS" } else { "STOP" }
}
