//! `PROXY_CONFIG`: services in JSON, merged over the built-in ones of the same alias.

use std::collections::BTreeMap;
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value};

use super::{Reader, origin};
use crate::route::{RESERVED, is_alias};
use crate::services::{ResponseLimit, Service, Spoken, formats};

/// The fields of one service in `PROXY_CONFIG`.
pub(super) type Entry = Map<String, Value>;

/// Stands for a host that has not been named.
pub(super) const NO_HOST: &str = "unnamed.invalid";

const FIELDS: &str = "host, basePath, timeout, maxRetries, maxResponseSize, retryable, retryableMethods, defaultHeaders, \
                      forwardHeaders, supportsStreaming, allowFallback, insecure, logPaths, enabled, speaks, fetchesImages";

/// The entries by alias, none where the setting is absent or is not an object.
pub(super) fn entries(reader: &mut Reader) -> BTreeMap<String, Entry> {
    let Some(text) = reader.text("PROXY_CONFIG") else { return BTreeMap::new() };
    let Ok(Value::Object(services)) = serde_json::from_str(text) else {
        reader.problem("PROXY_CONFIG", "is not a JSON object of services");
        return BTreeMap::new();
    };
    let mut entries = BTreeMap::new();
    for (alias, fields) in services {
        match fields {
            _ if !is_alias(&alias) || RESERVED.contains(&alias.as_str()) => {
                reader.problem("PROXY_CONFIG", &format!("{alias:?} cannot be the alias of a service"));
            }
            Value::Object(fields) => drop(entries.insert(alias, fields)),
            _ => reader.problem(&format!("PROXY_CONFIG.{alias}"), "is not a JSON object"),
        }
    }
    entries
}

/// `service` with the fields of its entry; `None` where the entry switches it off.
pub(super) fn merged(
    reader: &mut Reader,
    alias: &str,
    mut entry: Entry,
    service: Service,
) -> Option<Service> {
    let mut merge = Merge { reader, alias, service };
    let insecure = merge.bool(entry.remove("insecure"), "insecure").unwrap_or(false);
    let enabled = merge.bool(entry.remove("enabled"), "enabled").unwrap_or(true);
    let retryable = merge.bool(entry.remove("retryable"), "retryable").unwrap_or(true);
    merge.host(entry.remove("host"), insecure);
    for (field, value) in entry {
        merge.field(&field, &value);
    }
    if !retryable {
        merge.service.max_retries = 0;
    }
    enabled.then_some(merge.service)
}

/// One entry being merged.
struct Merge<'a> {
    reader: &'a mut Reader,
    alias: &'a str,
    service: Service,
}

impl Merge<'_> {
    fn wrong(&mut self, field: &str, wrong: &str) {
        self.reader.problem(&format!("PROXY_CONFIG.{}.{field}", self.alias), wrong);
    }

    fn field(&mut self, field: &str, value: &Value) {
        let taken = match field {
            "basePath" => base_path(value).map(|path| self.service.base_path = path),
            "timeout" => timeout(value).map(|clock| self.service.first_byte = Some(clock)),
            "maxRetries" => max_retries(value).map(|retries| self.service.max_retries = retries),
            "maxResponseSize" => max_response(value).map(|limit| self.service.max_response = limit),
            "retryableMethods" => methods(value).map(|methods| self.service.retryable_methods = methods),
            "defaultHeaders" => headers(value).map(|headers| self.service.default_headers.extend(headers)),
            "forwardHeaders" => patterns(value).map(|patterns| self.service.forward_headers = patterns),
            "supportsStreaming" => truth(value).map(|yes| self.service.supports_streaming = yes),
            "allowFallback" => truth(value).map(|yes| self.service.allow_fallback = yes),
            "speaks" => spoken(value).map(|speaks| self.service.speaks = speaks),
            "fetchesImages" => truth(value).map(|yes| self.service.fetches_images = yes),
            "logPaths" => truth(value).map(|yes| self.service.log_paths = yes),
            _ => Err("is not a field of a service"),
        };
        match taken {
            Ok(()) => {}
            Err("is not a field of a service") => {
                self.wrong(field, &format!("is not a field of a service; those are {FIELDS}"))
            }
            Err(wrong) => self.wrong(field, wrong),
        }
    }

    fn bool(&mut self, value: Option<Value>, field: &str) -> Option<bool> {
        let truth = truth(&value?);
        truth.map_err(|wrong| self.wrong(field, wrong)).ok()
    }

    fn host(&mut self, value: Option<Value>, insecure: bool) {
        match value {
            None if self.service.authority == NO_HOST => self.wrong("host", "is missing"),
            None => {}
            Some(value) => match host(&value, insecure) {
                Ok((scheme, authority)) => {
                    (self.service.scheme, self.service.authority) = (scheme, authority)
                }
                Err(wrong) => self.wrong("host", wrong),
            },
        }
    }
}

