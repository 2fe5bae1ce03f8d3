//! A gateway's settings, and a call as it comes in.

use std::sync::OnceLock;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Request};
use tokio::runtime::{Builder, Runtime};
use twinlane_access::{Grant, Keyring};
use twinlane_gateway::body::full;
use twinlane_gateway::call::{Call, Received};
use twinlane_gateway::route::Surface;
use twinlane_gateway::{Arrival, Config, Platform};

use crate::said::{self, HEADERS, TOKEN};

const SECRET: &str = "bench-secret-0123456789abcdef0123456789abcdef";

/// A plain token, a signed one and a service, as a deployment has them.
pub(crate) fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let settings = [
            ("AUTH_TOKEN", TOKEN),
            ("GATEWAY_SECRET", SECRET),
            ("LOG_FORMAT", "json"),
            ("PROXY_CONFIG", r#"{"bench":{"host":"http://127.0.0.1:9"}}"#),
            ("STORE", "memory"),
        ];
        Config::read(settings, Platform::Local).unwrap_or_else(|invalid| panic!("{invalid}"))
    })
}

/// The ring that signs tokens, and one of its tokens: for a team that may call two services within a rate.
pub(crate) fn signed() -> (Keyring, String) {
    let ring = Keyring::new([SECRET]);
    let grant = Grant {
        id: "0192f0c1a2b37c4d".to_owned(),
        name: "team".to_owned(),
        services: vec!["openai".to_owned(), "bench".to_owned()],
        models: vec!["bench".to_owned(), "gpt-*".to_owned()],
        expires: Some(u64::MAX / 2),
        ..Grant::default()
    };
    let token = ring.sign(&grant).unwrap_or_default();
    (ring, token)
}

/// The head of a call that shows a token.
pub(crate) fn head(token: &str) -> Parts {
    let mut request =
        Request::post("/gateway/bench/v1/chat/completions").header("host", "gateway.example.com");
    for (name, value) in HEADERS {
        request = request.header(name, value);
    }
    let mut head = request.body(()).unwrap_or_default().into_parts().0;
    if let Ok(bearer) = HeaderValue::try_from(format!("Bearer {token}")) {
        head.headers.insert(AUTHORIZATION, bearer);
    }
    head
}

/// A call of the service, read and understood.
pub(crate) fn call(stream: bool) -> Call {
    let body = said::body("/chat/completions", stream, 0);
    let id = "01a1fbd5-8328-7340-9dcd-7f4ed6c2cfec".to_owned();
    let read = Received::read(id, Surface::Gateway, head(TOKEN), full(body), Arrival::now(), config());
    let received = runtime().block_on(read).unwrap_or_else(|error| panic!("{error}"));
    let service = config().services.get("bench").unwrap_or_else(|| panic!("the settings have it"));
    Call::new(received, service, "/v1/chat/completions".to_owned())
}

/// What waits and times for the pieces that do.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let built =
        || Builder::new_current_thread().enable_all().build().unwrap_or_else(|error| panic!("{error}"));
    RUNTIME.get_or_init(built)
}
