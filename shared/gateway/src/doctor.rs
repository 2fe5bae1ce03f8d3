//! Says what is well, what to mind and what is wrong with this deployment, before anybody spends money finding out.
//!
//! It names settings and services, never a value. On a platform the whole of it is for callers with the gateway token;
//! anybody else is told what is public anyway.

mod html;
mod ping;
mod store;

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::{Config, HopTo, Platform};
use crate::gateway::{Gateway, Role};
use crate::{Arrival, VERSION};

pub use html::page;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// As it should be.
    Good,
    /// Worth knowing.
    Mind,
    /// To be put right.
    Wrong,
}

impl Weight {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Mind => "mind",
            Self::Wrong => "wrong",
        }
    }
}

/// One thing the doctor found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What it is about: `lanes`, `callers`, `keys`, `settings`, `store`.
    pub area: &'static str,
    /// What was found, and what to do.
    pub told: String,
}

/// Everything the doctor has to say.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whether the caller is told all of it.
    pub whole: bool,
    /// The platform, its limits, and what else is public.
    pub public: Value,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Every service: its alias, its host, whether the server has a key for it.
    pub services: Vec<(String, String, bool)>,
    /// The settings that were read, by name.
    pub settings: Vec<String>,
}

/// Examines a gateway, for a caller who may be told all of it or not.
pub async fn examine(gateway: &Gateway, arrival: &Arrival, whole: bool) -> Report {
    let config = &gateway.config;
    let public = public(gateway);
    if !whole {
        let told = "set AUTH_TOKEN and send it to see the rest".to_owned();
        let findings = vec![Finding { weight: Weight::Mind, area: "callers", told }];
        return Report { whole, public, findings, services: Vec::new(), settings: Vec::new() };
    }
    let mut findings = vec![ping::background(gateway, arrival).await];
    findings.extend(callers(config, arrival.loopback));
    findings.push(keys(config));
    findings.extend(settings(config));
    findings.push(store::store(gateway).await);
    let row = |service: &crate::services::Service| {
        (service.alias.clone(), service.authority.to_string(), service.key.is_some())
    };
    let services = config.services.iter().map(row).collect();
    Report { whole, public, findings, services, settings: config.found.read.clone() }
}

/// What the platform and the settings allow, for wrappers that want to check first.
#[must_use]
pub fn limits(config: &Config) -> Value {
    let seconds = |clock: Duration| clock.as_secs_f64();
    json!({
        "platform": config.platform.name(),
        "request_bytes": config.limits.request.min(config.platform.most_request().unwrap_or(usize::MAX)),
        "image_bytes": config.most_image(),
        "edge_body_bytes": config.limits.large,
        "response_bytes": config.services.iter().map(|service| (service.alias.clone(), json!(service.max_response.bytes)))
            .collect::<serde_json::Map<_, _>>(),
        "response_limit_holds_for_streams": config.services.iter().all(|service| service.max_response.streams_too),
        "edge_first_byte_seconds": seconds(config.clocks.first_byte),
        "background_first_byte_seconds": seconds(config.clocks.background),
        "idle_seconds": seconds(config.clocks.idle),
        "store": config.store.engine(),
        "call_seconds": config.clocks.whole.or(config.platform.most_time()).map(seconds),
    })
}

fn public(gateway: &Gateway) -> Value {
    let function = if gateway.role == Role::Background { "background" } else { "gateway" };
    json!({
        "platform": gateway.config.platform.name(),
        "env": gateway.config.env,
        "version": VERSION,
        "function": function,
        "limits": limits(&gateway.config),
    })
}

