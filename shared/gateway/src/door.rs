//! What every door does with a request: hand it to the gateway, whatever state that is in.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::{Request, Response};

use crate::body::Body;
use crate::config::{Config, Invalid};
use crate::gateway::{Gateway, Role};
use crate::log::Logger;
use crate::route::Surface;
use crate::{Arrival, Error, log};

/// A gateway behind a door. On a platform nobody reads what a function prints when it cannot start, so settings that
/// cannot be used are an answer, too.
#[derive(Debug)]
pub enum Door {
    /// Calls come through.
    Open(Arc<Gateway>),
    /// Every call is told what is wrong with the settings.
    Closed(Invalid),
}

impl Door {
    /// Opens a door with the settings as they were read, and starts the log.
    #[must_use]
    pub fn new(config: Result<Config, Invalid>, role: Role) -> Self {
        Self::equipped(config, role, Ok)
    }

    /// As [`new`](Self::new), at a door that lends the gateway what only it has: a store, a way to the background, a
    /// signature. What the settings ask for and it has not is one more problem of theirs.
    #[must_use]
    pub fn equipped(
        config: Result<Config, Invalid>,
        role: Role,
        equip: impl FnOnce(Gateway) -> Result<Gateway, Invalid>,
    ) -> Self {
        log::start(config.as_ref().map_or(log::ANXIOUS, |config| config.log));
        let gateway = config.and_then(|config| {
            for (setting, why) in &config.found.idle {
                tracing::warn!(setting, "{setting} does nothing here: {why}");
            }
            equip(Gateway::new(Arc::new(config), role, Arc::new(Logger)).telling())
        });
        match gateway {
            Ok(gateway) => Self::Open(Arc::new(gateway)),
            Err(invalid) => {
                tracing::error!("the settings cannot be used: {invalid}");
                Self::Closed(invalid)
            }
        }
    }

    /// Resolves once nothing is left to do of calls that have ended; until then the process should not be put to sleep.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let settled = match self {
            Self::Open(gateway) => Some((gateway.keeping.settled(), gateway.recorders.clone())),
            Self::Closed(_) => None,
        };
        async move {
            if let Some((settled, recorders)) = settled {
                settled.await;
                recorders.flush().await;
            }
        }
    }

    /// Has the page for Prometheus tell how many connections are open.
    pub fn count_connections(&self, open: impl Fn() -> usize + Send + Sync + 'static) {
        let Self::Open(gateway) = self else { return };
        if let Some(metrics) = &gateway.recorders.metrics {
            metrics.count_connections(open);
        }
    }

    /// Answers a request, even where the gateway panics on it: one bad call must not take the others with it.
    pub async fn answer(&self, request: Request<Body>, arrival: Arrival) -> Response<Body> {
        let surface = Surface::of(request.uri().path(), request.headers());
        match self {
            Self::Closed(invalid) => refuse(Error::Settings(invalid.to_string()), surface),
            // In a box of its own: the futures around it are moved from hand to hand, and hold what is in them twice.
            Self::Open(gateway) => guarded(Box::pin(gateway.handle(request, arrival)), surface).await,
        }
    }
}

/// The answer to a request that does not get as far as the gateway. It is logged, under an id of its own.
#[must_use]
pub fn refuse(error: Error, surface: Surface) -> Response<Body> {
    let id = uuid::Uuid::now_v7().to_string();
    let told = crate::error::logged(&error);
    tracing::info!(id, code = error.code(), "call {id} was refused: {told}");
    error.into_response(surface, &id)
}

/// The answer of a future, or of its panic.
pub async fn guarded(answer: impl Future<Output = Response<Body>>, surface: Surface) -> Response<Body> {
    let caught = AssertUnwindSafe(answer).catch_unwind().await;
    caught.unwrap_or_else(|_| refuse(Error::Panic, surface))
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use http_body_util::BodyExt;

    use super::{Door, guarded};
    use crate::body::{Body, empty};
    use crate::gateway::Role;
    use crate::route::Surface;
    use crate::{Arrival, Config, Invalid, Platform};

    async fn text(response: Response<Body>) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn settings_that_cannot_be_used_are_told_to_every_caller_without_their_values() {
        let door = Door::new(
            Config::read([("DEFAULT_TIMEOUT", "sk-oops"), ("PORT", "x")], Platform::Vercel),
            Role::Gateway,
        );
        let request = Request::builder().uri("/v1/models").body(empty()).unwrap();
        let response = door.answer(request, Arrival::now()).await;
        assert_eq!(response.status(), 500);
        let told = text(response).await;
        assert!(
            told.contains("DEFAULT_TIMEOUT") && told.contains("PORT") && !told.contains("sk-oops"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn what_a_door_cannot_lend_is_told_like_any_setting() {
        let nothing: [(&str, &str); 0] = [];
        let config = Config::read(nothing, Platform::Vercel);
        let door = Door::equipped(config, Role::Gateway, |_| Err(Invalid(vec!["REDIS_URL: no".to_owned()])));
        let request = Request::builder().uri("/v1/models").body(empty()).unwrap();
        let response = door.answer(request, Arrival::now()).await;
        assert_eq!(response.status(), 500);
        assert!(text(response).await.contains("REDIS_URL: no"));
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let response = guarded(async { panic!("deliberate") }, Surface::Gateway).await;
        assert_eq!(response.status(), 500);
        assert!(!text(response).await.contains("deliberate"));
    }
}
