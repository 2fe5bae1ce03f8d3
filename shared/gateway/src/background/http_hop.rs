//! The background over HTTP: Vercel's, or a second process.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Uri};

use super::{Background, NotCarried, heard, sent};
use crate::auth::Caller;
use crate::body::streaming;
use crate::call::Call;
use crate::secret::Secret;
use crate::send::Reply;
use crate::upstream::{Upstream, Wait};

/// A background at a URL.
#[derive(Debug)]
pub struct HttpHop {
    /// Below which it answers.
    pub base: Uri,
    /// What a wall in front of it asks for.
    pub pass: Vec<(HeaderName, HeaderValue)>,
    /// What the hop is signed with.
    pub secret: Option<Secret>,
    /// The client.
    pub upstream: Upstream,
    /// How long the background may wait for a provider.
    pub patience: Duration,
}

impl Background for HttpHop {
    fn forward<'a>(&'a self, call: &'a Call, caller: &'a Caller) -> BoxFuture<'a, Result<Reply, NotCarried>> {
        async move {
            let request = self
                .request(call, caller)
                .ok_or_else(|| heard::never("the call has no URL at the background"))?;
            let wait = Wait { first_byte: self.patience + heard::OUTLIVE, deadline: call.deadline };
            match self.upstream.send(request, wait).await {
                Ok(reply) => heard::judge(reply.map(streaming)),
                Err(failure) => Err(heard::not_answered(call, failure)),
            }
        }
        .boxed()
    }
}

impl HttpHop {
    fn request(&self, call: &Call, caller: &Caller) -> Option<Request<bytes::Bytes>> {
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = self.url(&call.target)?;
        *request.headers_mut() = sent::headers(call, caller, self.secret.as_ref());
        request.headers_mut().extend(self.pass.iter().cloned());
        Some(request)
    }

    /// The background reads the same target below its own address.
    fn url(&self, target: &str) -> Option<Uri> {
        format!("{}{target}", self.base.to_string().trim_end_matches('/')).parse().ok()
    }
}
