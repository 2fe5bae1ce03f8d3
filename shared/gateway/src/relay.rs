//! Turns a provider's reply into the client's answer: headers, size limit, integrity, and what the gateway has to say.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode, Version};
use http_body_util::BodyExt;
use twinlane_dialects::Dialect;

use crate::body::Body;
use crate::call::Call;
use crate::guard::{Guard, Terms};
use crate::headers::{self, plain};
use crate::inband::Protocol;
use crate::record::{Notes, Recording};
use crate::route::Surface;
use crate::services::ResponseLimit;
use crate::{Error, VERSION};

/// The id of the call, which is ours whatever a provider calls it.
const GATEWAY_ID: HeaderName = HeaderName::from_static("x-gateway-request-id");
/// The id that SDKs show to people.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The id that Anthropic's SDKs show.
const ANTHROPIC_ID: HeaderName = HeaderName::from_static("request-id");
/// The provider's id, where the client gave one of its own.
const PROVIDER_ID: HeaderName = HeaderName::from_static("x-provider-request-id");

/// How long a reply may be silent.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// Until it is given up.
    pub idle: Duration,
    /// Until the client of an event stream is told that all is well.
    pub silence: Option<Duration>,
}

/// The answer to a call that a provider, or the background, replied to. The body passes as it comes.
///
/// # Errors
/// [`Error::ReplyTooLarge`] where the reply's length is known to be over the limit.
pub fn to_client(
    reply: Response<Body>,
    call: &Call,
    waits: Waits,
    notes: Notes,
) -> Result<Response<Body>, Error> {
    let (mut head, body) = reply.into_parts();
    let limit = limit(call, head.status, &head.headers)?;
    headers::to_client(&mut head.headers);
    // A provider's HTTP/1.0 would be told on, and an answer in it ends by closing, whole or not.
    head.version = Version::HTTP_11;
    let events = events(call, head.status, &head.headers);
    if events.is_some() {
        // An error event may have to be added, and nginx and its kin would hold events back.
        head.headers.remove(CONTENT_LENGTH);
        head.headers.entry("x-accel-buffering").or_insert(HeaderValue::from_static("no"));
    }
    let terms = Terms {
        id: call.id.clone(),
        service: call.service.alias.clone(),
        surface: call.surface,
        events,
        tells: tells(call, head.status, &head.headers),
        idle: waits.idle,
        silence: waits.silence,
        deadline: call.deadline,
        limit,
        quiet: false,
        closing: call.arrival.closing.clone(),
    };
    Ok(Response::from_parts(head, Guard::new(body, terms, notes).boxed()))
}

/// The protocol of a reply that is an event stream we can read: not one without a body, and not a compressed one, to
/// which nothing can be added either. An error that comes as a stream has no end to be waited for.
fn events(call: &Call, status: StatusCode, headers: &HeaderMap) -> Option<Protocol> {
    let readable = is_event_stream(headers) && is_plain(headers) && !is_bodiless(call, status);
    readable.then(|| if status.is_success() { call.protocol } else { Protocol::Other })
}

/// The dialect in which a reply tells what it cost, where we can read it. An error costs nothing.
fn tells(call: &Call, status: StatusCode, headers: &HeaderMap) -> Option<Dialect> {
    let readable = (is_event_stream(headers) || is_json(headers)) && is_plain(headers);
    call.tells.filter(|_| readable && status.is_success())
}

