//! What several fuzz targets need.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Splits an input into what is to be read and, from its last bytes, into which pieces that is cut on its way.
#[must_use]
pub fn cut(input: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (whole, cuts) = input.split_at(input.len().saturating_sub(16));
    let (mut pieces, mut rest) = (Vec::new(), whole);
    for &cut in cuts {
        let (piece, more) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    (whole, pieces)
}

/// One runtime for all inputs of a process. Its clocks do not stop, but nothing in a target waits for them.
///
/// # Panics
/// When there can be none.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_current_thread().enable_time().build().expect("a runtime"))
}

/// Takes one layer of percent-encoding off, by no rule of the gateway's own.
#[must_use]
pub fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let hidden = match after {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        plain.push(hidden.unwrap_or(*first));
        rest = if hidden.is_some() { &after[2..] } else { after };
    }
    plain
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
