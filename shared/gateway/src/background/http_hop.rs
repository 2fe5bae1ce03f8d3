//! The background over HTTP: Vercel's, or a second process.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Uri};

use super::{Background, NotCarried, Outlive, heard, sent};
use crate::auth::Caller;
use crate::body::streaming;
use crate::call::Call;
use crate::secret::Secret;
use crate::send::Reply;
use crate::upstream::Upstream;

/// A background at a URL.
#[derive(Debug)]
pub struct HttpHop {
    /// Below which it answers.
    pub base: Uri,
    /// What a wall in front of it asks for; none where it is not the platform's own.
    pub pass: Option<Vec<(HeaderName, HeaderValue)>>,
    /// What the hop is signed with.
    pub secret: Option<Secret>,
    /// The client.
    pub upstream: Upstream,
    /// How long it is waited for.
    pub outlive: Outlive,
}

impl Background for HttpHop {
    fn forward<'a>(&'a self, call: &'a Call, caller: &'a Caller) -> BoxFuture<'a, Result<Reply, NotCarried>> {
        async move {
            let request = self
                .request(call, caller)
                .ok_or_else(|| heard::never("the call has no URL at the background"))?;
            match self.upstream.send(request, self.outlive.wait(call)).await {
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
        if let Some(pass) = &self.pass {
            request.headers_mut().extend(pass.iter().cloned());
            request.headers_mut().extend(call.arrival.hop.clone());
        }
        Some(request)
    }

    /// The background reads the same target below its own address.
    fn url(&self, target: &str) -> Option<Uri> {
        format!("{}{target}", self.base.to_string().trim_end_matches('/')).parse().ok()
    }
}
