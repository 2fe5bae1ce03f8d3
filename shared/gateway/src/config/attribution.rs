//! `APP_URL` and `APP_TITLE`: which application calls are for, as OpenRouter's rankings name it.

use http::{HeaderName, HeaderValue, Uri};

use super::Reader;
use crate::services::Service;

/// The headers in which OpenRouter is told, each with its setting.
const HEADERS: [(&str, HeaderName); 2] =
    [("APP_URL", HeaderName::from_static("http-referer")), ("APP_TITLE", HeaderName::from_static("x-title"))];

/// Has a service told which application calls are for. What a client says itself goes before that, and so does what
/// `PROXY_CONFIG` says of the service.
pub(super) fn add(reader: &mut Reader, service: &mut Service) {
    for (setting, header) in HEADERS {
        let Some(text) = reader.text(setting).map(str::to_owned) else { continue };
        match value(setting, &text) {
            Ok(_) if service.default_headers.iter().any(|(name, _)| *name == header) => {}
            Ok(value) => service.default_headers.push((header, value)),
            Err(wrong) => reader.problem(setting, wrong),
        }
    }
}

fn value(setting: &str, text: &str) -> Result<HeaderValue, &'static str> {
    let is_url =
        |text: &str| text.parse::<Uri>().is_ok_and(|url| url.scheme().is_some() && url.host().is_some());
    if setting == "APP_URL" && !is_url(text) {
        return Err("is not a URL such as https://my-app.example.com");
    }
    let plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let value = HeaderValue::from_str(text).ok().filter(|_| plain);
    value.ok_or("has a character that is not plain ASCII, which a header cannot carry safely")
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, problems};

    fn told(alias: &str, vars: &[(&str, &str)]) -> Vec<String> {
        let service = config(vars).services.get(alias).unwrap();
        let line = |(name, value): &(http::HeaderName, http::HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        service.default_headers.iter().map(line).collect()
    }

    #[test]
    fn openrouter_is_told_and_nobody_else() {
        let vars = [("APP_URL", "https://app.example"), ("APP_TITLE", "My app")];
        assert_eq!(told("openrouter", &vars), ["http-referer: https://app.example", "x-title: My app"]);
        assert!(told("openai", &vars).is_empty());
        assert!(told("openrouter", &[]).is_empty());
    }

    #[test]
    fn what_proxy_config_says_of_the_service_stays() {
        let own = r#"{"openrouter":{"defaultHeaders":{"X-Title":"Own"}}}"#;
        let vars = [("APP_TITLE", "My app"), ("PROXY_CONFIG", own)];
        assert_eq!(told("openrouter", &vars), ["x-title: Own"]);
    }

    #[test]
    fn what_no_header_can_carry_is_named() {
        for wrong in [("APP_URL", "my app"), ("APP_URL", "/path"), ("APP_TITLE", "Grüße")] {
            assert_eq!(problems(&[wrong]).len(), 1, "{wrong:?}");
        }
    }
}
