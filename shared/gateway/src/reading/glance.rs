//! Whether a piece of an event stream can tell anybody anything, by the words in it. Reading its JSON would cost ten
//! times as much, and of most pieces nobody would be the wiser.

use memchr::memmem::Finder;
use twinlane_dialects::Dialect;

use crate::inband::Protocol;

/// What follows a word that is the name of nothing.
const NULL: &[u8] = b"\":null";

/// Looks for words without which neither an end nor a cost can be told. A word in an answer is caught as well: then its
/// JSON is read, which knows better.
#[derive(Debug)]
pub(super) struct Glance(Vec<Finder<'static>>);

impl Glance {
    /// At streams of a protocol, which tell in a dialect what they cost.
    pub(super) fn at(protocol: Protocol, tells: Option<Dialect>) -> Self {
        let ends: &[&str] = match protocol {
            Protocol::Chat => &["DONE", "\"error", "\"finish_reason"],
            Protocol::Gemini => &["DONE", "\"error", "\"finishReason", "\"blockReason"],
            Protocol::Messages => &["DONE", "\"error", "message_stop"],
            Protocol::Responses => {
                &["DONE", "\"error", "response.completed", "response.incomplete", "response.failed"]
            }
            Protocol::Other => &[],
        };
        let usage =
            tells.map(|dialect| if dialect == Dialect::Gemini { "\"usageMetadata" } else { "\"usage" });
        Self(ends.iter().copied().chain(usage).map(Finder::new).collect())
    }

    /// Whether one of the words is there, and not as the name of nothing.
    pub(super) fn catches(&self, data: &[u8]) -> bool {
        self.0
            .iter()
            .any(|word| word.find_iter(data).any(|at| !data[at + word.needle().len()..].starts_with(NULL)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twinlane_dialects::Dialect;

    use crate::inband::Protocol;
    use crate::reading::Reading;

    const PIECES: [&str; 18] = [
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\" : \"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n",
        "data: {\"error\":null}\n\ndata: {\"error\":{\"message\":\"x\"}}\n\n",
        "data: [DONE]\n\n",
        "data: [ DONE ]\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        "data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":3}}}\n\n",
        "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":3}}\r\n\r\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"model\":\"m\",\"usage\":{\"input_tokens\":3}}}\n\n",
        "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":2}}\n\n",
        "data: {\"modelVersion\":\"g\"}\n\n",
        "data: {\n",
        "\"error\":{}}\n\n",
        ": keep-alive\n",
        "data: {\"a\":\"\\\"usage\\\":{\"}\n\n",
        "\n\n",
    ];

    /// What is learnt, with and without the glance.
    fn learnt(reading: &Reading) -> String {
        let receipt = reading.ears.receipt.as_ref();
        format!(
            "{} {:?} {:?}",
            reading.is_unfinished(),
            receipt.and_then(crate::usage::Receipt::usage),
            receipt.and_then(crate::usage::Receipt::model)
        )
    }

    proptest! {
        #[test]
        fn a_glance_overlooks_nothing(
            which in prop::collection::vec(0..PIECES.len(), 0..8),
            cut in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
            dialect in 0..4_usize,
        ) {
            let (protocol, tells) = [
                (Protocol::Chat, Dialect::Chat),
                (Protocol::Messages, Dialect::Messages),
                (Protocol::Responses, Dialect::Responses),
                (Protocol::Gemini, Dialect::Gemini),
            ][dialect];
            let mut glancing = Reading::of_events(protocol, Some(tells));
            let mut thorough = Reading { glance: None, ..Reading::of_events(protocol, Some(tells)) };
            for piece in which.iter().map(|which| PIECES[*which]) {
                let mut cuts: Vec<usize> = cut.iter().map(|cut| cut.index(piece.len() + 1)).collect();
                cuts.extend([0, piece.len()]);
                cuts.sort_unstable();
                // Some pieces come whole and some in parts.
                let parts = if cut.len() == 2 { vec![0, piece.len()] } else { cuts };
                for part in parts.windows(2) {
                    glancing.see(&piece.as_bytes()[part[0]..part[1]]);
                    thorough.see(&piece.as_bytes()[part[0]..part[1]]);
                }
                prop_assert_eq!(learnt(&glancing), learnt(&thorough), "{}", piece);
            }
        }
    }
}
