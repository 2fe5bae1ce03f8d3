//! Shared state in Redis, for every platform: over TCP and TLS, or over the REST that Upstash gives functions.
//!
//! Every operation is one Lua script, so each is atomic on the server and costs one round trip. The scripts hold no
//! policy that Rust holds, too: a meter's arithmetic is [`Meter`](twinlane_store::Meter)'s own, in doubles, which count
//! microseconds exactly up to 2⁵³ (the year 2255).
//!
//! # What a lost answer means
//! An operation whose answer is lost is asked for once more where asking twice changes nothing: everything except
//! `spend`, `correct` and `put_new`. Those answer [`Unavailable`] and may have happened: a meter errs by that one call, on
//! the strict side, until it has filled again.
//!
//! # What the server must be
//! Redis 5 or anything that speaks like it (Valkey, Upstash, ElastiCache), with `maxmemory-policy noeviction`: a server
//! that evicts keys forgets limits. All keys share one hash tag, so that a cluster keeps them in one slot and a script
//! may touch several; a cluster has to be asked at the node of that slot, or through a proxy. What a crash of the server
//! forgets is the server's setting: with `appendonly yes`, nothing that was answered while the machine stays up.

mod budgets;
mod log;
mod meters;
mod places;
mod reply;
mod rest;
mod scripts;
mod store;
mod tcp;
mod values;
mod wire;

use std::fmt;
use std::time::Duration;

use twinlane_store::{Millis, Unavailable};

pub use rest::Http;

use reply::Reply;
use rest::Rest;
use scripts::Script;
use tcp::Tcp;
use wire::{Order, Wire};

/// How long a key is kept after its time is over: for callers whose clocks are behind the server's.
const GRACE: Millis = 60_000;

/// Times and sums are kept below this, so that doubles count them exactly.
const EXACT: u64 = (1 << 53) - 1;

/// What may differ from one deployment to another.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// How long an answer may take.
    pub command: Duration,
    /// What all keys begin with, in braces.
    pub prefix: String,
    /// Certificates in PEM that are trusted instead of the compiled-in ones, for a server with one of its own.
    pub roots: Option<Vec<u8>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            command: Duration::from_secs(2),
            prefix: "twinlane".to_owned(),
            roots: None,
        }
    }
}

/// An address that cannot be used. The address is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not a URL of Redis.
    #[error("it is not a URL like redis://user:password@host:6379/0, or rediss:// for TLS")]
    Redis,
    /// The certificates cannot be read, or the URL does not ask for TLS.
    #[error(
        "certificates are given that are not PEM, or that a redis:// URL has no use for; is rediss:// meant?"
    )]
    Roots,
    /// Not a URL of a REST service.
    #[error("it is not a URL like https://name.upstash.io")]
    Rest,
    /// The token cannot be a header.
    #[error("the token holds characters that no token has")]
    Token,
}

/// The Redis engine.
pub struct Redis {
    wire: Wire,
    prefix: String,
    /// The longest an operation may take, a second attempt included.
    patience: Duration,
}

impl Redis {
    /// An engine that speaks to the server itself, by a `redis://` or `rediss://` URL. It connects when it is first
    /// asked, and again whenever the connection is gone.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn over_tcp(url: &str, settings: Settings) -> Result<Self, BadAddress> {
        let tcp = Tcp::new(url, &settings)?;
        Ok(Self::over(Wire::Tcp(Box::new(tcp)), settings))
    }

    /// An engine that speaks Upstash's REST: `KV_REST_API_URL` and `KV_REST_API_TOKEN`, or
    /// `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`. Its requests go over the door's own client.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn over_rest(url: &str, token: &str, http: Http, settings: Settings) -> Result<Self, BadAddress> {
        let rest = Rest::new(url, token, http)?;
        Ok(Self::over(Wire::Rest(rest), settings))
    }

    fn over(wire: Wire, settings: Settings) -> Self {
        Self { wire, prefix: settings.prefix, patience: settings.connect.saturating_add(settings.command) }
    }

    /// The key of something.
    fn key(&self, kind: &str, name: &str) -> String {
        format!("{{{}}}:{kind}:{name}", self.prefix)
    }

    /// Runs a script whose second run would change nothing more.
    async fn run(&self, script: &Script, keys: Vec<String>, args: Vec<String>) -> Result<Reply, Unavailable> {
        let order = Order { script, keys, args };
        self.in_time(async {
            match self.wire.run(&order).await {
                Err(_) => self.wire.run(&order).await,
                answer => answer,
            }
        })
        .await
    }

    /// Runs a script that counts each time it is run.
    async fn run_once(
        &self,
        script: &Script,
        keys: Vec<String>,
        args: Vec<String>,
    ) -> Result<Reply, Unavailable> {
        let order = Order { script, keys, args };
        self.in_time(self.wire.run(&order)).await
    }

    async fn in_time(
        &self,
        running: impl Future<Output = Result<Reply, Unavailable>>,
    ) -> Result<Reply, Unavailable> {
        match tokio::time::timeout(self.patience, running).await {
            Ok(answer) => answer,
            Err(_) => Err(Unavailable(format!("Redis has not answered in {} ms", self.patience.as_millis()))),
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("wire", &self.wire).field("prefix", &self.prefix).finish()
    }
}

/// For how long what ends at `until` is kept, in milliseconds.
fn kept_for(now: Millis, until: Millis) -> String {
    exact(until.saturating_sub(now).saturating_add(GRACE))
}

/// A number as scripts read it, without loss.
fn exact(number: u64) -> String {
    number.min(EXACT).to_string()
}
