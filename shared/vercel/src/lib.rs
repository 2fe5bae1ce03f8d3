//! The Vercel door: joins Vercel's Rust runtime to the gateway. The functions themselves are in `api/`.
//!
//! The runtime leaves four things to its users, and each would break a promise of ours: it tells the platform that a
//! call has ended before its stream has, and before what it came to is kept ([`held`] puts that right), it closes on a body that was not read ([`unread`]
//! reads it), it answers an error's text to the client and a panic not at all (the gateway's [`Door`] never returns the
//! one and catches the other).

mod held;
mod store;
mod unread;

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderName, Request, Response};
use tokio_util::sync::CancellationToken;
use twinlane_gateway::body::streaming;
use twinlane_gateway::{Arrival, Config, Door, Gateway, Platform, Role, Tokenizers};
use vercel_runtime::{AppState, Error, ResponseBody, service_fn};

/// The platform's proof of who calls, on every request.
const IDENTITY: HeaderName = HeaderName::from_static("x-vercel-oidc-token");
/// As which the protection wall before the other function accepts it ("Trusted Sources").
const TRUSTED: HeaderName = HeaderName::from_static("x-vercel-trusted-oidc-idp-token");
/// The caller's address. The platform overwrites whatever a client sent.
const ADDRESS: HeaderName = HeaderName::from_static("x-real-ip");

/// Serves a function until the platform ends it.
///
/// # Errors
/// When the runtime cannot listen.
pub async fn run(role: Role) -> Result<(), Error> {
    let vars = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::read(vars, Platform::Vercel);
    let equip = |gateway: Gateway| gateway.counting_with(Tokenizers::embedded()).keeping_by(store::open);
    let door = Arc::new(Door::equipped(config, role, equip));
    vercel_runtime::run(service_fn(move |request: vercel_runtime::Request, state: AppState| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Error>(answer(&door, request.map(streaming).map(unread::read_on), &state).await) }
    }))
    .await
}

async fn answer(
    door: &Door,
    request: Request<twinlane_gateway::Body>,
    state: &AppState,
) -> Response<ResponseBody> {
    let arrival = arrival(&request);
    let response = door.answer(request, arrival).await;
    held::until_settled(state, response, door.settled())
}

/// Deadlines come with the settings (`MAX_DURATION`): the platform does not tell a function when it will end it.
fn arrival<B>(request: &Request<B>) -> Arrival {
    let headers = request.headers();
    let address = headers.get(ADDRESS).and_then(|address| address.to_str().ok()?.parse().ok());
    let pass = headers.get(IDENTITY).map(|identity| (TRUSTED, identity.clone()));
    Arrival {
        at: Instant::now(),
        address,
        deadline: None,
        loopback: false,
        hop: pass.into_iter().collect(),
        closing: CancellationToken::new(),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::arrival;

    #[test]
    fn the_platform_tells_the_address_and_lends_its_identity_to_the_hop() {
        let request = Request::builder()
            .header("x-real-ip", "203.0.113.9")
            .header("x-vercel-oidc-token", "oidc")
            .body(())
            .unwrap();
        let arrival = arrival(&request);
        assert_eq!(arrival.address, Some("203.0.113.9".parse().unwrap()));
        assert_eq!(arrival.hop["x-vercel-trusted-oidc-idp-token"], "oidc");
        assert_eq!(arrival.hop.len(), 1);
    }
}
