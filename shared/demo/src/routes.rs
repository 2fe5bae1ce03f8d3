//! Finds the endpoint a call is for, the dialect it speaks, and the reply it gets if the demo behaves.

use http::StatusCode;

use crate::call::Call;
use crate::error::{Dialect, Refusal};
use crate::mischief::{Shape, Wishes};
use crate::reply::Reply;
use crate::state::State;
use crate::{anthropic, gemini, openai, probes};

/// The reply to a call, wished-for statuses included; the rest of the mischief is done to it later.
pub(crate) fn reply(state: &State, call: &Call, wishes: &Wishes) -> Reply {
    let dialect = dialect(call);
    let reply = match wishes.mischief.status {
        Some(status) => Err(wished(status)),
        None => well_behaved(state, call, wishes.shape),
    };
    let reply = reply.unwrap_or_else(|refusal| refusal.into_reply(dialect, call));
    let reply = match &wishes.mischief.retry_after {
        Some(seconds) => reply.tell("retry-after", seconds),
        None => reply,
    };
    with_provider_headers(reply, dialect, call)
}

/// The dialect a call is spoken in; anything unknown is answered as OpenAI would.
pub(crate) fn dialect(call: &Call) -> Dialect {
    match call.segments().as_slice() {
        ["v1", "messages", ..] => Dialect::Anthropic,
        ["v1", "models", ..] if anthropic::is_meant(call) => Dialect::Anthropic,
        // google-genai 3 dropped the "beta" from its paths.
        ["v1", "models", ..] if gemini::is_meant(call) => Dialect::Gemini,
        ["v1beta", "openai", ..] => Dialect::OpenAi,
        ["v1beta", ..] => Dialect::Gemini,
        _ => Dialect::OpenAi,
    }
}

fn well_behaved(state: &State, call: &Call, shape: Shape) -> Result<Reply, Refusal> {
    match (dialect(call), call.segments().as_slice()) {
        (_, [probe @ ("echo" | "bytes" | "status" | "headers" | "encoded"), rest @ ..]) => {
            probes::reply(call, probe, rest)
        }
        (Dialect::Anthropic, ["v1", rest @ ..]) => anthropic::reply(call, rest, shape),
        (Dialect::Gemini, ["v1" | "v1beta", rest @ ..]) => gemini::reply(call, rest, shape),
        (_, ["v1", rest @ ..] | ["v1beta", "openai", rest @ ..]) => openai::reply(state, call, rest, shape),
        _ => Err(unknown(call)),
    }
}

pub(crate) fn unknown(call: &Call) -> Refusal {
    Refusal::not_found(format!("Unknown request URL: {} {}.", call.method, call.path()))
}

fn wished(status: StatusCode) -> Refusal {
    Refusal::new(status, format!("The demo provider was asked to answer {}.", status.as_u16()))
}

fn with_provider_headers(reply: Reply, dialect: Dialect, call: &Call) -> Reply {
    match dialect {
        Dialect::OpenAi if call.path().starts_with("/v1") => openai::with_headers(reply, call),
        Dialect::Anthropic => anthropic::with_headers(reply, call),
        _ => reply,
    }
}
