//! The one connection to the server, which all calls share, and its replacement when it is gone.
//!
//! The crate's own connection manager keeps a connection on which answers time out, and a connection whose far end has
//! vanished without a word is exactly that: whoever was frozen for a while holds one. So the connection is kept here.

use std::fmt;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, ServerErrorKind, TlsCertificates};
use tokio::sync::Mutex;
use twinlane_store::Unavailable;

use crate::reply::Reply;
use crate::wire::Failure;
use crate::{BadAddress, Settings};

/// A connection that was not used for this long is asked whether it still is one, before it carries what must not be
/// sent twice.
const DOUBTED_AFTER: Duration = Duration::from_secs(15);

/// After a failed attempt to connect, none is made for this long: those who wait are told so at once.
const PAUSE: Duration = Duration::from_millis(200);

/// The way to a server.
pub(crate) struct Tcp {
    client: Client,
    connect: Duration,
    command: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// How many connections there have been.
    count: u64,
    failed: Option<(Instant, String)>,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    number: u64,
    used: Instant,
}

impl Tcp {
    pub(crate) fn new(url: &str, settings: &Settings) -> Result<Self, BadAddress> {
        let client = client(url.trim(), settings.roots.clone())?;
        let (connect, command) = (settings.connect, settings.command);
        Ok(Self { client, connect, command, state: Mutex::default() })
    }

    pub(crate) async fn send(&self, words: impl Iterator<Item = String>) -> Result<Reply, Failure> {
        let mut live = self.connection().await?;
        let mut command = Cmd::new();
        words.for_each(|word| {
            command.arg(word);
        });
        match command.query_async(&mut live.connection).await {
            Ok(value) => Ok(Reply::of_resp(value)?),
            Err(error) => Err(self.failed(&error, live.number).await),
        }
    }

    async fn connection(&self) -> Result<Live, Unavailable> {
        let mut state = self.state.lock().await;
        if let Some(live) = &mut state.live
            && self.is_alive(live).await
        {
            live.used = Instant::now();
            return Ok(live.clone());
        }
        state.live = None;
        self.reconnect(&mut state).await
    }

    async fn is_alive(&self, live: &mut Live) -> bool {
        if live.used.elapsed() < DOUBTED_AFTER {
            return true;
        }
        let ping = redis::cmd("PING");
        let pong = ping.exec_async(&mut live.connection);
        matches!(tokio::time::timeout(self.connect / 2, pong).await, Ok(Ok(())))
    }

    /// Makes one attempt, for all who wait.
    async fn reconnect(&self, state: &mut State) -> Result<Live, Unavailable> {
        if let Some((when, why)) = &state.failed
            && when.elapsed() < PAUSE
        {
            return Err(Unavailable(why.clone()));
        }
        match self.open().await {
            Ok(connection) => {
                state.count += 1;
                let live = Live { connection, number: state.count, used: Instant::now() };
                state.live = Some(live.clone());
                state.failed = None;
                Ok(live)
            }
            Err(error) => {
                let why = format!("no connection to Redis: {error}");
                state.failed = Some((Instant::now(), why.clone()));
                Err(Unavailable(why))
            }
        }
    }

    async fn open(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect))
            .set_response_timeout(Some(self.command));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Gives up the connection an error came from, unless it is the answer of a server in its right mind.
    async fn failed(&self, error: &RedisError, number: u64) -> Failure {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => return Failure::Unknown,
            // A server that has become a replica: its name leads to another one by now.
            ErrorKind::Server(ServerErrorKind::ReadOnly) => self.give_up(number).await,
            ErrorKind::Server(_) | ErrorKind::Extension => {}
            _ => self.give_up(number).await,
        }
        Failure::Lost(Unavailable(format!("Redis: {error}")))
    }

    async fn give_up(&self, number: u64) {
        let mut state = self.state.lock().await;
        if state.live.as_ref().is_some_and(|live| live.number == number) {
            state.live = None;
        }
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.client.get_connection_info().addr().to_string();
        f.debug_struct("Tcp").field("address", &address).finish_non_exhaustive()
    }
}

fn client(url: &str, roots: Option<Vec<u8>>) -> Result<Client, BadAddress> {
    // The crate takes the process's provider, and panics where there is none. One that is there already is ring, too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = Client::open(url).map_err(|_| BadAddress::Redis)?;
    match roots {
        None => Ok(plain),
        Some(roots) => {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(roots) };
            Client::build_with_tls(url, certificates).map_err(|_| BadAddress::Roots)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tcp;
    use crate::{BadAddress, Settings};

    #[track_caller]
    fn check(url: &str, roots: Option<&str>, expected: &Result<(), BadAddress>) {
        let settings = Settings { roots: roots.map(|pem| pem.as_bytes().to_vec()), ..Settings::default() };
        assert_eq!(&Tcp::new(url, &settings).map(|_| ()), expected, "{url}");
    }

    #[test]
    fn only_addresses_of_redis_are_taken() {
        check("redis://127.0.0.1", None, &Ok(()));
        check(" rediss://user:p%40ss@host:6380/3\n", None, &Ok(()));
        check("https://host", None, &Err(BadAddress::Redis));
        check("host:6379", None, &Err(BadAddress::Redis));
        check("redis://host/three", None, &Err(BadAddress::Redis));
    }

    #[test]
    fn certificates_without_tls_are_a_mistake_to_be_told() {
        check("redis://host", Some(""), &Err(BadAddress::Roots));
        check(
            "rediss://host",
            Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"),
            &Err(BadAddress::Roots),
        );
    }

    #[test]
    fn a_password_is_not_shown() {
        let tcp = Tcp::new("rediss://user:hush@host:6380", &Settings::default()).unwrap();
        assert!(!format!("{tcp:?}").contains("hush"), "{tcp:?}");
    }
}
