//! A client's request, understood.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, HeaderMap};
use http::request::Parts;
use http::{Method, Uri};
use twinlane_dialects::Dialect;

use crate::auth::without_own_parameter;
use crate::body::{self, Body};
use crate::config::{Config, PLATFORM_MARGIN};
use crate::inband::Protocol;
use crate::route::Surface;
use crate::scan::Asked;
use crate::services::Service;
use crate::{Arrival, Error, usage};

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
    pub stream: Stream,
    /// The protocol of a stream that answers it, as the client reads it.
    pub protocol: Protocol,
    /// The dialect in which the reply tells what it cost, where it passes as it is and does.
    pub tells: Option<Dialect>,
    /// The moment at which the call must have ended.
    pub deadline: Option<Instant>,
    /// What the door knows of its coming.
    pub arrival: Arrival,
}

/// A request whose sender has been admitted, read whole, before it is known where it goes.
#[derive(Debug)]
pub struct Received {
    /// The id of the call.
    pub id: String,
    /// Below which address it came.
    pub surface: Surface,
    /// The method.
    pub method: Method,
    /// The path as it came.
    pub path: String,
    /// The query, less our own parameter.
    pub query: Option<String>,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// What the body asks for.
    pub asked: Asked,
    /// The moment at which the call must have ended.
    pub deadline: Option<Instant>,
    /// What the door knows of its coming.
    pub arrival: Arrival,
}

impl Received {
    /// Reads a request.
    ///
    /// # Errors
    /// As [`body::read`].
    pub async fn read(
        id: String,
        surface: Surface,
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
        Ok(Self {
            id,
            surface,
            method: head.method,
            path: head.uri.path().to_owned(),
            query: without_own_parameter(head.uri.query()),
            headers: head.headers,
            asked: Asked::by(&body),
            body,
            deadline,
            arrival,
        })
    }
}

impl Call {
    /// The call that a request is, at the service it names and the path below that.
    #[must_use]
    pub fn new(received: Received, service: Arc<Service>, path: String) -> Self {
        let query = received.query.as_deref();
        let stream = Stream::asked(&path, query, &received.headers, &received.asked);
        Self {
            stream: if service.supports_streaming { stream } else { Stream::No },
            protocol: Protocol::of(&path),
            tells: usage::told(&received.method, &path),
            target: target(&received.path, query),
            id: received.id,
            surface: received.surface,
            service,
            method: received.method,
            path,
            headers: received.headers,
            body: received.body,
            deadline: received.deadline,
            arrival: received.arrival,
        }
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

/// Whether a client asks for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// It does not.
    No,
    /// It would take one: its `Accept` header names event streams, or Gemini is to send a JSON array bit by bit.
    Maybe,
    /// It waits for server-sent events.
    Events,
}

impl Stream {
    /// Reads it in the path (Gemini), the query, the `Accept` header or the body.
    #[must_use]
    pub fn asked(path: &str, query: Option<&str>, headers: &HeaderMap, asked: &Asked) -> Self {
        let has = |wanted: &str| query.is_some_and(|query| query.split('&').any(|pair| pair == wanted));
        if path.ends_with(":streamGenerateContent") {
            if has("alt=sse") { Self::Events } else { Self::Maybe }
        } else if has("stream=true") || asked.stream {
            Self::Events
        } else if accepts_events(headers) {
            Self::Maybe
        } else {
            Self::No
        }
    }

    /// Whether it may be a stream.
    #[must_use]
    pub fn is_asked(self) -> bool {
        self != Self::No
    }
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

    use super::{Call, Received, Stream, deadline};
    use crate::config::tests::config;
    use crate::route::Surface;
    use crate::{Arrival, body};

    /// A call of `openai` as the gateway would read it.
    pub(crate) fn call(method: &str, target: &str, body: &str) -> Call {
        call_with(method, target, &[], body)
    }

    pub(crate) fn call_with(method: &str, target: &str, headers: &[(&str, &str)], text: &str) -> Call {
        let received = received(method, target, headers, text);
        let (service, path) = (config(&[]).services.get("openai").unwrap(), received.path.clone());
        Call::new(received, service, path)
    }

    /// A request as the gateway would read it.
    pub(crate) fn received(method: &str, target: &str, headers: &[(&str, &str)], text: &str) -> Received {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let config = config(&[]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let body = body::full(text.to_owned());
        let read = Received::read("id-1".to_owned(), Surface::Gateway, head, body, Arrival::now(), &config);
        runtime.block_on(read).unwrap()
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
            let stream = call_with("POST", target, headers, body).stream;
            assert!(stream.is_asked(), "{target} {headers:?} {body}");
        }
        for target in ["/v1/chat/completions", "/v1/x?upstream=true", "/v1/x?stream=false"] {
            assert_eq!(call("POST", target, "{}").stream, Stream::No, "{target}");
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
