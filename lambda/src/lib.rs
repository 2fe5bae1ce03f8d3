//! The AWS door: joins Lambda's Rust runtime to the gateway. The two functions are `gateway.rs` and `background.rs`.
//!
//! Lambda's streams have habits of their own, which [`safe`] keeps away from clients: an error in a body is written into
//! the body as text, and headers that come twice arrive as a list no client understands.

mod safe;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::{Request, Response};
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, run_with_streaming_response_concurrent, service_fn};
use twinlane_gateway::body::{empty, full};
use twinlane_gateway::{Arrival, Body, Config, Door, Platform, Role};

/// Serves a function until the platform ends it.
///
/// # Errors
/// When the process does not run under Lambda's runtime API, or loses it.
pub async fn run(role: Role) -> Result<(), lambda_http::Error> {
    let vars: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    if !vars.iter().any(|(name, _)| name == "AWS_LAMBDA_RUNTIME_API") {
        return Err("This is a Lambda function and needs Lambda's runtime. `cargo run` starts the gateway on this machine".into());
    }
    let door = Arc::new(Door::new(Config::read(vars, Platform::Lambda), role));
    run_with_streaming_response_concurrent(service_fn(move |request: lambda_http::Request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, std::convert::Infallible>(answer(&door, request).await) }
    }))
    .await
}

async fn answer(door: &Door, request: lambda_http::Request) -> Response<safe::Unbroken> {
    let arrival = arrival(&request);
    safe::answer(door.answer(understood(request), arrival).await)
}

/// The request with the body type of all doors. Lambda has it whole in memory already.
fn understood(request: lambda_http::Request) -> Request<Body> {
    request.map(|body| match body {
        lambda_http::Body::Text(text) => full(text),
        lambda_http::Body::Binary(bytes) => full(bytes),
        _ => empty(),
    })
}

fn arrival(request: &lambda_http::Request) -> Arrival {
    let at = Instant::now();
    let deadline =
        request.lambda_context_ref().and_then(|context| left(context.deadline)).map(|left| at + left);
    Arrival { at, address: address(request), deadline, ..Arrival::now() }
}

/// What is left until `deadline`, in milliseconds of Unix time. Emulators send dates long past: those mean nothing.
fn left(deadline: u64) -> Option<std::time::Duration> {
    let deadline = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(deadline);
    deadline.duration_since(SystemTime::now()).ok()
}

fn address(request: &lambda_http::Request) -> Option<IpAddr> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::left;

    #[test]
    fn a_deadline_in_the_past_means_nothing() {
        assert_eq!(left(600_000), None);
        let soon = SystemTime::now() + Duration::from_secs(60);
        let soon = u64::try_from(soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap();
        assert!((55..=60).contains(&left(soon).unwrap().as_secs()));
    }
}
