//! Puts the table of services together: the built-in ones, what `PROXY_CONFIG` changes and adds, and the keys.

use std::collections::BTreeMap;

use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue};

use super::{Platform, Reader, attribution, place, proxy_config};
use crate::secret::Secret;
use crate::services::formats::{self, COMPATIBLE};
use crate::services::{Builtin, KeyPlace, Mapping, ResponseLimit, Service, Services, TABLE};

/// The largest reply where nothing else is said: 6 MiB, what a function of either platform could once answer with.
const MAX_RESPONSE: u64 = 6_291_456;

/// Reads the services and the alias of the default one.
pub(super) fn read(reader: &mut Reader, platform: Platform) -> (Services, String) {
    let entries = proxy_config::entries(reader);
    let limit = reader.bytes("MAX_RESPONSE_SIZE").map(|bytes| bytes as u64);
    let mut services: BTreeMap<String, Service> = TABLE
        .iter()
        .filter(|row| row.on || entries.contains_key(row.alias))
        .filter_map(|row| Some((row.alias.to_owned(), built_in(row, reader, limit)?)))
        .collect();
    for (alias, entry) in entries {
        let existing = services.remove(&alias);
        if let Some(service) =
            proxy_config::merged(reader, &alias, entry, existing.unwrap_or_else(|| own(&alias, limit)))
        {
            services.insert(alias, service);
        }
    }
    for service in services.values_mut() {
        service.key = key(reader, service);
        // A function of Lambda's has a role, and Bedrock knows it.
        service.signed = service.alias == "bedrock" && platform == Platform::Lambda && service.key.is_none();
    }
    if let Some(openrouter) = services.get_mut("openrouter") {
        attribution::add(reader, openrouter);
    }
    let default = default_service(reader, &services, platform);
    (services.into_values().collect(), default)
}

fn built_in(row: &Builtin, reader: &mut Reader, limit: Option<u64>) -> Option<Service> {
    let (scheme, authority) = place::of(row, reader)?;
    let default = ResponseLimit { bytes: row.max_response.unwrap_or(MAX_RESPONSE), streams_too: false };
    Some(Service {
        scheme,
        base_path: place::base_path(row, reader)?,
        mapping: row.mapping,
        key_place: row.key_place,
        speaks: row.speaks.to_vec(),
        fetches_images: row.fetches_images,
        default_headers: row.default_headers.iter().map(|(name, value)| header(name, value)).collect(),
        max_response: limit.map_or(default, set_limit),
        log_paths: row.log_paths,
        ..service(row.alias, authority)
    })
}

/// A service that only `PROXY_CONFIG` knows. Its host is still to come.
fn own(alias: &str, limit: Option<u64>) -> Service {
    let default = ResponseLimit { bytes: MAX_RESPONSE, streams_too: false };
    Service {
        max_response: limit.map_or(default, set_limit),
        ..service(alias, Authority::from_static(proxy_config::NO_HOST))
    }
}

fn service(alias: &str, authority: Authority) -> Service {
    Service {
        alias: alias.to_owned(),
        scheme: Scheme::HTTPS,
        authority,
        base_path: String::new(),
        mapping: Mapping::Append,
        key_place: KeyPlace::Bearer,
        key: None,
        speaks: COMPATIBLE.to_vec(),
        fetches_images: true,
        signed: false,
        default_headers: Vec::new(),
        forward_headers: Vec::new(),
        first_byte: None,
        max_retries: 1,
        retryable_methods: Vec::new(),
        max_response: ResponseLimit { bytes: MAX_RESPONSE, streams_too: false },
        supports_streaming: true,
        allow_fallback: true,
        log_paths: true,
    }
}

