//! What an answer on the hop means: the background's own word, proof that it never ran, or neither.

use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::NotCarried;
use crate::Error;
use crate::body::Body;
use crate::call::Call;
use crate::hop::{MARKER, REFUSED};
use crate::send::{Failed, Reply};
use crate::upstream::{Failure, Fault};

/// Tells an answer of the background function from one of whatever stands before it.
///
/// # Errors
/// [`NotCarried`], where the background function itself has nothing to say to the client.
pub fn judge(response: Response<Body>) -> Result<Reply, NotCarried> {
    let marker = response.headers().get(MARKER).map(HeaderValue::as_bytes);
    let (status, ran) = (response.status(), marker.is_some());
    let refused = marker == Some(REFUSED.as_bytes());
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

/// What it means that there was no answer at all.
#[must_use]
pub fn not_answered(call: &Call, failure: Failure) -> NotCarried {
    match failure {
        Failure { sent: false, .. } => never("no connection came about"),
        Failure { fault: fault @ (Fault::FirstByte | Fault::Deadline), source, .. } => {
            let error = Error::Upstream { service: call.service.alias.clone(), fault, source };
            NotCarried::Failed(Failed { error, attempts: 1 })
        }
        Failure { .. } => NotCarried::Failed(Error::BackgroundFailed.into()),
    }
}

/// No provider can have seen the call, because of this.
#[must_use]
pub fn never(why: &'static str) -> NotCarried {
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
