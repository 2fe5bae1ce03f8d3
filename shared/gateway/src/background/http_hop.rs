//! The background over HTTP: Vercel's, or a second process.

use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::HeaderMap;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::Full;

use super::{Background, NotCarried};
use crate::Error;
use crate::auth::{Caller, OWN_HEADER};
use crate::body::{Body, streaming};
use crate::call::Call;
use crate::headers;
use crate::hop::{self, ANSWERED, MARKER, REFUSED, SIGNATURE, Vouched};
use crate::secret::Secret;
use crate::send::{Failed, Reply};
use crate::upstream::{Failure, Fault, Upstream, Wait};

/// How much longer the edge waits than the background may take, so that the background's own words arrive.
const OUTLIVE: Duration = Duration::from_secs(5);

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
            let request =
                self.request(call, caller).ok_or_else(|| never("the call has no URL at the background"))?;
            let wait = Wait { first_byte: self.patience + OUTLIVE, deadline: call.deadline };
            match self.upstream.send(request, wait).await {
                Ok(reply) => judge(reply.map(streaming)),
                Err(failure) => Err(not_answered(call, failure)),
            }
        }
        .boxed()
    }
}

impl HttpHop {
    fn request(&self, call: &Call, caller: &Caller) -> Option<Request<Full<bytes::Bytes>>> {
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = self.url(&call.target)?;
        *request.headers_mut() = self.headers(call, caller);
        Some(request)
    }

    /// The background reads the same target below its own address.
    fn url(&self, target: &str) -> Option<Uri> {
        format!("{}{target}", self.base.to_string().trim_end_matches('/')).parse().ok()
    }

    fn headers(&self, call: &Call, caller: &Caller) -> HeaderMap {
        let mut headers = headers::to_background(call);
        // The token may have come in the query, which the target no longer has.
        let token = caller.token.as_ref().and_then(|token| token.header(""));
        headers.extend(token.map(|token| (OWN_HEADER, token)));
        headers.insert("x-request-id", headers::plain(&call.id));
        headers.extend(self.pass.iter().cloned());
        headers.extend(call.arrival.hop.clone());
        let vouched = Vouched { id: call.id.clone(), address: call.arrival.address };
        let secret = self.secret.as_ref();
        let signature = secret
            .and_then(|secret| hop::sign(secret, SystemTime::now(), &call.method, &call.target, &vouched));
        headers.extend(signature.map(|signature| (SIGNATURE, signature)));
        headers
    }
}

/// Tells an answer of the background function from one of whatever stands before it.
fn judge(response: Response<Body>) -> Result<Reply, NotCarried> {
    let marker = response.headers().get(MARKER).map(HeaderValue::as_bytes);
    let (status, ran) = (response.status(), marker.is_some());
    let refused = marker == Some(REFUSED.as_bytes());
    debug_assert!(!ran || refused || marker == Some(ANSWERED.as_bytes()));
    match (ran, refused) {
        (true, false) => Ok(reply(response)),
        (true, true) => Err(NotCarried::NeverReached {
            why: "it refused the call",
            answer: Some(Box::new(reply(response))),
        }),
        (false, _) if never_ran(status, response.headers()) => {
            Err(never("something before it answered instead"))
        }
        (false, _) => Err(NotCarried::Failed(Error::BackgroundFailed.into())),
    }
}

fn reply(response: Response<Body>) -> Reply {
    let attempts =
        response.headers().get("x-attempts").and_then(|attempts| attempts.to_str().ok()?.parse().ok());
    Reply { response, attempts: attempts.unwrap_or(0) }
}

/// Whether an answer without our marker shows that the function did not run: a wall's redirect or refusal, a platform
/// that does not know the function, throttles it, finds the body too large or sees a loop. Anything else, above all a
/// 500 or 502, may come from a function that crashed after it had called a provider.
fn never_ran(status: StatusCode, headers: &HeaderMap) -> bool {
    match status.as_u16() {
        300..=399 | 401 | 403 | 404 | 413 | 429 | 508 => true,
        // Vercel names what it did (FUNCTION_THROTTLED); another proxy's 503 may follow a connection that broke.
        503 => headers.get("x-vercel-error").is_some_and(|error| error == "FUNCTION_THROTTLED"),
        _ => false,
    }
}

fn not_answered(call: &Call, failure: Failure) -> NotCarried {
    match failure {
        Failure { sent: false, .. } => never("no connection came about"),
        Failure { fault: fault @ (Fault::FirstByte | Fault::Deadline), source, .. } => {
            let error = Error::Upstream { service: call.service.alias.clone(), fault, source };
            NotCarried::Failed(Failed { error, attempts: 1 })
        }
        Failure { .. } => NotCarried::Failed(Error::BackgroundFailed.into()),
    }
}

fn never(why: &'static str) -> NotCarried {
    NotCarried::NeverReached { why, answer: None }
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::judge;
    use crate::background::NotCarried;
    use crate::body::empty;

    fn falls_back(status: u16, headers: &[(&str, &str)]) -> bool {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        matches!(judge(response.body(empty()).unwrap()), Err(NotCarried::NeverReached { .. }))
    }

    #[test]
    fn only_what_shows_that_no_provider_was_called_falls_back() {
        for status in 200..600 {
            let expected = matches!(status, 300..=399 | 401 | 403 | 404 | 413 | 429 | 508);
            assert_eq!(falls_back(status, &[]), expected, "{status} without a marker");
            assert!(!falls_back(status, &[("x-twinlane-background", "answered")]), "{status} answered");
            assert!(falls_back(status, &[("x-twinlane-background", "refused")]), "{status} refused");
        }
        assert!(falls_back(503, &[("x-vercel-error", "FUNCTION_THROTTLED")]));
        assert!(!falls_back(502, &[("x-vercel-error", "FUNCTION_INVOCATION_FAILED")]));
    }
}
