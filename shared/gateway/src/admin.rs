//! The administrator's pages, below `/admin`. Where no `ADMIN_TOKEN` is set there are none.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use twinlane_access::{Grant, Kind, Order};

use crate::Error;
use crate::body::{self, Body, full};
use crate::gateway::{Gateway, Role};

/// The largest order for a token, in bytes. The token itself is smaller.
const LARGEST: usize = 64 * 1024;

const NO_SECRET: &str = "Tokens cannot be signed here: set GATEWAY_SECRET to 32 characters or more";
const NO_STORE: &str =
    "Nothing is remembered here without a store. To revoke a token, add its id to REVOKED_TOKENS and restart";

/// Answers an administrator.
///
/// # Errors
/// [`Error::NotFound`] where there are no such pages, [`Error::Unauthorized`] for anybody else.
pub(crate) async fn answer(
    gateway: &Gateway,
    path: &str,
    head: &Parts,
    body: Body,
) -> Result<Response<Body>, Error> {
    admit(gateway, &head.headers)?;
    match (&head.method, path.strip_prefix("/admin/tokens/")) {
        (&Method::POST, None) if path == "/admin/tokens" => issue(gateway, &head.headers, body).await,
        (&Method::GET, None) if path == "/admin/tokens" => Err(Error::NotConfigured(NO_STORE)),
        (&Method::DELETE, Some(id)) if crate::route::is_alias(id) => revoke(gateway, id).await,
        _ => Err(Error::NotFound),
    }
}

/// Only a bearer counts: a token in a query would stand in logs, and in another header it may be there by mistake.
fn admit(gateway: &Gateway, headers: &HeaderMap) -> Result<(), Error> {
    let admin = gateway.config.access.admin.as_ref().filter(|_| gateway.role == Role::Gateway);
    let admin = admin.ok_or(Error::NotFound)?;
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let bearer = shown.next().and_then(crate::auth::key_of).filter(|_| shown.next().is_none());
    match bearer {
        Some(bearer) if admin.is(bearer.expose().as_bytes()) => Ok(()),
        _ => Err(Error::Unauthorized(
            "An administrator's token is needed: 'Authorization: Bearer …' with ADMIN_TOKEN",
        )),
    }
}

async fn issue(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Response<Body>, Error> {
    let patience = body::Patience { limit: LARGEST, stall: gateway.config.clocks.stall };
    let order = body::read(headers, body, patience).await?;
    let refuse = |field: &str, why: String| Error::unfit("invalid_token_order", Some(field), why);
    let order = Order::of_json(&order).map_err(|problem| refuse(&problem.field, problem.to_string()))?;
    if let Some(unknown) = order.services.iter().find(|alias| gateway.config.services.get(alias).is_none()) {
        return Err(refuse(
            "services",
            format!("services: there is no service named '{}'", unknown.escape_default()),
        ));
    }
    let grant = order.grant(&new_id(), now()).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        refuse(problems.first().map_or("body", |problem| problem.field.as_str()), told.join("; "))
    })?;
    if gateway.config.access.keyring.is_empty() {
        return Err(Error::NotConfigured(NO_SECRET));
    }
    let token = gateway.config.access.keyring.sign(&grant);
    let token = token
        .ok_or_else(|| refuse("body", "the token would be longer than 4096 bytes; list less".to_owned()))?;
    tracing::info!(token = grant.id, "token {} was issued to {}", grant.id, grant.name.escape_default());
    Ok(json_answer(StatusCode::CREATED, &with_token(&grant, &token)))
}

async fn revoke(gateway: &Gateway, id: &str) -> Result<Response<Body>, Error> {
    match gateway.revoked.add(id).await {
        None => Err(Error::NotConfigured(NO_STORE)),
        Some(Err(why)) => {
            tracing::warn!(token = id, "token {id} could not be revoked: {why}");
            Err(Error::StoreUnavailable)
        }
        Some(Ok(())) => {
            tracing::info!(token = id, "token {id} was revoked");
            Ok(json_answer(StatusCode::OK, &json!({ "id": id, "revoked": true })))
        }
    }
}

/// An id for a token.
#[must_use]
pub fn new_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn with_token(grant: &Grant, token: &str) -> Value {
    let mut json = facts(grant);
    json["token"] = token.into();
    json
}

/// What a grant says, for people and programs. Lists that restrict nothing are left out.
#[must_use]
pub fn facts(grant: &Grant) -> Value {
    let kind = if grant.kind == Kind::Browser { "browser" } else { "server" };
    let mut json = json!({ "id": grant.id, "name": grant.name, "kind": kind, "issued": time(grant.issued) });
    let lists = [
        ("services", &grant.services),
        ("models", &grant.models),
        ("paths", &grant.paths),
        ("origins", &grant.origins),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        json[name] = list.as_slice().into();
    }
    let numbers = [
        ("rpm", grant.rates.rpm),
        ("tpm", grant.rates.tpm),
        ("streams", grant.rates.streams),
        ("max_tokens", grant.max_tokens),
    ];
    for (name, number) in numbers.into_iter().filter_map(|(name, number)| Some((name, number?))) {
        json[name] = number.into();
    }
    if let Some(budget) = grant.budget {
        json["budget"] = budget.to_string().into();
        json["budget_id"] = grant.budget_id.as_str().into();
    }
    let not_enforced = uncounted(grant);
    if !not_enforced.is_empty() {
        json["not_enforced"] = not_enforced.into();
    }
    json["expires"] = grant.expires.map_or(Value::Null, |expires| time(expires).into());
    json
}

fn time(seconds: u64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    // A year of five digits cannot be written by RFC 3339.
    let at = at.filter(|_| seconds < 253_402_300_800);
    at.map_or_else(|| seconds.to_string(), |at| humantime::format_rfc3339_seconds(at).to_string())
}

fn json_answer(status: StatusCode, json: &Value) -> Response<Body> {
    let mut response = Response::new(full(json.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a token says of rates and budgets, which nothing counts yet. Whoever makes one is told so.
fn uncounted(grant: &Grant) -> Vec<&'static str> {
    let rates = grant.rates;
    let said = [
        ("rpm", rates.rpm.is_some()),
        ("tpm", rates.tpm.is_some()),
        ("streams", rates.streams.is_some()),
        ("budget", grant.budget.is_some()),
    ];
    said.into_iter().filter(|(_, said)| *said).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use twinlane_access::{Kind, Order};

    use super::facts;

    #[test]
    fn facts_tell_what_restricts_and_nothing_else() {
        let mut order = Order { kind: Kind::Browser, ..Order::default() };
        for (flag, value) in [("origin", "https://a.example"), ("rpm", "60"), ("budget", "5usd/month")] {
            order.set(flag, value).unwrap();
        }
        let expected = json!({
            "id": "id-1",
            "name": "id-1",
            "kind": "browser",
            "issued": "2026-01-01T00:00:00Z",
            "origins": ["https://a.example"],
            "rpm": 60,
            "budget": "5usd/month",
            "budget_id": "id-1",
            "not_enforced": ["rpm", "budget"],
            "expires": "2026-01-01T00:10:00Z",
        });
        assert_eq!(facts(&order.grant("id-1", 1_767_225_600).unwrap()), expected);
    }
}