/// A service on this machine, reached over plain HTTP: the local door's demo provider.
#[must_use]
pub fn local(alias: &str, authority: Authority, forward_headers: &[&str]) -> Service {
    let forward_headers = forward_headers.iter().map(|name| (*name).to_owned()).collect();
    Service {
        scheme: Scheme::HTTP,
        forward_headers,
        key_place: KeyPlace::None,
        speaks: formats::DEMO.to_vec(),
        ..service(alias, authority)
    }
}

/// A limit that an operator set holds for event streams, too.
fn set_limit(bytes: u64) -> ResponseLimit {
    ResponseLimit { bytes, streams_too: true }
}

fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

/// The server's key for a service: `{ALIAS}_API_KEY`, or the name its provider's own SDK reads.
fn key(reader: &mut Reader, service: &Service) -> Option<Secret> {
    let own = format!("{}_API_KEY", service.alias.to_ascii_uppercase().replace(['-', '.'], "_"));
    let row = TABLE.iter().find(|row| row.alias == service.alias);
    let others = row.map_or(&[][..], |row| row.key_settings);
    let names = std::iter::once(own.as_str()).chain(others.iter().copied());
    let (name, key) = names.filter_map(|name| Some((name, Secret::new(reader.text(name)?)))).next()?;
    if key.header("").is_none() {
        reader.problem(name, "has a character that no header can carry");
    }
    Some(key)
}

fn default_service(reader: &mut Reader, services: &BTreeMap<String, Service>, platform: Platform) -> String {
    let default = reader.text("DEFAULT_SERVICE").unwrap_or("openai").to_owned();
    // The local door adds its demo provider after the settings are read.
    let known = services.contains_key(&default) || (default == "demo" && platform == Platform::Local);
    if !known {
        reader.problem("DEFAULT_SERVICE", "names no service");
    }
    default
}

#[cfg(test)]
mod tests {
    use crate::config::tests::config;

    #[test]
    fn every_alias_of_the_first_gateway_is_still_there() {
        let config = config(&[("AZURE_OPENAI_ENDPOINT", "https://acme.openai.azure.com/")]);
        for alias in "openai claude gemini azure github groq cohere huggingface together siliconflow cerebras chutes \
                      fireworks friendli gmi meta modelscope novita openrouter poe portkey pplx targon xai dmxcn dmxcom"
            .split_whitespace()
        {
            assert!(config.services.get(alias).is_some(), "{alias}");
        }
    }

    #[test]
    fn what_is_no_llm_provider_is_off_until_named() {
        for alias in ["discord", "telegram", "httpbin"] {
            assert!(config(&[]).services.get(alias).is_none(), "{alias}");
            let named = format!(r#"{{"{alias}":{{}}}}"#);
            assert!(config(&[("PROXY_CONFIG", &named)]).services.get(alias).is_some(), "{alias}");
        }
    }

    #[test]
    fn a_key_is_found_under_the_alias_or_the_provider_s_own_name() {
        for (alias, setting) in [
            ("openai", "OPENAI_API_KEY"),
            ("claude", "ANTHROPIC_API_KEY"),
            ("claude", "CLAUDE_API_KEY"),
            ("gemini", "GEMINI_API_KEY"),
            ("gemini", "GOOGLE_API_KEY"),
            ("huggingface", "HF_TOKEN"),
            ("own-llm", "OWN_LLM_API_KEY"),
        ] {
            let config = config(&[(setting, "k"), ("PROXY_CONFIG", r#"{"own-llm":{"host":"llm.example"}}"#)]);
            assert!(config.services.get(alias).unwrap().key.is_some(), "{alias} {setting}");
        }
    }

    #[test]
    fn a_set_response_limit_holds_for_streams_and_a_built_in_one_does_not() {
        let built_in = config(&[]).services.get("openai").unwrap().max_response;
        assert_eq!((built_in.bytes, built_in.streams_too), (10_485_760, false));
        let set = config(&[("MAX_RESPONSE_SIZE", "1000")]).services.get("openai").unwrap().max_response;
        assert_eq!((set.bytes, set.streams_too), (1000, true));
    }
}
