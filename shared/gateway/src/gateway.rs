//! The path of a call, on one screen: admit, read, decide, send, relay, record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use twinlane_access::Denied;
use twinlane_store::Store;

use crate::auth::Auth;
use crate::auth::Caller;
use crate::background::{self, Background};
use crate::body::Body;
use crate::books::{Books, Need, Payer};
use crate::call::{Call, Received, Stream};
use crate::config::{Config, Platform};
use crate::hop::{self, ANSWERED, HOPPED, REFUSED};
use crate::identity::Identity;
use crate::keeping::Keeping;
use crate::record::{Notes, Recorder, Recording};
use crate::recorders::Recorders;
use crate::relay::Waits;
use crate::retry::Budget;
use crate::revocations::Revoked;
use crate::route::{self, Route, Surface};
use crate::services::Service;
use crate::signer::Signer;
use crate::silence::Manner;
use crate::unified::catalogue::Catalogue;
use crate::unified::cooldown::Cooldown;
use crate::unified::counting::Counting;
use crate::unified::plan::Plan;
use crate::upstream::Upstream;
use crate::{Arrival, Error, Tokenizers, admin, identity, pages, record, relay, scope, session, silence};

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
    pub(crate) revoked: Revoked,
    pub(crate) upstream: Upstream,
    pub(crate) background: Option<Box<dyn Background>>,
    pub(crate) budget: Budget,
    pub(crate) cooldown: Cooldown,
    pub(crate) catalogue: Catalogue,
    pub(crate) counting: Counting,
    pub(crate) keeping: Keeping,
    books: Arc<Books>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) recorders: Recorders,
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
        let (auth, keeping) = (Auth::new(config.access.clone()), Keeping::default());
        let books = Arc::new(Books::of(&config, &keeping));
        Self {
            config,
            role,
            auth,
            revoked: Revoked::in_store(keeping.store()),
            upstream,
            background,
            budget: Budget::default(),
            cooldown: Cooldown::default(),
            catalogue: Catalogue::default(),
            counting: Counting::default(),
            keeping,
            books,
            signer: None,
            recorders: Recorders::default(),
            recorder,
        }
    }

    /// The same gateway with the tokenizers that its door has.
    #[must_use]
    pub fn counting_with(self, tokenizers: Tokenizers) -> Self {
        Self { counting: Counting::with(tokenizers), ..self }
    }

    /// The same gateway with the way to the background that its door knows, where the settings name none.
    #[must_use]
    pub fn reaching(mut self, way: impl FnOnce(&Config, &Upstream) -> Option<Box<dyn Background>>) -> Self {
        if self.role == Role::Gateway && self.background.is_none() {
            self.background = way(&self.config, &self.upstream);
        }
        self
    }

    /// The same gateway, which keeps limits, budgets, revoked tokens and the usage log in a store.
    #[must_use]
    pub fn keeping(self, store: Arc<dyn Store>) -> Self {
        let (revoked, keeping) = (Revoked::in_store(&store), Keeping::by(store));
        Self { revoked, books: Arc::new(Books::of(&self.config, &keeping)), keeping, ..self }
    }

    /// The same gateway, which keeps them in the store that its door opens as the settings say; where that is none, in
    /// memory.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn keeping_by<E>(
        self,
        open: impl FnOnce(&Config, &Upstream) -> Result<Option<Arc<dyn Store>>, E>,
    ) -> Result<Self, E> {
        Ok(match open(&self.config, &self.upstream)? {
            Some(store) => self.keeping(store),
            None => self,
        })
    }

    /// The same gateway, which tells those of its calls whom the settings name.
    #[must_use]
    pub fn telling(self) -> Self {
        let recorders = Recorders::of(&self.config);
        Self { recorder: Arc::new(recorders.clone()), recorders, ..self }
    }

    /// The same gateway, which signs for services that know a door by its signature.
    #[must_use]
    pub fn signing(self, signer: Option<Arc<dyn Signer>>) -> Self {
        Self { signer, ..self }
    }

    /// Answers a request. This cannot fail: an error is an answer, too.
    pub async fn handle(self: &Arc<Self>, request: Request<Body>, arrival: Arrival) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let who = identity::of(&head, &arrival, &self.config.access.secrets);
        let surface = Surface::of(head.uri.path(), &head.headers);
        let origin = head.headers.get(ORIGIN).filter(|_| !route::is_admin(head.uri.path())).cloned();
        let arrival = Arrival { address: who.address, ..arrival };
        let mut recording =
            Recording::begin(who.id.clone(), head.method.clone(), who.address, arrival.at, &self.recorder);
        self.trace(&mut head.headers, &mut recording);
        recording.record.session = session::of(&head.headers);
        let served = self.serve(head, body, arrival, (surface, &who), &mut recording).await;
        let marker = if served.as_ref().is_err_and(Error::refused) { REFUSED } else { ANSWERED };
        let mut response = served.unwrap_or_else(|error| recording.answer(error, surface));
        relay::dress(&mut response, &recording, surface, who.by_client);
        self.config.origins.dress(response.headers_mut(), origin.as_ref());
        if self.role == Role::Background {
            hop::mark(response.headers_mut(), marker, who.vouched);
        }
        recording.finish_with(response)
    }

    /// Gives a call its place in a trace.
    fn trace(&self, headers: &mut HeaderMap, recording: &mut Recording) {
        recording.record.trace = self.recorders.telemetry.as_ref().and_then(|told| told.join(headers));
        recording.record.hopped = self.role == Role::Background && headers.contains_key(HOPPED);
    }

    async fn serve(
        self: &Arc<Self>,
        head: Parts,
        body: Body,
        arrival: Arrival,
        (surface, who): (Surface, &Identity),
        recording: &mut Recording,
    ) -> Result<Response<Body>, Error> {
        let admin = route::is_admin(head.uri.path());
        if let Some(preflight) = self.config.origins.preflight(&head).filter(|_| !admin) {
            return Ok(preflight);
        }
        // What is no call of a service goes into boxes of its own: every call would carry the room for it.
        let to = match Route::of(&head.method, &head.uri)? {
            Route::Page(page) => return Box::pin(pages::answer(page, &head, &arrival, self)).await,
            Route::Service(alias, path) => To::Service(self.service(alias)?, path.to_owned()),
            Route::Unified(path) => To::Unified(path.to_owned()),
            Route::Admin(path) => return Box::pin(admin::answer(self, path, &head, &arrival, body)).await,
        };
        let caller = self.admit(&head, &arrival, who.vouched).await?;
        recording.admitted(&caller);
        self.open_tab(&caller, who, recording);
        match &to {
            To::Service(service, path) => scope::of_head(&caller, &head, Some(&service.alias), path)?,
            To::Unified(path) => scope::of_head(&caller, &head, None, path)?,
        }
        let id = recording.record.id.clone();
        let mut received = Received::read(id, surface, head, body, arrival, &self.config).await?;
        recording.read(&received);
        received.query = self.auth.without_tokens(received.query);
        caller.check_body(&received.body)?;
        match to {
            To::Service(service, path) => self.pass(received, (service, path), caller, recording).await,
            To::Unified(path) => Box::pin(self.unify(received, &path, caller, recording)).await,
        }
    }

    /// Admits the sender of a request. What the edge vouches for was within its sender's scope when it came in; the path
    /// and the model that the background sees may be others.
    async fn admit(&self, head: &Parts, arrival: &Arrival, vouched: bool) -> Result<Caller, Error> {
        let caller = self.auth.admit(head, arrival)?;
        caller.comes_once(&self.keeping).await?;
        let Some(grant) = &caller.grant else { return Ok(caller) };
        if self.revoked.has(&grant.id, Instant::now()).await {
            return Err(Denied::Revoked.into());
        }
        let grant = if vouched { Arc::new(grant.already_checked()) } else { Arc::clone(grant) };
        Ok(Caller { grant: Some(grant), ..caller })
    }

    /// Opens the tab of a call, unless the edge has one for it: what it vouches for, and on Lambda everything, since nobody
    /// else can call the background there.
    fn open_tab(&self, caller: &Caller, who: &Identity, recording: &mut Recording) {
        let only_the_edge = self.role == Role::Background && self.config.platform == Platform::Lambda;
        if who.vouched || only_the_edge {
            return;
        }
        let payer = || Payer::of(caller, &self.auth, &recording.record);
        recording.tab = self.books.open(|| who.own_id(), payer, caller.grant.as_deref());
    }

    /// Answers a call of one service.
    async fn pass(
        self: &Arc<Self>,
        received: Received,
        (service, path): (Arc<Service>, String),
        caller: Caller,
        recording: &mut Recording,
    ) -> Result<Response<Body>, Error> {
        let asked = received.asked.clone();
        let call = Call::new(received, service, path);
        recording.keep_bodies(&call.headers, &call.body);
        scope::of_call(&caller, &call)?;
        recording.record.model = scope::model_of(&call, &asked).map(record::name);
        recording.take(|record| Some(Need::of_call(&call, record.model.clone(), &asked))).await?;
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
        received: Received,
        path: &str,
        caller: Caller,
        recording: &mut Recording,
    ) -> Result<Response<Body>, Error> {
        let mut plan = Plan::of(received, path, &self.auth, &self.config)?;
        recording.keep_bodies(&plan.received.headers, &plan.received.body);
        scope::of_plan(&caller, &mut plan, recording.notes())?;
        recording.take(|_| Need::of_plan(&plan)).await?;
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
