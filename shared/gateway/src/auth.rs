//! Admission: who may call, and whose key the provider will see. Decided on the head, before a byte of body is read.

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::config::Access;
use crate::config::is_loopback;
use crate::secret::Secret;
use crate::{Arrival, Error};

/// The header and query parameter that carry nothing but gateway tokens.
pub const OWN_HEADER: HeaderName = HeaderName::from_static("x-auth-token");
/// See [`OWN_HEADER`].
pub const OWN_PARAMETER: &str = "auth_token";

/// Headers in which SDKs send a provider's key, and so in which a gateway token may come, too.
pub const CREDENTIALS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// A client's credential shorter than this is a placeholder: SDKs insist on a key, and people type `x`.
const SHORTEST_KEY: usize = 16;

/// Somebody who may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// Whether the server's keys may be used for this caller.
    pub server_keys: bool,
    /// The gateway token that was shown, for the hop to the background, which admits for itself.
    pub token: Option<Secret>,
}

/// The settings of admission.
#[derive(Debug, Clone)]
pub struct Auth(pub Access);

impl Auth {
    /// Admits the sender of a request, or refuses.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], which says what is wrong with the credentials and nothing of them.
    pub fn admit(&self, request: &Parts, arrival: &Arrival) -> Result<Caller, Error> {
        refuse_doubled(&request.headers)?;
        if self.0.tokens.is_empty() {
            let server_keys = self.0.allow_anonymous || is_this_machine_s_own(request, arrival);
            return Ok(Caller { server_keys, token: None });
        }
        match self.presented(request) {
            Presented::Right(token) => Ok(Caller { server_keys: true, token: Some(token) }),
            Presented::Wrong => Err(Error::Unauthorized("The gateway token is wrong")),
            Presented::None if self.0.allow_anonymous => Ok(Caller { server_keys: true, token: None }),
            Presented::None => Err(Error::Unauthorized(
                "A gateway token is needed: send it as 'Authorization: Bearer …', 'x-api-key' or 'X-AUTH-TOKEN'",
            )),
        }
    }

    /// Whether a caller may be told everything about this deployment: by a gateway token, or from this very machine.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub fn is_operator(&self, request: &Parts, arrival: &Arrival) -> Result<bool, Error> {
        let open = Self(Access { allow_anonymous: true, ..self.0.clone() });
        let by_token = open.admit(request, arrival)?.token.is_some();
        Ok(by_token || (self.0.tokens.is_empty() && is_this_machine_s_own(request, arrival)))
    }

    /// Whether a header's value holds a gateway token.
    #[must_use]
    pub fn is_token(&self, value: &HeaderValue) -> bool {
        self.known(credential(value)).is_some()
    }

    /// Compares with every token, so that the time taken does not tell which one came close.
    fn known(&self, candidate: &[u8]) -> Option<&Secret> {
        self.0.tokens.iter().fold(None, |known, token| if token.is(candidate) { Some(token) } else { known })
    }

    /// What stands in our own header and parameter must be right; in the shared ones it may be a provider's key.
    fn presented(&self, request: &Parts) -> Presented {
        let own = request.headers.get(OWN_HEADER).map(|value| credential(value).to_vec());
        let given = own.into_iter().chain(parameter(&request.uri));
        let own = given.map(|token| self.known(&token)).reduce(|all, next| all.and(next));
        match own.or_else(|| self.among_shared(&request.headers).map(Some)) {
            Some(Some(token)) => Presented::Right(token.clone()),
            Some(None) => Presented::Wrong,
            None => Presented::None,
        }
    }

    fn among_shared(&self, headers: &HeaderMap) -> Option<&Secret> {
        CREDENTIALS
            .iter()
            .filter_map(|name| headers.get(name))
            .find_map(|value| self.known(credential(value)))
    }
}

/// What a caller showed.
enum Presented {
    Right(Secret),
    Wrong,
    None,
}

/// A provider and we might each pick another of two values.
fn refuse_doubled(headers: &HeaderMap) -> Result<(), Error> {
    let doubled = |name: &HeaderName| headers.get_all(name).iter().count() > 1;
    if CREDENTIALS.iter().chain([&OWN_HEADER]).any(doubled) {
        return Err(Error::Unauthorized("A credential was sent twice in the same header; send it once"));
    }
    Ok(())
}

/// A header's value without the word `Bearer` before it.
fn credential(value: &HeaderValue) -> &[u8] {
    let bytes = value.as_bytes().trim_ascii();
    match bytes.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer ") => rest.trim_ascii(),
        _ => bytes,
    }
}

/// The value of our own query parameter, decoded. Two of them are both shown, and both must be right.
fn parameter(uri: &Uri) -> impl Iterator<Item = Vec<u8>> {
    let pairs =
        uri.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .filter(|(name, _)| is_own_parameter(name))
        .map(|(_, value)| crate::path::decode(value).into_owned().into_bytes())
}

fn is_own_parameter(name: &str) -> bool {
    crate::path::decode(name) == OWN_PARAMETER
}

/// The query without our own parameter, every other byte as it came.
#[must_use]
pub fn without_own_parameter(query: Option<&str>) -> Option<String> {
    let query = query?;
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !is_own_parameter(pair.split('=').next().unwrap_or(pair))).collect();
    if kept.is_empty() { None } else { Some(kept.join("&")) }
}

/// Whether the client brought a key of its own that could be a provider's.
pub fn is_real_key(value: &HeaderValue) -> bool {
    credential(value).len() >= SHORTEST_KEY
}

/// The key that a credential's header holds.
#[must_use]
pub fn key_of(value: &HeaderValue) -> Option<Secret> {
    std::str::from_utf8(credential(value)).ok().map(Secret::new)
}

