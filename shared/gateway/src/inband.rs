//! Event streams: how far one has come, and how an error is told in the middle of one, in its own protocol.

use bytes::Bytes;
use serde_json::Value;

use crate::Error;
use crate::route::Surface;

/// An event stream on its way to a client.
#[derive(Debug)]
pub struct Events {
    protocol: Protocol,
    /// The last bytes that went out, to know whether an event was cut in two.
    last: [u8; 4],
}

impl Events {
    /// A stream that has not begun.
    #[must_use]
    pub fn of(protocol: Protocol) -> Self {
        Self { protocol, last: *b"\n\n\n\n" }
    }

    /// Notes bytes that go out.
    pub fn see(&mut self, data: &[u8]) {
        let kept = data.len().min(self.last.len());
        self.last.rotate_left(kept);
        let at = self.last.len() - kept;
        self.last[at..].copy_from_slice(&data[data.len() - kept..]);
    }

    /// Whether the last event is whole, so that something of ours may stand here.
    #[must_use]
    pub fn is_between(&self) -> bool {
        [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"].iter().any(|blank| self.last.ends_with(blank))
    }

    /// What tells the client that all is well.
    #[must_use]
    pub fn keep_alive(&self) -> &'static str {
        self.protocol.keep_alive()
    }

    /// What ends the stream with an error. An event that was cut is closed by a blank line first: its half JSON then
    /// raises at the client, instead of swallowing the error event.
    #[must_use]
    pub fn broken_off(&self, error: &Error, surface: Surface, id: &str) -> Bytes {
        let event = self.protocol.error_event(error, surface, id);
        if self.is_between() { event } else { [&b"\n\n"[..], &event].concat().into() }
    }
}

/// The protocol of an event stream, known by the path it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OpenAI's chat and legacy completions: a data object with `error`.
    Chat,
    /// OpenAI's responses: an `error` event.
    Responses,
    /// Anthropic's messages: an `error` event of Anthropic's shape.
    Messages,
    /// Gemini: a data object with Google's error.
    Gemini,
    /// Anything else, told as to a chat client.
    Other,
}

impl Protocol {
    /// The protocol of the stream that answers a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path {
            _ if path.ends_with("/messages") => Self::Messages,
            _ if path.ends_with("/responses") => Self::Responses,
            _ if path.ends_with(":streamGenerateContent") => Self::Gemini,
            _ if path.ends_with("/completions") => Self::Chat,
            _ => Self::Other,
        }
    }

    /// What bridges a silence between two events.
    ///
    /// A comment has no blank line of its own: some decoders (openai-go before its change 621) make an empty event of
    /// that. google-genai takes a comment for JSON; it skips an empty line.
    #[must_use]
    pub fn keep_alive(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses | Self::Other => ": keep-alive\n",
            Self::Messages => "event: ping\ndata: {\"type\": \"ping\"}\n\n",
            Self::Gemini => "\n",
        }
    }

    /// The event that ends a stream with an error. Clients raise on it and cannot take the answer for whole.
    ///
    /// There is no `id:` or `retry:` line: openai-python's decoder would dispatch empty events after one.
    #[must_use]
    pub fn error_event(self, error: &Error, surface: Surface, id: &str) -> Bytes {
        let event = match self {
            Self::Chat | Self::Other => format!("data: {}\n\n", error.json(surface, id)),
            Self::Messages => format!("event: error\ndata: {}\n\n", error.json(Surface::V1Anthropic, id)),
            Self::Responses => format!("event: error\ndata: {}\n\n", response_error(error, surface, id)),
            Self::Gemini => format!("data: {}\n\n", error.json(Surface::V1Gemini, id)),
        };
        Bytes::from(event)
    }
}

/// The documented fields, and `error` beside them, on which the SDKs raise.
fn response_error(error: &Error, surface: Surface, id: &str) -> Value {
    let mut json = error.json(surface, id);
    json["type"] = "error".into();
    json["code"] = error.code().into();
    json["message"] = error.to_string().into();
    json["param"] = Value::Null;
    json
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Protocol;
    use crate::Error;
    use crate::route::Surface;
    use crate::upstream::Fault;

    fn told(path: &str) -> (String, Value) {
        let error = Error::Upstream { service: "s".to_owned(), fault: Fault::Cut, source: None };
        let event = Protocol::of(path).error_event(&error, Surface::Gateway, "id-1");
        let event = std::str::from_utf8(&event).unwrap();
        assert!(event.ends_with("\n\n"), "{event:?}");
        let (before, data) = event.split_once("data: ").unwrap();
        (before.to_owned(), serde_json::from_str(data).unwrap())
    }

    #[test]
    fn each_protocol_gets_its_own_error_event() {
        let (line, chat) = told("/v1/chat/completions");
        assert_eq!((line.as_str(), &chat["error"]["type"]), ("", &"NETWORK".into()));
        let (line, messages) = told("/v1/messages");
        assert_eq!((line.as_str(), &messages["type"]), ("event: error\n", &"error".into()));
        assert_eq!(messages["error"]["type"], "api_error");
        let (line, responses) = told("/v1/responses");
        assert_eq!((line.as_str(), &responses["type"]), ("event: error\n", &"error".into()));
        assert_eq!(responses["code"], "upstream_closed");
        let (_, gemini) = told("/v1beta/models/g:streamGenerateContent");
        assert_eq!(gemini["error"]["status"], "UNAVAILABLE");
    }
}
