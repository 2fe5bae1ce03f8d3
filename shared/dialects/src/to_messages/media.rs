//! Images and files, out of the URLs that chat clients put them into.

use serde_json::Value;

use super::object;
use crate::field::{self, Object, wrong};
use crate::target::Refusal;

/// The images that Claude sees.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

const PDF: &str = "application/pdf";

/// The block of an `image_url` part.
pub(super) fn image(part: &mut Object) -> Result<Value, Refusal> {
    match field::need(part, "image_url")? {
        Value::String(url) => of_url(url).map_err(|refusal| Refusal { param: None, ..refusal }),
        Value::Object(mut image) => field::need_text(&mut image, "url").and_then(of_url),
        _ => Err(Refusal { param: None, ..wrong("url", "a URL") }),
    }
    .map_err(|refusal| refusal.inside("image_url"))
}

fn of_url(url: String) -> Result<Value, Refusal> {
    if is_web(&url) {
        let source = object([("type", "url".into()), ("url", url.into())]);
        return Ok(object([("type", "image".into()), ("source", source)]));
    }
    let data = Data::open(url).ok_or_else(|| wrong("url", "an http(s) or base64 data URL"))?;
    match data.mime.as_str() {
        PDF => Ok(data.block("document")),
        mime if IMAGES.contains(&mime) => Ok(data.block("image")),
        mime => Err(Refusal::of(
            "url",
            "unsupported_image_type",
            format!("Images of the type `{mime}` are not understood; send JPEG, PNG, GIF or WebP."),
        )),
    }
}

/// The block of a `file` part.
pub(super) fn file(part: &mut Object) -> Result<Value, Refusal> {
    let file = field::inner(part, "file")?.unwrap_or_default();
    of_file(file).map_err(|refusal| refusal.inside("file"))
}

fn of_file(mut file: Object) -> Result<Value, Refusal> {
    if field::take(&mut file, "file_id").is_some() {
        return Err(unsupported("file_id", "Files by id cannot be sent to this model; send `file_data`."));
    }
    let mut block = document(field::need_text(&mut file, "file_data")?)?;
    if let Some(name) = field::text(&mut file, "filename")?
        && block["type"] == "document"
    {
        block["title"] = name.into();
    }
    Ok(block)
}

/// A file by its data: a data URL, or the bare base64 of a PDF.
fn document(data: String) -> Result<Value, Refusal> {
    let data = match data.get(..5) {
        Some(start) if start.eq_ignore_ascii_case("data:") => {
            Data::open(data).ok_or_else(|| wrong("file_data", "a base64 data URL"))?
        }
        _ => Data { mime: PDF.to_owned(), base64: data },
    };
    match data.mime.as_str() {
        PDF => Ok(data.block("document")),
        mime if IMAGES.contains(&mime) => Ok(data.block("image")),
        mime if mime.starts_with("text/") => {
            let text = decoded(&data.base64).ok_or_else(|| wrong("file_data", "UTF-8 text in base64"))?;
            Ok(object([("type", "document".into()), ("source", text_source(text))]))
        }
        mime => Err(unsupported(
            "file_data",
            &format!("Files of the type `{mime}` cannot be sent to this model."),
        )),
    }
}

fn text_source(text: String) -> Value {
    object([("type", "text".into()), ("media_type", "text/plain".into()), ("data", text.into())])
}

fn unsupported(param: &str, message: &str) -> Refusal {
    Refusal::of(param, "unsupported_content_part", message)
}

fn is_web(url: &str) -> bool {
    let starts =
        |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts("https://") || starts("http://")
}

/// A data URL, opened.
struct Data {
    mime: String,
    base64: String,
}

impl Data {
    /// Opens `data:<type>[;parameter…];base64,<data>`. The data stays in its place in memory: it may be megabytes.
    fn open(mut url: String) -> Option<Self> {
        let comma = memchr::memchr(b',', url.as_bytes())?;
        let (scheme, head) = url.get(..comma)?.split_once(':')?;
        let mut head = head.split(';').map(str::trim);
        let mime = head.next()?.to_ascii_lowercase();
        if !scheme.eq_ignore_ascii_case("data") || !head.any(|word| word.eq_ignore_ascii_case("base64")) {
            return None;
        }
        url.drain(..=comma);
        Some(Self { mime: if mime == "image/jpg" { IMAGES[0].to_owned() } else { mime }, base64: url })
    }

    fn block(self, kind: &str) -> Value {
        let source = object([
            ("type", "base64".into()),
            ("media_type", self.mime.into()),
            ("data", self.base64.into()),
        ]);
        object([("type", kind.into()), ("source", source)])
    }
}

/// The text that base64 holds. Text files are the one thing whose data is not passed on as it is.
fn decoded(base64: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(base64.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for c in base64.trim_end_matches('=').bytes().filter(|c| !c.is_ascii_whitespace()) {
        held = (held << 6) | u32::from(sextet(c)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

fn sextet(c: u8) -> Option<u8> {
    match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn text_files_are_decoded() {
        let check = |base64: &str, expected: Option<&str>| {
            assert_eq!(decoded(base64).as_deref(), expected, "{base64}");
        };
        check("", Some(""));
        check("Zg==", Some("f"));
        check("Zm8=", Some("fo"));
        check("Zm9v", Some("foo"));
        check("Zm9v\nw6k", Some("fooé"));
        check("4pyT", Some("✓"));
        check("/w==", None);
        check("Zm9v!", None);
    }
}
