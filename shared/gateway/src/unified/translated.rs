//! A provider's stream on its way to a client of another format.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use twinlane_dialects::Told;
use twinlane_dialects::translation::StreamTranslation;

use crate::body::{Body, BoxError};
use crate::record::{Notes, Outcome};

/// A stream being translated.
pub(super) struct Translated {
    body: Body,
    /// In a lock that is never taken: a body must be shareable, and a codec is not.
    translation: Mutex<StreamTranslation>,
    /// What the client has not been given yet.
    ready: Option<Bytes>,
    ended: bool,
    notes: Notes,
}

impl Translated {
    pub(super) fn new(body: Body, translation: StreamTranslation, notes: Notes) -> Self {
        Self { body, translation: Mutex::new(translation), ready: None, ended: false, notes }
    }

    /// Waits for the first words to the client. A stream that begins with an error has its status still to come.
    pub(super) async fn begin(&mut self) -> Result<Option<Told>, BoxError> {
        while let Some(frame) = self.frame().await {
            let data = frame?.into_data().unwrap_or_default();
            if let Some(Err(told)) = self.translation().ended() {
                return Ok(Some(told.clone()));
            }
            if !data.is_empty() {
                self.ready = Some(data);
                break;
            }
        }
        Ok(None)
    }

    fn translation(&mut self) -> &mut StreamTranslation {
        self.translation.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the provider's next bytes, or its end, to the translation.
    fn take(&mut self, data: Option<&[u8]>) -> Bytes {
        let mut out = Vec::new();
        let translation = self.translation();
        match data {
            Some(data) => translation.push(data, &mut out),
            None => translation.end(&mut out),
        }
        let end = translation.ended().map(|end| end.is_ok());
        self.ended = end.is_some() || data.is_none();
        if end == Some(false) {
            self.notes.ended(Outcome::Truncated);
            self.notes.failed("provider_error");
        }
        out.into()
    }
}

/// However a stream ends, what its provider told by then is noted.
impl Drop for Translated {
    fn drop(&mut self) {
        let translation = self.translation.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = translation.usage() {
            self.notes.used(usage);
        }
        if let Some(model) = translation.model() {
            self.notes.answered_by(model);
        }
    }
}

impl http_body::Body for Translated {
    type Data = Bytes;
    type Error = BoxError;

    /// A piece that says nothing to the client is an empty frame: the provider lives.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(ready) = self.ready.take() {
            return Poll::Ready(Some(Ok(Frame::data(ready))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let data = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            Some(Ok(frame)) => Some(frame.into_data().unwrap_or_default()),
            None => None,
        };
        let said = self.take(data.as_deref());
        Poll::Ready(Some(Ok(Frame::data(said))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.ready.is_none()
    }
}
