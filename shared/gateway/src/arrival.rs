//! What a door knows about a request that the request itself cannot be trusted to say.

use std::net::IpAddr;
use std::time::Instant;

use http::HeaderMap;
use tokio_util::sync::CancellationToken;

/// How and when a request came in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When the door got the request; every clock of the call starts here.
    pub at: Instant,
    /// The caller's address as the platform or the socket tells it, never as a header of the client's does.
    pub address: Option<IpAddr>,
    /// The moment the platform ends the function. `None` where nothing does.
    pub deadline: Option<Instant>,
    /// Whether the request came over a socket that only this machine can reach.
    pub loopback: bool,
    /// What the platform wants to see on a call from this function to its sibling, such as Vercel's proof of identity.
    pub hop: HeaderMap,
    /// Cancelled when the process must end and has waited long enough for its calls.
    pub closing: CancellationToken,
}

impl Arrival {
    /// An arrival now, of which nothing else is known.
    #[must_use]
    pub fn now() -> Self {
        Self {
            at: Instant::now(),
            address: None,
            deadline: None,
            loopback: false,
            hop: HeaderMap::new(),
            closing: CancellationToken::new(),
        }
    }
}
