//! What the demo would answer if it behaved: a status, headers, and a body in pieces not yet sent.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

/// Large bodies are handed to the connection in pieces of this size, so that "complete" means nearly that.
const PIECE: usize = 64 << 10;

/// The parts of a body, made when they are due.
pub(crate) type Pieces = Box<dyn Iterator<Item = Bytes> + Send>;

/// An answer before any mischief.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// A body, and how it is framed.
pub(crate) struct Content {
    /// What `content-length` says; `None` means chunked.
    pub(crate) length: Option<u64>,
    pub(crate) pieces: Pieces,
    /// The pieces without which a stream was cut: its finish reason and all that follows.
    pub(crate) ending: Vec<Bytes>,
    /// What a stream says when it fails.
    pub(crate) trouble: Bytes,
    /// A stream of events is written slowly, unless the call says otherwise.
    pub(crate) paced: bool,
}

impl Reply {
    pub(crate) fn json(value: &Value) -> Self {
        Self::bytes("application/json", value.to_string())
    }

    pub(crate) fn bytes(kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self::empty().with(header::CONTENT_TYPE, kind).with_content(Content::whole(body.into()))
    }

    pub(crate) fn empty() -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content: Content::whole(Bytes::new()) }
    }

    /// Server-sent events; `ending` begins with the event that carries the finish reason.
    pub(crate) fn events(pieces: Pieces, ending: Vec<Bytes>) -> Self {
        Self::stream("text/event-stream; charset=utf-8", pieces, ending)
            .with(header::CACHE_CONTROL, "no-cache")
    }

    pub(crate) fn stream(kind: &'static str, pieces: Pieces, ending: Vec<Bytes>) -> Self {
        let content = Content { length: None, ending, paced: true, ..Content::sized(0, pieces) };
        Self::empty().with(header::CONTENT_TYPE, kind).with_content(content)
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with_content(self, content: Content) -> Self {
        Self { content, ..self }
    }

    /// The same stream, with the words it fails in when it has to.
    pub(crate) fn failing_with(mut self, trouble: Bytes) -> Self {
        self.content.trouble = trouble;
        self
    }

    /// Adds a header; a value HTTP forbids is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: impl AsRef<[u8]>) -> Self {
        if let Ok(value) = HeaderValue::from_bytes(value.as_ref()) {
            self.headers.append(name, value);
        }
        self
    }

    /// Adds a header by a name known to be valid.
    pub(crate) fn tell(self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.with(HeaderName::from_static(name), value)
    }
}

impl Content {
    pub(crate) fn whole(body: Bytes) -> Self {
        let length = body.len() as u64;
        Self::sized(length, Box::new(split(body)))
    }

    pub(crate) fn sized(length: u64, pieces: Pieces) -> Self {
        Self { length: Some(length), pieces, ending: Vec::new(), trouble: Bytes::new(), paced: false }
    }

    /// The whole body at once, for replies written by hand.
    pub(crate) fn collect(self) -> Vec<u8> {
        self.pieces.chain(self.ending).flatten().collect()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("length", &self.length)
            .field("paced", &self.paced)
            .finish_non_exhaustive()
    }
}

fn split(mut body: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let piece = body.split_to(PIECE.min(body.len()));
        (!piece.is_empty()).then_some(piece)
    })
}

/// One server-sent event without a name.
pub(crate) fn data(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// One server-sent event whose name is its `type`.
pub(crate) fn typed_event(value: &Value) -> Bytes {
    Bytes::from(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or("error")))
}
