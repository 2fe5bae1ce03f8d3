//! Chat clients, served by Anthropic's messages API.
//!
//! [`request()`] writes a chat request as a messages request, [`reply()`] a message as a completion, and [`Stream`] reads
//! the event stream. What differs between Claude's generations is a table of [`models`], not code.

mod content;
mod conversation;
mod draft;
mod format;
mod media;
mod models;
mod names;
mod reply;
mod request;
mod sampling;
mod schema;
mod stream;
mod thinking;
mod tokens;
mod tools;

pub use reply::reply;
pub use request::request;
pub use stream::{Stream, stream};
pub(crate) use tokens::Tokens;

use serde_json::Value;

/// The tool by which a schema is emulated on models without structured outputs. Its input is the answer.
const JSON_TOOL: &str = "json_response";

/// An object of these fields. Values are moved in: `json!` would copy an image of megabytes.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What Anthropic's reason for stopping is in chat. `called` says that the client got tool calls: some providers of
/// this format then still say `end_turn`, and a client that trusts them never runs its tools.
fn finish_reason(stop_reason: &str, called: bool) -> &'static str {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => "length",
        "refusal" => "content_filter",
        _ if called => "tool_calls",
        _ => "stop",
    }
}
