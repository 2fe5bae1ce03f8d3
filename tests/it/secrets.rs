//! Keys planted in every place where one can be, and looked for in every place where none may be.
//!
//! What a provider says to its own client passes byte for byte, a key in it included; that is the one place not searched,
//! and `a_provider_that_tells_keys_back_tells_its_own_client_only` says so.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twinlane_demo::Demo;
use twinlane_tests::client::Sending;
use twinlane_tests::raw::{Canned, Then};
use twinlane_tests::vercel::Function;
use twinlane_tests::{Answer, Program, Twinlane, eventually};

use crate::world::{pause, proxy_config};

/// Every planted key begins like this; what follows is its place.
const PLANTED: &str = "s3cr3t-in-";

const LEVELS: [&str; 4] = ["DEBUG", "INFO", "WARN", "ERROR"];

/// What a client can send a key in. The gateway's own token admits it, so that the others get as far as they can.
const SENT: [(&str, &str); 9] = [
    ("x-auth-token", "s3cr3t-in-token"),
    ("authorization", "Bearer s3cr3t-in-authorization"),
    ("x-api-key", "s3cr3t-in-x-api-key"),
    ("api-key", "s3cr3t-in-api-key"),
    ("x-goog-api-key", "s3cr3t-in-x-goog-api-key"),
    ("x-portkey-api-key", "s3cr3t-in-x-portkey-api-key"),
    ("proxy-authorization", "Basic s3cr3t-in-proxy-authorization"),
    ("cookie", "session=s3cr3t-in-cookie"),
    ("referer", "https://s3cr3t-in-referer@app.example/?key=s3cr3t-in-referer"),
];

const QUERY: &str = "key=s3cr3t-in-key&auth_token=s3cr3t-in-token&api_key=s3cr3t-in-api_key";

/// What an operator can set a key in.
fn settings<'a>(config: &'a str, level: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("PROXY_CONFIG", config),
        ("LOG_LEVEL", level),
        ("AUTH_TOKEN", "s3cr3t-in-another-token,s3cr3t-in-token"),
        ("GATEWAY_SECRET", "s3cr3t-in-gateway-secret"),
        ("P_API_KEY", "s3cr3t-in-server-key"),
        ("OPENAI_API_KEY", "s3cr3t-in-openai-key"),
        ("ANTHROPIC_API_KEY", "s3cr3t-in-anthropic-key"),
        ("GEMINI_API_KEY", "s3cr3t-in-gemini-key"),
        ("HF_TOKEN", "s3cr3t-in-hf-token"),
        ("NOBODY_API_KEY", "s3cr3t-in-a-key-of-nobody"),
        ("DEFAULT_TIMEOUT", "400"),
        ("BACKGROUND_TIMEOUT", "400"),
    ]
}

fn config(provider: &Demo) -> String {
    proxy_config(provider, &json!({ "defaultHeaders": { "x-operator-key": "s3cr3t-in-default-headers" } }))
}

fn body(stream: bool) -> Value {
    let message = json!({ "role": "user", "content": "s3cr3t-in-prompt" });
    json!({ "model": "demo", "stream": stream, "input": "s3cr3t-in-input", "api_key": "s3cr3t-in-body", "messages": [message] })
}

/// A small call, a stream, one for the background, one to a service nobody runs, three that are translated or cannot be,
/// and three that lead nowhere.
fn calls(gateway: &Twinlane) -> Vec<Sending> {
    let post = |path: &str, stream| {
        gateway.client.post(&format!("{path}?{QUERY}")).json(&body(stream)).headers(&SENT)
    };
    let unified = |path: &str, mut body: Value| {
        body["model"] = "p/demo".into();
        gateway.client.post(&format!("{path}?{QUERY}")).json(&body).headers(&SENT)
    };
    vec![
        post("/gateway/p/v1/chat/completions", false),
        post("/gateway/p/v1/chat/completions", true),
        post("/gateway/p/v1/embeddings", false),
        post("/gateway/dead/v1/chat/completions", false),
        post("/gateway/nobody/v1/x", false),
        unified("/v1/chat/completions", body(false)),
        unified("/v1/messages", body(true)),
        unified(
            "/v1/chat/completions",
            json!({ "messages": "s3cr3t-in-messages", "tools": ["s3cr3t-in-tools"] }),
        ),
        post("/gateway/p/%2e%2e/x", false),
        post("/nowhere", false),
    ]
}

