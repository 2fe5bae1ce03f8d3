//! What is about a connection, a platform or the gateway's own admission crosses in neither direction.
//!
//! Input: header lines of a request, an empty line, header lines of a reply.
#![no_main]

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use twinlane_gateway::auth::{Auth, Caller};
use twinlane_gateway::call::{Call, Received};
use twinlane_gateway::config::Access;
use twinlane_gateway::route::Surface;
use twinlane_gateway::scan::Asked;
use twinlane_gateway::secret::Secret;
use twinlane_gateway::{Arrival, Config, Platform, headers};

const TOKEN: &str = "gateway-token";

/// About one connection, in RFC 9110's words or in older ones.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const NOT_TO_A_PROVIDER: [&str; 8] =
    ["content-length", "cookie", "expect", "forwarded", "host", "via", "x-auth-token", "x-real-ip"];
const NOT_TO_A_PROVIDER_BY_PREFIX: [&str; 11] = [
    "cf-",
    "proxy-",
    "sec-",
    "x-amz-cf-",
    "x-amzn-",
    "x-forwarded-",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-token-",
    "x-twinlane-",
    "x-vercel-",
];

const NOT_TO_A_CLIENT: [&str; 7] =
    ["alt-svc", "clear-site-data", "nel", "report-to", "set-cookie", "strict-transport-security", "via"];
const NOT_TO_A_CLIENT_BY_PREFIX: [&str; 4] = ["access-control-", "proxy-", "x-twinlane-", "x-vercel-"];

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let mut parts = lines.split(|line| line.is_empty());
    let (request, reply) = (read(parts.next().unwrap_or_default()), read(parts.next().unwrap_or_default()));
    for call in calls() {
        towards_a_provider(&request, call);
    }
    towards_a_client(reply);
});

fn read(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]), line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Calls of a service as they are built in, and of two whose operator lets everything pass, with keys in other places.
fn calls() -> &'static [Call] {
    static CALLS: OnceLock<Vec<Call>> = OnceLock::new();
    let wide = r#"{"claude":{"forwardHeaders":["*"]},"portkey":{"forwardHeaders":["x-*","c*","t*"]}}"#;
    let vars = [("PROXY_CONFIG", wide), ("OPENAI_API_KEY", "server-key"), ("CLAUDE_API_KEY", "server-key")];
    CALLS.get_or_init(|| {
        let config = Config::read(vars, Platform::Local).expect("good settings");
        ["openai", "claude", "portkey"].map(|alias| call(&config, alias)).to_vec()
    })
}

const BODY: &[u8] = br#"{"stream":true}"#;

fn call(config: &Config, alias: &str) -> Call {
    let received = Received {
        id: "id".to_owned(),
        surface: Surface::Gateway,
        method: Method::POST,
        path: format!("/gateway/{alias}/v1/x"),
        query: None,
        headers: HeaderMap::new(),
        asked: Asked::by(BODY),
        body: Bytes::from_static(BODY),
        deadline: None,
        arrival: Arrival::now(),
    };
    Call::new(received, config.services.get(alias).expect("a service"), "/v1/x".to_owned())
}

fn with(call: &Call, headers: &HeaderMap) -> Call {
    Call { headers: headers.clone(), ..call.clone() }
}

fn towards_a_provider(request: &HeaderMap, call: &Call) {
    let auth = Auth::new(Access { tokens: vec![Secret::new(TOKEN)], ..Access::default() });
    let call = with(call, request);
    for server_keys in [false, true] {
        let caller = Caller::unnamed(server_keys);
        let sent = headers::to_provider(&call, &caller, &auth);
        let again = headers::to_provider(&with(&call, &sent), &caller, &auth);
        assert_eq!(sent, again, "filtering twice changes something");
        nothing_of(&sent, request, &NOT_TO_A_PROVIDER, &NOT_TO_A_PROVIDER_BY_PREFIX);
        no_token(&sent);
    }
    let hop = headers::to_background(&call);
    // The background admits for itself, so the token has to reach it.
    let to_background: Vec<&str> =
        NOT_TO_A_PROVIDER.into_iter().filter(|name| *name != "x-auth-token").collect();
    nothing_of(&hop, request, &to_background, &NOT_TO_A_PROVIDER_BY_PREFIX);
}

fn towards_a_client(reply: HeaderMap) {
    let mut once = reply.clone();
    headers::to_client(&mut once);
    let mut twice = once.clone();
    headers::to_client(&mut twice);
    assert_eq!(once, twice, "filtering twice changes something");
    nothing_of(&once, &reply, &NOT_TO_A_CLIENT, &NOT_TO_A_CLIENT_BY_PREFIX);
    let is_page =
        |kind: &HeaderValue| String::from_utf8_lossy(kind.as_bytes()).to_ascii_lowercase().contains("html");
    if once.get_all("content-type").iter().any(is_page) {
        assert_eq!(once.get("content-security-policy").map(HeaderValue::as_bytes), Some(&b"sandbox"[..]));
    }
    assert_eq!(once.get_all("x-content-type-options").iter().count(), 1);
}

fn nothing_of(crossed: &HeaderMap, before: &HeaderMap, names: &[&str], prefixes: &[&str]) {
    let nominated = nominated(before);
    for name in crossed.keys().map(HeaderName::as_str) {
        assert!(!HOP_BY_HOP.contains(&name) && !names.contains(&name), "{name}");
        assert!(!prefixes.iter().any(|prefix| name.starts_with(prefix)), "{name}");
        // What the gateway puts there itself is not the nominated one.
        let ours = matches!(
            name,
            "accept-encoding"
                | "authorization"
                | "x-api-key"
                | "anthropic-version"
                | "x-content-type-options"
                | "content-security-policy"
        );
        assert!(
            ours || !nominated.iter().any(|nominated| nominated == name.as_bytes()),
            "{name} was nominated"
        );
    }
}

fn nominated(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let lists = headers.get_all("connection").iter().map(HeaderValue::as_bytes);
    lists
        .flat_map(|list| list.split(|&byte| byte == b','))
        .map(|name| name.trim_ascii().to_ascii_lowercase())
        .collect()
}

fn no_token(sent: &HeaderMap) {
    for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token"] {
        for value in sent.get_all(name) {
            let value = String::from_utf8_lossy(value.as_bytes());
            let words: Vec<&str> = value.split_ascii_whitespace().collect();
            assert!(!matches!(words.as_slice(), [TOKEN] | ["Bearer" | "bearer" | "BEARER", TOKEN]), "{name}");
        }
    }
}
