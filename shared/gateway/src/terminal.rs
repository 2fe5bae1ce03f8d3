//! Knows whether an event stream has come to its protocol's end, so that one that merely stops is not taken for whole.
//!
//! A tee: it looks at the bytes as they pass, copies none but a few at each seam, and stops looking once the end is
//! there. What it looks for are JSON keys and values in plain quotes; inside a string of the model's making the quotes
//! are escaped, so no answer can talk its way to an end.

use memchr::memmem;

use crate::inband::Protocol;

/// Longer than anything looked for, with the white space a provider may put in.
const SEAM: usize = 64;

/// Watches one stream for its end.
#[derive(Debug)]
pub struct Terminal {
    protocol: Protocol,
    ended: bool,
    /// The last bytes seen, before which anything looked for has been found already.
    seam: Vec<u8>,
}

impl Terminal {
    /// A watch over a stream of a protocol.
    #[must_use]
    pub fn of(protocol: Protocol) -> Self {
        // A stream begins at the beginning of a line.
        Self { protocol, ended: protocol == Protocol::Other, seam: b"\n".to_vec() }
    }

    /// Looks at the next bytes of the stream.
    pub fn see(&mut self, data: &[u8]) {
        if self.ended {
            return;
        }
        self.seam.extend_from_slice(&data[..data.len().min(SEAM)]);
        self.ended = self.is_end(&self.seam) || self.is_end(data);
        if data.len() > SEAM {
            self.seam.clear();
            self.seam.extend_from_slice(&data[data.len() - SEAM..]);
        } else {
            let known = self.seam.len().saturating_sub(SEAM);
            self.seam.drain(..known);
        }
    }

    /// Whether the end has been seen. A stream of a protocol we do not know has always ended properly.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn is_end(&self, data: &[u8]) -> bool {
        // Providers tell an error in many shapes, and say `"error": null` where there is none.
        let told_error = has_value(data, b"\"error\"", b"{\"")
            || has_type(data, b"\"error\"")
            || has_line(data, b"[DONE]");
        let ended = match self.protocol {
            Protocol::Chat => has_value(data, b"\"finish_reason\"", b"\""),
            Protocol::Messages => has_type(data, b"\"message_stop\""),
            Protocol::Responses => RESPONSE_ENDS.iter().any(|end| has_type(data, end)),
            Protocol::Gemini => {
                has_value(data, b"\"finishReason\"", b"\"") || has_value(data, b"\"blockReason\"", b"\"")
            }
            Protocol::Other => true,
        };
        ended || told_error
    }
}

/// The types of the events after which a response has nothing more to say.
const RESPONSE_ENDS: [&[u8]; 3] =
    [b"\"response.completed\"", b"\"response.incomplete\"", b"\"response.failed\""];

/// Whether an event has this type.
fn has_type(data: &[u8], wanted: &[u8]) -> bool {
    values(data, b"\"type\"").any(|value| value.starts_with(wanted))
}

/// What stands after each occurrence of a key and its colon.
fn values<'a>(data: &'a [u8], key: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    memmem::find_iter(data, key).map(move |at| {
        let after = data[at + key.len()..].trim_ascii_start();
        after.strip_prefix(b":").unwrap_or_default().trim_ascii_start()
    })
}

/// Whether a key is followed by a value that begins with one of `first`: `null` and an empty string are no reasons.
fn has_value(data: &[u8], key: &[u8], first: &[u8]) -> bool {
    values(data, key).any(|value| match value {
        [b'"', b'"', ..] | [b'"'] | [] => false,
        [begin, ..] => first.contains(begin),
    })
}

