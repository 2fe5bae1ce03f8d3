//! Cuts a text into the pieces that are tokenized one by one, as OpenAI's patterns do.
//!
//! tiktoken describes the cuts by two regular expressions with a look-ahead. They are written out here by hand: the
//! `regex` crate would add 1.7 MB to a function, twice what the vocabulary takes. Each function below is one alternative
//! of the pattern, tried in its order; the tests compare them with tiktoken's own pattern on any text.

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::Encoding;

/// What a character is to the patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `\p{Lu}\p{Lt}`
    Upper,
    /// `\p{Ll}`
    Lower,
    /// `\p{Lm}\p{Lo}`: letters without case.
    Caseless,
    /// `\p{M}`
    Mark,
    /// `\p{N}`
    Number,
    /// `\r\n`
    Newline,
    /// The rest of `\s`.
    Space,
    /// Everything else.
    Sign,
}

impl Kind {
    fn of(c: char) -> Self {
        if c.is_ascii() { Self::of_ascii(c) } else { Self::of_unicode(c) }
    }

    fn of_ascii(c: char) -> Self {
        match c {
            'a'..='z' => Self::Lower,
            'A'..='Z' => Self::Upper,
            '0'..='9' => Self::Number,
            '\r' | '\n' => Self::Newline,
            '\t' | '\x0b' | '\x0c' | ' ' => Self::Space,
            _ => Self::Sign,
        }
    }

    fn of_unicode(c: char) -> Self {
        use GeneralCategory as G;
        match get_general_category(c) {
            G::UppercaseLetter | G::TitlecaseLetter => Self::Upper,
            G::LowercaseLetter => Self::Lower,
            G::ModifierLetter | G::OtherLetter => Self::Caseless,
            G::NonspacingMark | G::SpacingMark | G::EnclosingMark => Self::Mark,
            G::DecimalNumber | G::LetterNumber | G::OtherNumber => Self::Number,
            _ if c.is_whitespace() => Self::Space,
            _ => Self::Sign,
        }
    }

    fn is_letter(self) -> bool {
        matches!(self, Self::Upper | Self::Lower | Self::Caseless)
    }

    fn is_space(self) -> bool {
        matches!(self, Self::Space | Self::Newline)
    }

    fn is_number(self) -> bool {
        self == Self::Number
    }

    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
    fn is_upperish(self) -> bool {
        matches!(self, Self::Upper | Self::Caseless | Self::Mark)
    }

    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
    fn is_lowerish(self) -> bool {
        matches!(self, Self::Lower | Self::Caseless | Self::Mark)
    }

    /// `[^\r\n\p{L}\p{N}]`: what may stand before a word and belong to it.
    fn leads(self) -> bool {
        !(self.is_letter() || self.is_number() || self == Self::Newline)
    }

    /// `[^\s\p{L}\p{N}]`
    fn is_sign(self) -> bool {
        matches!(self, Self::Sign | Self::Mark)
    }
}

/// The pieces of a text, in order; together they are the text.
pub(crate) fn pieces(encoding: Encoding, text: &str) -> impl Iterator<Item = &str> {
    let first = match encoding {
        Encoding::O200k => first_o200k,
        Encoding::Cl100k => first_cl100k,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let length = first(rest)?;
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(piece)
    })
}

/// The length of the first piece; `None` at the end of the text.
fn first_o200k(text: &str) -> Option<usize> {
    let kind = Kind::of(text.chars().next()?);
    cased_word(text)
        .or_else(|| digits(text, kind))
        .or_else(|| signs(text, |c| matches!(c, '\r' | '\n' | '/')))
        .or_else(|| spaces(text))
}

/// Likewise in the older pattern.
fn first_cl100k(text: &str) -> Option<usize> {
    let kind = Kind::of(text.chars().next()?);
    contraction(text)
        .or_else(|| word(text))
        .or_else(|| digits(text, kind))
        .or_else(|| signs(text, |c| matches!(c, '\r' | '\n')))
        .or_else(|| spaces(text))
}

/// `[^\r\n\p{L}\p{N}]?[upperish]*[lowerish]+('s|…)?`, else the same with `[upperish]+[lowerish]*`.
fn cased_word(text: &str) -> Option<usize> {
    let end = word_starts(text)
        .find_map(|start| lower_end(text, start))
        .or_else(|| word_starts(text).find_map(|start| upper_end(text, start)))?;
    Some(end + contraction(&text[end..]).unwrap_or(0))
}

/// Where a word may begin: after a leading character, then, should that fail, with it.
fn word_starts(text: &str) -> impl Iterator<Item = usize> + use<> {
    let first = text.chars().next();
    let after = first.filter(|c| Kind::of(*c).leads()).map(char::len_utf8);
    after.into_iter().chain([0])
}

