//! The pages that the gateway answers itself, without a provider.

use std::time::SystemTime;

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use serde_json::{Map, Value, json};

use crate::body::{Body, full};
use crate::gateway::{Gateway, Role};
use crate::lane::Lane;
use crate::route::Page;
use crate::services::{Service, TABLE};
use crate::unified::targets::is_open;
use crate::{Arrival, Error, VERSION, doctor};

/// Answers a page.
///
/// # Errors
/// [`Error::MethodNotAllowed`] for anything but GET and HEAD; [`Error::Unauthorized`] where a wrong token is shown.
pub async fn answer(
    page: Page,
    head: &Parts,
    arrival: &Arrival,
    gateway: &Gateway,
) -> Result<Response<Body>, Error> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Err(Error::MethodNotAllowed);
    }
    match page {
        Page::Health => Ok(json_page(&health(gateway))),
        Page::Alive => Ok(json_page(&json!({ "ok": true }))),
        Page::Services => Ok(json_page(&services(gateway, gateway.auth.is_operator(head, arrival)?))),
        Page::Limits => Ok(json_page(&doctor::limits(&gateway.config))),
        Page::Doctor => doctors(head, arrival, gateway).await,
        Page::Metrics => metrics(head, arrival, gateway),
    }
}

/// The doctor's page, as HTML for a browser and as JSON for anybody else.
async fn doctors(head: &Parts, arrival: &Arrival, gateway: &Gateway) -> Result<Response<Body>, Error> {
    let whole = gateway.auth.is_operator(head, arrival)?;
    let report = doctor::examine(gateway, arrival, whole).await;
    let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains("text/html")) {
        return Ok(json_page(&report.json()));
    }
    let mut response = page_of("text/html; charset=utf-8", doctor::page(&report));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    Ok(response)
}

/// The page for Prometheus, where there is one. How much a deployment is used is for its operator to know.
fn metrics(head: &Parts, arrival: &Arrival, gateway: &Gateway) -> Result<Response<Body>, Error> {
    let metrics = gateway.recorders.metrics.as_ref().ok_or(Error::NotFound)?;
    if !gateway.auth.is_operator(head, arrival)? {
        return Err(Error::Unauthorized(
            "/metrics is for this machine itself and for callers with a token of AUTH_TOKEN",
        ));
    }
    let lost = gateway.recorders.telemetry.as_ref().and_then(|telemetry| telemetry.lost());
    Ok(page_of(twinlane_telemetry::Page::TYPE, metrics.page(lost)))
}

/// What a page of ours may do in a browser: load our own files, and nothing else from anywhere. Pictures that a person
/// chose are shown from memory (`blob:`). Text becomes markup only by the console's sanitiser.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                               connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                               require-trusted-types-for 'script'; trusted-types dompurify";

/// A page in JSON.
pub(crate) fn json_page(json: &Value) -> Response<Body> {
    page_of("application/json", json.to_string())
}

fn page_of(kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(full(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn health(gateway: &Gateway) -> Value {
    let mode = match gateway.role {
        Role::Gateway => Lane::Edge,
        Role::Background => Lane::Background,
    };
    json!({
        "status": "ok",
        "timestamp": humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        "service": "api-gateway",
        "mode": mode.as_str(),
        "version": VERSION,
        "env": gateway.config.env,
        "providers": gateway.config.services.iter().map(availability).collect::<Map<_, _>>(),
    })
}

/// Whether the server can call a provider by itself. Nobody is asked: whether the provider answers is another question.
fn availability(service: &Service) -> (String, Value) {
    (service.alias.clone(), if is_open(service) { "configured" } else { "needs a key" }.into())
}

/// The aliases, which an error tells as well. Where a service is that the operator named is the operator's business.
fn services(gateway: &Gateway, whole: bool) -> Value {
    let is_known = |host: &str| TABLE.iter().any(|row| row.host == host);
    let row = |service: &Service| {
        let host = Some(service.authority.as_str()).filter(|host| whole || is_known(host));
        json!({ "alias": service.alias, "host": host, "example": service.example() })
    };
    let rows: Vec<Value> = gateway.config.services.iter().map(row).collect();
    json!({ "default": gateway.config.default_service, "services": rows })
}
