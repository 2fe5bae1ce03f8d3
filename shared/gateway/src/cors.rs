//! Which pages of other origins may call, and what they may read of an answer.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::body::{Body, empty};

/// What a page may read beside the headers that every page may.
const EXPOSED: &str = "x-request-id, x-gateway-request-id, x-provider-request-id, x-processing-mode, x-lane-reason, \
     x-processing-time, x-gateway-version, x-attempts, x-error-source, x-should-retry, retry-after, request-id, \
     openai-processing-ms, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, \
     x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens";

/// The origins that `ALLOWED_ORIGIN` lets in; none unless it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// `*`: any page, without cookies.
    Any,
    /// These, in lower case.
    Listed(Vec<String>),
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
        if matches!(self, Self::Listed(listed) if !listed.is_empty()) {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        let Some(allowed) = self.admits(origin) else { return };
        if *self != Self::Any {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }

    fn admits(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin?;
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Listed(listed) => {
                let told = origin.to_str().ok()?.to_ascii_lowercase();
                listed.contains(&told).then(|| origin.clone())
            }
        }
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
