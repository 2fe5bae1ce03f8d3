//! One API for every provider: `/v1` in OpenAI's and Anthropic's formats and `/v1beta` in Gemini's, for any model.
//!
//! A call is understood ([`plan`]), its providers are found ([`targets`]), it is said in each one's words in turn
//! ([`said`], [`leg`]) until one answers, and the reply is told in the client's ([`retell`]). Each attempt is a
//! [`Call`] like those of `/gateway`, on the same lanes, with the same retries, clocks and limits.

pub mod ask;
pub mod catalogue;
pub mod cooldown;
pub mod counting;
pub mod draft;
pub mod endpoint;
pub mod fetch;
pub mod leg;
mod pictures;
pub mod plan;
pub mod retell;
mod route_check;
pub mod said;
pub mod targets;
mod tokenize;
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
use endpoint::Endpoint;
use leg::Leg;
use pictures::Unsaid;
use plan::Plan;
use retell::{Listener, Retold};
use said::{How, Said};
use targets::Target;

impl Gateway {
    /// Follows a plan: answers what the gateway itself knows, and has a provider answer the rest.
    ///
    /// # Errors
    /// Those of the last target.
    pub(crate) async fn follow(
        self: Arc<Self>,
        plan: Plan,
        caller: Caller,
        notes: Notes,
    ) -> Result<Response<Body>, Error> {
        match plan.endpoint {
            Endpoint::Models | Endpoint::Model(_) => self.models(plan, &caller, notes).await,
            Endpoint::ModelOptions => Ok(self.model_options(&plan, &caller).await),
            Endpoint::RouteCheck => self.route_check(plan, &caller),
            Endpoint::Tokenize => self.tokenize(&plan).await,
            _ => self.ask(&plan, &caller, &notes).await,
        }
    }

    /// Asks the targets of a plan in turn until one answers, before the first byte of an answer.
    async fn ask(&self, plan: &Plan, caller: &Caller, notes: &Notes) -> Result<Response<Body>, Error> {
        let shared_fate = plan.own_key.is_none();
        let (last, others) = self.awake(plan, caller, notes);
        for target in others {
            let tried = self.attempt(plan, target, caller, notes).await;
            let Some(Passing { why, asked }) = Passing::of(&tried) else {
                return tried.map(|retold| retold.response);
            };
            if shared_fate {
                self.cooldown.note(target.to_string(), asked, Instant::now());
            }
            tracing::debug!(id = plan.received.id, "call {} goes on from {target}: {why}", plan.received.id);
            notes.fell(format!("{target}: {why}"));
        }
        self.attempt(plan, last, caller, notes).await.map(|retold| retold.response)
    }

    /// The last target, and those before it, without those that are better left alone. Where all are, all are asked.
    fn awake<'p>(&self, plan: &'p Plan, caller: &Caller, notes: &Notes) -> (&'p Target, Vec<&'p Target>) {
        let left_alone = |target: &Target| {
            if !plan.has_key(target, caller) {
                return Some("no key");
            }
            let is_cooling = || self.cooldown.is_cooling(&target.to_string(), Instant::now());
            (plan.own_key.is_none() && is_cooling()).then_some("cooling down")
        };
        let (mut awake, mut asleep) = (Vec::new(), Vec::new());
        for target in &plan.targets {
            match left_alone(target) {
                None => awake.push(target),
                Some(why) => asleep.push(format!("{target}: {why}")),
            }
        }
        if awake.is_empty() {
            awake = plan.targets.iter().collect();
        } else {
            asleep.into_iter().for_each(|why| notes.fell(why));
        }
        // A plan has a target.
        let last = awake.pop().unwrap_or(&plan.targets[0]);
        (last, awake)
    }

    /// A reply of which something is read here is held to the call's clocks and limits while it is.
    fn watched(&self, body: Body, call: &Call) -> Body {
        let terms = Terms {
            id: call.id.clone(),
            service: call.service.alias.clone(),
            surface: call.surface,
            events: None,
            tells: None,
            idle: self.config.clocks.idle,
            silence: None,
            deadline: call.deadline,
            limit: (call.stream == Stream::No).then_some(call.service.max_response.bytes),
            quiet: true,
            closing: call.arrival.closing.clone(),
        };
        Guard::new(body, terms, Notes::default()).boxed()
    }

    /// A plan in the words of a target, unless the process must end while its images are seen to.
    async fn said_until_closing(
        &self,
        plan: &Plan,
        target: &Target,
        caller: &Caller,
    ) -> Result<Said, Unsaid> {
        tokio::select! {
            biased;
            said = self.said(plan, target, caller) => said,
            () = plan.received.arrival.closing.cancelled() => Err(Error::Closing.into()),
        }
    }

    /// Asks one target.
    async fn attempt(
        &self,
        plan: &Plan,
        target: &Target,
        caller: &Caller,
        notes: &Notes,
    ) -> Result<Retold, Error> {
        if let Some(response) = self.counted(plan, target).await? {
            notes.served("twinlane".to_owned(), String::new());
            return Ok(Retold { response, told: None });
        }
        let (call, reply, how) = match self.said_until_closing(plan, target, caller).await {
            Ok(said) => {
                let Leg { call, how, dropped } = Leg::saying(plan, target, said)?;
                notes.served(target.to_string(), dropped.join(","));
                let reply = self.send_until_closing(&call, caller, notes).await?;
                (call, reply, how)
            }
            Err(Unsaid::Refused(refused)) => {
                notes.served(target.to_string(), String::new());
                let (call, reply) = *refused;
                (call, reply, How::Passed)
            }
            Err(Unsaid::Failed(error)) => return Err(error),
        };
        let listener =
            Listener { client: plan.endpoint.dialect(), id: &call.id, service: &target.service.alias, notes };
        let Retold { response, told } = tokio::select! {
            biased;
            retold = listener.retell(reply.map(|body| self.watched(body, &call)), how) => retold?,
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
