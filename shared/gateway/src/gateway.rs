//! The path of a call, on one screen: admit, read, decide, send, relay, record.

use std::sync::Arc;
use std::time::Duration;

use http::header::ORIGIN;
use http::request::Parts;
use http::{Request, Response};

use crate::auth::Auth;
use crate::auth::Caller;
use crate::background::{self, Background};
use crate::body::Body;
use crate::call::{Call, Received, Stream};
use crate::config::Config;
use crate::hop::{self, ANSWERED, REFUSED};
use crate::record::{Notes, Recorder, Recording};
use crate::relay::Waits;
use crate::retry::Budget;
use crate::route::{Route, Surface};
use crate::services::Service;
use crate::silence::Manner;
use crate::unified::cooldown::Cooldown;
use crate::unified::plan::Plan;
use crate::upstream::Upstream;
use crate::{Arrival, Error, identity, pages, relay, silence};

/// Which of the two functions a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that talks to clients.
    Gateway,
    /// The one behind it, with longer patience and no further background.
    Background,
}

/// Where a request goes.
enum To {
    /// To a service, at a path below it.
    Service(Arc<Service>, String),
    /// To whichever provider has the model.
    Unified(String),
}

/// The gateway: one value, made once, that answers every request of a process.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) config: Arc<Config>,
    pub(crate) role: Role,
    pub(crate) auth: Auth,
    pub(crate) upstream: Upstream,
    pub(crate) background: Option<Box<dyn Background>>,
    pub(crate) budget: Budget,
    pub(crate) cooldown: Cooldown,
    recorder: Arc<dyn Recorder>,
}

impl Gateway {
    /// A gateway in a role; the gateway function reaches the background as the settings say.
    #[must_use]
    pub fn new(config: Arc<Config>, role: Role, recorder: Arc<dyn Recorder>) -> Self {
        let upstream = Upstream::new(config.clocks.connect, config.clocks.stall);
        let background = match role {
            Role::Gateway => background::by_settings(&config, &upstream, &recorder),
            Role::Background => None,
        };
        let auth = Auth(config.access.clone());
        Self {
            config,
            role,
            auth,
            upstream,
            background,
            budget: Budget::default(),
            cooldown: Cooldown::default(),
            recorder,
        }
    }

    /// The same gateway with the way to the background that its door knows, where the settings name none.
    #[must_use]
    pub fn reaching(mut self, way: impl FnOnce(&Config, &Upstream) -> Option<Box<dyn Background>>) -> Self {
        if self.role == Role::Gateway && self.background.is_none() {
            self.background = way(&self.config, &self.upstream);
        }
        self
    }

    /// Answers a request. This cannot fail: an error is an answer, too.
    pub async fn handle(self: &Arc<Self>, request: Request<Body>, arrival: Arrival) -> Response<Body> {
        let (head, body) = request.into_parts();
        let who = identity::of(&head, &arrival, self.config.secret.as_ref());
        let (surface, origin) =
            (Surface::of(head.uri.path(), &head.headers), head.headers.get(ORIGIN).cloned());
        let arrival = Arrival { address: who.address, ..arrival };
        let mut recording =
            Recording::begin(who.id.clone(), head.method.clone(), who.address, arrival.at, &self.recorder);
        let served = self.serve(head, body, arrival, surface, &mut recording).await;
        let marker = if served.as_ref().is_err_and(Error::refused) { REFUSED } else { ANSWERED };
        let mut response = served.unwrap_or_else(|error| recording.answer(error, surface));
        relay::dress(&mut response, &recording, who.by_client);
        self.config.origins.dress(response.headers_mut(), origin.as_ref());
        if self.role == Role::Background {
            hop::mark(response.headers_mut(), marker, who.vouched);
        }
        recording.finish_with(response)
    }

    async fn serve(
        self: &Arc<Self>,
        head: Parts,
        body: Body,
        arrival: Arrival,
        surface: Surface,
        recording: &mut Recording,
    ) -> Result<Response<Body>, Error> {
        if let Some(preflight) = self.config.origins.preflight(&head) {
            return Ok(preflight);
        }
        let to = match Route::of(&head.method, &head.uri)? {
            Route::Page(page) => return pages::answer(page, &head, &arrival, self).await,
            Route::Service(alias, path) => To::Service(self.service(alias)?, path.to_owned()),
            Route::Unified(path) => To::Unified(path.to_owned()),
        };
        let caller = self.auth.admit(&head, &arrival)?;
        let id = recording.record.id.clone();
        let received = Received::read(id, surface, head, body, arrival, &self.config).await?;
        match to {
            To::Service(service, path) => {
                self.pass(Call::new(received, service, path), caller, recording).await
            }
            To::Unified(path) => {
                let plan = Plan::of(received, &path, &self.auth, &self.config)?;
                self.unify(plan, caller, recording).await
            }
        }
    }

    /// Answers a call of one service.
    async fn pass(
        self: &Arc<Self>,
        call: Call,
        caller: Caller,
        recording: &mut Recording,
    ) -> Result<Response<Body>, Error> {
        recording.note(&call);
        let notes = recording.notes().clone();
        let Some(silence) = self.silence(call.stream) else {
            return self.carried(&call, &caller, notes).await;
        };
        let (protocol, surface, id) = (call.protocol, call.surface, call.id.clone());
        let manner = Manner { protocol, surface, id, silence, notes: notes.clone() };
        let gateway = Arc::clone(self);
        silence::bridged(Box::pin(async move { gateway.carried(&call, &caller, notes).await }), manner).await
    }

    /// Answers a call of the unified API.
    async fn unify(
        self: &Arc<Self>,
        plan: Plan,
        caller: Caller,
        recording: &mut Recording,
    ) -> Result<Response<Body>, Error> {
        recording.note_plan(&plan);
        let notes = recording.notes().clone();
        let protocol = plan.endpoint.protocol(&plan.received.path);
        let (silence, surface, id) =
            (self.silence(plan.stream), plan.received.surface, plan.received.id.clone());
        let answer = Arc::clone(self).follow(plan, caller, notes.clone());
        match silence {
            None => answer.await,
            Some(silence) => {
                silence::bridged(Box::pin(answer), Manner { protocol, surface, id, silence, notes }).await
            }
        }
    }

    /// After which time the client of a call hears that all is well.
    fn silence(&self, stream: Stream) -> Option<Duration> {
        self.config.clocks.silence.filter(|_| self.role == Role::Gateway && stream == Stream::Events)
    }

    /// Has a call carried to its provider, and the reply relayed.
    async fn carried(&self, call: &Call, caller: &Caller, notes: Notes) -> Result<Response<Body>, Error> {
        let reply = self.send_until_closing(call, caller, &notes).await?;
        self.relayed(reply, call, notes)
    }

    /// A reply as the client is sent it.
    pub(crate) fn relayed(
        &self,
        reply: Response<Body>,
        call: &Call,
        notes: Notes,
    ) -> Result<Response<Body>, Error> {
        let silence = self.config.clocks.silence.filter(|_| self.role == Role::Gateway);
        let waits = Waits { idle: self.config.clocks.idle, silence };
        relay::to_client(reply, call, waits, notes)
    }

    /// The service of an alias.
    fn service(&self, alias: &str) -> Result<Arc<Service>, Error> {
        let unknown =
            || Error::UnknownService { alias: alias.to_owned(), known: self.config.services.aliases() };
        self.config.services.get(alias).ok_or_else(unknown)
    }
}
