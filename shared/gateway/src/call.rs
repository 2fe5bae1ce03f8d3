//! A client's request, understood.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, HeaderMap};
use http::request::Parts;
use http::{Method, Uri};

use crate::auth::without_own_parameter;
use crate::body::{self, Body};
use crate::config::{Config, PLATFORM_MARGIN};
use crate::route::Surface;
use crate::scan;
use crate::services::Service;
use crate::{Arrival, Error};

/// What a client wants of a service.
#[derive(Debug, Clone)]
pub struct Call {
    /// The id under which the call is logged, and which its answer carries.
    pub id: String,
    /// Below which address it came.
    pub surface: Surface,
    /// The provider it is for.
    pub service: Arc<Service>,
    /// The method, passed on.
    pub method: Method,
    /// The target as it came, less our own query parameter; the background reads it anew.
    pub target: String,
    /// The path below the service, as it came.
    pub path: String,
    /// The headers as they came. What crosses to a provider is chosen in [`headers`](crate::headers).
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// The moment at which the call must have ended.
    pub deadline: Option<Instant>,
    /// What the door knows of its coming.
    pub arrival: Arrival,
}

/// Where a call goes, known from its head.
#[derive(Debug)]
pub struct Destination {
    /// The id of the call.
    pub id: String,
    /// Below which address it came.
    pub surface: Surface,
    /// The provider it is for.
    pub service: Arc<Service>,
    /// The path below the service.
    pub path: String,
}

impl Call {
    /// Reads a request whose sender has been admitted.
    ///
    /// # Errors
    /// As [`body::read`].
    pub async fn read(
        to: Destination,
        head: Parts,
        body: Body,
        arrival: Arrival,
        config: &Config,
    ) -> Result<Self, Error> {
        let deadline = deadline(&arrival, config);
        let patience = body::Patience { limit: config.limits.request, stall: config.clocks.stall };
        let body = tokio::select! {
            biased;
            body = body::read(&head.headers, body, patience) => body?,
            () = arrival.closing.cancelled() => return Err(Error::Closing),
            () = until(deadline) => return Err(Error::BodyLate),
        };
        let query = without_own_parameter(head.uri.query());
        let stream = to.service.supports_streaming
            && asks_for_stream(&to.path, query.as_deref(), &head.headers, &body);
        Ok(Self {
            id: to.id,
            surface: to.surface,
            service: to.service,
            method: head.method,
            target: target(head.uri.path(), query.as_deref()),
            path: to.path,
            headers: head.headers,
            body,
            stream,
            deadline,
            arrival,
        })
    }

    /// The query of the call, without our own parameter.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The provider's URL for this call; `None` where no such URL can be sent.
    #[must_use]
    pub fn url(&self) -> Option<Uri> {
        self.service.url(&self.path, self.query())
    }
}

fn target(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// A call ends by the operator's clock, or before the platform ends it.
fn deadline(arrival: &Arrival, config: &Config) -> Option<Instant> {
    let set = config.clocks.whole.map(|whole| arrival.at + whole);
    let platform = arrival.deadline.map(|deadline| deadline.checked_sub(PLATFORM_MARGIN).unwrap_or(deadline));
    [set, platform].into_iter().flatten().min()
}

/// Resolves at a moment, or never.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// Whether a stream is asked for: in the path (Gemini), the query, the `Accept` header or the body.
fn asks_for_stream(path: &str, query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> bool {
    path.ends_with(":streamGenerateContent")
        || query.is_some_and(|query| query.split('&').any(|pair| pair == "stream=true"))
        || accepts_events(headers)
        || scan::asks_for_stream(body)
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let is_events = |part: &str| {
        part.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
    };
    headers
        .get_all(ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.split(',').any(is_events)))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Duration, Instant};

    use http::Request;

    use super::{Call, Destination, deadline};
    use crate::config::tests::config;
    use crate::route::Surface;
    use crate::{Arrival, body};

    /// A call of `openai` as the gateway would read it.
    pub(crate) fn call(method: &str, target: &str, body: &str) -> Call {
        call_with(method, target, &[], body)
    }

    pub(crate) fn call_with(method: &str, target: &str, headers: &[(&str, &str)], text: &str) -> Call {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let config = config(&[]);
        let service = config.services.get("openai").unwrap();
        let path = head.uri.path().to_owned();
        let to = Destination { id: "id-1".to_owned(), surface: Surface::Gateway, service, path };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let body = body::full(text.to_owned());
        runtime.block_on(Call::read(to, head, body, Arrival::now(), &config)).unwrap()
    }

    #[test]
    fn a_stream_is_asked_for_in_any_of_four_ways() {
        let events = &[("accept", "application/json, Text/Event-Stream; q=0.5")];
        for (target, headers, body) in [
            ("/v1/chat/completions", &[][..], r#"{"stream": true}"#),
            ("/v1/chat/completions?x=1&stream=true", &[], "{}"),
            ("/v1/chat/completions", events, "{}"),
            ("/v1beta/models/g:streamGenerateContent", &[], "{}"),
        ] {
            assert!(call_with("POST", target, headers, body).stream, "{target} {headers:?} {body}");
        }
        for target in ["/v1/chat/completions", "/v1/x?upstream=true", "/v1/x?stream=false"] {
            assert!(!call("POST", target, "{}").stream, "{target}");
        }
    }

    #[test]
    fn our_parameter_is_gone_from_the_target() {
        assert_eq!(call("GET", "/v1/x?auth_token=t&after=a%20b", "").target, "/v1/x?after=a%20b");
    }

    #[test]
    fn the_nearer_of_clock_and_platform_ends_a_call() {
        let arrival = Arrival { deadline: Some(Instant::now() + Duration::from_secs(60)), ..Arrival::now() };
        let ms_left = |vars: &[(&str, &str)]| {
            deadline(&arrival, &config(vars)).unwrap().duration_since(arrival.at).as_millis()
        };
        assert!((56_000..=57_100).contains(&ms_left(&[])), "{}", ms_left(&[]));
        assert_eq!(ms_left(&[("TOTAL_TIMEOUT", "5000")]), 5000);
        assert_eq!(deadline(&Arrival::now(), &config(&[])), None);
    }
}
