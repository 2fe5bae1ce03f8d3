//! One API for every provider: `/v1` in OpenAI's and Anthropic's formats and `/v1beta` in Gemini's, for any model.
//!
//! A call is understood ([`plan`]), its providers are found ([`targets`]), it is said in each one's words in turn
//! ([`said`], [`leg`]) until one answers, and the reply is told in the client's ([`retell`]). Each attempt is a
//! [`Call`](crate::call::Call) like those of `/gateway`, on the same lanes, with the same retries, clocks and limits.

pub mod ask;
pub mod cooldown;
pub mod endpoint;
pub mod leg;
pub mod plan;
pub mod retell;
pub mod said;
pub mod targets;
mod translated;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Response;
use http::header::{HeaderMap, RETRY_AFTER};
use http_body_util::BodyExt;

use crate::Error;
use crate::auth::Caller;
use crate::body::Body;
use crate::call::{Call, Stream};
use crate::gateway::Gateway;
use crate::guard::{Guard, Terms};
use crate::record::Notes;
use leg::Leg;
use plan::Plan;
use retell::{Listener, Retold};
use said::How;
use targets::Target;

impl Gateway {
    /// Follows a plan: asks its targets in turn until one answers, before the first byte of an answer.
    ///
    /// # Errors
    /// Those of the last target.
    pub(crate) async fn follow(
        self: Arc<Self>,
        plan: Plan,
        caller: Caller,
        notes: Notes,
    ) -> Result<Response<Body>, Error> {
        let shared_fate = plan.own_key.is_none();
        let (last, others) = self.awake(&plan.targets, shared_fate, &notes);
        for target in others {
            let tried = self.attempt(&plan, target, &caller, &notes).await;
            let Some(Passing { why, asked }) = Passing::of(&tried) else {
                return tried.map(|retold| retold.response);
            };
            if shared_fate {
                self.cooldown.note(target.to_string(), asked, Instant::now());
            }
            tracing::debug!(id = plan.received.id, "call {} goes on from {target}: {why}", plan.received.id);
            notes.fell(format!("{target}: {why}"));
        }
        self.attempt(&plan, last, &caller, &notes).await.map(|retold| retold.response)
    }

    /// The last target, and those before it that are not cooling down. Where all are, all are tried.
    fn awake<'p>(
        &self,
        targets: &'p [Target],
        shared_fate: bool,
        notes: &Notes,
    ) -> (&'p Target, Vec<&'p Target>) {
        let now = Instant::now();
        let is_cooling = |target: &&Target| {
            shared_fate && targets.len() > 1 && self.cooldown.is_cooling(&target.to_string(), now)
        };
        let (cooling, mut awake): (Vec<_>, Vec<_>) = targets.iter().partition(is_cooling);
        if awake.is_empty() {
            awake = targets.iter().collect();
        } else {
            cooling.iter().for_each(|target| notes.fell(format!("{target}: cooling down")));
        }
        // A plan has a target.
        let last = awake.pop().unwrap_or(&targets[0]);
        (last, awake)
    }

    /// A reply that is to be read whole is held to the call's clocks and limits while it is read.
    fn watched(&self, body: Body, call: &Call, how: &How) -> Body {
        if matches!(how, How::Passed) {
            return body;
        }
        let terms = Terms {
            id: call.id.clone(),
            service: call.service.alias.clone(),
            surface: call.surface,
            events: None,
            idle: self.config.clocks.idle,
            silence: None,
            deadline: call.deadline,
            limit: (call.stream == Stream::No).then_some(call.service.max_response.bytes),
            closing: call.arrival.closing.clone(),
        };
        Guard::new(body, terms, Notes::default()).boxed()
    }

    /// Asks one target.
    async fn attempt(
        &self,
        plan: &Plan,
        target: &Target,
        caller: &Caller,
        notes: &Notes,
    ) -> Result<Retold, Error> {
        let Leg { call, how, dropped } = Leg::of(plan, target)?;
        notes.served(target.to_string(), dropped.join(","));
        let reply = self.send_until_closing(&call, caller, notes).await?;
        let listener =
            Listener { client: plan.endpoint.dialect(), id: &call.id, service: &target.service.alias, notes };
        let Retold { response, told } = tokio::select! {
            biased;
            retold = listener.retell(reply.map(|body| self.watched(body, &call, &how)), how) => retold?,
            () = call.arrival.closing.cancelled() => return Err(Error::Closing),
        };
        Ok(Retold { response: self.relayed(response, &call, notes.clone())?, told })
    }
}

/// That a plan goes on to its next target, and why.
struct Passing {
    why: String,
    /// How long the provider asks to be left alone.
    asked: Option<Duration>,
}

impl Passing {
    /// Only from a target that cannot have begun to work: one that was not reached, that is overloaded or used up, or
    /// that has no such model. Whatever else failed may be billed, and is the answer.
    fn of(tried: &Result<Retold, Error>) -> Option<Self> {
        match tried {
            Ok(Retold { response, told: Some(told) }) => {
                let why = match told.status {
                    402 => "used up",
                    404 => "no such model",
                    429 => "rate limited",
                    503 | 529 => "overloaded",
                    _ => return None,
                };
                let why = format!("{} {why}", told.status);
                Some(Self { why, asked: retry_after(response.headers()) })
            }
            Ok(_) => None,
            Err(Error::Upstream { fault, .. }) if fault.never_sent() => {
                Some(Self { why: fault.code().to_owned(), asked: None })
            }
            Err(_) => None,
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