/// What makes a provider, or the gateway, fail on a call.
const FAULTS: [&[(&str, &str)]; 9] = [
    &[],
    &[("x-demo-status", "401")],
    &[("x-demo-status", "500")],
    &[("x-demo-cut", "head")],
    &[("x-demo-cut", "body")],
    &[("x-demo-silence", "head")],
    &[("x-demo-malformed", "status-line")],
    &[("x-auth-token", "s3cr3t-in-a-wrong-token")],
    &[("x-request-id", "s3cr3t-in-an-id that is not sane")],
];

/// Nothing of it may be in what the gateway says of its own: its errors, and the headers of any answer.
fn search_answer(answer: &Answer, what: &str) {
    let headers = format!("{:?}", answer.headers);
    assert!(!headers.contains(PLANTED), "{what}: {headers}");
    if answer.header("x-error-source") == "gateway" {
        assert!(!answer.text().contains(PLANTED), "{what}: {}", answer.text());
    }
}

fn search_log(process: &Program, what: &str) {
    let printed = process.printed();
    let line = printed.lines().find(|line| line.contains(PLANTED));
    assert_eq!(line, None, "{what}");
}

#[tokio::test]
async fn no_key_reaches_a_log_or_an_error_at_any_level() {
    let provider = Demo::start().await.unwrap();
    let mut config: Value = serde_json::from_str(&config(&provider)).unwrap();
    config["dead"] = json!({ "host": "http://127.0.0.1:1" });
    let config = config.to_string();
    for level in LEVELS {
        let gateway = Twinlane::start(&settings(&config, level)).await;
        for fault in FAULTS {
            for (number, call) in calls(&gateway).into_iter().enumerate() {
                let answer = call.headers(fault).send().await;
                search_answer(&answer, &format!("{fault:?} on call {number}"));
            }
        }
        pause(100).await;
        search_log(&gateway.process, level);
        let spoke = gateway.process.printed().contains("failed");
        assert_eq!(spoke, level != "ERROR", "the search at {level} is a search of something");
    }
}

#[tokio::test]
async fn no_key_is_told_of_a_hop_on_either_side() {
    let provider = Demo::start().await.unwrap();
    let config = config(&provider);
    for level in ["DEBUG", "WARN"] {
        let background = Twinlane::start_background(&settings(&config, level)).await;
        let url = background.url();
        let edge =
            Twinlane::start(&[settings(&config, level), vec![("BACKGROUND_URL", &url)]].concat()).await;
        for fault in FAULTS {
            let call = edge.client.post(&format!("/gateway/p/v1/embeddings?{QUERY}")).json(&body(false));
            search_answer(&call.headers(&SENT).headers(fault).send().await, &format!("{fault:?}"));
        }
        pause(100).await;
        search_log(&edge.process, "the edge");
        search_log(&background.process, "the background");
        assert!(
            background.process.printed().contains("embeddings") || level != "DEBUG",
            "the background was asked"
        );
    }
}

