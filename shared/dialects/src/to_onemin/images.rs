//! Images: those that a chat shows, and those that are to be made.

use serde_json::{Map, Value, json};

use crate::asked::Asked;
use crate::errors::Told;
use crate::field;
use crate::target::{Outgoing, Refusal, Target};

/// An image of a chat request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture<'a> {
    /// Where it stands: `messages[0].content[1]`.
    pub param: String,
    /// Its URL, of the web or with the data.
    pub url: &'a str,
}

/// The images of a chat request, in their order.
///
/// # Errors
/// A [`Refusal`] of an image without a URL.
pub fn images_of(chat: &Value) -> Result<Vec<Picture<'_>>, Refusal> {
    of_messages(&chat["messages"])
}

pub(super) fn of_messages(messages: &Value) -> Result<Vec<Picture<'_>>, Refusal> {
    let mut images = Vec::new();
    for (at, message) in messages.as_array().into_iter().flatten().enumerate() {
        for (part_at, part) in message["content"].as_array().into_iter().flatten().enumerate() {
            if part["type"] == "image_url" {
                images.push(picture(part, format!("messages[{at}].content[{part_at}]"))?);
            }
        }
    }
    Ok(images)
}

fn picture(part: &Value, param: String) -> Result<Picture<'_>, Refusal> {
    let url = part.pointer("/image_url/url").or_else(|| part.get("image_url")).and_then(Value::as_str);
    match url {
        Some(url) => Ok(Picture { param, url }),
        None => Err(Refusal::of(format!("{param}.image_url.url"), "invalid_value", "An image needs a URL.")),
    }
}

/// Translates a request to make images (`/images/generations`).
///
/// # Errors
/// A [`Refusal`] of a request without a prompt, or for the image's data: 1min.ai gives URLs.
pub fn image_request(body: Value, target: &Target<'_>) -> Result<Outgoing, Refusal> {
    let mut body = field::body(body)?;
    let Some(Value::String(prompt)) = body.shift_remove("prompt") else {
        return Err(field::wrong("prompt", "a string"));
    };
    if body.get("response_format").is_some_and(|format| format == "b64_json") {
        let message = "1min.ai gives images by URL only: leave `response_format` out or ask for `url`.";
        return Err(Refusal::of("response_format", "unsupported_parameter", message));
    }
    let mut take = |name: &str| body.shift_remove(name).filter(|value| !value.is_null());
    let count = take("n").unwrap_or_else(|| json!(1));
    let size = take("size").filter(|size| size != "auto").unwrap_or_else(|| json!("1024x1024"));
    let object = json!({ "prompt": prompt, "n": count, "size": size });
    Ok(Outgoing {
        body: json!({ "type": "IMAGE_GENERATOR", "model": target.model, "promptObject": object }),
        dropped: without_effect(&body),
        asked: asked(target),
    })
}

fn without_effect(body: &Map<String, Value>) -> Vec<String> {
    let meant = body
        .iter()
        .filter(|(name, value)| !value.is_null() && *name != "model" && *name != "response_format");
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

/// Reads the record of made images.
///
/// # Errors
/// What the provider says went wrong, or that it made none.
pub fn image_reply(body: &Value, asked: &Asked) -> Result<Value, Told> {
    if let Some(told) = Told::of_object(body) {
        return Err(told);
    }
    let made = body.pointer("/aiRecord/aiRecordDetail/resultObject");
    let urls: Vec<_> = match made {
        Some(Value::Array(urls)) => urls.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(url)) => vec![url.as_str()],
        _ => Vec::new(),
    };
    if urls.is_empty() {
        return Err(Told::empty());
    }
    let data: Vec<_> = urls.into_iter().map(|url| json!({ "url": url })).collect();
    Ok(json!({ "created": asked.created, "data": data }))
}
