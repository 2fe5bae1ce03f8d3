//! The path of a call, on one screen: admit, read, decide, send, relay, record.

use std::sync::Arc;

use http::header::ORIGIN;
use http::request::Parts;
use http::{Request, Response};

use crate::auth::Auth;
use crate::background::{self, Background};
use crate::body::Body;
use crate::call::{Call, Destination};
use crate::config::Config;
use crate::hop::{self, ANSWERED, REFUSED};
use crate::record::{Recorder, Recording};
use crate::retry::Budget;
use crate::route::{Route, Surface};
use crate::services::Service;
use crate::upstream::Upstream;
use crate::{Arrival, Error, identity, pages, relay};

/// Which of the two functions a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that talks to clients.
    Gateway,
    /// The one behind it, with longer patience and no further background.
    Background,
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
        Self { config, role, auth, upstream, background, budget: Budget::default(), recorder }
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
    pub async fn handle(&self, request: Request<Body>, arrival: Arrival) -> Response<Body> {
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
        &self,
        head: Parts,
        body: Body,
        arrival: Arrival,
        surface: Surface,
        recording: &mut Recording,
    ) -> Result<Response<Body>, Error> {
        if let Some(preflight) = self.config.origins.preflight(&head) {
            return Ok(preflight);
        }
        let (alias, path) = match Route::of(&head.method, &head.uri)? {
            Route::Page(page) => return pages::answer(page, &head, &arrival, self).await,
            Route::Service(alias, path) => (alias, path.to_owned()),
        };
        let caller = self.auth.admit(&head, &arrival)?;
        let to =
            Destination { id: recording.record.id.clone(), surface, service: self.service(alias)?, path };
        let call = Call::read(to, head, body, arrival, &self.config).await?;
        recording.note(&call, self.choose(&call));
        let reply = self.send_until_closing(&call, &caller, &mut recording.record).await?;
        relay::to_client(reply, &call, self.config.clocks.idle, recording.outcome())
    }

    /// The service of an alias, or the default one.
    fn service(&self, alias: Option<&str>) -> Result<Arc<Service>, Error> {
        let alias = alias.unwrap_or(&self.config.default_service);
        let unknown =
            || Error::UnknownService { alias: alias.to_owned(), known: self.config.services.aliases() };
        self.config.services.get(alias).ok_or_else(unknown)
    }
}
