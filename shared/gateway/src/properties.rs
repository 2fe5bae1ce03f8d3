//! What must hold for anything a stranger sends. The fuzz targets of `fuzz/` ask the same of many more inputs.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::prelude::*;

use crate::auth::without_own_parameter;
use crate::config::tests::config;
use crate::config::{Config, Invalid, Platform};
use crate::error::{Error, causes};
use crate::headers;
use crate::inband::Protocol;
use crate::reading::Reading;
use crate::route::{Route, Surface};
use crate::upstream::Fault;

const SECRET: &str = "s3cr3t-planted";

fn reply_headers() -> impl Strategy<Value = HeaderMap> {
    let name = "connection|te|trailer|set-cookie|alt-svc|via|x-vercel-id|access-control-allow-origin|content-type|[a-c]";
    let value = prop_oneof!["[a-c]", "TEXT/html", "te, [a-c]", "\u{ff},[a-c]"];
    prop::collection::vec((name, value), 0..12).prop_map(|lines| {
        let line = |(name, value): (String, String)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            Some((name.parse::<HeaderName>().ok()?, value))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.into_iter().filter_map(line) {
            headers.append(name, value);
        }
        headers
    })
}

/// The names a `Connection` list nominates, by no code of the gateway's.
fn nominated(headers: &HeaderMap) -> Vec<String> {
    let lists = headers.get_all("connection").iter().map(|list| String::from_utf8_lossy(list.as_bytes()));
    lists.flat_map(|list| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()).collect()
}

/// Every way in which an error is told.
fn told(error: &Error) -> String {
    let json = [Surface::Gateway, Surface::V1, Surface::V1Anthropic]
        .map(|surface| error.json(surface, "id").to_string());
    format!("{error} {} {}", causes(error), json.concat())
}

/// What hyper says of bytes that it takes for a reply, or for a request with a body.
fn wire_errors(wire: &[u8]) -> Vec<Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let reply = runtime.block_on(async {
        let io = hyper_util::rt::TokioIo::new(tokio::io::join(
            std::io::Cursor::new(wire.to_vec()),
            tokio::io::sink(),
        ));
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        let reply = sender.send_request(http::Request::new(crate::body::empty()));
        let (connection, reply) = tokio::join!(connection, reply);
        reply.map(drop).and(connection)
    });
    let failed = |source: hyper::Error| Error::Upstream {
        service: "openai".to_owned(),
        fault: Fault::Malformed,
        source: Some(source.into()),
    };
    reply.err().map(failed).into_iter().collect()
}

proptest! {
    #[test]
    fn a_target_arrives_byte_for_byte_or_not_at_all(
        alias in "own|azure|github|huggingface",
        path in "(/|\\.|%2e|%2F|@|:|;|v1|[a-z{}|]|%25|é){0,12}",
        query in prop::option::of("(a=1|&|auth_token=t|auth%5Ftoken=t|%20|=|\\?|/\\.\\./){0,6}"),
    ) {
        let own = r#"{"own":{"host":"up.example:99","basePath":"/base"}}"#;
        let config = config(&[("PROXY_CONFIG", own), ("AZURE_OPENAI_ENDPOINT", "https://acme.example")]);
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let Ok(uri) = format!("/gateway/{alias}/{path}{query}").parse::<Uri>() else { return Ok(()) };
        let Ok(Route::Service(alias, path)) = Route::of(&Method::GET, &uri) else { return Ok(()) };
        let service = config.services.get(alias).expect("a service");
        let query = without_own_parameter(uri.query());
        let names = query.iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.split('=').next());
        prop_assert!(names.into_iter().all(|name| !matches!(name, "auth_token" | "auth%5Ftoken")));
        let Some(sent) = service.url(path, query.as_deref()) else { return Ok(()) };
        prop_assert_eq!(sent.authority(), Some(&service.authority));
        prop_assert!(sent.path().ends_with(path.strip_prefix("/v1").unwrap_or(path)), "{}", sent);
        prop_assert_eq!(sent.query(), query.as_deref());
    }

    #[test]
    fn what_is_about_a_connection_never_reaches_a_client(reply in reply_headers()) {
        let mut passed = reply.clone();
        headers::to_client(&mut passed);
        let nominated = nominated(&reply);
        for name in passed.keys().map(HeaderName::as_str) {
            prop_assert!(name.len() == 1 || name.contains("content"), "{}", name);
            prop_assert!(!nominated.iter().any(|nominated| nominated == name), "{}", name);
        }
    }

    #[test]
    fn settings_never_panic_and_no_value_is_told(
        names in prop::collection::vec(
            "PORT|HOST|[A-Z]{3}_TIMEOUT|DEFAULT_TIMEOUT|MAX_[A-Z]{6}_SIZE|LOG_LEVEL|DEFAULT_SERVICE|BACKGROUND_URL|\
             ALLOWED_ORIGIN|AZURE_OPENAI_ENDPOINT|PROXY_CONFIG|AUTH_TOKEN|OPENAI_API_KEY|ENABLE_RETRY", 0..8),
        around in "[ -~]{0,3}",
        local in any::<bool>(),
    ) {
        let platform = if local { Platform::Local } else { Platform::Vercel };
        let value = format!("{around}{SECRET}{around}");
        match Config::read(names.iter().map(|name| (name.as_str(), value.as_str())), platform) {
            Ok(config) => {
                let keys = format!("{:?} {:?} {:?}", config.access, config.secret, config.services.get("openai"));
                prop_assert!(!keys.contains(SECRET), "{}", keys);
            }
            Err(Invalid(problems)) => {
                prop_assert!(!problems.concat().contains(SECRET), "{:?}", problems);
                for name in ["PORT", "HOST", "LOG_LEVEL", "DEFAULT_TIMEOUT", "ENABLE_RETRY", "PROXY_CONFIG"] {
                    let told = problems.iter().any(|problem| problem.starts_with(&format!("{name}: ")));
                    prop_assert_eq!(told, names.iter().any(|read| read == name), "{} {:?}", name, problems);
                }
            }
        }
    }

    #[test]
    fn nothing_on_the_wire_comes_out_of_an_error(before in "(HTTP/1.1 200 OK\r\n|content-length: |x|\r\n| |:){0,6}") {
        let wire = format!("{before}{SECRET}\r\n\r\n");
        for error in wire_errors(wire.as_bytes()) {
            let told = told(&error);
            prop_assert!(!told.contains(SECRET), "{}", told);
        }
    }

    #[test]
    fn no_word_of_a_model_or_a_client_ends_a_stream(
        words in "(\"|\\\\|finish_reason|finishReason|error|type|message_stop|data: \\[DONE\\]|\n|:|\\{|\\}| ){0,12}",
    ) {
        let args = serde_json::json!({ words.as_str(): { "finishReason": words.as_str(), "error": { "type": "error" } } });
        for (protocol, event) in [
            (Protocol::Chat, serde_json::json!({ "choices": [{ "delta": { "content": words }, "finish_reason": null }] })),
            (Protocol::Messages, serde_json::json!({ "type": "content_block_delta", "delta": { "text": words } })),
            (Protocol::Responses, serde_json::json!({ "type": "response.created", "response": { "tools": [args.clone()] } })),
            (Protocol::Gemini, serde_json::json!({ "candidates": [{ "content": { "parts": [{ "functionCall": { "args": args } }] } }] })),
        ] {
            let mut reading = Reading::of_events(protocol, None);
            reading.see(format!("data: {event}\n\n").as_bytes());
            prop_assert!(reading.is_unfinished(), "{:?} {}", protocol, event);
        }
    }
}