#[tokio::test]
async fn a_background_that_says_keys_is_not_repeated() {
    let provider = Demo::start().await.unwrap();
    let config = config(&provider);
    for reply in [
        "HTTP/1.1 500 s3cr3t-in-reason\r\nx-key: s3cr3t-in-header\r\ncontent-length: 14\r\n\r\ns3cr3t-in-body",
        "HTTP/1.1 s3cr3t-in-status\r\n\r\n",
        "HTTP/1.1 200 OK\r\ns3cr3t-in-name bad: 1\r\n\r\n",
    ] {
        let background = Canned::start(Then::Says(reply.to_owned())).await;
        let url = format!("http://{}", background.address);
        let edge =
            Twinlane::start(&[settings(&config, "DEBUG"), vec![("BACKGROUND_URL", &url)]].concat()).await;
        let call = edge.client.post(&format!("/gateway/p/v1/embeddings?{QUERY}")).json(&body(false));
        let answer = call.headers(&SENT).header("x-request-id", "call-1").send().await;
        assert_eq!(answer.header("x-error-source"), "gateway", "{reply}: {answer:?}");
        search_answer(&answer, reply);
        edge.logged_end("call-1").await;
        search_log(&edge.process, reply);
    }
}

#[tokio::test]
async fn a_provider_that_tells_keys_back_tells_its_own_client_only() {
    let told = "{\"error\":{\"message\":\"Incorrect API key: s3cr3t-in-server-key\"}}";
    let length = told.len();
    for (reply, passes) in [
        (format!("HTTP/1.1 401 s3cr3t-in-reason\r\ncontent-length: {length}\r\n\r\n{told}"), true),
        ("HTTP/1.1 200 s3cr3t-in-reason\r\ncontent-length: s3cr3t-in-length\r\n\r\n".to_owned(), false),
        ("HTTP/1.1 s3cr3t-in-status\r\n\r\n".to_owned(), false),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: s3cr3t-in-coding\r\n\r\n".to_owned(), false),
        ("HTTP/1.1 200 OK\r\ns3cr3t-in-name bad: 1\r\n\r\n".to_owned(), false),
        ("s3cr3t-in-garbage\r\n\r\n".to_owned(), false),
    ] {
        let provider = Canned::start(Then::Says(reply.clone())).await;
        let config = json!({ "p": { "host": format!("http://{}", provider.address) } }).to_string();
        let gateway = Twinlane::start(&settings(&config, "DEBUG")).await;
        let call = gateway.client.post(&format!("/gateway/p/v1/chat/completions?{QUERY}")).json(&body(false));
        let answer =
            call.header("x-auth-token", "s3cr3t-in-token").header("x-request-id", "call-1").send().await;
        assert_eq!(answer.text() == told, passes, "{reply}: {}", answer.text());
        search_answer(&answer, &reply);
        gateway.logged_end("call-1").await;
        search_log(&gateway.process, &reply);
    }
}

/// A provider that thinks for a while, and then repeats a key.
async fn slow_to_refuse() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 16 * 1024]).await;
        pause(1500).await;
        let told = "{\"error\":{\"message\":\"Incorrect API key: s3cr3t-in-late-error\"}}";
        let head =
            format!("HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: {}", told.len());
        let _ = stream.write_all(format!("{head}\r\n\r\n{told}").as_bytes()).await;
        pause(1000).await;
    });
    address
}

#[tokio::test]
async fn an_error_told_late_is_retold_to_its_client_and_not_to_the_log() {
    let config = json!({ "p": { "host": format!("http://{}", slow_to_refuse().await) } }).to_string();
    let vars = [("PROXY_CONFIG", config.as_str()), ("LOG_LEVEL", "DEBUG"), ("KEEP_ALIVE_AFTER", "200")];
    let gateway = Twinlane::start(&vars).await;
    let call = gateway.client.post("/gateway/p/v1/chat/completions").json(&body(true));
    let answer = call.header("x-request-id", "call-1").send().await;
    assert!(answer.text().contains("s3cr3t-in-late-error"), "the provider's words: {}", answer.text());
    let ended = gateway.logged_end("call-1").await;
    assert!(ended.contains("provider_error"), "{ended}");
    search_log(&gateway.process, "a late error");
}

