//! Anthropic messages clients, served by chat.
//!
//! Claude Code and the Anthropic SDKs reach every provider through this. What chat has no place for is refused where it
//! carries content, and dropped where it is a setting.

mod parts;
mod reply;
mod request;
mod stream;
mod tools;
mod turns;

use crate::asked::Asked;

pub use reply::reply;
pub use request::{for_counting, request};
pub use stream::Stream;

/// Writes a chat stream as an Anthropic client reads one.
#[must_use]
pub fn stream(asked: Asked) -> Stream {
    Stream::new(asked)
}

#[cfg(test)]
mod tests;