/// The wire formats of a service, by their names.
fn spoken(value: &Value) -> Result<Vec<Spoken>, &'static str> {
    let names = value.as_array().filter(|names| !names.is_empty());
    let names = names.ok_or("is not a list of formats, such as [\"chat\", \"embeddings\"]")?;
    let formats = names.iter().map(|name| formats::by_name(name.as_str()?));
    formats.collect::<Option<_>>().ok_or(
        "names a format that is none of chat, completions, responses, messages, gemini, onemin, embeddings, images, models",
    )
}

/// A host with an optional scheme and port.
fn host(value: &Value, insecure: bool) -> Result<(Scheme, Authority), &'static str> {
    let text = value.as_str().ok_or("is not a string")?;
    let (scheme, rest) = match text.split_once("://") {
        None => (Scheme::HTTPS, text),
        Some(("https", rest)) => (Scheme::HTTPS, rest),
        Some(("http", rest)) => (Scheme::HTTP, rest),
        Some(_) => return Err("has a scheme other than http:// and https://"),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@', '\\']) {
        return Err("is more than a host with an optional scheme and port; a path goes into basePath");
    }
    let authority = Authority::try_from(rest).map_err(|_| "is not a host")?;
    let port_is_good = authority.port_u16().is_some() || authority.as_str() == authority.host();
    if authority.host().is_empty() || !port_is_good {
        return Err("is not a host");
    }
    if scheme == Scheme::HTTP && !insecure && !origin::is_loopback(authority.host()) {
        return Err("sends keys in the clear; use https://, or add \"insecure\": true");
    }
    Ok((scheme, authority))
}

fn base_path(value: &Value) -> Result<String, &'static str> {
    let path = value.as_str().ok_or("is not a string")?.trim_matches('/');
    let rooted = format!("/{path}");
    let plain = crate::path::check(&rooted).is_ok() && !path.contains(['?', '#']);
    match plain {
        true if path.is_empty() => Ok(String::new()),
        true => Ok(rooted),
        false => Err("is not a path"),
    }
}

fn timeout(value: &Value) -> Result<Duration, &'static str> {
    let ms = value.as_u64().filter(|ms| (1..=86_400_000).contains(ms));
    ms.map(Duration::from_millis).ok_or("is not a whole number of milliseconds, 1 to 86400000")
}

fn max_retries(value: &Value) -> Result<u32, &'static str> {
    value
        .as_u64()
        .filter(|n| *n <= 10)
        .and_then(|n| u32::try_from(n).ok())
        .ok_or("is not a whole number, 0 to 10")
}

fn max_response(value: &Value) -> Result<ResponseLimit, &'static str> {
    let bytes = value.as_u64().filter(|bytes| *bytes > 0).ok_or("is not a whole number of bytes")?;
    Ok(ResponseLimit { bytes, streams_too: true })
}

fn methods(value: &Value) -> Result<Vec<Method>, &'static str> {
    let names = strings(value).ok_or("is not a list of methods")?;
    let known = |name: &str| matches!(name, "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT" | "PATCH" | "DELETE");
    let method = |name: String| Some(name.to_ascii_uppercase()).filter(|name| known(name))?.parse().ok();
    names.into_iter().map(method).collect::<Option<_>>().ok_or("is not a list of methods")
}

