//! Knows whether an event stream has come to its protocol's end, so that one that merely stops is not taken for whole.
//!
//! A tee: it looks at the bytes as they pass, copies none but a short word, and stops looking once the end is there. It
//! reads the JSON of each event just far enough to know how deep a key stands: what a model says or calls a function
//! with, and what a provider repeats of the client's own request, is deeper, so nobody can talk a stream to its end.

use memchr::{memchr2, memchr3};

use crate::inband::Protocol;

/// The deepest object in which a key is the provider's own: the event is 1, what it is wrapped in or about is 2.
const DEEPEST_ERROR: u32 = 2;
/// The same for the reason of an end: of a choice, or of a candidate of a response in a wrapper.
const DEEPEST_REASON: u32 = 3;

/// Watches one stream for its end.
#[derive(Debug)]
pub struct Terminal {
    protocol: Protocol,
    ended: bool,
    line: Line,
    /// Whether the last byte was a carriage return, to which a line feed may belong.
    after_return: bool,
    /// In how many objects of the event's JSON we are.
    depth: u32,
    /// The key whose value comes next, where it matters.
    key: Option<Key>,
    /// The last string or literal of the JSON, or what is there of it.
    word: Word,
}

/// Where in a line of the stream we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// In its first bytes, of which this many have been those of `data:`.
    Field(usize),
    /// In the JSON.
    Data,
    /// In a string of the JSON, and perhaps right after a backslash.
    Text { escaped: bool },
    /// In what does not matter.
    Other,
}

/// A key that can tell of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Error,
    Reason,
    Type,
}

impl Terminal {
    /// A watch over a stream of a protocol.
    #[must_use]
    pub fn of(protocol: Protocol) -> Self {
        Self {
            protocol,
            ended: protocol == Protocol::Other,
            line: Line::Field(0),
            after_return: false,
            depth: 0,
            key: None,
            word: Word::default(),
        }
    }

    /// Looks at the next bytes of the stream.
    pub fn see(&mut self, data: &[u8]) {
        let mut rest = data;
        while let (false, Some(&next)) = (self.ended, rest.first()) {
            let taken = match self.line {
                Line::Other => memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()),
                Line::Text { escaped: false } => self.text(rest),
                Line::Field(_) | Line::Data | Line::Text { escaped: true } => 0,
            };
            if taken == 0 {
                self.byte(next);
            }
            rest = &rest[taken.max(1)..];
        }
    }

    /// Whether the end has been seen. A stream of a protocol we do not know has always ended properly.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes the inside of a string, up to what could end it; says how much that was.
    fn text(&mut self, rest: &[u8]) -> usize {
        let end = memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
        self.word.push(&rest[..end]);
        if end > 0 {
            self.after_return = false;
        }
        end
    }

    fn byte(&mut self, byte: u8) {
        let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        match (byte, self.line) {
            (b'\n', _) if after_return => {}
            (b'\n' | b'\r', _) => self.line_ended(),
            (_, Line::Field(known)) => self.line = field(known, byte),
            (_, Line::Data) => self.json(byte),
            (b'\\', Line::Text { escaped: false }) => self.line = Line::Text { escaped: true },
            (b'"', Line::Text { escaped: false }) => self.text_ended(),
            (_, Line::Text { .. }) => {
                // What we look for has no escapes, so a word with one is none of ours.
                self.word.spoil();
                self.line = Line::Text { escaped: false };
            }
            (_, Line::Other) => {}
        }
    }

    /// An empty line ends an event, and with it its JSON.
    fn line_ended(&mut self) {
        if self.line == Line::Field(0) {
            (self.depth, self.key) = (0, None);
        }
        self.line = Line::Field(0);
    }

    fn json(&mut self, byte: u8) {
        match byte {
            b'"' => (self.line, self.word) = (Line::Text { escaped: false }, Word::default()),
            b':' => self.key = self.named(),
            b'{' => {
                self.ended = self.key == Some(Key::Error);
                (self.depth, self.key) = (self.depth.saturating_add(1), None);
            }
            b'}' => (self.depth, self.key) = (self.depth.saturating_sub(1), None),
            b']' => self.ended = self.depth == 0 && self.word.is(b"DONE"),
            b'[' | b',' => (self.key, self.word) = (None, Word::default()),
            b' ' | b'\t' => {}
            _ => self.word.push(&[byte]),
        }
    }

    /// The key that the word before a colon is.
    fn named(&self) -> Option<Key> {
        let reason = self.word.is(b"finish_reason") && self.protocol == Protocol::Chat
            || (self.word.is(b"finishReason") || self.word.is(b"blockReason"))
                && self.protocol == Protocol::Gemini;
        match self.depth {
            1 if self.word.is(b"type") => Some(Key::Type),
            1..=DEEPEST_ERROR if self.word.is(b"error") => Some(Key::Error),
            1..=DEEPEST_REASON if reason => Some(Key::Reason),
            _ => None,
        }
    }

    /// A string has ended: a key, of which its colon will tell, or the value of one.
    fn text_ended(&mut self) {
        self.line = Line::Data;
        self.ended = match self.key.take() {
            Some(Key::Error | Key::Reason) => !self.word.is(b""),
            Some(Key::Type) => self.types().iter().any(|end| self.word.is(end)),
            None => false,
        };
    }

    /// The types of the events after which the stream has nothing more to say.
    fn types(&self) -> &'static [&'static [u8]] {
        match self.protocol {
            Protocol::Messages => &[b"message_stop", b"error"],
            Protocol::Responses => {
                &[b"response.completed", b"response.incomplete", b"response.failed", b"error"]
            }
            Protocol::Chat | Protocol::Gemini | Protocol::Other => &[b"error"],
        }
    }
}

