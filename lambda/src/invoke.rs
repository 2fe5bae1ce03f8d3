//! The hop on AWS: the background function invoked by IAM, its answer streamed (`InvokeWithResponseStream`).
//!
//! The background needs no URL that way, so nobody but the gateway's role can spend through it.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use tokio::time::timeout_at;
use twinlane_gateway::auth::Caller;
use twinlane_gateway::background::{Background, NotCarried, Outlive, heard, sent};
use twinlane_gateway::body::streaming;
use twinlane_gateway::call::Call;
use twinlane_gateway::config::HopTo;
use twinlane_gateway::secret::Secret;
use twinlane_gateway::send::Reply;
use twinlane_gateway::upstream::{Failure, Fault, Upstream, Wait};
use twinlane_gateway::{Body, Config, Error};

use crate::aws::{Ask, Aws, content_type};
use crate::{answer, event};

/// A background function of Lambda's.
#[derive(Debug)]
pub(crate) struct Invoke {
    /// The path at which Lambda takes invocations of it.
    path: String,
    aws: Aws,
    secret: Option<Secret>,
    upstream: Upstream,
    outlive: Outlive,
}

/// The way to the background function that the settings name.
pub(crate) fn way(config: &Config, upstream: &Upstream, aws: Option<Aws>) -> Option<Box<dyn Background>> {
    let HopTo::Function(name) = &config.hop else { return None };
    Some(Box::new(Invoke {
        path: format!("/2021-11-15/functions/{}/response-streaming-invocations", escaped(name)),
        aws: aws?,
        secret: config.secret.clone(),
        upstream: upstream.clone(),
        outlive: Outlive::of(config),
    }))
}

/// A function's name or ARN as one segment of a path.
fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace(':', "%3A").replace('$', "%24").replace('/', "%2F")
}

impl Background for Invoke {
    fn forward<'a>(&'a self, call: &'a Call, caller: &'a Caller) -> BoxFuture<'a, Result<Reply, NotCarried>> {
        async move {
            let event = event::of(call, &sent::headers(call, caller, self.secret.as_ref()));
            if event.len() > event::MOST {
                return Err(too_large(call, event.len()));
            }
            let request = self.request(event.into()).ok_or_else(|| heard::never("it cannot be asked for"))?;
            heard::judge(self.invoke(call, request).await?)
        }
        .boxed()
    }
}

impl Invoke {
    fn request(&self, event: Bytes) -> Option<Request<Bytes>> {
        let headers = vec![content_type("application/json")];
        let ask = Ask { service: "lambda", path: self.path.clone(), headers, body: event };
        self.aws.request(ask, SystemTime::now()).ok()
    }

    /// The function's own answer, its head being there.
    async fn invoke(&self, call: &Call, request: Request<Bytes>) -> Result<Response<Body>, NotCarried> {
        let wait = self.outlive.wait(call);
        let (patient, fault) = until(wait);
        let reply = self.upstream.send(request, wait).await;
        let reply = reply.map_err(|failure| heard::not_answered(call, failure))?;
        if reply.status() != StatusCode::OK {
            return Err(refused(reply.status()));
        }
        match timeout_at(patient.into(), answer::of(streaming(reply.into_body()))).await {
            Ok(answer) => answer.map_err(|_| NotCarried::Failed(Error::BackgroundFailed.into())),
            Err(_) => Err(heard::not_answered(call, Failure { fault, sent: true, source: None })),
        }
    }
}

/// Until when an answer is waited for, and which clock that is.
fn until(wait: Wait) -> (Instant, Fault) {
    let patient = Instant::now() + wait.first_byte;
    match wait.deadline {
        Some(deadline) if deadline < patient => (deadline, Fault::Deadline),
        _ => (patient, Fault::FirstByte),
    }
}

/// What it means that Lambda itself answers. What it refuses, it has not started.
fn refused(status: StatusCode) -> NotCarried {
    match status.as_u16() {
        403 => heard::never("this function's role may not invoke it"),
        404 => heard::never("Lambda knows no such function"),
        413 => heard::never("Lambda takes no event of this size"),
        429 => heard::never("Lambda throttles it"),
        400..=499 => heard::never("Lambda refuses to invoke it"),
        _ => NotCarried::Failed(Error::BackgroundFailed.into()),
    }
}

/// The edge has the call already, and can carry it. Where it is not to, the client is told what Lambda would not say.
fn too_large(call: &Call, size: usize) -> NotCarried {
    let error = Error::BodyTooLarge { limit: event::MOST, size: Some(size) };
    let response = error.into_response(call.surface, &call.id);
    let answer = Some(Box::new(Reply { response, attempts: 0 }));
    NotCarried::NeverReached { why: "as an event it would be larger than Lambda takes", answer }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use twinlane_gateway::background::NotCarried;

    use super::{escaped, refused};

    #[test]
    fn a_function_goes_by_its_name_or_by_its_arn() {
        assert_eq!(escaped("twinlane-background_1"), "twinlane-background_1");
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:b:$LATEST";
        assert_eq!(
            escaped(arn),
            "arn%3Aaws%3Alambda%3Aeu-central-1%3A123456789012%3Afunction%3Ab%3A%24LATEST"
        );
    }

    #[test]
    fn only_what_lambda_refuses_falls_back() {
        for status in 200..600 {
            let falls_back =
                matches!(refused(StatusCode::from_u16(status).unwrap()), NotCarried::NeverReached { .. });
            assert_eq!(falls_back, (400..500).contains(&status), "{status}");
        }
    }
}