fn callers(config: &Config, loopback: bool) -> Vec<Finding> {
    let has_keys = config.services.iter().any(|service| service.key.is_some());
    let (weight, told) = match (config.access.tokens.is_empty(), config.access.allow_anonymous) {
        (_, true) if has_keys => {
            (Weight::Wrong, "anybody can spend the server's keys: ALLOW_ANONYMOUS is true")
        }
        (_, true) => (Weight::Mind, "ALLOW_ANONYMOUS is true, and no key is set that anybody could spend"),
        (false, false) => (Weight::Good, "callers need a gateway token"),
        (true, false) if loopback => {
            (Weight::Good, "this machine's own calls may use the server's keys; nobody else reaches it")
        }
        (true, false) if has_keys && config.access.signs() => {
            (Weight::Good, "callers need a signed token to use the server's keys (docs/access.md)")
        }
        (true, false) if has_keys => {
            (Weight::Wrong, "keys are set that nobody can use: set AUTH_TOKEN for those who may")
        }
        (true, false) => (Weight::Good, "callers bring keys of their own"),
    };
    let access = Finding { weight, area: "callers", told: told.to_owned() };
    let unsigned = config.secret.is_none() && matches!(config.hop, HopTo::Url { .. });
    let unsigned = unsigned.then(|| Finding {
        weight: Weight::Mind,
        area: "callers",
        told: "the hop is not signed: the background sees the edge's address as the caller's, and limits count a call in \
               both functions. Set GATEWAY_SECRET"
            .to_owned(),
    });
    [Some(access), unsigned].into_iter().flatten().collect()
}

fn keys(config: &Config) -> Finding {
    let with_key: Vec<&str> = config
        .services
        .iter()
        .filter(|service| service.key.is_some())
        .map(|service| service.alias.as_str())
        .collect();
    let told = match with_key.as_slice() {
        [] => "the server has no provider's key".to_owned(),
        some => format!("the server has keys for {}", some.join(", ")),
    };
    Finding { weight: Weight::Good, area: "keys", told }
}

fn settings(config: &Config) -> Vec<Finding> {
    let idle = |(setting, why): &(String, String)| Finding {
        weight: Weight::Mind,
        area: "settings",
        told: format!("{setting} does nothing here: {why}"),
    };
    let mut findings: Vec<Finding> = config.found.idle.iter().map(idle).collect();
    if findings.is_empty() {
        let told = match config.found.read.len() {
            1 => "One setting was read, and takes effect".to_owned(),
            count => format!("{count} settings were read, and all take effect"),
        };
        findings.push(Finding { weight: Weight::Good, area: "settings", told });
    }
    if config.platform == Platform::Vercel && matches!(config.hop, HopTo::Nowhere) {
        let told = "no background was found: expose the system environment variables in the project's settings, or set \
                    BACKGROUND_URL";
        findings.push(Finding { weight: Weight::Mind, area: "lanes", told: told.to_owned() });
    }
    findings
}

impl Report {
    /// The report for machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let findings = self.findings.iter().map(
            |finding| json!({ "weight": finding.weight.word(), "area": finding.area, "told": finding.told }),
        );
        let services = self
            .services
            .iter()
            .map(|(alias, host, key)| json!({ "alias": alias, "host": host, "key": key }));
        let mut json = self.public.clone();
        json["findings"] = findings.collect();
        if self.whole {
            json["services"] = services.collect();
            json["settings"] = json!(self.settings);
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::{Weight, callers};
    use crate::config::{Config, Platform};

    fn weight(platform: Platform, vars: &[(&str, &str)], loopback: bool) -> Weight {
        callers(&Config::read(vars.iter().copied(), platform).unwrap(), loopback)[0].weight
    }

    #[test]
    fn keys_that_anybody_or_nobody_can_spend_are_wrong() {
        let key = ("OPENAI_API_KEY", "k");
        assert_eq!(weight(Platform::Vercel, &[key, ("ALLOW_ANONYMOUS", "true")], false), Weight::Wrong);
        assert_eq!(weight(Platform::Vercel, &[key], false), Weight::Wrong);
        assert_eq!(weight(Platform::Vercel, &[key, ("AUTH_TOKEN", "t")], false), Weight::Good);
        assert_eq!(weight(Platform::Local, &[key], true), Weight::Good);
        assert_eq!(weight(Platform::Vercel, &[], false), Weight::Good);
    }
}
