//! Patterns of model names: `*` is any text, none included; `#` a digit; everything else itself.

use twinlane_glob::fits_by;

/// Whether a name fits a pattern, and none of those that follow it after a `!`.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('!');
    let wanted = parts.next().unwrap_or_default();
    let fits = |pattern: &str| fits_by(pattern, name, stands_for);
    fits(wanted) && !parts.any(fits)
}

fn stands_for(pattern: u8, byte: u8) -> bool {
    if pattern == b'#' { byte.is_ascii_digit() } else { pattern == byte }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_is_any_text_a_hash_a_digit_and_an_exclamation_mark_excludes() {
        for (pattern, name, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-", true),
            ("*-mini", "gpt-4o-mini", true),
            ("*-mini", "gpt-4o-mini-x", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("*", "", true),
            ("", "a", false),
            ("opus-5-####", "opus-5-2026", true),
            ("opus-5-####", "opus-5-late", false),
            ("pro*!*-tts!*-tts-*", "pro-001", true),
            ("pro*!*-tts!*-tts-*", "pro-tts", false),
            ("pro*!*-tts!*-tts-*", "pro-tts-001", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
