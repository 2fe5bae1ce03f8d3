//! Chat clients, served by Gemini's native API (`:generateContent`, `:streamGenerateContent?alt=sse`).
//!
//! Google has a chat API of its own, but it loses what Gemini needs back: a thought signature sits in a field that
//! clients drop, and the next turn is refused. Natively the signature can travel in the tool call's id.

mod calls;
mod config;
mod contents;
mod embeddings;
mod google;
mod logprobs;
mod model;
mod parts;
mod reply;
mod request;
mod said;
mod schema;
mod stream;
mod thinking;
mod tools;

pub use embeddings::{embeddings_reply, embeddings_request};
pub use model::model_path;
pub use reply::reply;
pub use request::{count_request, request};
pub(crate) use said::usage_of;
pub use stream::{Stream, stream};

use serde_json::Value;

use crate::errors::Told;

/// Reads an error that came with status 200: as an event, or as the JSON array that Google sends without `alt=sse`.
#[must_use]
pub fn error_of(body: &Value) -> Option<Told> {
    Told::of_object(body)
}
