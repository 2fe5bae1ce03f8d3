//! The page at `/`, from `public/`, compiled in so that the binary needs no folder beside it.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, StatusCode};
use twinlane_gateway::Body;
use twinlane_gateway::body::full;
use twinlane_gateway::pages::PAGE_POLICY;

/// A file by its path: its type and its bytes.
fn file(path: &str) -> Option<(&'static str, &'static [u8])> {
    Some(match path {
        "/" | "/index.html" => ("text/html; charset=utf-8", include_bytes!("../../public/index.html")),
        "/app.js" => ("text/javascript; charset=utf-8", include_bytes!("../../public/app.js")),
        "/style.css" => ("text/css; charset=utf-8", include_bytes!("../../public/style.css")),
        "/doctor.css" => ("text/css; charset=utf-8", include_bytes!("../../public/doctor.css")),
        "/favicon.svg" => ("image/svg+xml", include_bytes!("../../public/favicon.svg")),
        _ => return None,
    })
}

/// The answer to a request for a file of the page; `None` where it is for something else.
pub(crate) fn answer(method: &Method, path: &str) -> Option<Response<Body>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let (kind, bytes) = file(path)?;
    let mut response = Response::new(full(bytes));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Some(response)
}
