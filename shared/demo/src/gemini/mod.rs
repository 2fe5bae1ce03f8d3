//! Gemini's endpoints: content whole and streamed, token counts, embeddings and models.

mod answer;
mod check;
mod contents;
mod prompt;
mod spelling;

use serde_json::{Value, json};

use crate::call::{Call, decoded};
use crate::embedding;
use crate::error::Refusal;
use crate::flavour::Flavour;
use crate::mischief::Shape;
use crate::openai::models::MODELS;
use crate::prompt::text_of;
use crate::reply::Reply;
use crate::routes::unknown;
use crate::speech;
use answer::Answer;
use spelling::camel;

/// How many numbers an embedding has unless the call says otherwise.
const USUAL_DIMENSIONS: u64 = 768;

/// The model a path names, as in `/v1beta/models/{model}:generateContent`; its name may be percent-encoded.
pub(crate) fn model_of(path: &str) -> Option<String> {
    let versionless = path.strip_prefix("/v1beta").or_else(|| path.strip_prefix("/v1"))?;
    let action =
        versionless.strip_prefix("/models/").or_else(|| versionless.strip_prefix("/tunedModels/"))?;
    let (model, _) = action.rsplit_once(':')?;
    Some(decoded(model))
}

/// Whether a path below `/v1` is Gemini's: by its verb, or by the key's header.
pub(crate) fn is_meant(call: &Call, path: &[&str]) -> bool {
    let models = path.first().is_some_and(|first| *first == "models");
    model_of(call.path()).is_some() || (models && call.headers.contains_key("x-goog-api-key"))
}

/// Answers `/v1beta/…` and `/v1/…`; `path` is what follows the version.
pub(crate) fn reply(call: &Call, path: &[&str], shape: Shape) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("GET", ["models"]) => {
            Ok(Reply::json(&json!({"models": MODELS.iter().map(model).collect::<Value>()})))
        }
        ("GET", ["models", id]) => one_model(&decoded(id)),
        ("POST", ["models" | "tunedModels", action]) => act(call, action, shape),
        _ => Err(unknown(call)),
    }
}

fn act(call: &Call, action: &str, shape: Shape) -> Result<Reply, Refusal> {
    let (model, verb) = action.rsplit_once(':').ok_or_else(|| unknown(call))?;
    let model = decoded(model);
    match verb {
        "generateContent" => Ok(answer(call, model, shape)?.whole(shape)),
        "streamGenerateContent" if call.query("alt") == Some("sse") => {
            Ok(answer(call, model, shape)?.events(shape))
        }
        "streamGenerateContent" => Ok(answer(call, model, shape)?.array(shape)),
        "countTokens" => count(call, shape),
        "embedContent" => Ok(Reply::json(&json!({"embedding": embedding(&camel(call.json()?))}))),
        "batchEmbedContents" => embeddings(&camel(call.json()?)),
        _ => Err(unknown(call)),
    }
}

fn answer(call: &Call, model: String, shape: Shape) -> Result<Answer, Refusal> {
    let body = camel(call.json()?);
    check::fields(&body)?;
    check::tools(&body, &model)?;
    check::thinking(&body, &model)?;
    contents::check(&body, &model)?;
    if shape.flavour == Flavour::Vertex {
        check::vertex(&body, &call.body)?;
    }
    let speech = speech::answer(&prompt::read(&body, call)?, shape.scene);
    let config = &body["generationConfig"];
    let thoughts = &config["thinkingConfig"]["includeThoughts"];
    Ok(Answer {
        id: call.id("resp-"),
        signs: check::is_third(&model),
        model,
        candidates: config["candidateCount"].as_u64().unwrap_or(1).clamp(1, 8),
        tells_thoughts: *thoughts == true || shape.scene.thinking,
        speech,
    })
}

/// `countTokens` may wrap the request it is to count.
fn count(call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = camel(call.json()?);
    let body = body.get("generateContentRequest").unwrap_or(&body);
    let speech = speech::answer(&prompt::read(body, call)?, shape.scene);
    Ok(Reply::json(&json!({"totalTokens": speech.input})))
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
