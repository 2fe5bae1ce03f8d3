//! The scan for `"stream": true` says what a JSON parser would say, and is afraid of no bytes.
//!
//! Input: a request body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twinlane_gateway::scan::Asked;

fuzz_target!(|body: &[u8]| {
    let asked = Asked::by(body).stream;
    // serde_json gives keys of its own a meaning that JSON does not.
    let private = body.windows(19).any(|window| window == b"$serde_json::privat");
    if let (false, Ok(parsed)) = (private, serde_json::from_slice::<Value>(body)) {
        assert_eq!(asked, parsed.get("stream") == Some(&Value::Bool(true)));
    }
});
