//! OpenAI responses clients, served by chat.
//!
//! Codex speaks nothing else. The gateway keeps no conversation, so each request must hold all of its own: what points to
//! an earlier one is refused.

mod items;
mod output;
mod parts;
mod reply;
mod request;
mod stream;
mod tools;

use crate::asked::Asked;

pub use reply::reply;
pub use request::request;
pub use stream::Stream;

/// Marks a thought's signature that came through here. What another provider encrypted must not reach this one.
const SIGNED: &str = "twinlane.signature:";

/// Writes a chat stream as a responses client reads one.
#[must_use]
pub fn stream(asked: Asked) -> Stream {
    Stream::new(asked)
}

#[cfg(test)]
mod tests;
