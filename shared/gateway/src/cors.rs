//! Which pages of other origins may call, and what they may read of an answer.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::body::{Body, empty};

/// What a page may read beside the headers that every page may: what this gateway says, and what providers say of their
/// limits.
const EXPOSED: &str = "x-request-id, x-gateway-request-id, x-provider-request-id, x-processing-mode, x-lane-reason, \
     x-processing-time, x-gateway-version, x-attempts, x-error-source, x-should-retry, x-served-by, x-fallbacks, \
     x-dropped-params, x-gateway-estimated, x-models-missing, retry-after, retry-after-ms, request-id, \
     anthropic-organization-id, anthropic-ratelimit-requests-limit, anthropic-ratelimit-requests-remaining, \
     anthropic-ratelimit-requests-reset, anthropic-ratelimit-tokens-limit, anthropic-ratelimit-tokens-remaining, \
     anthropic-ratelimit-tokens-reset, anthropic-ratelimit-input-tokens-limit, \
     anthropic-ratelimit-input-tokens-remaining, anthropic-ratelimit-input-tokens-reset, \
     anthropic-ratelimit-output-tokens-limit, anthropic-ratelimit-output-tokens-remaining, \
     anthropic-ratelimit-output-tokens-reset, openai-organization, openai-processing-ms, openai-version, \
     x-generation-id, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-ratelimit-limit-requests, \
     x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, \
     x-ratelimit-reset-requests, x-ratelimit-reset-tokens";

/// The origins that are let in; none unless a setting says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// `*`: any page, without cookies.
    Any,
    /// These.
    Listed(Listed),
}

/// Origins, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Those that are named whole.
    pub whole: Vec<String>,
    /// Those that are like one another, as the previews of one project. Their pages come without cookies: whoever may
    /// name a host below that domain is let in with them.
    pub patterns: Vec<Pattern>,
}

/// An origin with one `*` in the first label of its host. The `*` is one or more letters, digits and dashes, and so
/// never a dot, a port or another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What stands before it, from the scheme on.
    pub before: String,
    /// What stands behind it, with the port if there is one.
    pub after: String,
}

impl Pattern {
    fn fits(&self, origin: &str) -> bool {
        let rest = origin.strip_prefix(&self.before).and_then(|rest| rest.strip_suffix(&self.after));
        rest.is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    }
}

/// That a page may read an answer.
struct Admitted {
    /// As which origin the browser is told.
    origin: HeaderValue,
    /// Whether its cookies may come along.
    cookies: bool,
}

