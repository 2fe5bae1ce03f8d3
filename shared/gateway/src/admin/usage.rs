//! The pages of the usage log: what calls cost, grouped and summed (`/admin/usage`), and the calls themselves
//! (`/admin/calls`, `/admin/calls/{id}`), as JSON and as CSV.

mod ask;
mod calls;
mod csv;
mod group;
mod report;
mod sums;
mod walk;
mod when;

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::json_answer;
use crate::body::Body;
use crate::gateway::Gateway;
use crate::headers::plain;
use crate::keeping::now;
use crate::{Error, path};

use ask::Query;

/// The longest id that is looked for. A call's may begin with one of its client's.
const LONGEST_ID: usize = 256;

/// Whether one of these pages is at a path.
pub(super) fn is_at(path: &str) -> bool {
    matches!(path, "/admin/usage" | "/admin/calls") || path.starts_with("/admin/calls/")
}

/// Answers whoever may read the log.
///
/// # Errors
/// [`Error::MethodNotAllowed`] for anything but GET and HEAD, [`Error::Unfit`] for a parameter that is unknown or cannot
/// be read, [`Error::UnknownCall`], and [`Error::StoreUnavailable`].
pub(super) async fn answer(gateway: &Gateway, path: &str, head: &Parts) -> Result<Response<Body>, Error> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Err(Error::MethodNotAllowed);
    }
    let store = gateway.keeping.store();
    match path {
        "/admin/usage" => report::answer(store, &query(head, report::PARAMETERS)?, now()).await,
        "/admin/calls" => calls::answer(store, &query(head, calls::PARAMETERS)?, now()).await,
        _ => one(gateway, path.strip_prefix("/admin/calls/").unwrap_or_default(), head).await,
    }
}

/// The parameters of a page, of which a header may say one, too.
fn query(head: &Parts, known: &[&[&'static str]]) -> Result<Query, Error> {
    let query = Query::read(head.uri.query(), known)?;
    let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(query.preferring_csv(accept.is_some_and(|accept| accept.contains("text/csv"))))
}

/// The record of one call, with the bodies where they were kept.
async fn one(gateway: &Gateway, id: &str, head: &Parts) -> Result<Response<Body>, Error> {
    Query::read(head.uri.query(), &[])?;
    let id = path::decode(id);
    if id.is_empty() || id.len() > LONGEST_ID {
        return Err(Error::UnknownCall);
    }
    let record = gateway.keeping.store().record(&id).await.map_err(|lost| walk::unreadable(&lost))?;
    let record = record.ok_or(Error::UnknownCall)?;
    Ok(json_answer(StatusCode::OK, &record.to_json()))
}

/// A table to be saved as a file of this name.
fn csv_answer(body: Body, name: &str) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(CONTENT_DISPOSITION, plain(format!("attachment; filename=\"{name}.csv\"")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
