//! What crosses to a provider, to the background, and back to a client.
//!
//! Towards a provider only what is listed passes: an unknown header may be a platform's credential or a proxy's note about
//! the caller. Back to the client everything passes but what is about a connection, or would act on the gateway's own
//! origin in a browser.

use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, TRANSFER_ENCODING,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::{Auth, CREDENTIALS, Caller, OWN_HEADER, is_real_key, is_signature};
use crate::call::{Call, Stream};
use crate::services::KeyPlace;

/// The headers of the request to a call's provider.
#[must_use]
pub fn to_provider(call: &Call, caller: &Caller, auth: &Auth) -> HeaderMap {
    let nominated = Nominated::by(&call.headers);
    let mut passed = HeaderMap::with_capacity(call.headers.len() + 2);
    for (name, value) in &call.headers {
        let may_pass = is_allowed(name.as_str()) || is_listed(name.as_str(), &call.service.forward_headers);
        let is_ours = is_credential(call, name) && auth.is_token(value);
        if may_pass && !is_ours && !nominated.has(name) {
            passed.append(name, value.clone());
        }
    }
    if call.stream == Stream::Events || call.tells.is_some() {
        // A compressed stream could neither be watched for its end nor told an error, and what a compressed reply says of
        // its cost could not be read.
        passed.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    for (name, value) in &call.service.default_headers {
        passed.entry(name).or_insert_with(|| value.clone());
    }
    if caller.server_keys && !brings_a_key(call, &passed) {
        put_server_key(&mut passed, call);
    }
    passed
}

/// Whether a header may hold a key: one of the usual ones, or the service's own.
fn is_credential(call: &Call, name: &HeaderName) -> bool {
    CREDENTIALS.contains(name) || matches!(call.service.key_place, KeyPlace::Header(own) if *name == own)
}

/// Whether the client sends a key of its own: in a header, or in the query, as Google's older SDKs do.
fn brings_a_key(call: &Call, passed: &HeaderMap) -> bool {
    let in_query = |query: &str| query.split('&').any(|pair| pair.starts_with("key="));
    passed.iter().any(|(name, value)| is_credential(call, name) && is_real_key(value))
        || (call.service.key_place == KeyPlace::Google && call.query().is_some_and(in_query))
}

/// Replaces placeholders by the server's key for the service, where it has one.
fn put_server_key(passed: &mut HeaderMap, call: &Call) {
    let Some((name, value)) = call.service.key_header(&call.path) else { return };
    for placeholder in &CREDENTIALS {
        passed.remove(placeholder);
    }
    passed.insert(name, value);
}

/// The headers of the hop to the background: the client's own, less what is about its connection or its platform.
/// The background chooses again what crosses to the provider.
#[must_use]
pub fn to_background(call: &Call) -> HeaderMap {
    let nominated = Nominated::by(&call.headers);
    let passes = |name: &HeaderName| {
        let ours = CREDENTIALS.contains(name) || *name == OWN_HEADER || is_allowed(name.as_str());
        (ours || is_listed(name.as_str(), &call.service.forward_headers)) && !nominated.has(name)
    };
    call.headers
        .iter()
        .filter(|(name, value)| passes(name) && !is_signature(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Takes out of a reply's headers what must not reach a client.
pub fn to_client(headers: &mut HeaderMap) {
    if headers.contains_key(TRANSFER_ENCODING) {
        // A length beside chunks is a lie that some client would believe.
        headers.remove(CONTENT_LENGTH);
    }
    for name in Nominated::by(headers).0 {
        headers.remove(name);
    }
    confine(headers);
    let unwanted: Vec<HeaderName> =
        headers.keys().filter(|name| is_unwanted(name.as_str())).cloned().collect();
    for name in unwanted {
        headers.remove(name);
    }
}

/// Keeps a provider's page from acting as a page of the gateway's own, should a browser come to show it.
fn confine(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if headers.get_all(CONTENT_TYPE).iter().any(is_page) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    }
}

/// Whether a browser would run what comes under this type. Of several types, browsers may take any.
fn is_page(kind: &HeaderValue) -> bool {
    let kind = kind.as_bytes().to_ascii_lowercase();
    memchr::memmem::find(&kind, b"html").is_some() || memchr::memmem::find(&kind, b"xml").is_some()
}

/// The names that a `Connection` header says are about this connection only (RFC 9110, 7.6.1).
struct Nominated(Vec<HeaderName>);

impl Nominated {
    fn by(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(CONNECTION).iter().map(HeaderValue::as_bytes);
        // Bytes, not text: one odd byte in a list must not free the names beside it.
        let names = lists.flat_map(|list| list.split(|&byte| byte == b','));
        Self(names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect())
    }

    fn has(&self, name: &HeaderName) -> bool {
        self.0.contains(name)
    }
}

/// Request headers that pass to every provider, unless a platform put them there.
fn is_allowed(name: &str) -> bool {
    is_usual(name) && !is_never_forwarded(name)
}

fn is_usual(name: &str) -> bool {
    const PREFIXES: [&str; 10] = [
        "anthropic-",
        "openai-",
        "x-deepseek-",
        "x-goog-",
        "x-grok-",
        "x-hf-",
        "x-ms-",
        "x-openrouter-",
        "x-portkey-",
        "x-stainless-",
    ];
    matches!(
        name,
        "accept"
            | "accept-encoding"
            | "accept-language"
            | "api-key"
            | "authorization"
            | "baggage"
            | "cache-control"
            | "content-disposition"
            | "content-encoding"
            | "content-language"
            | "content-range"
            | "content-type"
            | "conversation_id"
            | "date"
            | "extra-parameters"
            | "http-referer"
            | "idempotency-key"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "if-unmodified-since"
            | "originator"
            | "prefer"
            | "priority"
            | "range"
            | "session_id"
            | "traceparent"
            | "tracestate"
            | "user-agent"
            | "x-api-key"
            | "x-app"
            | "x-client-request-id"
            | "x-github-api-version"
            | "x-request-id"
            | "x-server-timeout"
            | "x-session-affinity"
            | "x-session-id"
            | "x-title"
            | "x-use-cache"
            | "x-wait-for-model"
    ) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether an operator's list of names and `prefix*`es has a header. What no list can let through is sorted out first.
fn is_listed(name: &str, listed: &[String]) -> bool {
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    };
    !listed.is_empty() && !is_never_forwarded(name) && listed.iter().any(fits)
}

/// Headers about a connection, a platform or a caller: a wide pattern in `forwardHeaders` does not let them through.
fn is_never_forwarded(name: &str) -> bool {
    const PREFIXES: [&str; 13] = [
        "x-forwarded-",
        "x-vercel-",
        "x-amzn-",
        "x-amz-cf-",
        "cf-",
        "sec-",
        "proxy-",
        "x-twinlane-",
        // Azure's and Google's sign-in in front of a container: who the caller is, and tokens of theirs.
        "x-ms-client-principal",
        "x-ms-token-",
        "x-goog-authenticated-user-",
        "x-goog-iap-",
        "x-serverless-",
    ];
    is_hop_by_hop(name)
        || matches!(
            name,
            "host"
                | "content-length"
                | "cookie"
                | "forwarded"
                | "via"
                | "x-real-ip"
                | "expect"
                | "x-auth-token"
        )
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Reply headers that end here: about the connection, about a platform, or acting on the gateway's origin in a browser
/// (cookies, another server's CORS, "come back over QUIC to that host", "use HTTPS for this host for a year").
fn is_unwanted(name: &str) -> bool {
    const PREFIXES: [&str; 6] =
        ["access-control-", "x-vercel-", "x-amz-cf-", "x-amzn-remapped-", "proxy-", "x-twinlane-"];
    is_hop_by_hop(name)
        || matches!(
            name,
            "set-cookie"
                | "set-cookie2"
                | "alt-svc"
                | "strict-transport-security"
                | "public-key-pins"
                | "clear-site-data"
                | "nel"
                | "report-to"
                | "reporting-endpoints"
                | "via"
                | "cdn-cache-control"
                | "vercel-cdn-cache-control"
                | "x-amzn-trace-id"
                | "x-powered-by"
        )
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The header value of names that a client chose: in one line, and not longer than anybody reads.
pub fn names(names: &str) -> HeaderValue {
    const MOST: usize = 1000;
    let line = names.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let more = if names.chars().nth(MOST).is_some() { "…" } else { "" };
    plain(line.take(MOST).collect::<String>() + more)
}

/// The header value of a number or another thing that is plain ASCII when printed.
pub fn plain(value: impl std::fmt::Display) -> HeaderValue {
    HeaderValue::try_from(value.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::{is_never_forwarded, to_client, to_provider};
    use crate::auth::{Auth, Caller};
    use crate::call::Call;
    use crate::call::tests::call_with;
    use crate::config::Access;
    use crate::secret::Secret;

    fn auth() -> Auth {
        Auth::new(Access { tokens: vec![Secret::new("gateway-token")], ..Access::default() })
    }

    fn crossing(headers: &[(&str, &str)]) -> HeaderMap {
        to_provider(&call_with("POST", "/v1/x", headers, "{}"), &Caller::default(), &auth())
    }

    fn with_key(mut call: Call, place: crate::services::KeyPlace) -> Call {
        let service = crate::services::Service {
            key: Some(Secret::new("server-key")),
            key_place: place,
            ..(*call.service).clone()
        };
        call.service = service.into();
        call
    }

    #[test]
    fn what_providers_need_crosses() {
        for name in [
            "authorization",
            "x-api-key",
            "anthropic-version",
            "anthropic-beta",
            "openai-organization",
            "openai-project",
            "openai-beta",
            "x-goog-api-client",
            "x-stainless-retry-count",
            "idempotency-key",
            "traceparent",
            "content-type",
            "accept",
            "accept-encoding",
            "range",
            "http-referer",
            "x-title",
            "x-openrouter-title",
            "x-github-api-version",
            "anthropic-dangerous-direct-browser-access",
            "user-agent",
        ] {
            assert!(crossing(&[(name, "a-value-of-some-length")]).contains_key(name), "{name}");
        }
    }

    #[test]
    fn what_is_about_the_caller_its_platform_or_its_connection_does_not_cross() {
        for name in [
            "host",
            "cookie",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-real-ip",
            "via",
            "cf-connecting-ip",
            "x-vercel-oidc-token",
            "x-vercel-id",
            "x-vercel-protection-bypass",
            "x-amzn-trace-id",
            "x-amzn-oidc-data",
            "x-ms-token-aad-access-token",
            "x-ms-client-principal-id",
            "x-goog-iap-jwt-assertion",
            "x-goog-authenticated-user-email",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "expect",
            "proxy-authorization",
            "x-auth-token",
            "x-twinlane-hop",
            "origin",
            "referer",
            "sec-fetch-site",
            "content-length",
            "x-service-config",
        ] {
            assert!(crossing(&[(name, "x")]).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_name_nominated_by_connection_does_not_cross() {
        let crossed = crossing(&[("connection", "close, X-Title"), ("x-title", "t"), ("accept", "*/*")]);
        assert_eq!(crossed.len(), 1, "{crossed:?}");
        let odd = HeaderValue::from_bytes(b"\xff,x-title").unwrap();
        let mut call = call_with("POST", "/v1/x", &[("x-title", "t")], "{}");
        call.headers.insert("connection", odd);
        assert!(to_provider(&call, &Caller::default(), &auth()).is_empty(), "an odd byte frees no name");
    }

    #[test]
    fn a_gateway_token_crosses_from_no_header() {
        for (name, value) in [
            ("authorization", "Bearer gateway-token"),
            ("x-api-key", "gateway-token"),
            ("x-goog-api-key", "gateway-token"),
        ] {
            assert!(crossing(&[(name, value)]).is_empty(), "{name}");
        }
    }

    #[test]
    fn the_server_s_key_replaces_token_and_placeholder_and_spares_a_real_key() {
        let sent = |headers: &[(&str, &str)], server_keys| {
            let call = with_key(call_with("POST", "/v1/x", headers, "{}"), crate::services::KeyPlace::Bearer);
            let headers = to_provider(&call, &Caller::unnamed(server_keys), &auth());
            headers.get("authorization").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            sent(&[("authorization", "Bearer gateway-token")], true).as_deref(),
            Some("Bearer server-key")
        );
        assert_eq!(sent(&[("x-api-key", "x")], true).as_deref(), Some("Bearer server-key"));
        assert_eq!(sent(&[], true).as_deref(), Some("Bearer server-key"));
        let own = "Bearer sk-a-key-of-the-client-s-own";
        assert_eq!(sent(&[("authorization", own)], true).as_deref(), Some(own));
        assert_eq!(sent(&[("authorization", "Bearer x")], false).as_deref(), Some("Bearer x"));
        assert_eq!(sent(&[], false), None);
    }

    #[test]
    fn a_client_s_key_is_seen_in_the_service_s_own_place_too() {
        let sent = |target: &str, place, headers: &[(&str, &str)], name: &str| {
            let call = with_key(call_with("POST", target, headers, "{}"), place);
            let headers = to_provider(&call, &Caller::unnamed(true), &auth());
            headers.get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let own = "a-key-of-the-client-s-own";
        let portkey = crate::services::KeyPlace::Header("x-portkey-api-key");
        let name = "x-portkey-api-key";
        assert_eq!(sent("/v1/x", portkey, &[(name, own)], name).as_deref(), Some(own));
        assert_eq!(sent("/v1/x", portkey, &[(name, "gateway-token")], name).as_deref(), Some("server-key"));
        let google = crate::services::KeyPlace::Google;
        assert_eq!(sent("/v1/x?key=theirs", google, &[], "x-goog-api-key"), None);
        assert_eq!(sent("/v1/x?monkey=1", google, &[], "x-goog-api-key").as_deref(), Some("server-key"));
    }

    #[test]
    fn default_headers_yield_to_the_client_s() {
        let mut call = call_with("POST", "/v1/x", &[("anthropic-version", "2024-01-01")], "{}");
        let default = [("anthropic-version", "2023-06-01"), ("x-extra", "1")];
        let default =
            default.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        call.service =
            crate::services::Service { default_headers: default.to_vec(), ..(*call.service).clone() }.into();
        let sent = to_provider(&call, &Caller::default(), &auth());
        assert_eq!(sent["anthropic-version"], "2024-01-01");
        assert_eq!(sent["x-extra"], "1");
    }

    #[test]
    fn a_reply_loses_what_is_not_the_client_s() {
        let kept = [
            "content-type",
            "content-encoding",
            "x-request-id",
            "retry-after",
            "x-ratelimit-remaining-tokens",
            "openai-processing-ms",
            "x-multi",
        ];
        let lost = [
            "connection",
            "x-nominated",
            "keep-alive",
            "transfer-encoding",
            "content-length",
            "set-cookie",
            "alt-svc",
            "strict-transport-security",
            "access-control-allow-origin",
            "x-vercel-id",
            "x-twinlane-background",
        ];
        let mut headers: HeaderMap = kept
            .iter()
            .chain(&lost)
            .map(|name| (name.parse().unwrap(), "x-nominated".parse().unwrap()))
            .collect();
        headers.append("x-multi", "second".parse().unwrap());
        to_client(&mut headers);
        assert_eq!(headers.keys().count(), kept.len() + 1, "those, and nosniff: {headers:?}");
        assert_eq!(headers.get_all("x-multi").iter().count(), 2);
    }

    #[test]
    fn a_page_is_confined_however_its_type_is_spelt() {
        for (kinds, confined) in [
            (&["text/html"][..], true),
            (&["Text/HTML; charset=utf-8"], true),
            (&["text/plain", "text/html"], true),
            (&["image/svg+xml"], true),
            (&["application/json"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for kind in kinds {
                headers.append("content-type", HeaderValue::from_static(kind));
            }
            to_client(&mut headers);
            assert_eq!(headers.contains_key("content-security-policy"), confined, "{kinds:?}");
            assert_eq!(headers["x-content-type-options"], "nosniff");
        }
    }

    proptest! {
        #[test]
        fn nothing_forbidden_crosses_whatever_an_operator_lists(name in "[a-z][a-z-]{0,20}|x-vercel-[a-z]{1,5}|x-forwarded-[a-z]{1,5}|cookie|host|te", nominated in "[a-z-]{1,12}") {
            let mut call = call_with("POST", "/v1/x", &[(name.as_str(), "v"), ("connection", nominated.as_str())], "{}");
            call.service = crate::services::Service { forward_headers: vec!["*".to_owned()], ..(*call.service).clone() }.into();
            for crossed in to_provider(&call, &Caller::default(), &auth()).keys() {
                prop_assert!(!is_never_forwarded(crossed.as_str()));
                prop_assert!(crossed.as_str() != nominated);
            }
        }

        #[test]
        fn filtering_a_reply_twice_changes_nothing_more(names in prop::collection::vec("[a-z-]{1,12}|set-cookie|connection|via", 0..8)) {
            let mut once: HeaderMap = names.iter().filter_map(|name| Some((name.parse().ok()?, HeaderValue::from_static("via")))).collect();
            to_client(&mut once);
            let mut twice = once.clone();
            to_client(&mut twice);
            prop_assert_eq!(once, twice);
        }
    }
}
