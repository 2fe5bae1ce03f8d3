//! Gemini clients (google-genai: `:generateContent`, `:streamGenerateContent?alt=sse`, `:countTokens`), served by chat.
//!
//! Whether a stream is asked for stands in Gemini's URL and not in its body: who knows the URL puts `"stream": true`
//! into the body before it is translated.

mod config;
mod contents;
mod fragments;
mod parts;
mod reply;
mod request;
mod response;
mod schema;
mod stream;
mod tools;

pub use reply::{counted, reply};
pub use request::{for_counting, request};
pub use stream::{Stream, stream};
