//! Asks the background whether it is there, over the very hop that calls take.

use std::time::{Duration, Instant};

use http::{HeaderMap, Method};

use super::{Finding, Weight};
use crate::Arrival;
use crate::auth::Caller;
use crate::background::NotCarried;
use crate::call::{Call, Stream};
use crate::config::HopTo;
use crate::gateway::{Gateway, Role};
use crate::hop::VOUCHED;
use crate::inband::Protocol;
use crate::route::Surface;
use crate::send::Reply;

/// How long a background may take to say that it is there, a cold start included.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is found of the background.
pub(super) async fn background(gateway: &Gateway, arrival: &Arrival) -> Finding {
    let (weight, told) = match (&gateway.background, gateway.role, &gateway.config.hop) {
        (_, Role::Background, _) => (Weight::Good, "this is the background function".to_owned()),
        (None, ..) => {
            (Weight::Mind, "there is no background lane: every call stays on the edge lane".to_owned())
        }
        (Some(_), _, HopTo::Here) => (Weight::Good, "both lanes are in this process".to_owned()),
        (Some(background), ..) => match ping(gateway, arrival) {
            Some(call) => {
                judge(background.forward(&call, &Caller::default()).await, gateway.config.secret.is_some())
            }
            None => (Weight::Mind, "the background cannot be asked: there is no default service".to_owned()),
        },
    };
    Finding { weight, area: "lanes", told }
}

/// A call for the background's health page. It names a service only because every call does.
fn ping(gateway: &Gateway, arrival: &Arrival) -> Option<Call> {
    Some(Call {
        id: uuid::Uuid::now_v7().to_string(),
        surface: Surface::Gateway,
        service: gateway.config.services.get(&gateway.config.default_service)?,
        method: Method::GET,
        target: "/gateway/health".to_owned(),
        path: "/gateway/health".to_owned(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        stream: Stream::No,
        protocol: Protocol::Other,
        tells: None,
        deadline: Some(Instant::now() + PATIENCE),
        arrival: arrival.clone(),
    })
}

fn judge(answered: Result<Reply, NotCarried>, signs: bool) -> (Weight, String) {
    match answered {
        Ok(reply) if !reply.response.status().is_success() => {
            (Weight::Wrong, format!("the background answers {} to a ping", reply.response.status().as_u16()))
        }
        Ok(reply) if signs && !reply.response.headers().contains_key(VOUCHED) => (
            Weight::Wrong,
            "the background answers and does not believe the signature: GATEWAY_SECRET differs there"
                .to_owned(),
        ),
        Ok(_) if signs => (Weight::Good, "the background answers a signed ping and believes it".to_owned()),
        Ok(_) => (Weight::Good, "the background answers a ping".to_owned()),
        Err(NotCarried::NeverReached { why, .. }) => (
            Weight::Wrong,
            format!("the background is not reached ({why}); its calls fall back to the edge lane"),
        ),
        Err(NotCarried::Failed(failed)) => (Weight::Wrong, format!("the background fails: {}", failed.error)),
    }
}