impl Origins {
    /// The answer to a preflight; `None` where the request is not one.
    #[must_use]
    pub fn preflight(&self, request: &Parts) -> Option<Response<Body>> {
        let asks =
            request.method == Method::OPTIONS && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || !request.headers.contains_key(ORIGIN) {
            return None;
        }
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.admits(request.headers.get(ORIGIN)).is_some() {
            let headers = response.headers_mut();
            headers.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            );
            let asked = request.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HeaderValue::from_static("*")));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
        Some(response)
    }

    /// Tells the browser of `origin` whether its page may read the answer.
    pub fn dress(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
        if matches!(self, Self::Listed(listed) if *listed != Listed::default()) {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        let Some(Admitted { origin, cookies }) = self.admits(origin) else { return };
        if cookies {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }

    fn admits(&self, origin: Option<&HeaderValue>) -> Option<Admitted> {
        let origin = origin?;
        let Self::Listed(listed) = self else {
            return Some(Admitted { origin: HeaderValue::from_static("*"), cookies: false });
        };
        let told = origin.to_str().ok()?.to_ascii_lowercase();
        let cookies = listed.whole.contains(&told);
        let admitted = cookies || listed.patterns.iter().any(|pattern| pattern.fits(&told));
        admitted.then(|| Admitted { origin: origin.clone(), cookies })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Request};

    use crate::config::tests::config;

    fn allowed(setting: &str, origin: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        config(&[("ALLOWED_ORIGIN", setting)]).origins.dress(&mut headers, Some(&origin.parse().unwrap()));
        headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn only_the_listed_origins_may_read() {
        let setting = "https://app.example.com, http://localhost:5173";
        assert_eq!(allowed(setting, "https://app.example.com").as_deref(), Some("https://app.example.com"));
        assert_eq!(allowed(setting, "http://localhost:5173").as_deref(), Some("http://localhost:5173"));
        for origin in
            ["https://evil.example", "https://app.example.com.evil.example", "null", "http://app.example.com"]
        {
            assert_eq!(allowed(setting, origin), None, "{origin}");
        }
        assert_eq!(allowed("", "https://app.example.com"), None);
    }

    #[test]
    fn any_origin_never_goes_with_credentials() {
        let mut headers = HeaderMap::new();
        let origin = HeaderValue::from_static("https://x.example");
        config(&[("ALLOWED_ORIGIN", "*")]).origins.dress(&mut headers, Some(&origin));
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn a_pattern_is_one_label_of_one_domain_and_goes_without_credentials() {
        let previews = "https://app-*-team.example.app, https://*.preview.example:8443";
        for origin in ["https://app-git-x1-team.example.app", "https://A.Preview.example:8443"] {
            assert_eq!(allowed(previews, origin).as_deref(), Some(origin));
        }
        for origin in [
            "https://app-x-team.example.app.evil.example",
            "https://app-a.b-team.example.app",
            "https://app-team.example.app",
            "https://app--team.example.app",
            "https://app-x:1-team.example.app",
            "https://evil.example/app-x-team.example.app",
            "http://app-x-team.example.app",
            "https://a.b.preview.example:8443",
            "https://preview.example:8443",
            "https://.preview.example:8443",
            "https://a.preview.example",
            "https://a_b.preview.example:8443",
        ] {
            assert_eq!(allowed(previews, origin), None, "{origin}");
        }
        let mut headers = HeaderMap::new();
        let origin = HeaderValue::from_static("https://a.preview.example:8443");
        config(&[("ALLOWED_ORIGIN", previews)]).origins.dress(&mut headers, Some(&origin));
        assert!(!headers.contains_key("access-control-allow-credentials"));
        assert_eq!(headers["vary"], "origin");
    }

    #[test]
    fn a_page_may_read_whatever_the_gateway_says_of_a_call() {
        for name in [
            "x-served-by",
            "x-fallbacks",
            "x-dropped-params",
            "x-lane-reason",
            "x-attempts",
            "retry-after",
            "anthropic-ratelimit-tokens-remaining",
            "x-ratelimit-reset-tokens",
            "x-gateway-estimated",
        ] {
            assert!(super::EXPOSED.split(", ").any(|exposed| exposed == name), "{name}");
        }
        let is_name = |name: &str| http::HeaderName::from_bytes(name.as_bytes()).is_ok();
        assert!(super::EXPOSED.split(", ").all(is_name), "{}", super::EXPOSED);
    }

    #[test]
    fn a_preflight_is_answered_and_a_plain_options_is_not() {
        let origins = config(&[("ALLOWED_ORIGIN", "https://a.example")]).origins;
        let preflight = |method: &str, origin: &str, asks: bool| {
            let mut request = Request::builder().method(method).uri("/v1/x").header("origin", origin);
            if asks {
                request = request
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "x-a");
            }
            origins.preflight(&request.body(()).unwrap().into_parts().0)
        };
        let granted = preflight("OPTIONS", "https://a.example", true).unwrap();
        assert_eq!(granted.status(), 204);
        assert_eq!(granted.headers()["access-control-allow-headers"], "x-a");
        let refused = preflight("OPTIONS", "https://b.example", true).unwrap();
        assert_eq!(refused.status(), 204);
        assert!(refused.headers().is_empty());
        assert!(preflight("OPTIONS", "https://a.example", false).is_none());
        assert!(preflight("POST", "https://a.example", true).is_none());
    }
}
