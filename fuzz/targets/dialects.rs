//! Whatever a client asks and whatever a provider answers, a translation neither panics nor depends on how the network
//! cuts the bytes, and what it writes can be read.
//!
//! Input: two letters for the client's and the provider's format, a request in JSON, a line `---`, the provider's
//! answer, and in the last 16 bytes the lengths of its first pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twinlane_dialects::sse::Reader;
use twinlane_dialects::translation::{self, ReplyTranslation, Translated};
use twinlane_dialects::{Dialect, Quirks, Target, errors};
use twinlane_fuzz::cut;

fuzz_target!(|input: &[u8]| {
    let [client, provider, rest @ ..] = input else { return };
    let (client, provider) = (dialect(*client), dialect(*provider));
    let at = rest.windows(5).position(|window| window == b"\n---\n").unwrap_or(rest.len());
    let (request, answer) = (&rest[..at], rest.get(at + 5..).unwrap_or_default());
    let Ok(body) = serde_json::from_slice::<Value>(request) else { return };
    let Ok(translated) = translated(client, provider, body.clone()) else { return };
    assert_eq!(
        Ok(&translated),
        self::translated(client, provider, body).as_ref(),
        "the same request, another result"
    );
    let (whole, pieces) = cut(answer);
    a_whole_reply(&translated.reply, whole);
    a_stream(client, &translated.reply, whole, &pieces);
});

fn dialect(letter: u8) -> Dialect {
    match letter {
        b'c' => Dialect::Chat,
        b'l' => Dialect::Completions,
        b'r' => Dialect::Responses,
        b'm' => Dialect::Messages,
        b'g' => Dialect::Gemini,
        _ => Dialect::OneMin,
    }
}

fn translated(
    client: Dialect,
    provider: Dialect,
    body: Value,
) -> Result<Translated, twinlane_dialects::Refusal> {
    let target = Target {
        model: "a-model",
        asked_model: "p/a-model",
        quirks: Quirks::NONE,
        id: "id-1",
        now: 1_700_000_000,
    };
    translation::request(client, provider, body, &target)
}

fn a_whole_reply(reply: &ReplyTranslation, answer: &[u8]) {
    let _ = errors::read(502, None, answer);
    if let Ok(answer) = serde_json::from_slice::<Value>(answer) {
        let _ = reply.whole(answer);
    }
}

fn a_stream(client: Dialect, reply: &ReplyTranslation, whole: &[u8], pieces: &[&[u8]]) {
    let written = written(reply, &[whole]);
    assert_eq!(text(&self::written(reply, pieces)), text(&written));
    let bytes: Vec<&[u8]> = whole.chunks(1).collect();
    assert_eq!(text(&self::written(reply, &bytes)), text(&written));
    can_be_read(client, &written);
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn written(reply: &ReplyTranslation, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut stream, mut out) = (reply.clone().stream(), Vec::new());
    pieces.iter().for_each(|piece| stream.push(piece, &mut out));
    stream.end(&mut out);
    assert!(stream.ended().is_some(), "a stream that has no end");
    out
}

/// Every event holds JSON, and nothing follows the end of OpenAI's streams.
fn can_be_read(client: Dialect, written: &[u8]) {
    let (mut reader, mut done) = (Reader::default(), false);
    let mut look = |data: &str| {
        assert!(!done, "after the end: {data}");
        done = data == "[DONE]";
        assert!(done || serde_json::from_str::<Value>(data).is_ok(), "{client}: {data}");
    };
    reader.push(written, |event| look(event.data)).expect("far below the limit");
    reader.end(|event| panic!("not ended by a blank line: {}", event.data));
}
