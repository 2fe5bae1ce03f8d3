//! The origins of pages, and which hosts are this machine.

use std::net::IpAddr;

use http::Uri;

use super::Reader;
use crate::cors::Origins;

pub(super) fn read(reader: &mut Reader) -> Origins {
    let listed: Vec<String> = reader.list("ALLOWED_ORIGIN").map(str::to_owned).collect();
    if listed.iter().any(|origin| origin == "*") {
        return Origins::Any;
    }
    if listed.iter().any(|origin| !is_origin(origin)) {
        reader.problem("ALLOWED_ORIGIN", "is not '*' or a list of origins such as https://app.example.com");
    }
    Origins::Listed(listed.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect())
}

/// A scheme, a host and perhaps a port, and nothing after them.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    uri.scheme().is_some() && uri.host().is_some() && uri.path() == "/" && uri.query().is_none()
}

/// Whether a host, with or without brackets, is this machine itself.
#[must_use]
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