/// `[upperish]*[lowerish]+`. Where nothing lower follows, the last letter or mark without case serves as such.
fn lower_end(text: &str, start: usize) -> Option<usize> {
    let upper = run(text, start, Kind::is_upperish);
    let lower = run(text, upper, Kind::is_lowerish);
    if lower > upper {
        return Some(lower);
    }
    let (at, c) = text[start..upper].char_indices().rfind(|(_, c)| Kind::of(*c).is_lowerish())?;
    Some(start + at + c.len_utf8())
}

/// `[upperish]+[lowerish]*`, tried only where [`lower_end`] found nothing lower.
fn upper_end(text: &str, start: usize) -> Option<usize> {
    let end = run(text, start, Kind::is_upperish);
    (end > start).then_some(end)
}

/// `[^\r\n\p{L}\p{N}]?\p{L}+`
fn word(text: &str) -> Option<usize> {
    let start = word_starts(text).next()?;
    let end = run(text, start, Kind::is_letter);
    (end > start).then_some(end)
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`; without regard to case, `ſ` is an s.
fn contraction(text: &str) -> Option<usize> {
    let mut chars = text.strip_prefix('\'')?.chars();
    let first = chars.next()?;
    match (first.to_ascii_lowercase(), chars.next().map(|c| c.to_ascii_lowercase())) {
        ('s' | 't' | 'm' | 'd' | 'ſ', _) => Some(1 + first.len_utf8()),
        ('r' | 'v', Some('e')) | ('l', Some('l')) => Some(3),
        _ => None,
    }
}

/// `\p{N}{1,3}`
fn digits(text: &str, first: Kind) -> Option<usize> {
    first
        .is_number()
        .then(|| text.chars().take(3).take_while(|c| Kind::of(*c).is_number()).map(char::len_utf8).sum())
}

/// ` ?[^\s\p{L}\p{N}]+` and the line ends after it.
fn signs(text: &str, ends: impl Fn(char) -> bool) -> Option<usize> {
    let start = usize::from(text.starts_with(' '));
    let end = run(text, start, Kind::is_sign);
    let tail = text[end..].find(|c| !ends(c)).unwrap_or(text.len() - end);
    (end > start).then_some(end + tail)
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last newline; else all but the last space, which belongs to the next word.
fn spaces(text: &str) -> Option<usize> {
    let end = run(text, 0, Kind::is_space);
    let run = &text[..end];
    if let Some(newline) = run.rfind(['\r', '\n']) {
        return Some(newline + 1);
    }
    let (last, _) = run.char_indices().next_back()?;
    Some(if end == text.len() || last == 0 { end } else { last })
}

/// Where the run of such characters that begins at `start` ends.
fn run(text: &str, start: usize, belongs: impl Fn(Kind) -> bool) -> usize {
    text[start..].find(|c| !belongs(Kind::of(c))).map_or(text.len(), |length| start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoding: Encoding, text: &str, expected: &[&str]) {
        assert_eq!(pieces(encoding, text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_take_the_space_before_them() {
        check(Encoding::O200k, "Hello world, don't", &["Hello", " world", ",", " don't"]);
        check(Encoding::Cl100k, "Hello world, don't", &["Hello", " world", ",", " don", "'t"]);
    }

    #[test]
    fn the_newer_pattern_cuts_at_a_change_of_case() {
        check(Encoding::O200k, "camelCase HTTPServer", &["camel", "Case", " HTTPServer"]);
        check(Encoding::Cl100k, "camelCase", &["camelCase"]);
    }

    #[test]
    fn digits_come_by_three() {
        check(Encoding::O200k, "12345678", &["123", "456", "78"]);
    }

    #[test]
    fn the_last_space_of_a_run_belongs_to_the_word() {
        check(Encoding::O200k, "a   b", &["a", "  ", " b"]);
        check(Encoding::O200k, "a \n\n  b  ", &["a", " \n\n", " ", " b", "  "]);
    }

    #[test]
    fn a_path_keeps_its_slash_in_the_newer_pattern_only() {
        check(Encoding::O200k, "a.\n/b", &["a", ".\n/", "b"]);
        check(Encoding::Cl100k, "a.\n/b", &["a", ".\n", "/b"]);
    }

    /// OpenAI's tiktoken does so; the crate of that name, which the other tests compare with, forgets it in o200k.
    #[test]
    fn a_long_s_is_an_s() {
        check(Encoding::O200k, "a'ſ'da", &["a'ſ", "'da"]);
        check(Encoding::Cl100k, "a'ſ'da", &["a", "'ſ", "'d", "a"]);
    }

    #[test]
    fn nothing_has_no_pieces() {
        check(Encoding::O200k, "", &[]);
    }
}
