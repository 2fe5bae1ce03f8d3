//! Tells a provider's reply in the client's format: whole, as a stream, or as an error.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::response::Parts;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use twinlane_dialects::chat::Usage;
use twinlane_dialects::dialect::Dialect;
use twinlane_dialects::translation::{ReplyTranslation, Whole};
use twinlane_dialects::{Told, errors, sse, to_gemini, to_onemin, to_workers_ai, usage};

use super::said::How;
use super::translated::Translated;
use crate::Error;
use crate::body::{self, Body, full};
use crate::record::Notes;
use crate::relay::is_event_stream;

/// As much of an error as is read to retell it.
const LONGEST_ERROR: usize = 64 * 1024;

/// Who a reply is told to, and what of its provider matters for that.
#[derive(Debug, Clone, Copy)]
pub struct Listener<'a> {
    /// The client's format.
    pub client: Dialect,
    /// The id of the call.
    pub id: &'a str,
    /// The provider, for errors.
    pub service: &'a str,
    /// Where a stream's end is noted, and what a reply cost.
    pub notes: &'a Notes,
}

/// A reply in the client's format.
#[derive(Debug)]
pub struct Retold {
    /// The answer.
    pub response: Response<Body>,
    /// What the provider said went wrong, where something did.
    pub told: Option<Told>,
}

impl Listener<'_> {
    /// Tells a reply.
    ///
    /// # Errors
    /// [`Error::Upstream`] where the reply breaks off before anything of it could be told, and
    /// [`Error::ReplyTooLarge`].
    pub async fn retell(&self, reply: Response<Body>, how: How) -> Result<Retold, Error> {
        let (head, body) = reply.into_parts();
        if !head.status.is_success() {
            return Ok(self.refused(head, body).await);
        }
        match how {
            How::Passed => self.passed(head, body).await,
            How::Translated(translation) if is_event_stream(&head.headers) => {
                self.streamed(head, body, *translation).await
            }
            how => self.whole(head, body, how).await,
        }
    }

    /// A reply that needs no translation. One that begins with an error is that error: some providers say 200 first.
    async fn passed(&self, head: Parts, mut body: Body) -> Result<Retold, Error> {
        let Some(first) = body.frame().await else {
            return Ok(Retold::good(head, body::empty()));
        };
        let first =
            first.map_err(|source| Error::broken(source, self.service))?.into_data().unwrap_or_default();
        match told_at_once(&first, is_event_stream(&head.headers)) {
            Some(told) => Ok(self.error(head, told)),
            None => Ok(Retold::good(head, body::resumed(first, body))),
        }
    }

    async fn streamed(
        &self,
        head: Parts,
        body: Body,
        translation: ReplyTranslation,
    ) -> Result<Retold, Error> {
        let mut translated = Translated::new(body, translation.stream(), self.notes.clone());
        match translated.begin().await.map_err(|source| Error::broken(source, self.service))? {
            Some(told) => Ok(self.error(head, told)),
            None => Ok(Retold::good(without_length(head), translated.boxed())),
        }
    }

    async fn whole(&self, head: Parts, body: Body, how: How) -> Result<Retold, Error> {
        let bytes = body.collect().await.map_err(|source| Error::broken(source, self.service))?.to_bytes();
        let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let told = match how {
            How::Passed => return Ok(Retold::good(head, full(bytes))),
            How::Translated(translation) => {
                json(&bytes).and_then(|reply| translation.whole(reply)).map(|whole| self.noted(whole))
            }
            How::GeminiEmbeddings(asked) => json(&bytes).map(|reply| {
                self.used(usage::read(Dialect::Gemini, &[reply["usageMetadata"].clone()]));
                to_gemini::embeddings_reply(reply, &asked)
            }),
            How::WorkersAiImage(asked) => to_workers_ai::image_reply(kind, &bytes, &asked),
            How::OneMinImages(asked) => json(&bytes).and_then(|reply| to_onemin::image_reply(&reply, &asked)),
        };
        Ok(match told {
            Ok(reply) => Retold::good(as_json(head), full(body::json(&reply))),
            Err(told) => self.error(head, told),
        })
    }

    /// A translated reply, once it is noted what it cost.
    fn noted(&self, whole: Whole) -> Value {
        self.used(whole.usage);
        if let Some(model) = whole.model {
            self.notes.answered_by(&model);
        }
        whole.reply
    }

    fn used(&self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.notes.used(usage);
        }
    }

    /// A provider's error in the client's words; as it came, where those are the client's already.
    async fn refused(&self, head: Parts, body: Body) -> Retold {
        let bytes = body::beginning(body, LONGEST_ERROR).await;
        let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let mut told = errors::read(head.status.as_u16(), kind, &bytes);
        let by_gateway = head.headers.contains_key("x-error-source");
        if by_gateway {
            // The background's own words are those of `/gateway`.
            told.kind = errors::kind_of_status(told.status).to_owned();
        } else if is_told_as_to(&bytes, self.client) {
            return Retold { response: Response::from_parts(head, full(bytes)), told: Some(told) };
        }
        self.error(head, told)
    }

    fn error(&self, mut head: Parts, told: Told) -> Retold {
        let words = errors::write(&told, self.client, self.id);
        head.status = StatusCode::from_u16(told.status).unwrap_or(StatusCode::BAD_GATEWAY);
        head.headers.entry("x-error-source").or_insert(HeaderValue::from_static("provider"));
        let response = Response::from_parts(as_json(head), full(body::json(&words)));
        Retold { response, told: Some(told) }
    }
}

impl Retold {
    fn good(head: Parts, body: Body) -> Self {
        Self { response: Response::from_parts(head, body), told: None }
    }
}

/// The error that a reply begins with.
fn told_at_once(first: &Bytes, events: bool) -> Option<Told> {
    if !events {
        let text = first.trim_ascii_start();
        return text
            .starts_with(b"{\"error\"")
            .then(|| Told::of_object(&serde_json::from_slice(text).ok()?))?;
    }
    let mut found = None;
    let mut keep = |event: &sse::Event<'_>| {
        found.get_or_insert_with(|| serde_json::from_str::<Value>(event.data).ok());
    };
    sse::Reader::default().push(first, &mut keep).ok()?;
    found.flatten().and_then(|event| Told::of_object(&event))
}

/// Whether an error's body has the shape that a client reads.
fn is_told_as_to(body: &[u8], client: Dialect) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
    let error = &body["error"];
    let (message, code) = (error["message"].is_string(), &error["code"]);
    match client {
        Dialect::Messages => message && body["type"] == "error",
        Dialect::Gemini => message && code.is_number() && error["status"].is_string(),
        _ => message && (code.is_string() || code.is_null()) && body.get("type").is_none(),
    }
}

fn json(bytes: &[u8]) -> Result<Value, Told> {
    serde_json::from_slice(bytes).map_err(|_| {
        Told::of_upstream("invalid_upstream_response", "The provider's reply is not the JSON it should be")
    })
}

fn as_json(mut head: Parts) -> Parts {
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    without_length(head)
}

/// Another body has another length, and is not compressed.
fn without_length(mut head: Parts) -> Parts {
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(CONTENT_ENCODING);
    head
}
