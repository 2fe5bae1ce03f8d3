//! The administrator's pages, below `/admin`: for whoever shows `ADMIN_TOKEN`. Where none is set there are no such pages,
//! but for this machine's own person, who may read what the local door has kept and change nothing.

mod tokens;
mod usage;

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::auth::is_this_machine_s_own;
use crate::body::{Body, full};
use crate::gateway::{Gateway, Role};
use crate::{Arrival, Error};

pub use tokens::{facts, new_id, now};

const NO_ADMIN: &str = "An administrator's token is needed: 'Authorization: Bearer …' with ADMIN_TOKEN";
const NO_OPERATOR: &str = "On this machine the usage pages are open to whoever shows a token of AUTH_TOKEN";

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visitor {
    /// Whoever shows the administrator's token.
    Administrator,
    /// This machine's own person, where there is no such token.
    Reader,
}

/// Answers an administrator, or a reader.
///
/// # Errors
/// [`Error::NotFound`] where there are no such pages, [`Error::Unauthorized`] for anybody else, and those of the pages.
pub(crate) async fn answer(
    gateway: &Gateway,
    path: &str,
    head: &Parts,
    arrival: &Arrival,
    body: Body,
) -> Result<Response<Body>, Error> {
    let visitor = admit(gateway, head, arrival)?;
    match (path, visitor) {
        ("/admin", _) => overview(gateway, visitor, &head.method),
        _ if usage::is_at(path) => usage::answer(gateway, path, head).await,
        (_, Visitor::Administrator) => tokens::answer(gateway, path, head, body).await,
        (_, Visitor::Reader) => Err(Error::NotFound),
    }
}

fn admit(gateway: &Gateway, head: &Parts, arrival: &Arrival) -> Result<Visitor, Error> {
    if gateway.role != Role::Gateway {
        return Err(Error::NotFound);
    }
    let Some(admin) = &gateway.config.access.admin else { return admit_reader(gateway, head, arrival) };
    match bearer(&head.headers) {
        Some(bearer) if admin.is(bearer.expose().as_bytes()) => Ok(Visitor::Administrator),
        _ => Err(Error::Unauthorized(NO_ADMIN)),
    }
}

/// A page that rebinds its name to this machine, a proxy and a page of another origin are not its own person.
fn admit_reader(gateway: &Gateway, head: &Parts, arrival: &Arrival) -> Result<Visitor, Error> {
    if !is_this_machine_s_own(head, arrival) {
        return Err(Error::NotFound);
    }
    let operator = gateway.auth.is_operator(head, arrival)?;
    if operator { Ok(Visitor::Reader) } else { Err(Error::Unauthorized(NO_OPERATOR)) }
}

/// Only a bearer counts: a token in a query would stand in logs, and in another header it may be there by mistake.
fn bearer(headers: &HeaderMap) -> Option<crate::secret::Secret> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    shown.next().and_then(crate::auth::key_of).filter(|_| shown.next().is_none())
}

/// What is open to a visitor, for a console to show no more than that.
fn overview(gateway: &Gateway, visitor: Visitor, method: &Method) -> Result<Response<Body>, Error> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Error::MethodNotAllowed);
    }
    let (config, keeping) = (&gateway.config, &gateway.keeping);
    let signs = !config.access.keyring.is_empty();
    let overview = json!({
        "tokens": visitor == Visitor::Administrator && signs,
        "usage": config.books.keeps_log(keeping.is_lasting(), config.platform),
        "store": keeping.store().engine(),
        "lasting": keeping.is_lasting(),
        "retention_days": config.books.retention.as_secs() / (24 * 60 * 60),
    });
    Ok(json_answer(StatusCode::OK, &overview))
}

fn json_answer(status: StatusCode, json: &Value) -> Response<Body> {
    let mut response = Response::new(full(json.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
