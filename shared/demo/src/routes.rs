//! Finds the endpoint a call is for, the dialect it speaks, and the reply it gets if the demo behaves.

use http::StatusCode;

use crate::call::Call;
use crate::error::{Dialect, Refusal};
use crate::flavour::Flavour;
use crate::mischief::{Act, Shape, Wishes};
use crate::reply::Reply;
use crate::state::State;
use crate::{anthropic, gemini, onemin, openai, probes, workers_ai};

/// Where a path leads: a dialect, whose accent it has, and what follows the provider's base.
struct Place<'p> {
    dialect: Dialect,
    flavour: Flavour,
    path: &'p [&'p str],
}

/// The reply to a call, wished-for statuses included; the rest of the mischief is done to it later.
pub(crate) fn reply(state: &State, call: &Call, wishes: &Wishes) -> Reply {
    let segments = call.segments();
    let place = place(call, &segments);
    let shape = wishes.shape.or_flavour(place.flavour);
    let (dialect, flavour) = (place.dialect, shape.flavour);
    let reply = match wishes.mischief.status {
        Some(status) => Err(wished(status)),
        None => well_behaved(state, call, &place, shape),
    };
    let reply = match (wishes.mischief.act, reply) {
        (Some(Act::Fail(_)), Ok(reply)) => failing(reply, dialect, flavour, call),
        (_, reply) => reply,
    };
    let reply = reply.unwrap_or_else(|refusal| refusal.into_reply(dialect, flavour, call));
    let reply = match &wishes.mischief.retry_after {
        Some(seconds) => reply.tell("retry-after", seconds),
        None => reply,
    };
    with_provider_headers(reply, dialect, flavour, call)
}

/// A refusal in the words of the dialect the call is spoken in.
pub(crate) fn refuse(refusal: Refusal, call: &Call) -> Reply {
    let segments = call.segments();
    let place = place(call, &segments);
    refusal.into_reply(place.dialect, place.flavour, call)
}

/// Whether a path is one of the demo's own.
pub(crate) fn is_probe(segments: &[&str]) -> bool {
    matches!(segments, ["echo" | "bytes" | "status" | "headers" | "encoded" | "demo", ..])
}

/// The bases are those of the providers' own documentation; where a base belongs to one provider only, its
/// flavour comes with it.
fn place<'p>(call: &Call, segments: &'p [&'p str]) -> Place<'p> {
    let at = |dialect, flavour, path| Place { dialect, flavour, path };
    let openai = |flavour, path| at(Dialect::OpenAi, flavour, path);
    match segments {
        probe if is_probe(probe) => at(Dialect::Probe, Flavour::Plain, probe),
        ["anthropic", "v1", path @ ..] => at(Dialect::Anthropic, Flavour::Plain, path),
        ["v1", path @ ..] if anthropic::is_meant(call, path) => at(Dialect::Anthropic, Flavour::Plain, path),
        // google-genai 3 dropped the "beta" from its paths.
        ["v1", path @ ..] if gemini::is_meant(call, path) => at(Dialect::Gemini, Flavour::Plain, path),
        ["v1beta", "openai", path @ ..] => openai(Flavour::GeminiCompat, path),
        ["v1beta", path @ ..] => at(Dialect::Gemini, Flavour::Plain, path),
        ["client", "v4", "accounts", _, "ai", "v1", path @ ..] => openai(Flavour::Plain, path),
        ["client", "v4", "accounts", _, "ai", path @ ..] => at(Dialect::WorkersAi, Flavour::Plain, path),
        ["openai", "deployments", _, path @ ..] => openai(Flavour::Azure, path),
        // Azure, Groq and Bedrock share this base; only Azure has its key in a header of this name.
        ["openai", "v1", path @ ..] if call.headers.contains_key("api-key") => openai(Flavour::Azure, path),
        ["compatibility", "v1", path @ ..] => openai(Flavour::Cohere, path),
        ["api", "v1", path @ ..] => openai(Flavour::OpenRouter, path),
        ["api", "paas", "v4", path @ ..] => openai(Flavour::Plain, path),
        ["api", ..] | ["models"] => at(Dialect::OneMin, Flavour::Plain, segments),
        ["openai" | "inference" | "serverless", "v1", path @ ..] => openai(Flavour::Plain, path),
        ["v1" | "inference", path @ ..] => openai(Flavour::Plain, path),
        ["chat", "completions"] => openai(Flavour::Plain, segments),
        _ => at(Dialect::Probe, Flavour::Plain, segments),
    }
}

fn well_behaved(state: &State, call: &Call, place: &Place<'_>, shape: Shape) -> Result<Reply, Refusal> {
    match place.dialect {
        Dialect::OpenAi => openai::reply(state, call, place.path, shape),
        Dialect::Anthropic => anthropic::reply(state, call, place.path, shape),
        Dialect::Gemini => gemini::reply(call, place.path, shape),
        Dialect::WorkersAi => workers_ai::reply(call, place.path, shape),
        Dialect::OneMin => onemin::reply(state, call, place.path, shape),
        Dialect::Probe => probes::reply(call, place.path),
    }
}

pub(crate) fn unknown(call: &Call) -> Refusal {
    Refusal::not_found(format!("Unknown request URL: {} {}.", call.method, call.path()))
}

fn wished(status: StatusCode) -> Refusal {
    Refusal::new(status, format!("The demo provider was asked to answer {}.", status.as_u16()))
}

/// A stream that will fail in its middle, or the same failure at once where there is no stream.
fn failing(reply: Reply, dialect: Dialect, flavour: Flavour, call: &Call) -> Result<Reply, Refusal> {
    let trouble = overloaded(dialect);
    if reply.content.length.is_none() {
        return Ok(reply.failing_with(trouble.in_band(dialect, flavour, call)));
    }
    // OpenRouter has already said 200 when the provider behind it fails.
    if dialect == Dialect::OpenAi && flavour == Flavour::OpenRouter {
        return Ok(trouble.into_reply(dialect, flavour, call).with_status(StatusCode::OK));
    }
    Err(trouble)
}

fn overloaded(dialect: Dialect) -> Refusal {
    let (status, message) = match dialect {
        // 529 is Anthropic's own.
        Dialect::Anthropic => (529, "Overloaded"),
        Dialect::Gemini => (503, "The model is overloaded. Please try again later."),
        _ => (503, "The server is currently overloaded with other requests. Sorry about that!"),
    };
    Refusal::new(StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), message)
}

