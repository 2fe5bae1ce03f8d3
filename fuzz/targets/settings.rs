//! Whatever an operator types: no panic, every problem told, and no value repeated where a key may have slipped in.
//!
//! Input: lines of `NAME=value`; `{SECRET}` in a value stands for a key that was pasted into the wrong place.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twinlane_gateway::{Config, Invalid, Platform};

const SECRET: &str = "s3cr3t-planted-here";

/// Settings that are judged each for itself, so that the problems of many are the problems of each.
const ALONE: [&str; 19] = [
    "BACKGROUND_TIMEOUT",
    "BODY_TIMEOUT",
    "CONNECT_TIMEOUT",
    "DEFAULT_TIMEOUT",
    "DEMO",
    "ENABLE_FALLBACK",
    "ENABLE_RETRY",
    "HEADER_TIMEOUT",
    "HOST",
    "IDLE_TIMEOUT",
    "LARGE_BODY_SIZE",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "MAX_HEADER_SIZE",
    "MAX_REQUEST_SIZE",
    "PORT",
    "SEND_TIMEOUT",
    "SHUTDOWN_GRACE",
    "TOTAL_TIMEOUT",
];

fuzz_target!(|text: &str| {
    let vars = vars(text);
    for platform in [Platform::Local, Platform::Vercel, Platform::Lambda] {
        match Config::read(vars.clone(), platform) {
            Ok(config) => keys_are_not_printed(&vars, &config),
            Err(Invalid(problems)) => {
                no_value_is_told(&vars, &problems);
                every_problem_is_told(&vars, platform, &problems);
            }
        }
    }
});

fn vars(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.replace("{SECRET}", SECRET))).collect()
}

/// Names are told, of settings as of services and their fields; what stands in their places is not.
fn no_value_is_told(vars: &BTreeMap<String, String>, problems: &[String]) {
    let named = vars.keys().any(|name| name.contains(SECRET)) || names_in_json(vars).contains(SECRET);
    assert!(named || !problems.concat().contains(SECRET), "{problems:?}");
}

fn names_in_json(vars: &BTreeMap<String, String>) -> String {
    let config = vars.get("PROXY_CONFIG").and_then(|text| serde_json::from_str::<Value>(text.trim()).ok());
    let services = config.as_ref().and_then(Value::as_object).into_iter().flatten();
    services.fold(String::new(), |names, (alias, fields)| {
        let fields = fields.as_object().into_iter().flatten().map(|(field, _)| field.as_str());
        fields.fold(names + alias, |names, field| names + field)
    })
}

fn keys_are_not_printed(vars: &BTreeMap<String, String>, config: &Config) {
    let is_key = |name: &str| {
        name.ends_with("_API_KEY")
            || matches!(
                name,
                "AUTH_TOKEN" | "GATEWAY_SECRET" | "HF_TOKEN" | "VERCEL_AUTOMATION_BYPASS_SECRET"
            )
    };
    let elsewhere =
        vars.iter().any(|(name, value)| name.contains(SECRET) || (!is_key(name) && value.contains(SECRET)));
    assert!(elsewhere || !format!("{config:?}").contains(SECRET), "{config:?}");
}

fn every_problem_is_told(vars: &BTreeMap<String, String>, platform: Platform, problems: &[String]) {
    for (name, value) in vars.iter().filter(|(name, _)| ALONE.contains(&name.as_str())) {
        if let Err(Invalid(own)) = Config::read([(name.as_str(), value.as_str())], platform) {
            assert!(
                own.iter().all(|problem| problems.contains(problem)),
                "{own:?} is missing in {problems:?}"
            );
        }
    }
}
