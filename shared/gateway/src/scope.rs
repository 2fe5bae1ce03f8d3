//! Holds a call to the scope of its caller's token: on the head what the head tells, and of the body what a restriction
//! needs to know. A body is looked into for a token that is restricted in it, and for no other.

mod form;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, Method};
use serde_json::Value;
use twinlane_access::{Grant, Outside, Scope};

use crate::Error;
use crate::auth::Caller;
use crate::call::Call;
use crate::record::Notes;
use crate::scan::Asked;
use crate::unified::ask::{Fields, model_of_form};
use crate::unified::plan::Plan;
use crate::unified::targets::{Target, Why};

/// Holds a request to its caller's scope as far as its head tells: the page, the path below the service, the service.
///
/// # Errors
/// [`Error::OutsideScope`].
pub(crate) fn of_head(caller: &Caller, head: &Parts, service: Option<&str>, path: &str) -> Result<(), Error> {
    let Some(grant) = &caller.grant else { return Ok(()) };
    let origin = head.headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    grant.covers_origin(origin)?;
    grant.covers_path(path)?;
    service.map_or(Ok(()), |service| Ok(grant.covers_service(service)?))
}

/// Holds a call of one service to its caller's scope.
///
/// # Errors
/// [`Error::OutsideScope`].
pub(crate) fn of_call(caller: &Caller, call: &Call) -> Result<(), Error> {
    let Some(grant) = &caller.grant else { return Ok(()) };
    covers_length(grant, &call.path, &call.body)?;
    if grant.models.is_empty() || is_reading(&call.method) {
        return Ok(());
    }
    // Where the path names the model, a body that cannot be read is a picture or a recording for it.
    let mut names = named_by_path(&call.path);
    names.extend(named_by_body(&call.headers, &call.body).unwrap_or_default());
    if names.is_empty() && call.method != Method::DELETE {
        return Err(no_model().into());
    }
    Ok(names.iter().try_for_each(|name| grant.covers_model(&call.service.alias, name))?)
}

/// Holds a call of the unified API to its caller's scope: targets outside of it are left out, and the call is refused
/// where none is left.
///
/// # Errors
/// [`Error::OutsideScope`].
pub(crate) fn of_plan(caller: &Caller, plan: &mut Plan, notes: &Notes) -> Result<(), Error> {
    let Some(grant) = caller.grant.as_ref().filter(|_| !plan.endpoint.is_own_page()) else { return Ok(()) };
    if !plan.endpoint.is_counting() {
        covers_length(grant, &plan.received.path, &plan.received.body)?;
    }
    let beside = named_beside(grant, plan)?;
    let judged: Vec<Result<(), Outside>> =
        plan.targets.iter().map(|target| covers_target(grant, plan, target, &beside)).collect();
    let mut verdicts = judged.iter();
    if judged.iter().all(Result::is_err) {
        return judged.into_iter().next().map_or(Ok(()), |first| Ok(first?));
    }
    plan.targets.retain(|target| {
        let covered = verdicts.next().is_none_or(Result::is_ok);
        if !covered {
            notes.fell(format!("{target}: outside the token's scope"));
        }
        covered
    });
    Ok(())
}

fn covers_target(grant: &Grant, plan: &Plan, target: &Target, beside: &[String]) -> Result<(), Outside> {
    let service = &target.service.alias;
    grant.covers_service(service)?;
    if grant.models.is_empty() || (target.model.is_empty() && is_reading(&plan.received.method)) {
        return Ok(());
    }
    if target.model.is_empty() {
        return Err(no_model());
    }
    beside.iter().try_for_each(|name| grant.covers_model(service, name))?;
    // The operator's own names are what a token may be restricted to; other names are the client's choice.
    if target.why == Why::Alias && grant.covers_alias(&plan.model) {
        return Ok(());
    }
    grant.covers_model(service, &target.model)
}

/// The models that a body names beside the one that the plan is about: under the same name in other letters, in a list
/// for the provider to choose from, or in another field of a form. A provider might take one of those.
fn named_beside(grant: &Grant, plan: &Plan) -> Result<Vec<String>, Error> {
    if grant.models.is_empty() || is_reading(&plan.received.method) || plan.received.body.is_empty() {
        return Ok(Vec::new());
    }
    let named = named_by_body(&plan.received.headers, &plan.received.body).ok_or_else(no_model)?;
    Ok(named.into_iter().filter(|name| *name != plan.model).collect())
}