fn with_provider_headers(reply: Reply, dialect: Dialect, flavour: Flavour, call: &Call) -> Reply {
    match dialect {
        Dialect::OpenAi if flavour == Flavour::OpenRouter => reply.tell("x-generation-id", call.id("gen-")),
        Dialect::OpenAi => openai::with_headers(reply, call),
        Dialect::Anthropic => anthropic::with_headers(reply, call),
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::call;

    fn check(target: &str, dialect: Dialect, flavour: Flavour, rest: &str) {
        let call = call(http::Method::POST, target, "");
        let segments = call.segments();
        let place = place(&call, &segments);
        assert_eq!((place.dialect, place.flavour, place.path.join("/")), (dialect, flavour, rest.to_owned()));
    }

    #[test]
    fn every_providers_base_is_known() {
        use Dialect::{Anthropic, Gemini, OneMin, OpenAi, WorkersAi};
        use Flavour::{Azure, Cohere, GeminiCompat, OpenRouter, Plain};
        check("/v1/chat/completions", OpenAi, Plain, "chat/completions");
        check("/openai/v1/responses", OpenAi, Plain, "responses");
        check("/openai/deployments/d/chat/completions?api-version=1", OpenAi, Azure, "chat/completions");
        check("/inference/chat/completions", OpenAi, Plain, "chat/completions");
        check("/inference/v1/embeddings", OpenAi, Plain, "embeddings");
        check("/chat/completions", OpenAi, Plain, "chat/completions");
        check("/compatibility/v1/embeddings", OpenAi, Cohere, "embeddings");
        check("/api/v1/chat/completions", OpenAi, OpenRouter, "chat/completions");
        check("/v1beta/openai/models", OpenAi, GeminiCompat, "models");
        check("/client/v4/accounts/a/ai/v1/responses", OpenAi, Plain, "responses");
        check("/client/v4/accounts/a/ai/run/@cf/x/y", WorkersAi, Plain, "run/@cf/x/y");
        check("/anthropic/v1/messages", Anthropic, Plain, "messages");
        check("/v1/models/m:generateContent", Gemini, Plain, "models/m:generateContent");
        check("/api/chat-with-ai", OneMin, Plain, "api/chat-with-ai");
        check("/models?feature=UNIFY_CHAT_WITH_AI", OneMin, Plain, "models");
        check("/nowhere", Dialect::Probe, Plain, "nowhere");
    }
}