#[tokio::test]
async fn a_stream_that_breaks_in_the_middle_of_a_key_is_ended_without_one() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"s3cr3t-in-event\"}}]}\n\n";
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 999\r\n\r\n{event}data: {{\"s3cr3t-in-half"
    );
    let provider = Canned::start(Then::Says(reply)).await;
    let config = json!({ "p": { "host": format!("http://{}", provider.address) } }).to_string();
    let gateway = Twinlane::start(&settings(&config, "DEBUG")).await;
    let call = gateway.client.post("/gateway/p/v1/chat/completions").json(&body(true)).headers(&SENT);
    let answer = call.header("x-request-id", "call-1").send().await;
    let text = answer.text();
    let added = text.rsplit("data: ").next().unwrap_or_default();
    assert!(added.contains("\"error\"") && !added.contains(PLANTED), "{text}");
    gateway.logged_end("call-1").await;
    search_log(&gateway.process, "a broken stream");
}

#[tokio::test]
async fn the_gateway_s_own_pages_name_settings_and_no_keys() {
    let provider = Demo::start().await.unwrap();
    let config = config(&provider);
    let gateway = Twinlane::start(&settings(&config, "DEBUG")).await;
    for path in ["/", "/health", "/limits", "/gateway/services", "/gateway/doctor", "/gateway/health"] {
        for accept in ["application/json", "text/html"] {
            let page = gateway.client.get(&format!("{path}?{QUERY}")).headers(&SENT).header("accept", accept);
            let answer = page.send().await;
            let said = format!("{:?} {}", answer.headers, answer.text());
            assert!(answer.status == 200 && !said.contains(PLANTED), "{path} as {accept}: {said}");
        }
    }
    let report =
        gateway.client.get("/gateway/doctor").header("x-auth-token", "s3cr3t-in-token").send().await.json();
    assert!(
        report["settings"].as_array().unwrap().contains(&"P_API_KEY".into()),
        "the whole of it: {report}"
    );
    search_log(&gateway.process, "the pages");
}

/// Settings with a key where none belongs.
const MISPLACED: [(&str, &str); 12] = [
    ("PROXY_CONFIG", r#"{"p":{"host":"https://user:s3cr3t-in-userinfo@llm.example"}}"#),
    ("PROXY_CONFIG", r#"{"p":{"host":"llm.example?key=s3cr3t-in-query"}}"#),
    ("PROXY_CONFIG", r#"{"p":{"host":"llm.example","basePath":"/v1?key=s3cr3t-in-base"}}"#),
    ("PROXY_CONFIG", r#"{"p":{"host":"llm.example","timeout":"s3cr3t-in-timeout"}}"#),
    ("PROXY_CONFIG", r#"{"p":{"host":"llm.example","defaultHeaders":{"x":"s3cr3t-in-header\n"}}}"#),
    ("PROXY_CONFIG", "s3cr3t-in-json"),
    ("AZURE_OPENAI_ENDPOINT", "https://user:s3cr3t-in-azure@acme.openai.azure.com"),
    ("BACKGROUND_URL", "https://user:s3cr3t-in-background@b.example"),
    ("ALLOWED_ORIGIN", "https://s3cr3t-in-origin@app.example/x"),
    ("DEFAULT_SERVICE", "s3cr3t-in-default"),
    ("OPENAI_API_KEY", "s3cr3t-in-a-key\u{7f}"),
    ("PORT", "s3cr3t-in-port"),
];

#[tokio::test]
async fn a_key_in_the_wrong_setting_is_not_repeated() {
    let folder = std::env::temp_dir();
    for (name, value) in MISPLACED {
        let mut process = Program::start("twinlane", &[], &[(name, value), ("DEMO", "false")], &folder);
        assert_eq!(process.exit_code().await, Some(64), "{name} {value}");
        assert!(process.printed().contains(name), "{name}: {}", process.printed());
        search_log(&process, name);
    }
    let function = Function::start("gateway", &MISPLACED[6..]).await;
    let (number, call) = function.invoke(|client| client.get("/gateway/openai/v1/models"));
    let answer = call.headers(&SENT).send().await;
    assert!(answer.status == 500 && !answer.text().contains(PLANTED), "{}", answer.text());
    eventually("the call's end is told", || function.has_ended(number)).await;
    search_log(&function.process, "the function");
}