fn no_model() -> Outside {
    Outside { scope: Scope::Model, what: "a call in which no model can be found".to_owned() }
}

/// What only looks, and makes no model work.
fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The model that a call of one service names, where it makes one work: in its path, its body or its form.
pub(crate) fn model_of(call: &Call, asked: &Asked) -> Option<String> {
    if call.method != Method::POST {
        return None;
    }
    let body = || asked.model(&call.body).map(std::borrow::Cow::into_owned);
    let form = || model_of_form(&call.body).filter(|_| is_form(&call.headers)).map(str::to_owned);
    named_by_path(&call.path).into_iter().next().or_else(body).or_else(form)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
}

/// The models that a path names, as Gemini's, Azure's, Bedrock's, Hugging Face's and Cloudflare's do.
fn named_by_path(path: &str) -> Vec<String> {
    let path = crate::path::decode(path);
    // Most paths name none, and every call asks.
    let names = |segment: &str| matches!(segment, "models" | "run" | "tunedModels" | "deployments" | "model");
    if !path.split('/').any(names) {
        return Vec::new();
    }
    let after = |marker: &str| path.split_once(marker).map(|(_, rest)| rest);
    let whole = ["/models/", "/ai/run/", "/tunedModels/"].into_iter().filter_map(after).map(|rest| {
        // What follows the last colon is what is to be done: `gemini-2.5-flash:generateContent`.
        rest.rsplit_once(':').map_or(rest, |(model, _)| model)
    });
    let segment = ["/deployments/", "/model/"].into_iter().filter_map(after);
    let segment = segment.map(|rest| rest.split('/').next().unwrap_or(rest));
    whole.chain(segment).map(str::to_owned).collect()
}

/// The models that a body names; `None` where it is in no form that can be read.
fn named_by_body(headers: &HeaderMap, body: &[u8]) -> Option<Vec<String>> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::to_str).transpose().ok()?.unwrap_or_default();
    if headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    if kind.to_ascii_lowercase().starts_with("multipart/") {
        return form::models(kind, body);
    }
    let fields = Fields::of(body)?;
    let mut names: Vec<String> = fields.all("model")?;
    names.extend(fields.all::<Vec<String>>("models")?.into_iter().flatten());
    Some(names)
}

/// Holds a call to the longest answer that may be asked for. A conversation that does not say how long would be as
/// long as the model likes, so it must say.
fn covers_length(grant: &Grant, path: &str, body: &[u8]) -> Result<(), Outside> {
    if grant.max_tokens.is_none() {
        return Ok(());
    }
    let asked = serde_json::from_slice(body).ok().and_then(|body| longest(&body));
    if asked.is_some() || is_conversation(path) { grant.covers_length(asked) } else { Ok(()) }
}

fn is_conversation(path: &str) -> bool {
    let path = crate::path::decode(path);
    let endings = [
        "completions",
        "/messages",
        "/responses",
        "/vision/analyze",
        "/vision/stream",
        "enerateContent",
        "/generate",
        "/chat",
        "/converse",
        "/converse-stream",
        "/invoke",
        "/invoke-with-response-stream",
    ];
    endings.iter().any(|ending| path.trim_end_matches('/').ends_with(ending))
}

/// The most that a body asks for, at the top or in one of its objects, under any of the providers' names. A limit that
/// is no number is beyond every other.
fn longest(body: &Value) -> Option<u64> {
    let top = body.as_object()?;
    let fields = top.iter().chain(top.values().filter_map(Value::as_object).flatten());
    let limits = fields.filter(|(name, value)| is_limit(name) && !value.is_null());
    limits.map(|(_, value)| value.as_u64().unwrap_or(u64::MAX)).max()
}

fn is_limit(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect();
    matches!(
        plain.as_str(),
        "maxtokens"
            | "maxcompletiontokens"
            | "maxoutputtokens"
            | "maxnewtokens"
            | "maxgenlen"
            | "maxtokenstosample"
            | "numpredict"
    )
}

#[cfg(test)]
mod tests;