/// Whether a line's data is exactly `wanted`.
fn has_line(data: &[u8], wanted: &[u8]) -> bool {
    memmem::find_iter(data, wanted).any(|at| {
        let before = data[..at].trim_ascii_end();
        before.strip_suffix(b"data:").is_some_and(|before| matches!(before.last(), Some(b'\n' | b'\r')))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Terminal;
    use crate::inband::Protocol;

    fn ends(protocol: Protocol, pieces: &[&[u8]]) -> bool {
        let mut terminal = Terminal::of(protocol);
        pieces.iter().for_each(|piece| terminal.see(piece));
        terminal.has_ended()
    }

    const ENDS: [(Protocol, &str); 15] = [
        (Protocol::Chat, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"),
        (Protocol::Chat, "data: {\"choices\":[{\"delta\":{},\"finish_reason\" : \"length\"}]}\n\n"),
        (Protocol::Chat, "data: [DONE]\n\n"),
        (Protocol::Chat, "data: {}\r\n\r\ndata:[DONE]\r\n\r\n"),
        (Protocol::Chat, "data: {\"error\": {\"message\":\"overloaded\"}}\n\n"),
        (Protocol::Messages, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
        (Protocol::Messages, "event: error\ndata: {\"type\": \"error\",\"error\":{}}\n\n"),
        (Protocol::Responses, "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n"),
        (Protocol::Responses, "data: {\"type\":\"response.incomplete\"}\n\n"),
        (Protocol::Responses, "data: {\"type\":\"response.failed\"}\n\n"),
        (Protocol::Responses, "data: {\"type\":\"error\",\"code\":null,\"message\":\"overloaded\"}\n\n"),
        (Protocol::Responses, "data: {}\n\ndata: [DONE]\n\n"),
        (Protocol::Gemini, "data: {\"candidates\": [{\"finishReason\": \"STOP\"}]}\r\n\r\n"),
        (Protocol::Gemini, "data: {\"promptFeedback\": {\"blockReason\": \"SAFETY\"}}\r\n\r\n"),
        (Protocol::Other, ""),
    ];

    const GOES_ON: [(Protocol, &str); 11] = [
        (Protocol::Chat, ""),
        (Protocol::Chat, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":null}]}\n\n"),
        (Protocol::Chat, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"\"}]}\n\n"),
        (Protocol::Chat, "data: {\"choices\":[{\"delta\":{\"content\":\"data: [DONE]\"}}]}\n\n"),
        (
            Protocol::Chat,
            "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"finish_reason\\\":\\\"stop\\\"\"}}]}\n\n",
        ),
        (Protocol::Chat, "data: {\"choices\":[],\"error\":null}\n\n"),
        (
            Protocol::Messages,
            "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"\\\"message_stop\\\"\"}}\n\n",
        ),
        (Protocol::Responses, "data: {\"type\":\"response.created\"}\n\n"),
        (Protocol::Responses, "data: {\"type\":\"response.created\",\"response\":{\"error\":null}}\n\n"),
        (Protocol::Messages, "data: {\"type\":\"message_start\",\"error\":null}\n\n"),
        (Protocol::Gemini, "data: {\"candidates\": [{\"content\": {}}]}\r\n\r\n"),
    ];

    #[test]
    fn each_protocol_s_end_is_known() {
        for (protocol, stream) in ENDS {
            assert!(ends(protocol, &[stream.as_bytes()]), "{protocol:?} {stream}");
        }
    }

    #[test]
    fn what_only_looks_like_an_end_is_none() {
        for (protocol, stream) in GOES_ON {
            assert!(!ends(protocol, &[stream.as_bytes()]), "{protocol:?} {stream}");
        }
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_result(
            case in 0_usize..ENDS.len() + GOES_ON.len(),
            cuts in prop::collection::vec(1_usize..90, 0..40),
            before in 0_usize..3,
        ) {
            let (protocol, stream) = *ENDS.iter().chain(&GOES_ON).nth(case).unwrap();
            let filler = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "x".repeat(70));
            let whole = [filler.repeat(before), stream.to_owned()].concat();
            let (mut pieces, mut rest) = (Vec::new(), whole.as_bytes());
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            pieces.push(rest);
            prop_assert_eq!(ends(protocol, &pieces), case < ENDS.len());
        }
    }
}