fn headers(value: &Value) -> Result<Vec<(HeaderName, HeaderValue)>, &'static str> {
    let fields = value.as_object().ok_or("is not an object of headers")?;
    let header = |(name, value): (&String, &Value)| {
        let mut value = HeaderValue::try_from(value.as_str()?).ok()?;
        // An operator may put a key here.
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    fields
        .into_iter()
        .map(header)
        .collect::<Option<_>>()
        .ok_or("has a name or a value that no header can have")
}

fn patterns(value: &Value) -> Result<Vec<String>, &'static str> {
    let names = strings(value).ok_or("is not a list of header names")?;
    Ok(names.into_iter().map(|name| name.to_ascii_lowercase()).collect())
}

fn truth(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("is neither true nor false")
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::tests::config;
    use crate::config::{Config, Platform};

    fn problems(json: &str) -> Vec<String> {
        match Config::read([("PROXY_CONFIG", json)], Platform::Local) {
            Ok(_) => Vec::new(),
            Err(invalid) => invalid.0,
        }
    }

    #[test]
    fn an_entry_merges_over_the_built_in_service() {
        let config = config(&[(
            "PROXY_CONFIG",
            r#"{"openai":{"timeout":5000,"maxRetries":0},"groq":{"host":"groq.example:8443"}}"#,
        )]);
        let openai = config.services.get("openai").unwrap();
        assert_eq!(openai.authority, "api.openai.com");
        assert_eq!(openai.max_retries, 0);
        let groq = config.services.get("groq").unwrap();
        assert_eq!(groq.url("/v1/x", None).unwrap(), "https://groq.example:8443/openai/v1/x");
    }

    #[test]
    fn a_service_can_be_switched_off() {
        assert!(config(&[("PROXY_CONFIG", r#"{"groq":{"enabled":false}}"#)]).services.get("groq").is_none());
    }

    #[test]
    fn plain_http_is_for_this_machine_or_by_word() {
        for (host, insecure, good) in [
            ("http://127.0.0.1:11434", false, true),
            ("http://localhost:11434", false, true),
            ("http://[::1]:11434", false, true),
            ("http://ollama.lan", false, false),
            ("http://ollama.lan", true, true),
            ("https://ollama.lan", false, true),
        ] {
            let json = format!(r#"{{"own":{{"host":"{host}","insecure":{insecure}}}}}"#);
            assert_eq!(problems(&json).is_empty(), good, "{json}");
        }
    }

    #[test]
    fn every_bad_field_is_named() {
        let problems = problems(
            r#"{"own":{"timeout":"soon","maxRetries":-1,"maxResponseSize":0,"retryable":"yes","retryableMethods":["BREW"],
                "defaultHeaders":{"bad name":"x"},"supportsStreaming":1,"allowFallback":null,"basePath":"/../x","timeOut":1},
                "health":{"host":"x"},"a b":{"host":"x"},"list":[]}"#,
        );
        let told = problems.join("\n");
        for field in [
            "timeout",
            "maxRetries",
            "maxResponseSize",
            "retryable",
            "retryableMethods",
            "defaultHeaders",
            "supportsStreaming",
            "allowFallback",
            "basePath",
            "timeOut",
            "host",
        ] {
            assert!(told.contains(&format!("PROXY_CONFIG.own.{field}: ")), "{field} in\n{told}");
        }
        for alias in ["\"health\"", "\"a b\"", "PROXY_CONFIG.list"] {
            assert!(told.contains(alias), "{alias} in\n{told}");
        }
    }

    #[test]
    fn a_host_is_only_a_host() {
        for host in [
            "user@evil.example",
            "api.example/path",
            "api.example?x",
            "api.example#x",
            "ftp://x",
            "",
            "https://",
            "a b",
            "http://127.0.0.1:99999",
        ] {
            let json = serde_json::json!({ "own": { "host": host } }).to_string();
            assert_eq!(problems(&json).len(), 1, "{host}");
        }
    }
}
