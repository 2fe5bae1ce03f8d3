//! What a grant covers. Each question is asked where its answer is known: origins and paths on the head, services and
//! models once the call is understood, the length of an answer once its body is read.

use std::fmt;

use twinlane_glob::fits;

use crate::glob::fits_path;
use crate::grant::Grant;

/// What of a call a grant can restrict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The page that calls.
    Origin,
    /// The path below the service.
    Path,
    /// The service.
    Service,
    /// The model.
    Model,
    /// How long an answer may be.
    MaxTokens,
}

impl Scope {
    /// The scope's name, as a token's maker writes it and an error tells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Path => "path",
            Self::Service => "service",
            Self::Model => "model",
            Self::MaxTokens => "max_tokens",
        }
    }
}

/// A call that a grant does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// What the grant restricts.
    pub scope: Scope,
    /// What the call is about, in a few words.
    pub what: String,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "This token's scope '{}' does not cover {}", self.scope.as_str(), self.what)
    }
}

type Covered = Result<(), Outside>;

impl Grant {
    /// Whether a page of this origin may call. Where origins are listed, a request that tells none is no page's.
    ///
    /// # Errors
    /// [`Outside`].
    pub fn covers_origin(&self, origin: Option<&str>) -> Covered {
        let listed = |origin: &str| self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin));
        let covered = self.origins.is_empty() || origin.is_some_and(listed);
        covered_or(covered, Scope::Origin, || match origin {
            Some(origin) => format!("pages of '{}'", cut(origin)),
            None => "a request that names no origin".to_owned(),
        })
    }

    /// Whether a path below a service may be called.
    ///
    /// # Errors
    /// [`Outside`].
    pub fn covers_path(&self, path: &str) -> Covered {
        let covered = self.paths.is_empty() || self.paths.iter().any(|pattern| fits_path(pattern, path));
        covered_or(covered, Scope::Path, || format!("the path '{}'", cut(path)))
    }

    /// Whether a service may be called.
    ///
    /// # Errors
    /// [`Outside`].
    pub fn covers_service(&self, alias: &str) -> Covered {
        let covered = self.services.is_empty() || self.services.iter().any(|known| known == alias);
        covered_or(covered, Scope::Service, || format!("the service '{}'", cut(alias)))
    }

    /// Whether a model of a service may be asked. A pattern is about the provider's own name of the model; one with a
    /// slash may also have the service before it.
    ///
    /// # Errors
    /// [`Outside`].
    pub fn covers_model(&self, service: &str, model: &str) -> Covered {
        let whole = format!("{service}/{model}");
        let is_covered =
            |pattern: &String| fits(pattern, model) || (pattern.contains('/') && fits(pattern, &whole));
        let covered = self.models.is_empty() || self.models.iter().any(is_covered);
        covered_or(covered, Scope::Model, || format!("the model '{}'", cut(&whole)))
    }

    /// Whether the operator's own name for a list of models may be asked for.
    #[must_use]
    pub fn covers_alias(&self, alias: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|pattern| fits(pattern, alias))
    }

    /// Whether answers of this length may be asked for; `None`: a call that does not say how long.
    ///
    /// # Errors
    /// [`Outside`].
    pub fn covers_length(&self, asked: Option<u64>) -> Covered {
        let Some(most) = self.max_tokens else { return Ok(()) };
        covered_or(asked.is_some_and(|asked| asked <= most), Scope::MaxTokens, || match asked {
            Some(asked) => format!("{asked} tokens in one answer: ask for at most {most}"),
            None => format!("an answer of any length: ask for at most {most} tokens"),
        })
    }
}

fn covered_or(covered: bool, scope: Scope, what: impl FnOnce() -> String) -> Covered {
    if covered { Ok(()) } else { Err(Outside { scope, what: what() }) }
}

/// What a stranger sent, short enough to be told back.
fn cut(text: &str) -> String {
    let short: String = text.chars().filter(|char| !char.is_control()).take(100).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use crate::Grant;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    fn grant() -> Grant {
        Grant {
            services: list(&["openai", "claude"]),
            models: list(&["gpt-*", "claude/claude-3*"]),
            paths: list(&["/v1/chat", "/v1/m*"]),
            origins: list(&["https://app.example"]),
            max_tokens: Some(1000),
            ..Grant::default()
        }
    }

    #[test]
    fn an_empty_grant_covers_everything() {
        let grant = Grant::default();
        for covered in [
            grant.covers_origin(None),
            grant.covers_path("/x"),
            grant.covers_service("x"),
            grant.covers_model("x", ""),
            grant.covers_length(None),
            grant.covers_length(Some(u64::MAX)),
        ] {
            assert_eq!(covered, Ok(()));
        }
    }

    #[test]
    fn each_scope_covers_what_it_lists_and_names_itself_otherwise() {
        let grant = grant();
        for (asked, expected) in [
            (grant.covers_origin(Some("https://APP.example")), None),
            (grant.covers_origin(Some("https://app.example.evil")), Some(Scope::Origin)),
            (grant.covers_origin(Some("null")), Some(Scope::Origin)),
            (grant.covers_origin(None), Some(Scope::Origin)),
            (grant.covers_path("/v1/chat/completions"), None),
            (grant.covers_path("/v1/messages"), None),
            (grant.covers_path("/v1/files"), Some(Scope::Path)),
            (grant.covers_service("claude"), None),
            (grant.covers_service("gemini"), Some(Scope::Service)),
            (grant.covers_model("openai", "gpt-4o"), None),
            (grant.covers_model("openai", "o3"), Some(Scope::Model)),
            (grant.covers_model("claude", "claude-3-haiku"), None),
            (grant.covers_model("other", "claude-3-haiku"), Some(Scope::Model)),
            (grant.covers_model("gpt-proxy", "opus"), Some(Scope::Model)),
            (grant.covers_length(Some(1000)), None),
            (grant.covers_length(Some(1001)), Some(Scope::MaxTokens)),
            (grant.covers_length(None), Some(Scope::MaxTokens)),
        ] {
            assert_eq!(asked.as_ref().err().map(|outside| outside.scope), expected, "{asked:?}");
        }
    }

    #[test]
    fn what_is_told_is_short_and_plain() {
        let told = grant().covers_path(&format!("/\n{}", "x".repeat(5000))).unwrap_err().to_string();
        assert!(told.len() < 250 && !told.contains('\n'), "{told}");
    }
}
