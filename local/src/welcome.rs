//! What the process says for itself on a terminal.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use twinlane_gateway::config::{HopTo, Server};
use twinlane_gateway::{Config, Role, VERSION};

/// Prints and succeeds. A closed terminal is no reason to stop.
pub(crate) fn say(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stdout(), "{text}");
    ExitCode::SUCCESS
}

/// Prints to standard error.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints to standard error and fails with `code`.
pub(crate) fn fail(code: u8, text: &str) -> ExitCode {
    remark(text);
    ExitCode::from(code)
}

/// Says whether the gateway is up, and succeeds if it is.
pub(crate) fn verdict(up: bool) -> ExitCode {
    if up { say("up") } else { fail(1, "The gateway does not answer") }
}

/// Every problem of the settings on a line of its own.
pub(crate) fn problems(problems: &[String]) -> String {
    format!(
        "These settings cannot be used:\n  {}\ndocs/settings.md describes every setting.",
        problems.join("\n  ")
    )
}

/// Why nothing can be served.
pub(crate) fn cannot_listen(settings: &Server, error: &std::io::Error) -> String {
    let Server { host, port, .. } = settings;
    format!("Cannot listen on {host}:{port}: {error}. Set PORT (0 takes a free one) or HOST")
}

/// What is configured, and what to try. Never a key, and not how long one is.
pub(crate) fn greeting(config: &Config, role: Role, address: SocketAddr, store: &str, demo: bool) -> String {
    let url = format!("http://{}", reachable(address));
    let lines = [
        format!("Twinlane {VERSION} listens on {url}"),
        format!("  lanes     {}", lanes(config, role)),
        format!("  services  {}", config.services.aliases()),
        format!("  keys      {}", keys(config)),
        format!("  callers   {}", callers(config, address)),
        format!("  store     {store}"),
    ];
    let mut text = lines.join("\n");
    if role == Role::Gateway {
        text.push_str(&examples(&url, if demo { "demo" } else { &config.default_service }));
    }
    text
}

/// A container listens on every address; a person types one.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        (IpAddr::from(Ipv4Addr::LOCALHOST), address.port()).into()
    } else {
        address
    }
}

fn lanes(config: &Config, role: Role) -> &'static str {
    match (role, &config.hop) {
        (Role::Background, _) => "background only",
        (Role::Gateway, HopTo::Nowhere) => "edge only (BACKGROUND=off)",
        (Role::Gateway, HopTo::Here) => "edge and background, in this process",
        (Role::Gateway, HopTo::Url { .. } | HopTo::Function(_)) => "edge here, background at BACKGROUND_URL",
    }
}

fn keys(config: &Config) -> String {
    let with_key: Vec<_> = config.services.iter().filter(|service| service.key.is_some()).collect();
    if with_key.is_empty() {
        return "none set; callers bring their own (or put OPENAI_API_KEY=… into .env)".to_owned();
    }
    with_key.iter().map(|service| service.alias.as_str()).collect::<Vec<_>>().join(", ")
}

fn callers(config: &Config, address: SocketAddr) -> &'static str {
    match (config.access.tokens.is_empty(), config.access.allow_anonymous, address.ip().is_loopback()) {
        (false, false, _) => "with a gateway token (AUTH_TOKEN)",
        (_, true, _) => "anybody, with the server's keys (ALLOW_ANONYMOUS)",
        (true, false, true) => "this machine, with the server's keys",
        (true, false, false) if config.access.signs() => {
            "anybody, with keys of their own or a signed token (docs/access.md)"
        }
        (true, false, false) => "anybody, with keys of their own",
    }
}

fn examples(url: &str, service: &str) -> String {
    let model = if service == "demo" { "demo" } else { "your-model" };
    let chat = format!("{url}/gateway/{service}/v1/chat/completions");
    let json = "-H 'content-type: application/json'";
    format!(
        "\n\nTry:\n  curl {url}/health\n  curl {url}/gateway/{service}/v1/models\n  curl -N {chat} {json} \\\n    \
         -d '{{\"model\":\"{model}\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Write a story\"}}]}}'\n"
    )
}
