//! Translates between the wire formats of LLM providers: values in, values out. No IO, no clock, no platform.
//!
//! OpenAI's chat format is the pivot. A *client-side* codec (`from_messages`, `from_responses`, `from_gemini`,
//! `from_completions`) turns another client format into a chat request, and chat replies back into that format. A
//! *provider-side* codec (`to_messages`, `to_gemini`, `to_onemin`, …) does the same towards providers that do not speak
//! chat. [`translation`] puts the two together, so that every client format reaches every provider:
//!
//! ```text
//! client ── from_x::request ──▶ chat ── to_y::request ──▶ provider
//! client ◀── from_x::reply ──── chat ◀── to_y::reply ──── provider
//! client ◀── FromChat ── Piece ◀──── ToChat ◀── sse::Reader ◀── bytes
//! ```
//!
//! What a target cannot hold is either refused (a [`Refusal`]: answering without it would be a different answer) or
//! dropped and *named* in [`Outgoing::dropped`]. Numbers keep their digits and objects their order.

pub mod asked;
pub mod chat;
pub mod dialect;
pub mod errors;
mod field;
pub mod from_chat;
pub mod from_completions;
pub mod from_gemini;
pub mod from_messages;
pub mod from_responses;
mod gathered;
mod gemini;
pub mod piece;
pub mod quirks;
pub mod repair;
pub mod sse;
pub mod target;
pub mod to_compatible;
pub mod to_gemini;
pub mod to_messages;
pub mod to_onemin;
pub mod to_workers_ai;
pub mod translation;
pub mod usage;

pub use asked::Asked;
pub use dialect::Dialect;
pub use errors::Told;
pub use piece::{FromChat, Piece, ToChat};
pub use target::{Outgoing, Quirks, Refusal, Target};
