//! Nothing a client writes in a target leads out of the base path of the service it names.
//!
//! Input: a target as it would stand in a request's first line, below `/gateway/{alias}`.
#![no_main]

use std::sync::OnceLock;

use http::{Method, Uri};
use libfuzzer_sys::fuzz_target;
use twinlane_fuzz::percent_decoded;
use twinlane_gateway::auth::without_own_parameter;
use twinlane_gateway::route::Route;
use twinlane_gateway::services::{Mapping, Service};
use twinlane_gateway::{Config, Platform};

fuzz_target!(|target: &str| {
    let target = format!("/gateway/{}", target.trim_start_matches('/'));
    let Ok(uri) = target.parse::<Uri>() else { return };
    let Ok(Route::Service(alias, path)) = Route::of(&Method::POST, &uri) else { return };
    let Some(service) = config().services.get(alias) else { return };
    let query = without_own_parameter(uri.query());
    own_parameter_is_gone(uri.query(), query.as_deref());
    if let Some(sent) = service.url(path, query.as_deref()) {
        stays_at_home(&service, &sent);
        arrives_byte_for_byte(&service, path, query.as_deref(), &sent);
        another_parser_agrees(&service, &sent);
    }
});

fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    let own = r#"{"own":{"host":"up.example:9911","basePath":"/base"}}"#;
    let vars = [("PROXY_CONFIG", own), ("AZURE_OPENAI_ENDPOINT", "https://acme.example")];
    CONFIG.get_or_init(|| Config::read(vars, Platform::Local).expect("good settings"))
}

fn stays_at_home(service: &Service, sent: &Uri) {
    assert_eq!(sent.authority(), Some(&service.authority));
    assert_eq!(sent.scheme(), Some(&service.scheme));
    let resolved = resolved(sent.path());
    let base = base(service);
    assert!(resolved.starts_with(base.as_bytes()), "{sent} leads to {}", String::from_utf8_lossy(&resolved));
}

/// Only the plain mapping promises its base path; the others have several roots.
fn base(service: &Service) -> String {
    if service.mapping == Mapping::Append { format!("{}/", service.base_path) } else { "/".to_owned() }
}

/// What a careless server makes of a path: it decodes twice, takes `\` for `/`, cuts parameters off and climbs.
fn resolved(path: &str) -> Vec<u8> {
    let plain = percent_decoded(&percent_decoded(path.as_bytes()));
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in plain.split(|&byte| byte == b'/' || byte == b'\\').skip(1) {
        let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
        match name {
            b"." => {}
            // Climbing above the root must not be forgiven by staying there.
            b".." => assert!(kept.pop().is_some(), "{path} climbs above the root"),
            _ => kept.push(segment),
        }
    }
    [b"/", kept.join(&b'/').as_slice()].concat()
}

fn arrives_byte_for_byte(service: &Service, path: &str, query: Option<&str>, sent: &Uri) {
    let tail = if path.starts_with("/v1/") { &path[3..] } else { path };
    assert!(sent.path().ends_with(tail), "{path} became {sent}");
    if service.mapping == Mapping::Append {
        assert_eq!(sent.path(), format!("{}{path}", service.base_path));
    }
    assert_eq!(sent.query(), query);
}

fn own_parameter_is_gone(before: Option<&str>, after: Option<&str>) {
    let is_own =
        |pair: &&str| percent_decoded(pair.split('=').next().unwrap_or(pair).as_bytes()) == b"auth_token";
    let kept: Vec<&str> =
        before.into_iter().flat_map(|query| query.split('&')).filter(|pair| !is_own(pair)).collect();
    let left: Vec<&str> = after.into_iter().flat_map(|query| query.split('&')).collect();
    assert_eq!(kept, left);
}

/// `url` reads URLs as browsers do, which is how many servers read them.
fn another_parser_agrees(service: &Service, sent: &Uri) {
    let read = url::Url::parse(&sent.to_string()).expect("a URL to other parsers, too");
    assert_eq!(read.host_str(), Some(service.authority.host()));
    assert_eq!((read.username(), read.password(), read.fragment()), ("", None, None));
    assert_eq!(read.port(), service.authority.port_u16());
    assert!(read.path().starts_with(&base(service)), "{read}");
}
