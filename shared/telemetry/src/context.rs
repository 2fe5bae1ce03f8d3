//! Which trace a call belongs to: the W3C's `traceparent`, read and written.

use std::fmt::Write;

/// The span that a caller says its call is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace: [u8; 16],
    /// The span in it.
    pub span: [u8; 8],
    /// The trace's flags.
    flags: u8,
}

/// The caller records this trace.
const SAMPLED: u8 = 1;
/// The trace's id is random, which samplers further on may rely on.
const RANDOM: u8 = 2;

impl Parent {
    /// Reads a `traceparent`; `None` where it is not one, for which the W3C wants a new trace.
    #[must_use]
    pub fn read(header: &str) -> Option<Self> {
        let (version, rest) = (unhex::<1>(header.get(..2)?)?, header.get(2..)?);
        let mut parts = rest.strip_prefix('-')?.split('-');
        let (trace, span) = (unhex(parts.next()?)?, unhex(parts.next()?)?);
        let flags = unhex::<1>(parts.next()?)?[0];
        // Only a later version may go on after that.
        let ends = version[0] != 0 || parts.next().is_none();
        let valid = version[0] != 0xff && trace != [0; 16] && span != [0; 8] && ends;
        valid.then_some(Self { trace, span, flags })
    }

    /// Whether the caller records it.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

/// The span of a call, and its place in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: [u8; 16],
    /// The call's own span.
    pub span: [u8; 8],
    /// The caller's span.
    pub parent: Option<[u8; 8]>,
    /// What other systems noted of the trace, passed on as it came.
    pub state: String,
    /// The trace's flags.
    pub(crate) flags: u8,
}

impl TraceContext {
    /// The span of a call that is part of its caller's.
    #[must_use]
    pub fn within(parent: Parent, span: [u8; 8], state: String, sampled: bool) -> Self {
        let flags = parent.flags & RANDOM | u8::from(sampled);
        Self { trace: parent.trace, span, parent: Some(parent.span), state, flags }
    }

    /// The first span of a trace.
    #[must_use]
    pub fn root(trace: [u8; 16], span: [u8; 8], sampled: bool) -> Self {
        Self { trace, span, parent: None, state: String::new(), flags: u8::from(sampled) }
    }

    /// Whether the span is told to the collector.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The `traceparent` for those whom the call goes on to.
    #[must_use]
    pub fn header(&self) -> String {
        format!("00-{}-{}-{:02x}", hex(&self.trace), hex(&self.span), self.flags)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes of exactly as many digits, in lower case: the W3C allows no other.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 2 * N || !text.bytes().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Parent, TraceContext};

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_caller_s_span_is_read_and_any_other_text_is_none() {
        let parent = Parent::read(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        assert!(parent.is_sampled() && parent.span[1] == 0xf0 && parent.trace[0] == 0x4b);
        assert!(!Parent::read(&format!("00-{TRACE}-{SPAN}-02")).unwrap().is_sampled());
        assert!(Parent::read(&format!("cc-{TRACE}-{SPAN}-01-what-the-future-adds")).is_some());
        for bad in [
            "",
            "é",
            &format!("00-{TRACE}-{SPAN}-01-x"),
            &format!("00-{TRACE}-{SPAN}"),
            &format!("ff-{TRACE}-{SPAN}-01"),
            &format!("00-{}-{SPAN}-01", "0".repeat(32)),
            &format!("00-{TRACE}-{}-01", "0".repeat(16)),
            &format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}-{SPAN}-+1"),
            &format!("00-{TRACE}x-{SPAN}-01"),
        ] {
            assert_eq!(Parent::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_call_s_span_takes_the_place_of_its_caller_s_in_the_same_trace() {
        let parent = Parent::read(&format!("00-{TRACE}-{SPAN}-03")).unwrap();
        let context = TraceContext::within(parent, [7; 8], "a=b".to_owned(), true);
        assert_eq!(context.header(), format!("00-{TRACE}-0707070707070707-03"));
        assert_eq!(context.parent, Some(parent.span));
        let unsampled = TraceContext::within(parent, [7; 8], String::new(), false);
        assert_eq!(unsampled.header(), format!("00-{TRACE}-0707070707070707-02"));
        assert_eq!(TraceContext::root([1; 16], [2; 8], true).parent, None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(trace in any::<[u8; 16]>(), span in any::<[u8; 8]>(), sampled in any::<bool>()) {
            let context = TraceContext::root(trace, span, sampled);
            let read = Parent::read(&context.header());
            prop_assert_eq!(read.is_some(), trace != [0; 16] && span != [0; 8]);
            if let Some(parent) = read {
                prop_assert_eq!((parent.trace, parent.span, parent.is_sampled()), (trace, span, sampled));
            }
        }

        #[test]
        fn no_text_is_too_odd_to_be_read(text in ".{0,80}") {
            let _ = Parent::read(&text);
        }
    }
}
