//! Small things that are asked of services which are no providers: the whole reply, or nothing.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::{Failure, Upstream, Wait};
use crate::body::BoxError;

impl Upstream {
    /// Asks, and takes in the whole reply, where it has at most `most` bytes and comes within `patience`.
    ///
    /// # Errors
    /// In words for the log. Whether the request was sent is not known then.
    pub async fn ask(
        &self,
        request: Request<Bytes>,
        patience: Duration,
        most: usize,
    ) -> Result<Response<Bytes>, BoxError> {
        match timeout(patience, self.whole(request, patience, most)).await {
            Ok(reply) => reply,
            Err(_) => Err(format!("no answer in {} ms", patience.as_millis()).into()),
        }
    }

    async fn whole(
        &self,
        request: Request<Bytes>,
        patience: Duration,
        most: usize,
    ) -> Result<Response<Bytes>, BoxError> {
        let wait = Wait { first_byte: patience, deadline: None };
        let (head, body) = self.send(request, wait).await.map_err(|failure| words(&failure))?.into_parts();
        let body = Limited::new(body, most).collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }
}

/// What went wrong, with what lies beneath it: "client error (Connect)" alone helps nobody.
fn words(failure: &Failure) -> BoxError {
    let mut told = failure.fault.code().to_owned();
    let mut cause = failure.source.as_deref().map(|source| source as &dyn std::error::Error);
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told.into()
}
