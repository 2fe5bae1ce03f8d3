//! The console's files, compiled in, so that a binary needs no folder beside it.
//!
//! They are those of `public/`, which Vercel serves by itself; elsewhere a door asks here before it asks the gateway.
//! They are held compressed, which is how every browser takes them.

use std::io::Read;

use flate2::read::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};
use twinlane_gateway::Body;
use twinlane_gateway::body::{empty, full};
use twinlane_gateway::pages::PAGE_POLICY;

/// A file of `public/`.
#[derive(Debug)]
struct File {
    path: &'static str,
    tag: &'static str,
    packed: &'static [u8],
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The answer to a request for a file of the console; `None` where it is for something else.
#[must_use]
pub fn answer<B>(request: &Request<B>) -> Option<Response<Body>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let file = find(request.uri().path())?;
    if holds(request.headers(), file.tag) {
        return Some(dressed(file, Response::new(empty()), StatusCode::NOT_MODIFIED));
    }
    let packed = takes_gzip(request.headers());
    let mut response = Response::new(if packed { full(file.packed) } else { full(unpacked(file)) });
    if packed {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(dressed(file, response, StatusCode::OK))
}

fn find(path: &str) -> Option<&'static File> {
    let wanted = if path == "/" { "index.html" } else { path.strip_prefix('/')? };
    FILES.iter().find(|file| file.path == wanted)
}

/// Whether a browser has this version already.
fn holds(headers: &HeaderMap, tag: &str) -> bool {
    let held = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    held.split(',').any(|held| held.trim().trim_start_matches("W/") == tag)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get(ACCEPT_ENCODING).and_then(|codings| codings.to_str().ok()).unwrap_or_default();
    codings.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !weight.contains("q=0;") && weight.trim() != "q=0"
    })
}

/// The file as it is in the folder. What we packed ourselves can be unpacked.
fn unpacked(file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = GzDecoder::new(file.packed).read_to_end(&mut bytes);
    debug_assert!(read.is_ok(), "{} cannot be unpacked", file.path);
    bytes
}

fn dressed(file: &File, mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(file.path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(ETAG, HeaderValue::from_static(file.tag));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests;
