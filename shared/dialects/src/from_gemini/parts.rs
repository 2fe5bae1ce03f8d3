//! Media in Gemini's parts as parts of a chat message.

use serde_json::{Value, json};

use crate::gemini::{DataUrl, Fields, mime_of_name, object};
use crate::target::{Quirks, Refusal};

/// A text.
pub(super) fn text_part(text: String) -> Value {
    object([("type", "text".into()), ("text", Value::String(text))])
}

/// Reads `inlineData`. Not every provider of chat reads files, and none would answer the same without.
pub(super) fn read_inline(mut blob: Fields, quirks: Quirks) -> Result<Value, Refusal> {
    let mime = blob.need_text("mimeType")?.to_ascii_lowercase();
    let data = blob.need_text("data")?;
    let name = blob.text("displayName")?;
    let media = DataUrl { mime, data }.in_common_alphabet();
    Ok(match media.mime.split_once('/') {
        Some(("image", _)) => by_url("image_url", media.write()),
        Some(("video", _)) => by_url("video_url", media.write()),
        Some(("audio", format)) => {
            let format = Value::from(audio_format(format));
            let audio = object([("data", Value::String(media.data)), ("format", format)]);
            object([("type", "input_audio".into()), ("input_audio", audio)])
        }
        _ if !quirks.file_parts => {
            let reason = format!("media of the kind {} cannot be sent to this provider", media.mime);
            return Err(unsupported(&blob, "mimeType", &reason));
        }
        _ => file(name.unwrap_or_else(|| file_name(&media.mime)), media.write()),
    })
}

fn by_url(kind: &str, url: String) -> Value {
    object([("type", kind.into()), (kind, object([("url", Value::String(url))]))])
}

fn file(name: String, url: String) -> Value {
    let file = object([("filename", Value::String(name)), ("file_data", Value::String(url))]);
    object([("type", "file".into()), ("file", file)])
}

fn audio_format(subtype: &str) -> &str {
    match subtype {
        "mpeg" => "mp3",
        "x-wav" | "wave" => "wav",
        other => other,
    }
}

/// Chat wants a name with every file.
fn file_name(mime: &str) -> String {
    let ending = match mime.rsplit('/').next() {
        Some("plain") | None => "txt",
        Some(subtype) => subtype,
    };
    format!("file.{ending}")
}

/// Reads `fileData`. Chat's providers fetch images and videos from the web, and nothing else.
pub(super) fn read_file(mut file: Fields) -> Result<Value, Refusal> {
    let uri = file.need_text("fileUri")?;
    let mime = file.text("mimeType")?;
    let mime = mime.as_deref().or_else(|| mime_of_name(&uri)).unwrap_or_default();
    let refuse = |reason| Err(unsupported(&file, "fileUri", reason));
    let kind = match mime.split_once('/') {
        Some(("image", _)) => "image_url",
        Some(("video", _)) => "video_url",
        _ => return refuse("only images and videos can be sent by their URL, with a `mimeType`"),
    };
    if !uri.starts_with("https://") && !uri.starts_with("http://") {
        return refuse("only http(s) URLs can be fetched");
    }
    if uri.starts_with("https://generativelanguage.googleapis.com/") {
        return refuse("a file at Google can be read by Google only; send `inlineData`");
    }
    Ok(json!({ "type": kind, kind: { "url": uri } }))
}

fn unsupported(part: &Fields, name: &str, reason: &str) -> Refusal {
    let path = part.path_of(name);
    let message = format!("`{path}`: {reason}.");
    Refusal::of(path, "unsupported_content_part", message)
}
