//! Patterns of paths.

use twinlane_glob::fits;

/// Whether a path fits a pattern; one without a star also stands for everything below it.
pub(crate) fn fits_path(pattern: &str, path: &str) -> bool {
    if pattern.contains('*') {
        return fits(pattern, path);
    }
    let folder = pattern.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
}

#[cfg(test)]
mod tests {
    use super::fits_path;

    #[test]
    fn a_path_without_a_star_stands_for_what_is_below_it() {
        for (pattern, path, expected) in [
            ("/v1/chat", "/v1/chat/completions", true),
            ("/v1/chat/", "/v1/chat", true),
            ("/v1/chat", "/v1/chatter", false),
            ("/v1/models", "/v1/models/gpt-4o", true),
            ("/v1beta/models/g", "/v1beta/models/g:generateContent", true),
            ("/v1/*/completions", "/v1/chat/completions", true),
            ("/v1/*/completions", "/v1/chat/completions/x", false),
            ("/", "/v1/anything", true),
        ] {
            assert_eq!(fits_path(pattern, path), expected, "{pattern} {path}");
        }
    }
}
