//! What a caller asked, whatever dialect it came in.

use serde_json::Value;

use crate::base64;

/// The parts of a request the demo's answer depends on.
#[derive(Debug, Default)]
pub(crate) struct Prompt {
    /// The text of the last user message.
    pub(crate) user: String,
    /// What the tools answered, when the conversation ends with that.
    pub(crate) tool_results: Vec<String>,
    pub(crate) pictures: Vec<Picture>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    /// Several calls at once are forbidden.
    pub(crate) one_call: bool,
    pub(crate) format: Format,
    /// The most words that may be said or thought; the demo counts a word as a token.
    pub(crate) limit: Option<u64>,
    /// The answer ends before the first of these.
    pub(crate) stop: Vec<String>,
    /// The answer is to be thought about first.
    pub(crate) thinks: bool,
    /// The characters of the whole request, from which its tokens are guessed.
    pub(crate) size: usize,
}

/// A function the caller offers.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) schema: Value,
}

/// Whether a tool is to be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Auto,
    Never,
    Any,
    Named(String),
}

/// What the answer has to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Format {
    #[default]
    Text,
    Object,
    Schema(Value),
}

/// An image in the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Picture {
    Inline { kind: &'static str, bytes: usize },
    Linked(String),
}

impl Picture {
    /// Reads the URL of an image part, which may hold the image itself.
    pub(crate) fn at(url: &str) -> Self {
        match url.strip_prefix("data:").and_then(|rest| rest.split_once("base64,")) {
            Some((_, data)) => Self::inline(data),
            None => Self::Linked(url.to_owned()),
        }
    }

    pub(crate) fn inline(data: &str) -> Self {
        match base64::decode(data) {
            Some(bytes) => Self::Inline { kind: sniff(&bytes), bytes: bytes.len() },
            None => Self::Inline { kind: "not base64", bytes: 0 },
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Inline { kind, bytes } => format!("{kind}, {bytes} bytes"),
            Self::Linked(url) => format!("{url}, which was not fetched"),
        }
    }
}

/// The type of a file, from its first bytes rather than from what it was called.
pub(crate) fn sniff(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "audio/wav",
        [b'I', b'D', b'3', ..] | [0xff, 0xfb, ..] => "audio/mpeg",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "audio/mp4",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "audio/webm",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        _ => "of an unknown type",
    }
}

/// Text that is a string or a list of parts with a `text`, as every dialect allows.
pub(crate) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// The texts of a JSON value that is one text or a list of them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        _ => list(value).iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

/// The elements of a JSON list; nothing when it is none.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes_not_by_its_label() {
        let data = base64::encode(b"\x89PNG\r\n\x1a\n....");
        let url = format!("data:image/jpeg;charset=x;base64,{data}");
        assert_eq!(Picture::at(&url), Picture::Inline { kind: "image/png", bytes: 12 });
        let linked = Picture::at("https://example.com/a.png");
        assert_eq!(linked.describe(), "https://example.com/a.png, which was not fetched");
    }
}