fn is_plain(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_ENCODING).is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn is_bodiless(call: &Call, status: StatusCode) -> bool {
    call.method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The limit that the body has to be held to, where its length does not settle it already.
fn limit(call: &Call, status: StatusCode, headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let ResponseLimit { bytes, streams_too } = call.service.max_response;
    if is_event_stream(headers) && !streams_too {
        return Ok(None);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if !is_bodiless(call, status) && length.is_some_and(|length| length > bytes) {
        return Err(Error::ReplyTooLarge { service: call.service.alias.clone(), limit: bytes });
    }
    Ok(Some(bytes))
}

/// Whether a reply is a stream of server-sent events.
#[must_use]
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    is_of_kind(headers, b"text/event-stream")
}

fn is_json(headers: &HeaderMap) -> bool {
    is_of_kind(headers, b"application/json")
}

fn is_of_kind(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..wanted.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
}

/// Says on any answer what the gateway did: which lane and why, how long, how often a provider was tried.
pub fn dress(response: &mut Response<Body>, recording: &Recording, surface: Surface, client_id: bool) {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let (noted, headers) = (recording.notes().read(), response.headers_mut());
    name(headers, &recording.record.id, client_id);
    if surface == Surface::V1Anthropic {
        headers.entry(ANTHROPIC_ID).or_insert_with(|| plain(&recording.record.id));
    }
    if let Some(choice) = noted.choice {
        headers.insert("x-processing-mode", HeaderValue::from_static(choice.lane.as_str()));
        headers.insert("x-lane-reason", HeaderValue::from_static(choice.why.as_str()));
    }
    if let Some(attempts) = noted.attempts {
        headers.insert("x-attempts", plain(attempts));
    }
    if noted.attempts > Some(1) && failed {
        // What we have tried again in vain, an SDK should not try another three times.
        headers.insert("x-should-retry", HeaderValue::from_static("false"));
    }
    if let Some(served) = &noted.served {
        headers.insert("x-served-by", headers::names(served));
    }
    if !noted.fallbacks.is_empty() {
        headers.insert("x-fallbacks", headers::names(&noted.fallbacks.join("; ")));
    }
    if !noted.dropped.is_empty() {
        headers.insert("x-dropped-params", headers::names(&noted.dropped));
    }
    recording.standings.dress(headers);
    headers.insert("x-processing-time", plain(recording.elapsed().as_millis()));
    headers.insert("x-gateway-version", HeaderValue::from_static(VERSION));
}

/// Puts the ids on an answer. `x-request-id` is the client's where it sent one, else the provider's, else ours.
fn name(headers: &mut HeaderMap, id: &str, client_id: bool) {
    let ours = plain(id);
    let by_background = headers.remove(PROVIDER_ID);
    let provider =
        by_background.or_else(|| headers.get(REQUEST_ID).cloned()).filter(|provider| *provider != ours);
    let (shown, other) = if client_id { (None, provider) } else { (provider, None) };
    headers.insert(REQUEST_ID, shown.unwrap_or_else(|| ours.clone()));
    if let Some(other) = other {
        headers.insert(PROVIDER_ID, other);
    }
    headers.insert(GATEWAY_ID, ours);
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::name;

    fn ids(headers: &[(&str, &str)], client_id: bool) -> (String, Option<String>) {
        let mut headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        name(&mut headers, "ours", client_id);
        assert_eq!(headers["x-gateway-request-id"], "ours");
        let text =
            |name: &str| headers.get(name).map(|id: &http::HeaderValue| id.to_str().unwrap().to_owned());
        (text("x-request-id").unwrap(), text("x-provider-request-id"))
    }

    #[test]
    fn nobody_s_id_is_lost() {
        assert_eq!(ids(&[], false), ("ours".to_owned(), None));
        assert_eq!(ids(&[("x-request-id", "theirs")], false), ("theirs".to_owned(), None));
        assert_eq!(ids(&[("x-request-id", "theirs")], true), ("ours".to_owned(), Some("theirs".to_owned())));
    }

    #[test]
    fn the_background_s_answer_is_named_like_the_edge_s_own() {
        let by_background = [("x-request-id", "ours"), ("x-provider-request-id", "theirs")];
        assert_eq!(ids(&by_background, false), ("theirs".to_owned(), None));
        assert_eq!(ids(&by_background, true), ("ours".to_owned(), Some("theirs".to_owned())));
        assert_eq!(ids(&[("x-request-id", "ours")], false), ("ours".to_owned(), None));
    }
}
