//! OpenAI's endpoints.

mod audio;
pub(crate) mod batches;
pub(crate) mod chat;
mod completions;
mod embeddings;
pub(crate) mod files;
mod images;
mod items;
pub(crate) mod models;
mod moderations;
pub(crate) mod responses;
pub(crate) mod strict;
mod telling;

use http::StatusCode;

use crate::call::Call;
use crate::error::Refusal;
use crate::mischief::Shape;
use crate::reply::Reply;
use crate::routes::unknown;
use crate::state::State;

/// Answers `/v1/…`; `path` is what follows the version.
pub(crate) fn reply(state: &State, call: &Call, path: &[&str], shape: Shape) -> Result<Reply, Refusal> {
    match (call.verb(), path) {
        ("POST", ["chat", "completions"]) => chat::reply(call, shape),
        ("POST", ["completions"]) => completions::reply(call, shape),
        ("POST", ["responses"]) => responses::reply(&state.responses, call, shape),
        ("POST", ["embeddings"]) => embeddings::reply(call),
        ("POST", ["images", "generations"]) => images::generations(call),
        ("POST", ["images", "edits"]) => images::edits(call),
        ("POST", ["audio", "speech"]) => audio::speech(call),
        ("POST", ["audio", "transcriptions"]) => audio::transcription(call, "transcribe"),
        ("POST", ["audio", "translations"]) => audio::transcription(call, "translate"),
        ("POST", ["moderations"]) => moderations::reply(call),
        (_, ["files", rest @ ..]) => files::reply(&state.shelf, call, rest),
        (_, ["batches", rest @ ..]) => batches::reply(&state.batches, call, rest),
        ("GET", ["models"]) => Ok(models::list(call)),
        ("GET", ["models", id]) => models::one(call, id),
        _ => Err(unknown(call)),
    }
}

/// The headers OpenAI puts on every answer; a client reads its pace and its request's id from them.
pub(crate) fn with_headers(reply: Reply, call: &Call) -> Reply {
    let left = if reply.status == StatusCode::TOO_MANY_REQUESTS { "0" } else { "9999" };
    reply
        .tell("x-request-id", call.id("req_"))
        .tell("openai-processing-ms", "12")
        .tell("openai-version", "2020-10-01")
        .tell("openai-organization", "demo")
        .tell("x-ratelimit-limit-requests", "10000")
        .tell("x-ratelimit-remaining-requests", left)
        .tell("x-ratelimit-reset-requests", "6ms")
        .tell("x-ratelimit-limit-tokens", "2000000")
        .tell("x-ratelimit-remaining-tokens", "1999900")
        .tell("x-ratelimit-reset-tokens", "3ms")
}
