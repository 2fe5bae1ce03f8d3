use std::time::SystemTime;

use http::Request;
use twinlane_access::{Keyring, Order};

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
    let tokens = tokens.iter().copied().map(Secret::new).collect();
    let access = Access { tokens, allow_anonymous: anonymous, ..Access::default() };
    Auth::new(access).admit(&parts, &Arrival { loopback, ..Arrival::now() })
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
    let trusted = |headers: &[(&str, &str)]| admit(&[], false, true, "/v1/x", headers).unwrap().server_keys;
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
    assert!(!trusted(&[("host", "localhost:3000"), ("x-forwarded-proto", "https")]));
    assert!(!trusted(&[("host", "localhost:3000"), ("via", "1.1 proxy")]));
    assert!(!admit(&[], false, false, "/v1/x", &[("host", "localhost:3000")]).unwrap().server_keys);
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn signed_access(tokens: &[&str], revoked: &[&str]) -> Auth {
    let tokens = tokens.join(",");
    let revoked = revoked.join(",");
    let keys = format!(r#"{{"backend":{{"secret":"{SECRET}","services":["openai"]}}}}"#);
    let config = crate::config::tests::config(&[
        ("AUTH_TOKEN", tokens.as_str()),
        ("GATEWAY_SECRET", SECRET),
        ("REVOKED_TOKENS", revoked.as_str()),
        ("REQUEST_KEYS", keys.as_str()),
    ]);
    Auth::new(config.access)
}

fn token(id: &str, secret: &str) -> String {
    let grant = Order::default().grant(id, super::unix(SystemTime::now())).unwrap();
    Keyring::new([secret]).sign(&grant).unwrap()
}

fn head(uri: &str, headers: &[(&str, &str)]) -> http::request::Parts {
    let request = Request::builder().uri(uri);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn code(auth: &Auth, uri: &str, headers: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
    let caller = auth.admit(&head(uri, headers), &Arrival::now());
    caller.map(|caller| caller.grant.map(|grant| grant.id.clone())).map_err(|error| error.code())
}

#[test]
fn a_signed_token_is_taken_wherever_a_gateway_token_is() {
    let (token, good) = (token("id-1", SECRET), Ok(Some("id-1".to_owned())));
    let bearer = format!("Bearer {token}");
    for tokens in [&[][..], &["tok-1"]] {
        let auth = signed_access(tokens, &[]);
        for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token"] {
            assert_eq!(code(&auth, "/v1/x", &[(name, &bearer)]), good, "{name}");
            assert!(auth.is_token(&bearer.parse().unwrap()));
        }
        assert_eq!(code(&auth, &format!("/v1/x?auth_token={token}"), &[]), good);
        let both = [("authorization", bearer.as_str()), ("x-api-key", &token)];
        assert_eq!(code(&auth, "/v1/x", &both), good, "the same twice is no other");
    }
}

#[test]
fn a_signed_token_that_is_not_good_is_refused_with_the_reason() {
    let auth = signed_access(&["tok-1"], &["id-2"]);
    let (good, foreign) = (token("id-1", SECRET), token("id-1", &SECRET.replace('0', "1")));
    let mut short = good.clone();
    short.pop();
    for (shown, expected) in [
        (foreign.as_str(), "token_foreign"),
        (&token("id-2", SECRET), "token_revoked"),
        (&short, "token_malformed"),
    ] {
        assert_eq!(code(&auth, "/v1/x", &[("authorization", shown)]), Err(expected));
        assert!(auth.is_token(&shown.parse().unwrap()), "it reaches no provider");
    }
    let other = token("id-3", SECRET);
    for second in ["tok-1", other.as_str()] {
        let both = [("authorization", good.as_str()), ("x-api-key", second)];
        assert_eq!(code(&auth, "/v1/x", &both), Err("token_doubled"));
    }
}

#[test]
fn a_proxy_that_adds_no_header_is_known_by_the_old_version_it_speaks() {
    let arrival = Arrival { loopback: true, ..Arrival::now() };
    let mut request = head("/admin/usage", &[("host", "127.0.0.1:3000")]);
    assert!(super::is_this_machine_s_own(&request, &arrival));
    request.version = http::Version::HTTP_10;
    assert!(!super::is_this_machine_s_own(&request, &arrival));
}

#[test]
fn somebody_with_a_scope_is_no_operator() {
    let auth = signed_access(&["tok-1"], &[]);
    let is_operator = |shown: &str| {
        auth.is_operator(&head("/gateway/doctor", &[("authorization", shown)]), &Arrival::now()).unwrap()
    };
    assert!(is_operator("tok-1"));
    assert!(!is_operator(&token("id-1", SECRET)));
}

#[test]
fn a_signed_request_is_taken_once_and_only_as_it_was_signed() {
    let now = super::unix(SystemTime::now());
    let sign = |time: u64, nonce: &str| {
        let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let message = format!("TWINLANE-HMAC-SHA256\nbackend\n{time}\n{nonce}\nGET\n/v1/x?a=1\n{digest}");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
        let tag = ring::hmac::sign(&key, message.as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "TWINLANE-HMAC-SHA256 key=backend, time={time}, nonce={nonce}, digest={digest}, signature={tag}"
        )
    };
    let auth = signed_access(&["tok-1"], &[]);
    let try_at = |uri: &str, shown: &str| code(&auth, uri, &[("authorization", shown)]);
    let first = sign(now, "nonce-01");
    assert_eq!(try_at("/v1/x?a=2", &first), Err("signature_wrong"));
    assert_eq!(try_at("/api/background/v1/x?a=1", &first), Ok(Some("backend".to_owned())));
    assert_eq!(try_at("/v1/x?a=1", &first), Err("signature_replayed"));
    assert_eq!(try_at("/v1/x?a=1", &sign(now - 400, "nonce-02")), Err("signature_stale"));
    assert_eq!(try_at("/v1/x?a=1", "TWINLANE-HMAC-SHA256 key=backend"), Err("signature_malformed"));
    let stranger = sign(now, "nonce-03").replace("key=backend", "key=somebody");
    assert_eq!(try_at("/v1/x?a=1", &stranger), Err("signature_wrong"));
    let caller = auth.admit(&head("/v1/x?a=1", &[("x-auth-token", &sign(now, "nonce-04"))]), &Arrival::now());
    let caller = caller.unwrap();
    assert!(caller.check_body(b"").is_ok() && caller.check_body(b"x").is_err());
    let hop = caller.token.unwrap();
    assert_eq!(code(&auth, "/other", &[("x-auth-token", hop.expose())]), Ok(Some("backend".to_owned())));
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
