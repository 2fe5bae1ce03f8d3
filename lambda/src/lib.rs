//! The AWS door: joins Lambda's Rust runtime to the gateway. The two functions are `gateway.rs` and `background.rs`.
//!
//! Lambda's streams have habits of their own, which [`safe`] keeps away from clients: an error in a body is written into
//! the body as text, and headers that come twice arrive as a list no client understands. The way from one function to
//! the other is [`invoke`]; [`secrets`] reads settings from where AWS keeps secrets.

mod answer;
mod aws;
mod bedrock;
mod event;
mod invoke;
mod safe;
mod secrets;
mod store;
mod vocabulary;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::uri::PathAndQuery;
use http::{Request, Response};
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, run_with_streaming_response_concurrent, service_fn};
use twinlane_gateway::body::{empty, full};
use twinlane_gateway::signer::Signer;
use twinlane_gateway::{Arrival, Body, Config, Door, Invalid, Platform, Role};

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
    let door = Arc::new(door(vars, role).await);
    run_with_streaming_response_concurrent(service_fn(move |request: lambda_http::Request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, std::convert::Infallible>(answer(&door, role, request).await) }
    }))
    .await
}

async fn door(vars: Vec<(String, String)>, role: Role) -> Door {
    let aws = aws::Aws::of_this_function(&vars).await;
    let vars = secrets::added(vars, aws.as_ref()).await;
    let config =
        vars.map_err(|problem| Invalid(vec![problem])).and_then(|vars| Config::read(vars, Platform::Lambda));
    let signer = aws.clone().map(|aws| Arc::new(bedrock::Bedrock::of(aws, &config)) as Arc<dyn Signer>);
    Door::equipped(config, role, |gateway| {
        gateway
            .counting_with(vocabulary::tokenizers())
            .signing(signer)
            .keeping_by(|config, upstream| store::open(config, upstream, aws.as_ref()))
            .map(|gateway| gateway.reaching(|config, upstream| invoke::way(config, upstream, aws)))
    })
}

async fn answer(door: &Door, role: Role, request: lambda_http::Request) -> Response<safe::Unbroken> {
    let (arrival, request) = (arrival(&request), understood(request));
    let file = if role == Role::Gateway { twinlane_console::answer(&request) } else { None };
    let response = match file {
        Some(file) => file,
        None => door.answer(request, arrival).await,
    };
    safe::answer(response, door.settled())
}

/// The request with the body type of all doors. Lambda has it whole in memory already.
fn understood(request: lambda_http::Request) -> Request<Body> {
    let target = target(&request);
    let mut request = request.map(|body| match body {
        lambda_http::Body::Text(text) => full(text),
        lambda_http::Body::Binary(bytes) => full(bytes),
        _ => empty(),
    });
    if let Some(target) = target {
        *request.uri_mut() = target.into();
    }
    request
}

/// The target as it came. `lambda_http` runs it through a URL parser, which resolves dots and rewrites characters; the
/// gateway checks a path, signs it and sends it on as the client wrote it. What cannot stand in a request line, because
/// Lambda has decoded it, stays as `lambda_http` has encoded it again.
fn target(request: &lambda_http::Request) -> Option<PathAndQuery> {
    let path = request.raw_http_path();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let target: PathAndQuery = format!("{path}{query}").parse().ok()?;
    (path.starts_with('/') && target.path() == path).then_some(target)
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

    use super::{left, target};

    fn kept(path: &str, query: &str) -> Option<String> {
        let event = serde_json::json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": { "host": "abc.lambda-url.on.aws" },
            "requestContext": { "http": { "method": "GET", "path": path }, "stage": "$default" },
            "isBase64Encoded": false,
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        target(&request).map(|target| target.to_string())
    }

    #[test]
    fn a_target_stays_as_the_client_wrote_it() {
        for path in ["/v1/a%2Fb", "/v1/../x", "/v1/%2e%2e/x", "//x", "/v1/a{b}|c", "/v1/100%", "/v1/é"] {
            assert_eq!(
                kept(path, "a=%20b&a=c").as_deref(),
                Some(format!("{path}?a=%20b&a=c").as_str()),
                "{path}"
            );
        }
        assert_eq!(kept("/v1/x", "").as_deref(), Some("/v1/x"));
    }

    #[test]
    fn a_target_that_the_platform_has_decoded_is_left_to_lambda_http() {
        for path in ["/v1/a b", "/v1/a?b", "/v1/a#b", ""] {
            assert_eq!(kept(path, ""), None, "{path}");
        }
    }

    #[test]
    fn a_deadline_in_the_past_means_nothing() {
        assert_eq!(left(600_000), None);
        let soon = SystemTime::now() + Duration::from_secs(60);
        let soon = u64::try_from(soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap();
        assert!((55..=60).contains(&left(soon).unwrap().as_secs()));
    }
}
