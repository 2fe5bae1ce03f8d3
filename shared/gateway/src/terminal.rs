//! Knows whether an event stream has come to its protocol's end, so that one that merely stops is not taken for whole.
//!
//! It goes by how deep a key stands in an event's JSON: what a model says or calls a function with, and what a provider
//! repeats of the client's own request, is deeper, so nobody can talk a stream to its end.

use crate::inband::Protocol;
use crate::lexer::{Token, Word};

/// The deepest object in which a key is the provider's own: the event is 1, what it is wrapped in or about is 2.
const DEEPEST_ERROR: u32 = 2;
/// The same for the reason of an end: of a choice, or of a candidate of a response in a wrapper.
const DEEPEST_REASON: u32 = 3;

/// Listens to one stream for its end.
#[derive(Debug)]
pub(crate) struct Terminal {
    protocol: Protocol,
    ended: bool,
    /// Whether it ended in an error of the provider's own.
    failed: bool,
    /// The key whose value comes next, where it matters.
    key: Option<Key>,
}

/// A key that can tell of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Error,
    Reason,
    Type,
}

impl Terminal {
    /// One for a stream of a protocol.
    pub(crate) fn of(protocol: Protocol) -> Self {
        Self { protocol, ended: protocol == Protocol::Other, failed: false, key: None }
    }

    /// Whether the end has been seen. A stream of a protocol we do not know has always ended properly.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the provider told an error in place of the rest.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Takes note of a key, and in how many objects it stands.
    pub(crate) fn named(&mut self, key: &Word, depth: u32) {
        self.key = match depth {
            1 if key.is(b"type") => Some(Key::Type),
            1..=DEEPEST_ERROR if key.is(b"error") => Some(Key::Error),
            1..=DEEPEST_REASON if self.is_reason(key) => Some(Key::Reason),
            _ => None,
        };
    }

    /// Takes note of what follows.
    pub(crate) fn hear(&mut self, token: Token<'_>) {
        let key = self.key.take();
        self.failed |= match token {
            Token::Opened => key == Some(Key::Error),
            Token::Text(word) => {
                key == Some(Key::Error) && !word.is(b"") || key == Some(Key::Type) && is_failure(word)
            }
            Token::Done | Token::Parted | Token::Ended => false,
        };
        self.ended |= match token {
            Token::Opened => key == Some(Key::Error),
            Token::Text(word) => key.is_some_and(|key| self.is_end(key, word)),
            Token::Done => true,
            Token::Parted | Token::Ended => false,
        };
    }

    fn is_reason(&self, key: &Word) -> bool {
        match self.protocol {
            Protocol::Chat => key.is(b"finish_reason"),
            Protocol::Gemini => key.is(b"finishReason") || key.is(b"blockReason"),
            Protocol::Messages | Protocol::Responses | Protocol::Other => false,
        }
    }

    /// Whether a key with this text is an end.
    fn is_end(&self, key: Key, text: &Word) -> bool {
        match key {
            Key::Error | Key::Reason => !text.is(b""),
            Key::Type => self.types().iter().any(|end| text.is(end)),
        }
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

/// Whether an event of this type tells that there will be no answer.
fn is_failure(word: &Word) -> bool {
    word.is(b"error") || word.is(b"response.failed")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::inband::Protocol;
    use crate::reading::Reading;

    fn ends(protocol: Protocol, pieces: &[&[u8]]) -> bool {
        let mut reading = Reading::of_events(protocol, None);
        pieces.iter().for_each(|piece| reading.see(piece));
        !reading.is_unfinished()
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
    fn an_error_in_place_of_the_rest_is_no_answer() {
        let fails = |protocol, event: &str| {
            let mut reading = Reading::of_events(protocol, None);
            reading.see(event.as_bytes());
            let notes = crate::record::Notes::default();
            reading.tell(&notes);
            notes.read().error
        };
        for (protocol, event, failed) in [
            (Protocol::Chat, "data: {\"error\":{\"message\":\"x\"}}\n\n", true),
            (Protocol::Chat, "data: {\"error\":\"x\"}\n\n", true),
            (Protocol::Chat, "data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"error\":null}\n\n", false),
            (Protocol::Messages, "data: {\"type\":\"error\",\"error\":{}}\n\n", true),
            (Protocol::Messages, "data: {\"type\":\"message_stop\"}\n\n", false),
            (Protocol::Responses, "data: {\"type\":\"response.failed\"}\n\n", true),
            (Protocol::Responses, "data: {\"type\":\"response.completed\"}\n\n", false),
            (Protocol::Gemini, "data: {\"error\":{\"code\":503}}\n\n", true),
        ] {
            assert_eq!(fails(protocol, event), failed.then_some("provider_error"), "{event}");
        }
    }

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
