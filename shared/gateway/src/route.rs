//! Says where a request's path leads: to a page of the gateway's own, or to a service.

use http::{HeaderMap, Method, Uri};

use crate::{Error, path};

/// Below which of the gateway's addresses a call came, which is also the language its errors are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `/gateway/…`
    Gateway,
    /// `/v1/…`, from an OpenAI-shaped client.
    V1,
    /// `/v1/…`, from an Anthropic-shaped client.
    V1Anthropic,
    /// `/v1beta/…`, from a Gemini-shaped client.
    V1Gemini,
}

impl Surface {
    /// Recognises the surface before anything else is known of the call, so that every error can be told in its language.
    #[must_use]
    pub fn of(path: &str, headers: &HeaderMap) -> Self {
        let path = below_function(path);
        match below(path, "/v1") {
            None if below(path, "/v1beta").is_some() => Self::V1Gemini,
            None => Self::Gateway,
            Some(rest) if rest.starts_with("/models/") && rest.contains("enerateContent") => Self::V1Gemini,
            Some(rest) if rest.starts_with("/messages") || headers.contains_key("anthropic-version") => {
                Self::V1Anthropic
            }
            Some(_) => Self::V1,
        }
    }
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// A page the gateway answers itself.
    Page(Page),
    /// A service by its alias, and the path below it, with its leading slash.
    Service(&'a str, &'a str),
    /// The unified API, and the path as its clients know it.
    Unified(&'a str),
    /// The administrator's pages.
    Admin(&'a str),
}

/// A page of the gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Whether the gateway is up.
    Health,
    /// Whether the gateway is up, in as few words as a probe needs.
    Alive,
    /// The services there are.
    Services,
    /// What the platform and the settings allow.
    Limits,
    /// What is well and what is wrong with this deployment.
    Doctor,
    /// What Prometheus comes to read.
    Metrics,
}

/// The addresses of the pages.
pub const PAGES: &[(&str, Page)] = &[
    ("/health", Page::Health),
    ("/healthz", Page::Alive),
    ("/gateway/health", Page::Health),
    ("/gateway/services", Page::Services),
    ("/gateway/doctor", Page::Doctor),
    ("/limits", Page::Limits),
    ("/metrics", Page::Metrics),
];

/// Names below `/gateway/` that are pages, and so cannot be aliases of services.
pub const RESERVED: [&str; 3] = ["health", "services", "doctor"];

impl<'a> Route<'a> {
    /// Reads the path of `uri`. Its host, where an absolute-form target has one, is ignored: no caller chooses a host.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::NotFound`], [`Error::MalformedPath`] or [`Error::BadPath`].
    pub fn of(method: &Method, uri: &'a Uri) -> Result<Self, Error> {
        if matches!(*method, Method::CONNECT | Method::TRACE) {
            return Err(Error::Connect);
        }
        let path = below_function(uri.path());
        if let Some((_, page)) = PAGES.iter().find(|(address, _)| *address == path) {
            return Ok(Self::Page(*page));
        }
        if let Some(rest) = below(path, "/gateway") {
            return Self::service(rest);
        }
        if below(path, "/admin").is_some() {
            return Ok(Self::Admin(path));
        }
        let rest = below(path, "/v1").or_else(|| below(path, "/v1beta"));
        rest.filter(|rest| rest.len() > 1).ok_or(Error::NotFound)?;
        path::check(path)?;
        Ok(Self::Unified(path))
    }

    fn service(rest: &'a str) -> Result<Self, Error> {
        let rest = rest.strip_prefix('/').ok_or(Error::MalformedPath)?;
        let slash = rest.find('/').ok_or(Error::MalformedPath)?;
        let (alias, path) = rest.split_at(slash);
        if !is_alias(alias) {
            return Err(Error::MalformedPath);
        }
        path::check(path)?;
        Ok(Self::Service(alias, path))
    }
}

/// Whether a word can be the alias of a service.
#[must_use]
pub fn is_alias(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !word.is_empty() && word.len() <= 64 && word.bytes().all(plain) && !word.starts_with('.')
}

/// The path as it was before a platform's own address of a function: Vercel's functions can be called below theirs.
pub(crate) fn below_function(path: &str) -> &str {
    ["/api/background", "/api/gateway"].iter().find_map(|function| below(path, function)).unwrap_or(path)
}

/// Whether a path is an administrator's, which no page of another origin has any business with.
pub(crate) fn is_admin(path: &str) -> bool {
    below(below_function(path), "/admin").is_some()
}

/// What follows `prefix`, where `path` is below it.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Uri};

    use super::{Page, Route, Surface};

    fn check(target: &str, expected: &Route<'_>) {
        let uri: Uri = target.parse().unwrap();
        assert_eq!(&Route::of(&Method::GET, &uri).expect(target), expected, "{target}");
    }

    fn status(target: &str) -> u16 {
        let uri: Uri = target.parse().unwrap();
        Route::of(&Method::GET, &uri).expect_err(target).status().as_u16()
    }

    #[test]
    fn paths_lead_to_pages_and_services() {
        check("/health", &Route::Page(Page::Health));
        check("/gateway/health", &Route::Page(Page::Health));
        check("/healthz", &Route::Page(Page::Alive));
        check("/gateway/services", &Route::Page(Page::Services));
        check("/gateway/openai/v1/models", &Route::Service("openai", "/v1/models"));
        check("/gateway/openai/", &Route::Service("openai", "/"));
        check("/v1/chat/completions", &Route::Unified("/v1/chat/completions"));
        check("/api/background/gateway/x/y", &Route::Service("x", "/y"));
        check("/api/background/v1/files", &Route::Unified("/v1/files"));
    }

    #[test]
    fn an_absolute_target_chooses_no_host() {
        check("http://evil.example/gateway/openai/v1/models", &Route::Service("openai", "/v1/models"));
    }

    #[test]
    fn malformed_paths_are_400_and_unknown_ones_404() {
        for target in [
            "/gateway",
            "/gateway/",
            "/gateway/openai",
            "/gateway//v1/x",
            "/gateway/open%61i/x",
            "/gateway/%2e%2e/x",
        ] {
            assert_eq!(status(target), 400, "{target}");
        }
        for target in ["/", "/v1", "/v1/", "/v2/x", "/gatewayx/openai/v1", "/healthy"] {
            assert_eq!(status(target), 404, "{target}");
        }
        assert_eq!(status("/v1/../x"), 400);
        assert_eq!(status("/gateway/openai/v1/%2e%2e/x"), 400);
    }

    #[test]
    fn the_surface_is_known_by_path_and_version_header() {
        let none = HeaderMap::new();
        let versioned =
            HeaderMap::from_iter([("anthropic-version".parse().unwrap(), "2023-06-01".parse().unwrap())]);
        assert_eq!(Surface::of("/gateway/claude/v1/messages", &versioned), Surface::Gateway);
        assert_eq!(Surface::of("/v1/chat/completions", &none), Surface::V1);
        assert_eq!(Surface::of("/v1/messages", &none), Surface::V1Anthropic);
        assert_eq!(Surface::of("/v1/models", &versioned), Surface::V1Anthropic);
        assert_eq!(Surface::of("/api/background/v1/messages", &none), Surface::V1Anthropic);
    }
}