/// What a byte makes of the beginning of a line.
fn field(known: usize, byte: u8) -> Line {
    match b"data:".get(known) {
        Some(&expected) if expected == byte && known == 4 => Line::Data,
        Some(&expected) if expected == byte => Line::Field(known + 1),
        _ => Line::Other,
    }
}

/// A word that may be one of ours; the bytes of any longer one are not kept.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Word {
    /// `response.incomplete` has 19.
    const LONGEST: usize = 20;

    fn push(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(bytes);
        }
        self.length = end;
    }

    fn spoil(&mut self) {
        self.length = usize::MAX;
    }

    fn is(&self, wanted: &[u8]) -> bool {
        self.bytes.get(..self.length) == Some(wanted)
    }
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

    const ENDS: [(Protocol, &str); 19] = [
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
        // Code Assist wraps what Gemini says; OpenRouter tells an error of a choice.
        (Protocol::Gemini, "data: {\"response\":{\"candidates\": [{\"finishReason\": \"STOP\"}]}}\n\n"),
        (Protocol::Chat, "data: {\"choices\":[{\"error\":{\"code\":502}}]}\n\n"),
        // One event's JSON in several lines, as pretty printers write it.
        (Protocol::Messages, "data: {\r\ndata:   \"type\":\r\ndata:     \"message_stop\"\r\ndata: }\r\n\r\n"),
        (Protocol::Chat, "data: {\"error\":\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"),
        (Protocol::Other, ""),
    ];

    const GOES_ON: [(Protocol, &str); 15] = [
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
        // What a client's tool, or a model's call of one, is made of.
        (
            Protocol::Responses,
            "data: {\"type\":\"response.created\",\"response\":{\"tools\":[{\"parameters\":{\"properties\":{\"error\":{\"type\":\"string\"}}}}]}}\n\n",
        ),
        (
            Protocol::Responses,
            "data: {\"type\":\"response.in_progress\",\"response\":{\"metadata\":{\"type\":\"error\",\"error\":\"none\"}}}\n\n",
        ),
        (
            Protocol::Gemini,
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"args\":{\"finishReason\":\"x\",\"error\":{}}}}]}}]}\n\n",
        ),
        (Protocol::Messages, "event: message_stop\n: {\"type\":\"message_stop\"}\n\n"),
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
