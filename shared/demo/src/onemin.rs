//! 1min.ai: a chat that is one long text, features with prompts of their own, and uploads.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::multipart::Form;
use crate::openai::models::MODELS;
use crate::prompt::{Picture, Prompt, list, sniff, texts};
use crate::reply::Reply;
use crate::routes::unknown;
use crate::speech::{self, Speech};
use crate::state::{Known, State};

const CHAT: &str = "UNIFY_CHAT_WITH_AI";

/// The extensions an upload may have, and the type each one promises where the demo can tell.
const EXTENSIONS: [(&str, &str); 16] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("pdf", "application/pdf"),
    ("wav", "audio/wav"),
    ("mp3", ""),
    ("m4a", ""),
    ("mp4", ""),
    ("ogg", ""),
    ("webm", ""),
    ("flac", ""),
    ("txt", ""),
    ("csv", ""),
    ("docx", ""),
];

/// Answers `/api/…` and `/models`; the list of models is the one thing that needs no key.
pub(crate) fn reply(state: &State, call: &Call, path: &[&str], shape: Shape) -> Result<Reply, Refusal> {
    if let ("GET", ["models"]) = (call.verb(), path) {
        return Ok(models(call));
    }
    if call.header("api-key").is_none_or(str::is_empty) {
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "Invalid or missing API key"));
    }
    match (call.verb(), path) {
        ("POST", ["api", "chat-with-ai"]) => chat(state, call, shape),
        ("POST", ["api", "features"]) => feature(state, call),
        ("POST", ["api", "assets"]) => asset(state, call),
        _ => Err(unknown(call)),
    }
}

fn chat(state: &State, call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    let body = call.json()?;
    if body["type"] != CHAT {
        return Err(Refusal::bad_request(format!("type must be {CHAT}")));
    }
    let asked = &body["promptObject"];
    let user = asked["prompt"].as_str().filter(|prompt| !prompt.is_empty());
    let user = user.ok_or_else(|| Refusal::bad_request("promptObject.prompt should not be empty"))?;
    let images = texts(&asked["attachments"]["images"]);
    for path in images.iter().chain(&texts(&asked["attachments"]["files"])) {
        uploaded(&state.assets, path)?;
    }
    let pictures = images.into_iter().map(Picture::Linked).collect();
    let prompt = Prompt { user: user.to_owned(), pictures, size: call.body.len(), ..Prompt::default() };
    let speech = speech::answer(&prompt, shape.scene);
    Ok(if call.query("isStreaming") == Some("true") {
        stream(call, &body, &speech, shape)
    } else {
        Reply::json(&record(call, &body, &json!([speech.text(shape)])))
    })
}

/// The last content says the whole text again, as 1min.ai sometimes does.
fn stream(call: &Call, body: &Value, speech: &Speech, shape: Shape) -> Reply {
    let whole: String = speech.deltas(shape).collect();
    let content = |text: String| event("content", &json!({"content": text}));
    let ending = vec![
        event("result", &record(call, body, &json!([whole]))),
        event("done", &json!({"message": "Stream completed"})),
    ];
    let pieces = speech.deltas(shape).chain([whole]).map(content);
    Reply::events(Box::new(pieces), ending)
}

fn event(name: &str, value: &Value) -> Bytes {
    format!("event: {name}\ndata: {value}\n\n").into()
}

fn feature(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let body = call.json()?;
    let asked = &body["promptObject"];
    let result = match body["type"].as_str() {
        Some("IMAGE_GENERATOR") => pictures(call, asked)?,
        Some("SPEECH_TO_TEXT" | "AUDIO_TRANSLATOR") => {
            let path = asked["audioUrl"].as_str().unwrap_or_default();
            uploaded(&state.assets, path)?;
            json!([format!("The demo provider did not listen to {path}.")])
        }
        Some(kind) => return Err(Refusal::bad_request(format!("The type {kind} is not supported"))),
        None => return Err(Refusal::bad_request("type should not be empty")),
    };
    Ok(Reply::json(&record(call, &body, &result)))
}

/// Pictures are told by where they can be fetched.
fn pictures(call: &Call, asked: &Value) -> Result<Value, Refusal> {
    if asked["prompt"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::bad_request("promptObject.prompt should not be empty"));
    }
    let host = call.header("host").unwrap_or("127.0.0.1");
    let url = |i| format!("http://{host}/demo/pictures/{}-{i}.png", call.id(""));
    Ok((0..asked["n"].as_u64().unwrap_or(1).clamp(1, 10)).map(url).collect())
}

fn uploaded(assets: &Known, path: &str) -> Result<(), Refusal> {
    if assets.has(path) {
        Ok(())
    } else {
        Err(Refusal::not_found(format!("The asset {path:?} does not exist")))
    }
}

fn asset(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let form = Form::read(call)?;
    let file = form.file("asset")?;
    let name = file.filename.clone().unwrap_or_default();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default();
    let known = EXTENSIONS.iter().find(|(known, _)| *known == extension);
    // Nothing is promised of kinds the demo cannot tell apart.
    if known.is_none_or(|(_, kind)| !kind.is_empty() && sniff(&file.data) != *kind) {
        return Err(Refusal::bad_request("This file type isn't supported"));
    }
    let path = format!("images/{}.{extension}", call.id("asset_"));
    state.assets.note(path.clone());
    let content = json!({
        "uuid": call.id("asset-"), "name": name, "path": path, "size": file.data.len(), "status": "ACTIVE",
    });
    Ok(Reply::json(&json!({"asset": {"key": path}, "fileContent": content})))
}

fn record(call: &Call, body: &Value, result: &Value) -> Value {
    let detail = json!({"promptObject": body["promptObject"], "resultObject": result, "responseObject": {}});
    json!({"aiRecord": {
        "uuid": call.id("record-"), "model": body["model"], "type": body["type"], "status": "SUCCESS",
        "conversationId": null, "metadata": null, "aiRecordDetail": detail,
    }})
}

fn models(call: &Call) -> Reply {
    let feature = call.query("feature").unwrap_or(CHAT);
    let output = if feature == "IMAGE_GENERATOR" { "image" } else { "text" };
    let model = |(id, _): &(&str, &str)| {
        json!({
            "modelId": id, "name": id, "provider": "demo", "features": [feature], "creditMetadata": {},
            "modality": {"INPUT": ["text", "image"], "OUTPUT": [output]},
        })
    };
    let models: Value = MODELS.iter().map(model).collect();
    Reply::json(&json!({"models": models, "total": list(&models).len()}))
}
