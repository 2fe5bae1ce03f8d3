//! Tells over HTTP what the demo was asked, for tests whose demo runs in another process.
//!
//! Looking at the calls is no call: it is not written down.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::Refusal;
use crate::probes::headers_of;
use crate::prompt::texts;
use crate::reply::Reply;
use crate::routes::unknown;
use crate::seen::{End, Seen};
use crate::state::State;
use crate::{base64, media, noise};

/// So many of the newest calls are told unless `?last=N` says otherwise.
const USUAL: usize = 20;
/// Longer bodies are not told, only their digest.
const MOST_BODY: usize = 1 << 20;

/// Whoever may call the demo may look, so keys are told by their digests: enough to compare, not to use.
const SECRET: [&str; 6] =
    ["api-key", "authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key"];

/// Whether a call is about the ledger itself.
pub(crate) fn is_meant(call: &Call) -> bool {
    call.path() == "/demo/calls"
}

/// Answers `/demo/…`; `path` is what follows that.
pub(crate) fn reply(state: &State, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("GET", ["calls"]) => last(state, call),
        ("DELETE", ["calls"]) => {
            state.clear();
            Ok(Reply::json(&json!([])))
        }
        // Where 1min.ai's pictures are fetched.
        ("GET", ["pictures", name]) => Ok(Reply::bytes("image/png", media::png(name))),
        _ => Err(unknown(call)),
    }
}

/// The newest calls, oldest first.
fn last(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let wrong = || Refusal::bad_request("/demo/calls?last= wants a number.");
    let last = call.query("last").map_or(Ok(USUAL), |n| n.parse().map_err(|_| wrong()))?;
    let calls = state.ledger.calls();
    let told: Value = calls[calls.len().saturating_sub(last)..].iter().map(told).collect();
    Ok(Reply::json(&told))
}

fn told(seen: &Seen) -> Value {
    let end = match seen.end {
        End::Pending => "pending",
        End::Complete => "complete",
        End::ClientLeft => "client left",
    };
    let mut told = json!({
        "method": seen.method.as_str(), "target": seen.target, "headers": headers(&seen.headers),
        "length": seen.body.len(), "sha256": noise::sha256(&seen.body), "end": end,
    });
    if seen.body.len() <= MOST_BODY {
        tell_body(&mut told, &seen.body);
    }
    told
}

fn headers(headers: &HeaderMap) -> Value {
    let mut told = headers_of(headers);
    for (name, values) in told.as_object_mut().into_iter().flatten() {
        if SECRET.contains(&name.as_str()) {
            *values = texts(values).iter().map(|value| digest(value)).collect();
        }
    }
    told
}

fn digest(value: &str) -> String {
    format!("sha256 {}", noise::sha256(value.as_bytes()))
}

/// The very text, which alone keeps the order of keys; what it says as JSON; or bytes that are no text.
fn tell_body(told: &mut Value, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            told["text"] = json!(text);
            told["json"] = serde_json::from_str(text).unwrap_or_default();
        }
        Err(_) => told["base64"] = json!(base64::encode(bytes)),
    }
}
