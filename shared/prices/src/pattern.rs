//! Patterns of model names: `*` is any text, none included; `#` a digit; everything else itself.

/// Whether a name fits a pattern, and none of those that follow it after a `!`.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('!');
    let wanted = parts.next().unwrap_or_default();
    fits_one(wanted, name) && !parts.any(|unwanted| fits_one(unwanted, name))
}

/// Takes no more than pattern times name steps, whatever the pattern.
fn fits_one(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut from) = (0, 0);
    // Where to go on when what follows the last star did not fit: after that star, one byte further in the name.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at + 1, from));
                at += 1;
            }
            (Some(byte), _) if stands_for(*byte, name[from]) => {
                at += 1;
                from += 1;
            }
            (_, Some((after, begun))) => {
                star = Some((after, begun + 1));
                (at, from) = (after, begun + 1);
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
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
