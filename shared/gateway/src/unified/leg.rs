//! One attempt of a plan, as a call like any other: the lanes, retries and clocks take it from here.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::plan::{PROVIDER, Plan};
use super::said::{How, Said, said};
use super::targets::Target;
use crate::Error;
use crate::auth::CREDENTIALS;
use crate::call::Call;
use crate::services::{Format, Service};

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
    /// The attempt of a plan at one of its targets.
    ///
    /// # Errors
    /// [`Error::Unfit`] where the provider cannot be asked for this, or not without dropping a parameter that a strict
    /// client wants kept.
    pub fn of(plan: &Plan, target: &Target) -> Result<Self, Error> {
        let Said { path, query, body, how, dropped } = said(plan, target)?;
        if let Some(parameter) = dropped.first().filter(|_| plan.strict) {
            return Err(Error::unfit(
                "unsupported_parameter",
                Some(parameter),
                format!("'{target}' does not know '{parameter}', and x-strict forbids to drop it"),
            ));
        }
        let service = std::sync::Arc::clone(&target.service);
        let (alias, received) = (&service.alias, &plan.received);
        let target_path = match &query {
            Some(query) => format!("/gateway/{alias}{path}?{query}"),
            None => format!("/gateway/{alias}{path}"),
        };
        let call = Call {
            id: received.id.clone(),
            surface: received.surface,
            method: received.method.clone(),
            headers: headers(plan, target, &path, matches!(how, How::Passed)),
            stream: plan.stream,
            protocol: plan.endpoint.protocol(&received.path),
            deadline: received.deadline,
            arrival: received.arrival.clone(),
            target: target_path,
            path,
            body,
            service,
        };
        Ok(Self { call, how, dropped })
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
    headers.extend(key(plan, target, path));
    headers
}

/// The client's own key. It was meant for the provider that the call goes to, and is shown to no other.
fn key(plan: &Plan, target: &Target, path: &str) -> Option<(http::HeaderName, HeaderValue)> {
    let first = plan.targets.first()?;
    let key = plan.own_key.as_ref().filter(|_| first.service.alias == target.service.alias)?;
    target.service.credential(path, key)
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
