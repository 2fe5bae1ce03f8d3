//! Patterns of names: `*` stands for any characters, none included; everything else for itself.

/// Whether a name fits a pattern.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    fits_by(pattern, name, |byte, named| byte == named)
}

/// Whether a name fits a pattern of which a byte that is no star stands for what the caller says. Takes no more than pattern
/// times name steps, whatever the pattern.
#[must_use]
pub fn fits_by(pattern: &str, name: &str, stands_for: impl Fn(u8, u8) -> bool) -> bool {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fits;

    #[test]
    fn a_star_stands_for_anything_and_the_rest_for_itself() {
        for (pattern, name, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "gpt-4o-mini", true),
            ("gpt-*", "xgpt-4o", false),
            ("*-mini", "gpt-4o-mini", true),
            ("*-mini", "gpt-4o-mini-x", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("gpt-?", "gpt-4", false),
            ("meta/*", "meta/llama/3", true),
            ("GPT-*", "gpt-4", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_fits_itself_and_whatever_is_cut_out_for_stars(before in "[a-z*]{0,9}", cut in ".{0,9}", after in "[a-z]{0,9}") {
            prop_assert!(fits(&before, &before));
            let pattern = format!("{before}*{after}");
            let name = format!("{before}{cut}{after}");
            prop_assert!(fits(&pattern, &name));
        }
    }
}
