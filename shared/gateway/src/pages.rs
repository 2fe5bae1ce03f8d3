//! The pages that the gateway answers itself, without a provider.

use std::time::SystemTime;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Response};
use serde_json::{Value, json};

use crate::body::{Body, full};
use crate::gateway::{Gateway, Role};
use crate::lane::Lane;
use crate::route::Page;
use crate::{Error, VERSION};

/// Answers a page.
///
/// # Errors
/// [`Error::MethodNotAllowed`] for anything but GET and HEAD.
pub fn answer(page: Page, method: &Method, gateway: &Gateway) -> Result<Response<Body>, Error> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Error::MethodNotAllowed);
    }
    let json = match page {
        Page::Health => health(gateway),
        Page::Services => services(gateway),
    };
    let mut response = Response::new(full(json.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
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
    })
}

/// What is public anyway: an unknown service is answered with the same names.
fn services(gateway: &Gateway) -> Value {
    let row = |service: &crate::services::Service| json!({ "alias": service.alias, "host": service.authority.as_str(), "example": service.example() });
    let rows: Vec<Value> = gateway.config.services.iter().map(row).collect();
    json!({ "default": gateway.config.default_service, "services": rows })
}
