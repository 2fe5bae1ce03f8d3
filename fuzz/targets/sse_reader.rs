//! An event stream reads the same however the network cuts it.
//!
//! Input: the stream, and in the last 16 bytes the lengths of its first pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twinlane_dialects::sse::Reader;
use twinlane_fuzz::cut;

fuzz_target!(|input: &[u8]| {
    let (whole, pieces) = cut(input);
    let read = events(&[whole]);
    assert_eq!(events(&pieces), read);
    let bytes: Vec<&[u8]> = whole.chunks(1).collect();
    assert_eq!(events(&bytes), read);
    for (name, data) in &read {
        assert!(!name.contains(['\n', '\r']) && !data.contains('\r'), "{name:?} {data:?}");
    }
});

fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
    let (mut reader, mut events) = (Reader::default(), Vec::new());
    for piece in pieces {
        let pushed = reader.push(piece, |event| events.push((event.name.to_owned(), event.data.to_owned())));
        pushed.expect("far below the limit");
    }
    reader.end(|event| events.push((event.name.to_owned(), event.data.to_owned())));
    events
}
