//! The laptop door: both lanes in one process, the demo provider and the page, on plain HTTP.
//!
//! `twinlane` serves the gateway, with the background lane in the same process. `twinlane background` serves only the
//! background lane, for those who want it in a process or container of its own. `twinlane health` asks a running one.
//! `twinlane token` makes tokens for callers.

mod connection;
mod descriptors;
mod environment;
mod health;
mod room;
mod server;
mod socket;
mod store;
mod token;
mod welcome;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use twinlane_demo::Demo;
use twinlane_gateway::config::{self, Invalid};
use twinlane_gateway::{Config, Door, Platform, Role, Tokenizers};

use crate::store::Closed;

/// What sysexits.h calls a usage error; the settings are this program's usage.
const BAD_SETTINGS: u8 = 64;

const USAGE: &str = "usage: twinlane [background | health | token …]\nSettings are environment variables; docs/settings.md lists them.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run: Box<dyn Fn(Config) -> ExitCode> =
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Box::new(|config| serve(config, Role::Gateway)),
            ["background"] => Box::new(|config| serve(config, Role::Background)),
            ["health"] => Box::new(|config| welcome::verdict(health::is_up(&config.server))),
            ["token"] | ["token", "--help" | "-h"] => return welcome::say(token::HELP),
            ["token", ..] => Box::new(|config| token::run(&arguments[1..], &config)),
            ["--version"] => return welcome::say(twinlane_gateway::VERSION),
            ["--help" | "-h"] => return welcome::say(USAGE),
            _ => return welcome::fail(BAD_SETTINGS, USAGE),
        };
    match environment::read().and_then(|vars| Config::read(vars, Platform::Local)) {
        Ok(config) => run(config),
        Err(Invalid(problems)) => welcome::fail(BAD_SETTINGS, &welcome::problems(&problems)),
    }
}

#[tokio::main]
async fn serve(mut config: Config, role: Role) -> ExitCode {
    let settings = config.server;
    let listener = match TcpListener::bind((settings.host, settings.port)).await {
        Ok(listener) => listener,
        Err(error) => return welcome::fail(1, &welcome::cannot_listen(&settings, &error)),
    };
    let store = match store::open(&config.store) {
        Ok(store) => store,
        Err(Closed::Setting(problem)) => return welcome::fail(BAD_SETTINGS, &welcome::problems(&[problem])),
        Err(Closed::File(problem)) => return welcome::fail(1, &problem),
    };
    let demo = match start_demo(&mut config, role).await {
        Ok(demo) => demo,
        Err(error) => return welcome::fail(1, &format!("The demo provider cannot start: {error}")),
    };
    let address = server::address(&listener, settings);
    let kept = store::described(&config.store, store.is_some());
    welcome::say(&welcome::greeting(&config, role, address, &kept, demo.is_some()));
    if let Some(store) = &store {
        tokio::spawn(store::tidied(Arc::clone(store)));
    }
    let door = Door::equipped(Ok(config), role, |gateway| {
        gateway.counting_with(Tokenizers::embedded()).keeping_by(|_, _| Ok(store))
    });
    server::serve(listener, door, settings).await;
    ExitCode::SUCCESS
}

/// Starts the demo provider and makes it the service `demo`. Its misbehaviours are asked for by `x-demo-…` headers.
async fn start_demo(config: &mut Config, role: Role) -> std::io::Result<Option<Demo>> {
    if !config.server.demo || role == Role::Background || config.services.get("demo").is_some() {
        return Ok(None);
    }
    let demo = Demo::start().await?;
    if let Ok(authority) = demo.addr().to_string().parse() {
        config.services.add(config::local("demo", authority, &["x-demo-*"]));
    }
    Ok(Some(demo))
}