/// What a proxy adds. One on this machine that others can reach makes their calls look like this machine's own.
const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "via", "x-real-ip", "cf-connecting-ip"];

/// Whether a call comes from this very machine by its own will: not through a proxy, over a loopback socket, to a loopback name (a page that
/// rebinds its name to 127.0.0.1 sends that name), and not from a page of somebody else's.
fn is_this_machine_s_own(request: &Parts, arrival: &Arrival) -> bool {
    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.filter(|_| arrival.loopback) else { return false };
    let name = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(name, _)| name);
    let proxied = FORWARDED.iter().any(|name| request.headers.contains_key(*name));
    !proxied
        && is_loopback(name)
        && request.uri.host().is_none_or(is_loopback)
        && !is_from_foreign_page(&request.headers, host)
}

fn is_from_foreign_page(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let foreign_origin =
        text(ORIGIN.as_str()).is_some_and(|origin| origin.strip_prefix("http://") != Some(host));
    // Browsers send no Origin with a plain GET, but they do say where it came from.
    let foreign_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    foreign_origin || foreign_site
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{Auth, Caller, without_own_parameter};
    use crate::config::Access;
    use crate::secret::Secret;
    use crate::{Arrival, Error};

    fn admit(
        tokens: &[&str],
        anonymous: bool,
        loopback: bool,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Result<Caller, Error> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let access =
            Access { tokens: tokens.iter().copied().map(Secret::new).collect(), allow_anonymous: anonymous };
        Auth(access).admit(&parts, &Arrival { loopback, ..Arrival::now() })
    }

    #[test]
    fn a_token_is_taken_wherever_an_sdk_can_put_it() {
        for header in [
            ("authorization", "Bearer tok-2"),
            ("authorization", "bearer  tok-2"),
            ("x-api-key", "tok-2"),
            ("api-key", "tok-2"),
            ("x-goog-api-key", "tok-2"),
            ("x-auth-token", "tok-2"),
        ] {
            assert!(
                admit(&["tok-1", "tok-2"], false, false, "/v1/x", &[header]).unwrap().server_keys,
                "{header:?}"
            );
        }
        for uri in ["/v1/x?auth_token=tok-2", "/v1/x?a=1&auth%5Ftoken=tok%2D2"] {
            assert!(admit(&["tok-2"], false, false, uri, &[]).unwrap().server_keys, "{uri}");
        }
    }

    #[test]
    fn without_the_right_token_nobody_is_admitted() {
        for headers in [
            &[][..],
            &[("authorization", "Bearer tok-")],
            &[("authorization", "Bearer tok-11")],
            &[("authorization", "Bearer ")],
            &[("x-auth-token", "wrong"), ("authorization", "Bearer tok-1")],
            &[("authorization", "Bearer tok-1"), ("authorization", "Bearer tok-1")],
            &[("x-auth-token", "tok-1"), ("x-auth-token", "wrong")],
            &[("cookie", "auth_token=tok-1")],
        ] {
            assert!(admit(&["tok-1"], false, true, "/v1/x", headers).is_err(), "{headers:?}");
        }
        assert!(admit(&["tok-1"], false, false, "/v1/x?auth_token=wrong", &[]).is_err());
        assert!(admit(&["tok-1"], false, false, "/v1/x?auth_token=tok-1&auth_token=wrong", &[]).is_err());
    }

    #[test]
    fn without_tokens_callers_bring_their_own_keys() {
        assert!(!admit(&[], false, false, "/v1/x", &[]).unwrap().server_keys);
        assert!(admit(&[], true, false, "/v1/x", &[]).unwrap().server_keys);
    }

    #[test]
    fn this_machine_s_own_calls_may_use_the_server_s_keys() {
        let trusted =
            |headers: &[(&str, &str)]| admit(&[], false, true, "/v1/x", headers).unwrap().server_keys;
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "[::1]", "127.0.0.1"] {
            assert!(trusted(&[("host", host)]), "{host}");
        }
        assert!(trusted(&[("host", "localhost:3000"), ("origin", "http://localhost:3000")]));
        assert!(!trusted(&[]));
        assert!(!trusted(&[("host", "rebound.example:3000")]));
        assert!(!trusted(&[("host", "localhost.evil.example")]));
        assert!(!trusted(&[("host", "localhost:3000"), ("origin", "https://evil.example")]));
        assert!(!trusted(&[("host", "localhost:3000"), ("origin", "http://localhost:8080")]));
        assert!(!trusted(&[("host", "localhost:3000"), ("origin", "null")]));
        assert!(!trusted(&[("host", "localhost:3000"), ("sec-fetch-site", "cross-site")]));
        assert!(!trusted(&[("host", "localhost:3000"), ("x-forwarded-for", "203.0.113.7")]));
        assert!(!trusted(&[("host", "localhost:3000"), ("via", "1.1 proxy")]));
        assert!(!admit(&[], false, false, "/v1/x", &[("host", "localhost:3000")]).unwrap().server_keys);
    }

    #[test]
    fn our_parameter_is_taken_out_of_the_query_and_nothing_else_is() {
        for (query, expected) in [
            (Some("auth_token=t"), None),
            (Some("a=%20b&auth_token=t&c"), Some("a=%20b&c")),
            (Some("auth%5ftoken=t&x=1"), Some("x=1")),
            (Some("xauth_token=t"), Some("xauth_token=t")),
            (Some(""), Some("")),
            (None, None),
        ] {
            assert_eq!(without_own_parameter(query).as_deref(), expected, "{query:?}");
        }
    }
}
