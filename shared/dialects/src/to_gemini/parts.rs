//! Parts of a message: text, images, audio, video and files.

use serde_json::Value;

use crate::gemini::{DataUrl, Fields, mime_of_name, object};
use crate::target::Refusal;

/// Reads a message's content, a string or parts, into Gemini's parts.
pub(super) fn read(content: Option<Value>, path: &str) -> Result<Vec<Value>, Refusal> {
    match content {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text_part(text)]),
        Some(Value::Array(parts)) => {
            let numbered = parts.into_iter().enumerate();
            numbered.map(|(at, part)| read_part(part, format!("{path}[{at}]"))).collect()
        }
        Some(_) => Err(Refusal::of(path, "invalid_value", format!("`{path}` must be a string or an array."))),
    }
}

/// Reads a content that may only be text, as one text per part.
pub(super) fn read_texts(content: Option<Value>, path: &str) -> Result<Vec<String>, Refusal> {
    let parts = read(content, path)?.into_iter().enumerate();
    parts
        .map(|(at, part)| match part {
            Value::Object(mut part) => match part.remove("text") {
                Some(Value::String(text)) => Ok(text),
                _ => Err(unsupported(format!("{path}[{at}]"), "only text can stand here")),
            },
            _ => Err(unsupported(format!("{path}[{at}]"), "only text can stand here")),
        })
        .collect()
}

/// A text.
pub(super) fn text_part(text: String) -> Value {
    object([("text", Value::String(text))])
}

/// Reads one part of a message, or one image of an assistant's `images`.
pub(super) fn read_part(part: Value, path: String) -> Result<Value, Refusal> {
    let mut part = Fields::of(part, path)?;
    let kind = part.need_text("type")?;
    match kind.as_str() {
        "text" | "input_text" | "output_text" => Ok(text_part(part.need_text("text")?)),
        "refusal" => Ok(text_part(part.need_text("refusal")?)),
        "image_url" | "video_url" => read_url(&mut part, &kind),
        "input_audio" => read_audio(&mut part),
        "file" => read_file(&mut part),
        _ => {
            let reason = format!("a part of type `{kind}` cannot be sent to Gemini");
            Err(unsupported(part.path_of("type"), &reason))
        }
    }
}

fn unsupported(path: String, reason: &str) -> Refusal {
    let message = format!("`{path}`: {reason}.");
    Refusal::of(path, "unsupported_content_part", message)
}

/// `image_url: {url}`, or the URL itself, which some clients send.
fn read_url(part: &mut Fields, kind: &str) -> Result<Value, Refusal> {
    let path = part.path_of(kind);
    match part.need(kind)? {
        Value::String(url) => media(url, None, &path),
        holder => {
            let mut holder = Fields::of(holder, path)?;
            let format = holder.text("format")?;
            let url = holder.need_text("url")?;
            media(url, format, &holder.path_of("url"))
        }
    }
}

/// Media by their URL. Google fetches public ones itself.
fn media(url: String, mime: Option<String>, path: &str) -> Result<Value, Refusal> {
    let url = match DataUrl::parse(url) {
        Ok(data) => return Ok(inline(data)),
        Err(url) => url,
    };
    let mime = mime.or_else(|| mime_of_name(&url).map(str::to_owned));
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("gs") if mime.is_none() => {
            let message = format!("`{path}`: a gs:// URL needs a `format`, for example image/png.");
            Err(Refusal::of(path, "invalid_value", message))
        }
        Some("http" | "https" | "gs") => Ok(by_reference(url, mime)),
        _ => {
            let message = format!("`{path}` must be a data URL in base64, or an http(s) or gs:// URL.");
            Err(Refusal::of(path, "invalid_value", message))
        }
    }
}

/// Vertex reads the fields in the order they come, and refuses data whose kind it does not know yet.
pub(super) fn inline(media: DataUrl) -> Value {
    let media = media.in_common_alphabet();
    let blob = object([("mimeType", Value::String(media.mime)), ("data", Value::String(media.data))]);
    object([("inlineData", blob)])
}

fn by_reference(uri: String, mime: Option<String>) -> Value {
    let uri = ("fileUri", Value::String(uri));
    let file = match mime {
        Some(mime) => object([("mimeType", Value::String(mime)), uri]),
        None => object([uri]),
    };
    object([("fileData", file)])
}

fn read_audio(part: &mut Fields) -> Result<Value, Refusal> {
    let path = part.path_of("input_audio");
    let mut audio = Fields::of(part.need("input_audio")?, path)?;
    let format = audio.need_text("format")?;
    let data = audio.need_text("data")?;
    if format.is_empty() || !format.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(audio.wrong("format", "the name of a format, such as wav"));
    }
    let mime = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
    Ok(inline(DataUrl { mime, data }))
}

fn read_file(part: &mut Fields) -> Result<Value, Refusal> {
    let path = part.path_of("file");
    let mut file = Fields::of(part.need("file")?, path)?;
    let name = file.text("filename")?;
    let mime = file.text("format")?;
    if let Some(id) = file.text("file_id")? {
        return by_id(id, mime, &file);
    }
    let data = file.need_text("file_data")?;
    if data.starts_with("data:") || data.contains("://") {
        return media(data, mime, &file.path_of("file_data"));
    }
    let named = name.as_deref().and_then(mime_of_name).unwrap_or("application/pdf");
    Ok(inline(DataUrl { mime: mime.unwrap_or_else(|| named.to_owned()), data }))
}

/// A file that was given to Google before. Another provider's id means nothing there.
fn by_id(id: String, mime: Option<String>, file: &Fields) -> Result<Value, Refusal> {
    if id.starts_with("gs://") {
        return media(id, mime, &file.path_of("file_id"));
    }
    if id.starts_with("https://generativelanguage.googleapis.com/") {
        return Ok(by_reference(id, mime));
    }
    let reason = "only a URI of Google's Files API is known to Gemini; send `file_data` instead";
    Err(unsupported(file.path_of("file_id"), reason))
}
