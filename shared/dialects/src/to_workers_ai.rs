//! Workers AI's native image models, which its compatible API has not: `/ai/run/{model}`.
//!
//! Chat, responses and embeddings go through `/ai/v1`, and its errors are read with everyone's in
//! [`errors`].

use serde_json::{Map, Value, json};

use crate::asked::Asked;
use crate::errors::{self, Told};
use crate::field;
use crate::target::{Outgoing, Refusal, Target};

mod base64;

/// Parameters of image models that go as they are, beside the prompt.
const ITS_OWN: &[&str] = &[
    "negative_prompt",
    "seed",
    "num_steps",
    "steps",
    "guidance",
    "strength",
    "width",
    "height",
    "image_b64",
    "mask",
];

/// Translates a request to make an image (`/images/generations`).
///
/// # Errors
/// A [`Refusal`] of a request without a prompt, for several images, for a URL, or of a size that is none.
pub fn image_request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = field::body(body)?;
    let Some(prompt @ Value::String(_)) = body.shift_remove("prompt") else {
        return Err(field::wrong("prompt", "a string"));
    };
    refuse_more_than_one(&body)?;
    let mut native = Map::from_iter([("prompt".to_owned(), prompt)]);
    if let Some((width, height)) = size_of(body.get("size"))? {
        native.insert("width".to_owned(), width.into());
        native.insert("height".to_owned(), height.into());
    }
    for name in ITS_OWN {
        if let Some(value) = body.shift_remove(*name).filter(|value| !value.is_null()) {
            native.insert((*name).to_owned(), value);
        }
    }
    Ok(Outgoing { body: Value::Object(native), dropped: dropped(&body), asked: asked(target) })
}

/// Reads an image: in JSON, or as its bytes.
///
/// # Errors
/// What the provider says went wrong, or that there is no image.
pub fn image_reply(content_type: Option<&str>, body: &[u8], asked: &Asked) -> Result<Value, Told> {
    let is_image =
        content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("image/"));
    let image = if is_image && !body.is_empty() { base64::encode(body) } else { image_in(body)? };
    Ok(json!({ "created": asked.created, "data": [{ "b64_json": image }] }))
}

fn image_in(body: &[u8]) -> Result<String, Told> {
    let Ok(mut json) = serde_json::from_slice::<Value>(body) else {
        return Err(errors::read(502, None, body));
    };
    if let Some(told) = Told::of_object(&json) {
        return Err(told);
    }
    match json.pointer_mut("/result/image").map(Value::take) {
        Some(Value::String(image)) if !image.is_empty() => Ok(image),
        _ => Err(Told::empty()),
    }
}

fn refuse_more_than_one(body: &Map<String, Value>) -> Result<(), Refusal> {
    if body.get("n").is_some_and(|n| !n.is_null() && n.as_u64() != Some(1)) {
        let message = "Workers AI makes one image at a time: leave `n` out or set it to 1.";
        return Err(Refusal::of("n", "unsupported_parameter", message));
    }
    if body.get("response_format").is_some_and(|format| format == "url") {
        let message = "Workers AI gives the image itself: leave `response_format` out or ask for `b64_json`.";
        return Err(Refusal::of("response_format", "unsupported_parameter", message));
    }
    Ok(())
}

/// `1024x768`.
fn size_of(size: Option<&Value>) -> Result<Option<(u64, u64)>, Refusal> {
    let text = match size {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text == "auto" => return Ok(None),
        Some(size) => size.as_str().unwrap_or_default(),
    };
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.map(Some).ok_or_else(|| field::wrong("size", "like `1024x1024`, or `auto`"))
}

fn dropped(body: &Map<String, Value>) -> Vec<String> {
    let known = ["model", "n", "size", "response_format"];
    let meant = body.iter().filter(|(name, value)| !value.is_null() && !known.contains(&name.as_str()));
    meant.map(|(name, _)| name.clone()).collect()
}

fn asked(target: &Target<'_>) -> Asked {
    Asked {
        model: target.asked_model.to_owned(),
        id: target.id.to_owned(),
        created: target.now,
        ..Asked::default()
    }
}
