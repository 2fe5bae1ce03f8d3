//! One attempt of a plan, as a call like any other: the lanes, retries and clocks take it from here.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::draft;
use super::plan::{PROVIDER, Plan};
use super::said::{How, Said};
use super::targets::Target;
use crate::Error;
use crate::auth::CREDENTIALS;
use crate::call::Call;
use crate::services::{Format, Service};
use crate::usage;

/// One attempt.
#[derive(Debug)]
pub struct Leg {
    /// What the provider is sent.
    pub call: Call,
    /// How its reply becomes the client's.
    pub how: How,
    /// The client's parameters that the provider does not have.
    pub dropped: Vec<String>,
}

impl Leg {
    /// The attempt of a plan at one of its targets as far as it can be told without asking anybody: images stay where
    /// they are.
    ///
    /// # Errors
    /// [`Error::Unfit`] where the provider cannot be asked for this, or not without dropping a parameter that a strict
    /// client wants kept.
    pub fn of(plan: &Plan, target: &Target) -> Result<Self, Error> {
        Self::saying(plan, target, draft::rehearsed(plan, target)?)
    }

    /// The attempt of a plan at one of its targets, in that provider's words.
    ///
    /// # Errors
    /// [`Error::Unfit`] where a parameter was dropped that a strict client wants kept.
    pub fn saying(plan: &Plan, target: &Target, said: Said) -> Result<Self, Error> {
        let Said { path, query, body, how, dropped } = said;
        if let Some(parameter) = dropped.first().filter(|_| plan.strict) {
            return Err(Error::unfit(
                "unsupported_parameter",
                Some(parameter),
                format!("'{target}' does not know '{parameter}', and x-strict forbids to drop it"),
            ));
        }
        let call = call(plan, target, path, query.as_deref(), body, matches!(how, How::Passed));
        Ok(Self { call, how, dropped })
    }
}

/// A call of a target's provider on a plan's behalf. `passed`: in the client's own words.
pub(super) fn call(
    plan: &Plan,
    target: &Target,
    path: String,
    query: Option<&str>,
    body: Bytes,
    passed: bool,
) -> Call {
    let service = std::sync::Arc::clone(&target.service);
    let (alias, received) = (&service.alias, &plan.received);
    Call {
        id: received.id.clone(),
        surface: received.surface,
        method: received.method.clone(),
        headers: headers(plan, target, &path, passed),
        stream: plan.stream,
        protocol: plan.endpoint.protocol(&received.path),
        // Of a translated reply, its translation knows.
        tells: usage::told(&received.method, &path).filter(|_| passed),
        deadline: received.deadline,
        arrival: received.arrival.clone(),
        target: match query {
            Some(query) => format!("/gateway/{alias}{path}?{query}"),
            None => format!("/gateway/{alias}{path}"),
        },
        path,
        body,
        service,
    }
}

/// The client's headers for one provider: its key where that provider looks for it, and nothing that only another
/// provider would understand.
fn headers(plan: &Plan, target: &Target, path: &str, passed: bool) -> HeaderMap {
    let mut headers = plan.received.headers.clone();
    for name in &CREDENTIALS {
        headers.remove(name);
    }
    headers.remove(PROVIDER);
    for foreign in foreign(&target.service) {
        let names: Vec<_> =
            headers.keys().filter(|name| name.as_str().starts_with(foreign)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
    }
    if !passed {
        headers.remove(ACCEPT);
        headers.remove(CONTENT_ENCODING);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // What cannot be read cannot be translated.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    headers.extend(plan.key_for(target).and_then(|key| target.service.credential(path, key)));
    headers
}

/// The beginnings of headers that belong to other providers' APIs.
fn foreign(service: &Service) -> impl Iterator<Item = &'static str> {
    let anthropic = service.path_of(Format::CountTokens).is_some();
    let google = service.path_of(Format::GeminiEmbeddings).is_some();
    [("anthropic-", anthropic), ("x-goog-", google), ("openai-", !anthropic && !google)]
        .into_iter()
        .filter(|(_, known)| !known)
        .map(|(beginning, _)| beginning)
}
