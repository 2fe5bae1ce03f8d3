//! Carries a call to its provider: over the background or directly, again where that is harmless, and over the edge
//! where the background cannot be reached.

use std::time::{Duration, Instant};

use http::header::RETRY_AFTER;
use http::{Request, Response};

use crate::auth::{CREDENTIALS, Caller};
use crate::background::NotCarried;
use crate::body::{Body, streaming};
use crate::call::Call;
use crate::gateway::{Gateway, Role};
use crate::hop::HOPPED;
use crate::lane::{self, Choice, Lane, Why};
use crate::record::Notes;
use crate::retry::{self, Ended, Repeatable};
use crate::upstream::{Failure, Fault, Wait};
use crate::{Error, headers};

/// What a provider, or the background, answered.
#[derive(Debug)]
pub struct Reply {
    /// The answer.
    pub response: Response<Body>,
    /// How often a provider was tried.
    pub attempts: u32,
}

/// A call that got no reply.
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub error: Error,
    /// How often a provider was tried.
    pub attempts: u32,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, attempts: 0 }
    }
}

impl Gateway {
    /// The lane of a call here.
    pub(crate) fn choose(&self, call: &Call) -> Choice {
        let choice = lane::choose(call, self.config.limits.large);
        match (self.role, choice.lane, &self.background) {
            (Role::Background, ..) => Choice::background(Why::Called),
            // BACKGROUND_URL leads to a gateway, perhaps to this one: without this it would call itself for ever.
            (Role::Gateway, ..) if call.headers.contains_key(HOPPED) => Choice::edge(Why::Called),
            (Role::Gateway, Lane::Background, None) => Choice::edge(Why::BackgroundOff),
            (Role::Gateway, ..) => choice,
        }
    }

    /// As [`send`](Self::send), given up when the process must end.
    ///
    /// # Errors
    /// As there, and [`Error::Closing`].
    pub(crate) async fn send_until_closing(
        &self,
        call: &Call,
        caller: &Caller,
        notes: &Notes,
    ) -> Result<Response<Body>, Error> {
        tokio::select! {
            biased;
            sent = self.send(call, caller, notes) => sent,
            () = call.arrival.closing.cancelled() => Err(Error::Closing),
        }
    }

    /// Carries a call on its lane and notes how that went.
    ///
    /// # Errors
    /// What kept the call from being answered.
    async fn send(&self, call: &Call, caller: &Caller, notes: &Notes) -> Result<Response<Body>, Error> {
        let choice = self.choose(call);
        notes.chose(choice);
        tracing::debug!(
            id = call.id,
            "call {} takes the {} lane: {}",
            call.id,
            choice.lane.as_str(),
            choice.why
        );
        let sent = match (&self.background, choice.lane) {
            (Some(background), Lane::Background) => match background.forward(call, caller).await {
                Ok(reply) => Ok(reply),
                Err(NotCarried::Failed(failed)) => Err(failed),
                Err(NotCarried::NeverReached { why, answer }) => {
                    tracing::warn!(
                        id = call.id,
                        why,
                        "the background was not reached for call {}: {why}",
                        call.id
                    );
                    self.fall_back(call, caller, answer, notes).await
                }
            },
            _ => self.carry(call, caller).await,
        };
        let (attempts, answer) = match sent {
            Ok(reply) => (reply.attempts, Ok(reply.response)),
            Err(failed) => (failed.attempts, Err(failed.error)),
        };
        notes.tried(attempts);
        answer
    }

    /// The edge lane takes over what never reached a provider, where that is wanted.
    async fn fall_back(
        &self,
        call: &Call,
        caller: &Caller,
        answer: Option<Box<Reply>>,
        notes: &Notes,
    ) -> Result<Reply, Failed> {
        if self.config.fallback && call.service.allow_fallback {
            notes.chose(Choice::edge(Why::Fallback));
            return self.carry(call, caller).await;
        }
        answer.map(|answer| *answer).ok_or_else(|| Error::BackgroundUnreachable.into())
    }

    /// Sends a call to its provider, and again where the table of [`retry`] allows it. The one place that loops.
    ///
    /// # Errors
    /// How the last try failed.
    pub(crate) async fn carry(&self, call: &Call, caller: &Caller) -> Result<Reply, Failed> {
        let repeatable = Repeatable::of(&call.method, &call.headers, &call.service.retryable_methods);
        let most = if self.config.retry { retry::tries(call.service.max_retries, &call.headers) } else { 1 };
        self.budget.note_call(Instant::now());
        let mut attempts = 0;
        loop {
            attempts += 1;
            let tried = self.try_once(call, caller).await;
            let (ended, retry_after) = ended(&tried);
            let again = attempts < most && retry::may_repeat(ended, repeatable, retry_after);
            let pause = retry::pause(attempts, chance());
            if !again || !fits(pause, call.deadline) || !self.budget.take(Instant::now()) {
                return finished(call, tried, attempts);
            }
            tracing::debug!(
                id = call.id,
                attempts,
                "call {} is tried again in {} ms",
                call.id,
                pause.as_millis()
            );
            tokio::time::sleep(pause).await;
        }
    }

    async fn try_once(&self, call: &Call, caller: &Caller) -> Result<Response<Body>, Failure> {
        let unsendable = || Failure { fault: Fault::Malformed, sent: false, source: None };
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.url().ok_or_else(unsendable)?;
        *request.headers_mut() = headers::to_provider(call, caller, &self.auth);
        if let Some(signer) = self.signer.as_ref().filter(|_| is_to_be_signed(&request, call, caller)) {
            signer.sign(&mut request);
        }
        let reply = self.upstream.send(request, self.patience(call)).await?;
        Ok(reply.map(streaming))
    }

    fn patience(&self, call: &Call) -> Wait {
        let clocks = self.config.clocks;
        let lane = match self.role {
            Role::Gateway => clocks.first_byte,
            Role::Background => clocks.background,
        };
        Wait { first_byte: call.service.first_byte.unwrap_or(lane), deadline: call.deadline }
    }
}

/// Only for callers who may use the server's keys, and not where somebody brought one.
fn is_to_be_signed(request: &Request<bytes::Bytes>, call: &Call, caller: &Caller) -> bool {
    let keyed = CREDENTIALS.iter().any(|name| request.headers().contains_key(name));
    call.service.signed && caller.server_keys && !keyed
}

fn ended(tried: &Result<Response<Body>, Failure>) -> (Ended, bool) {
    match tried {
        Ok(reply) => (Ended::Replied(reply.status()), reply.headers().contains_key(RETRY_AFTER)),
        Err(Failure { sent: true, fault: Fault::Upload | Fault::FirstByte | Fault::Deadline, .. }) => {
            (Ended::TimedOut, false)
        }
        Err(Failure { sent: true, .. }) => (Ended::Cut, false),
        Err(_) => (Ended::Unsent, false),
    }
}

fn finished(call: &Call, tried: Result<Response<Body>, Failure>, attempts: u32) -> Result<Reply, Failed> {
    match tried {
        Ok(response) => Ok(Reply { response, attempts }),
        Err(Failure { fault, source, .. }) => {
            let error = Error::Upstream { service: call.service.alias.clone(), fault, source };
            Err(Failed { error, attempts })
        }
    }
}

/// Whether a pause ends before the call must.
fn fits(pause: Duration, deadline: Option<Instant>) -> bool {
    deadline.is_none_or(|deadline| Instant::now() + pause < deadline)
}

/// A number from 0 to 1 to spread retries by. The clock's fraction of a millisecond is random enough for that.
fn chance() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    f64::from(since.subsec_nanos() % 1_000_000) / 1_000_000.0
}
