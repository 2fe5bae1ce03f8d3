//! `twinlane token …`: makes signed tokens, looks into them and calls them back, by the settings of this process.
//!
//! A token goes to standard output and everything said about it to standard error, so that a shell can take the one
//! and a person read the other.

use std::io::Read;
use std::process::ExitCode;

use lexopt::prelude::*;
use twinlane_gateway::access::{Denied, Grant, Kind, Order, Problem, is_token};
use twinlane_gateway::{Config, admin};

use crate::welcome;

/// What sysexits.h calls a usage error.
const USAGE: u8 = 64;

pub(crate) const HELP: &str = "\
usage: twinlane token new [flags]              a new token, signed with GATEWAY_SECRET
       twinlane token inspect TOKEN|-          what a token grants, and whether it is good now
       twinlane token revoke-line TOKEN|ID|-…  the REVOKED_TOKENS line that calls it back, too

flags of new, none of which has to be given; lists take commas:
  --name alice              a name for people
  --expires 30d             how long it is good for (30d; with --browser 10m, at most 1h)
  --services openai,claude  the services it may call
  --models 'gpt-*'          the models, as patterns
  --paths '/v1/chat'        the paths below a service
  --max-tokens 4096         the longest answer it may ask for
  --rpm 60 --tpm 100000     requests and tokens per minute
  --streams 5               streams at once
  --budget 5usd/month       or 100000tokens/day; --budget-id team-a shares one among tokens
  --browser --origin https://app.example
                            for a page in a browser, of this origin only";

const NO_SECRET: &str =
    "GATEWAY_SECRET signs tokens, and has to be 32 characters or more. One that is: openssl rand -hex 32";

/// Does what the words after `token` say.
pub(crate) fn run(words: &[String], config: &Config) -> ExitCode {
    match words.split_first() {
        Some((verb, flags)) if verb == "new" => new(flags, config),
        Some((verb, [token])) if verb == "inspect" => inspect(&given(token), config),
        Some((verb, tokens)) if verb == "revoke-line" && !tokens.is_empty() => revoke_line(tokens, config),
        _ => welcome::fail(USAGE, HELP),
    }
}

fn new(flags: &[String], config: &Config) -> ExitCode {
    let grant = order(flags).and_then(|order| order.grant(&admin::new_id(), admin::now()));
    let grant = match grant {
        Ok(grant) => grant,
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(as_flag).collect();
            return welcome::fail(USAGE, &lines.join("\n"));
        }
    };
    if config.access.keyring.is_empty() {
        return welcome::fail(USAGE, NO_SECRET);
    }
    let Some(token) = config.access.keyring.sign(&grant) else {
        return welcome::fail(USAGE, "The token would be longer than 4096 bytes; list less");
    };
    welcome::remark(&admin::facts(&grant).to_string());
    for alias in grant.services.iter().filter(|alias| config.services.get(alias).is_none()) {
        welcome::remark(&format!(
            "There is no service named '{alias}' here. Known: {}",
            config.services.aliases()
        ));
    }
    welcome::say(&token)
}

/// A problem as somebody at a terminal knows the field.
fn as_flag(problem: &Problem) -> String {
    match problem.field.replace('_', "-").as_str() {
        "" => problem.wrong.clone(),
        flag => format!("--{flag}: {}", problem.wrong),
    }
}

fn order(flags: &[String]) -> Result<Order, Vec<Problem>> {
    let mut order = Order::default();
    let unreadable = |error: lexopt::Error| Problem { field: String::new(), wrong: error.to_string() };
    let mut parser = lexopt::Parser::from_args(flags);
    while let Some(flag) = parser.next().map_err(|error| vec![unreadable(error)])? {
        match flag {
            Long("browser") => order.kind = Kind::Browser,
            Long(name) => {
                let name = name.to_owned();
                let value = parser.value().and_then(|value| value.string());
                let set = value.map_err(unreadable).and_then(|value| order.set(&name, &value));
                set.map_err(|problem| vec![problem])?;
            }
            other => return Err(vec![unreadable(other.unexpected())]),
        }
    }
    Ok(order)
}

fn inspect(token: &str, config: &Config) -> ExitCode {
    match config.access.keyring.open(token.as_bytes()) {
        Ok(grant) => {
            welcome::say(&admin::facts(&grant).to_string());
            match verdict(&grant, config) {
                Ok(()) => ExitCode::SUCCESS,
                Err(denied) => welcome::fail(1, &denied.to_string()),
            }
        }
        Err(_) if config.access.keyring.is_empty() => welcome::fail(USAGE, NO_SECRET),
        Err(denied) => welcome::fail(1, &denied.to_string()),
    }
}

fn verdict(grant: &Grant, config: &Config) -> Result<(), Denied> {
    grant.at(admin::now())?;
    if config.access.revoked.contains(&grant.id) { Err(Denied::Revoked) } else { Ok(()) }
}

/// The setting with these tokens in it, beside those that are there. Ids are taken as they are.
fn revoke_line(tokens: &[String], config: &Config) -> ExitCode {
    let mut revoked = config.access.revoked.clone();
    for word in tokens {
        let word = given(word);
        let id = if is_token(word.as_bytes()) {
            config.access.keyring.open(word.as_bytes()).map(|grant| grant.id)
        } else {
            Ok(word)
        };
        match id {
            Ok(id) if is_id(&id) => drop(revoked.insert(id)),
            Ok(_) => return welcome::fail(1, "That is neither a token nor the id of one"),
            Err(denied) => return welcome::fail(1, &denied.to_string()),
        }
    }
    let ids: Vec<String> = revoked.into_iter().collect();
    welcome::say(&format!("REVOKED_TOKENS={}", ids.join(",")))
}

fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(plain)
}

/// A word, or what standard input holds where it is `-`: what is typed after a command stays in a shell's history.
fn given(word: &str) -> String {
    if word != "-" {
        return word.to_owned();
    }
    let mut text = String::new();
    let _ = std::io::stdin().lock().take(64 * 1024).read_to_string(&mut text);
    text.trim().to_owned()
}
