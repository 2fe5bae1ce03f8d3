//! The administrator's pages for tokens: to make one, to see which there are, to take one back.

mod issued;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::HeaderMap;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use twinlane_access::{Grant, Kind, Order};

use super::json_answer;
use crate::Error;
use crate::body::{self, Body};
use crate::gateway::Gateway;

/// The largest order for a token, in bytes. The token itself is smaller.
const LARGEST: usize = 64 * 1024;

const NO_SECRET: &str = "Tokens cannot be signed here: set GATEWAY_SECRET to 32 characters or more";

/// Answers an administrator below `/admin/tokens`.
///
/// # Errors
/// [`Error::NotFound`] for what is no page here, and what each page says.
pub(super) async fn answer(
    gateway: &Gateway,
    path: &str,
    head: &Parts,
    body: Body,
) -> Result<Response<Body>, Error> {
    match (&head.method, path.strip_prefix("/admin/tokens/")) {
        (&Method::POST, None) if path == "/admin/tokens" => issue(gateway, &head.headers, body).await,
        (&Method::GET, None) if path == "/admin/tokens" => list(gateway, head.uri.query()).await,
        (&Method::DELETE, Some(id)) if crate::route::is_alias(id) => revoke(gateway, id).await,
        _ => Err(Error::NotFound),
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
    let mut answer = facts(&grant);
    answer["token"] = token.into();
    answer["listed"] = issued::remember(&gateway.keeping, &grant).await.into();
    Ok(json_answer(StatusCode::CREATED, &answer))
}

async fn list(gateway: &Gateway, query: Option<&str>) -> Result<Response<Body>, Error> {
    let part = issued::Part::of(query)?;
    let list = issued::list(gateway, &part).await;
    let list = list.map_err(|why| unreachable("the tokens could not be listed", &why.to_string()))?;
    Ok(json_answer(StatusCode::OK, &list))
}

async fn revoke(gateway: &Gateway, id: &str) -> Result<Response<Body>, Error> {
    let ends = issued::end(&gateway.keeping, id).await;
    let revoked = gateway.revoked.add(id, ends).await;
    revoked.map_err(|why| unreachable(&format!("token {id} could not be revoked"), &why))?;
    tracing::info!(token = id, "token {id} was revoked");
    let holds = gateway.keeping.reach();
    Ok(json_answer(StatusCode::OK, &json!({ "id": id, "revoked": true, "holds": holds })))
}

fn unreachable(what: &str, why: &str) -> Error {
    tracing::warn!("{what}: {why}");
    Error::StoreUnavailable
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
    json["expires"] = grant.expires.map_or(Value::Null, |expires| time(expires).into());
    json
}

fn time(seconds: u64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    // A year of five digits cannot be written by RFC 3339.
    let at = at.filter(|_| seconds < 253_402_300_800);
    at.map_or_else(|| seconds.to_string(), |at| humantime::format_rfc3339_seconds(at).to_string())
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
            "expires": "2026-01-01T00:10:00Z",
        });
        assert_eq!(facts(&order.grant("id-1", 1_767_225_600).unwrap()), expected);
    }
}
