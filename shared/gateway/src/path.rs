//! The rules a path must keep before it may become part of a provider's URL.
//!
//! A path is checked on what servers could make of it and passed on exactly as it came: names arrive byte for byte, and
//! nothing climbs out of a service's base path. Decoding happens only here, only to look.

use std::borrow::Cow;

/// How many layers of percent-encoding are looked under. Honest clients use one, and a path with more than this many is
/// refused, so that a long run of `%2525…` cannot buy a decode per byte.
const LAYERS: usize = 3;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A `.` or `..` segment, plain or encoded.
    #[error("a path may not contain '.' or '..' segments, encoded or not")]
    Climbs,
    /// `//`, or the same with an encoded slash.
    #[error("a path may not contain empty segments ('//')")]
    Empty,
    /// A `%` that is not followed by two hex digits.
    #[error("a '%' must be followed by two hex digits")]
    BadPercent,
    /// Percent-encoding of percent-encoding, too deep to be a name.
    #[error("the path is percent-encoded too many times over")]
    TooDeep,
    /// A backslash or a control character, plain or encoded.
    #[error("a path may not contain backslashes or control characters, encoded or not")]
    Forbidden,
}

/// Checks `raw`, which starts with a slash, under every layer of its encoding.
///
/// # Errors
/// The first [`Flaw`] found.
pub fn check(raw: &str) -> Result<(), Flaw> {
    well_encoded(raw.as_bytes())?;
    let mut layer = Cow::Borrowed(raw.as_bytes());
    for _ in 0..=LAYERS {
        check_layer(&layer)?;
        match decoded(&layer) {
            Some(next) => layer = Cow::Owned(next),
            None => return Ok(()),
        }
    }
    Err(Flaw::TooDeep)
}

/// The path with one layer of encoding taken off, where it has one.
#[must_use]
pub fn decode(raw: &str) -> Cow<'_, str> {
    match decoded(raw.as_bytes()) {
        Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        None => Cow::Borrowed(raw),
    }
}

fn well_encoded(raw: &[u8]) -> Result<(), Flaw> {
    let good = memchr::memchr_iter(b'%', raw).all(|at| escape(raw, at).is_some());
    if good { Ok(()) } else { Err(Flaw::BadPercent) }
}

fn check_layer(path: &[u8]) -> Result<(), Flaw> {
    if path.iter().any(|&byte| byte == b'\\' || byte.is_ascii_control()) {
        return Err(Flaw::Forbidden);
    }
    let segments = path.strip_prefix(b"/").unwrap_or(path);
    let mut segments = segments.split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        check_segment(segment, last)?;
    }
    Ok(())
}

/// The last segment may be empty: a path may end in a slash.
fn check_segment(segment: &[u8], last: bool) -> Result<(), Flaw> {
    // `..;x` climbs on servers that cut parameters off a segment first (Tomcat and its kin).
    let name = segment.split(|&byte| byte == b';').next().unwrap_or(segment);
    match name {
        b"." | b".." => Err(Flaw::Climbs),
        _ if segment.is_empty() && !last => Err(Flaw::Empty),
        _ => Ok(()),
    }
}

/// One layer of encoding taken off; `None` where there is none. A `%` that encodes nothing stays as it is.
fn decoded(raw: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr_iter(b'%', raw).find(|&at| escape(raw, at).is_some())?;
    let mut plain = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        match escape(raw, at) {
            Some(hidden) => {
                plain.push(hidden);
                at += 3;
            }
            None => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    Some(plain)
}

/// The byte that `%xx` at `at` stands for.
fn escape(raw: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = raw.get(at..at + 3)? else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Flaw, check};

    #[test]
    fn names_of_every_kind_pass() {
        for path in [
            "/v1/chat/completions",
            "/v1/models/",
            "/v1/models/ft:gpt-4o:acme::abc",
            "/v1/models/meta-llama%2FLlama-3",
            "/ai/run/@cf/meta/llama",
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent",
            "/v1/files/a%20b%C3%A9.txt",
            "/v1/files/100%25",
            "/v1/files/...",
            "/v1/files/a..b",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn tricks_of_every_kind_are_refused() {
        for (path, flaw) in [
            ("/v1/../secret", Flaw::Climbs),
            ("/v1/./x", Flaw::Climbs),
            ("/v1/..", Flaw::Climbs),
            ("/v1/%2e%2E/secret", Flaw::Climbs),
            ("/v1/.%2e/secret", Flaw::Climbs),
            ("/v1/%252e%252e/secret", Flaw::Climbs),
            ("/v1/..%2fsecret", Flaw::Climbs),
            ("/v1/x%2f..%2f..%2fsecret", Flaw::Climbs),
            ("/v1/..;/secret", Flaw::Climbs),
            ("//evil.example/x", Flaw::Empty),
            ("/v1//x", Flaw::Empty),
            ("/v1/%2F%2Fevil", Flaw::Empty),
            ("/v1/%5c..%5csecret", Flaw::Forbidden),
            ("/v1\\..\\x", Flaw::Forbidden),
            ("/v1/%00", Flaw::Forbidden),
            ("/v1/a%0d%0ahost:x", Flaw::Forbidden),
            ("/v1/%zz", Flaw::BadPercent),
            ("/v1/%+1", Flaw::BadPercent),
            ("/v1/%2", Flaw::BadPercent),
            ("/v1/%25252525252561", Flaw::TooDeep),
        ] {
            assert_eq!(check(path), Err(flaw), "{path}");
        }
    }

    /// What a server that decodes twice and then resolves dot segments makes of a path.
    fn resolve(path: &str) -> Vec<Vec<u8>> {
        let mut bytes = path.as_bytes().to_vec();
        for _ in 0..2 {
            bytes = super::decoded(&bytes).unwrap_or(bytes);
        }
        let mut kept: Vec<Vec<u8>> = vec![b"base".to_vec()];
        for segment in bytes.split(|&byte| byte == b'/' || byte == b'\\') {
            match segment {
                b"" | b"." => {}
                b".." => drop(kept.pop()),
                name => kept.push(name.to_vec()),
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn nothing_that_passes_climbs_out_of_its_base(path in "(/|\\.|%2e|%2f|%5c|%25|2e|2f|a|;|\\\\){0,24}") {
            let path = format!("/{path}");
            if check(&path).is_ok() {
                let base = resolve(&path).into_iter().next();
                prop_assert_eq!(base.as_deref(), Some(&b"base"[..]));
            }
        }

        #[test]
        fn checking_never_panics(path in "\\PC{0,64}") {
            let _ = check(&path);
        }
    }
}
