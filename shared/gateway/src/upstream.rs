//! The one client that talks to providers and to the background function.
//!
//! It is hyper's own pooled client rather than reqwest: reqwest runs every path through `url::Url`, which rewrites names
//! on their way, and it does not tell whether a request that failed had been sent, on which every retry hangs. It follows
//! no redirects, decodes nothing, reads no proxy settings and repeats only what was never sent.

mod connect;
mod fault;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::TRANSFER_ENCODING;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{sleep_until, timeout};

pub use fault::Fault;

use crate::body::BoxError;
use connect::Connector;

/// How long an unused connection is kept. Providers close theirs after a minute or more; a function that was frozen
/// meanwhile would find out only by sending.
const KEEP_IDLE: Duration = Duration::from_secs(20);

/// Sends requests, and says of those that fail whether they were sent.
#[derive(Debug, Clone)]
pub struct Upstream {
    client: Client<Connector, Full<Bytes>>,
}

/// A request that got no reply.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub fault: Fault,
    /// Whether a connection carried it, so that somebody may have acted on it.
    pub sent: bool,
    /// The client's own words, for the log.
    pub source: Option<BoxError>,
}

/// The clocks of one request.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// From a connection to the reply's head.
    pub first_byte: Duration,
    /// The moment at which waiting is pointless.
    pub deadline: Option<Instant>,
}

impl Upstream {
    /// A client that gives a connection `connect` to come about.
    #[must_use]
    pub fn new(connect: Duration) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(KEEP_IDLE);
        // Finds out that an HTTP/2 connection died while replies are awaited on it.
        builder
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(Duration::from_secs(20));
        Self { client: builder.build(connect::connector(connect)) }
    }

    /// Sends a request and waits for the head of its reply.
    ///
    /// # Errors
    /// [`Failure`]: no reply, or one that cannot be relayed soundly.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        wait: Wait,
    ) -> Result<Response<Incoming>, Failure> {
        let reply = match wait.deadline {
            None => self.reply(request, wait.first_byte).await,
            Some(deadline) => self.reply_before(request, wait.first_byte, deadline).await,
        };
        reply.and_then(sound)
    }

    /// As [`reply`](Self::reply), given up at the deadline. That a request was given up says nothing of its being sent.
    async fn reply_before(
        &self,
        request: Request<Full<Bytes>>,
        first_byte: Duration,
        deadline: Instant,
    ) -> Result<Response<Incoming>, Failure> {
        tokio::select! {
            reply = self.reply(request, first_byte) => reply,
            () = sleep_until(deadline.into()) => Err(Failure { fault: Fault::Deadline, sent: true, source: None }),
        }
    }

    /// The first-byte clock starts when a connection carries the request; before that the connector's own clock runs.
    async fn reply(
        &self,
        mut request: Request<Full<Bytes>>,
        first_byte: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let mut connection = capture_connection(&mut request);
        let mut reply = std::pin::pin!(self.client.request(request));
        tokio::select! {
            biased;
            reply = &mut reply => return reply.map_err(failure),
            _ = connection.wait_for_connection_metadata() => {}
        }
        match timeout(first_byte, reply).await {
            Ok(reply) => reply.map_err(failure),
            Err(_) => Err(Failure { fault: Fault::FirstByte, sent: true, source: None }),
        }
    }
}

fn failure(error: ClientError) -> Failure {
    Failure { fault: Fault::of(&error), sent: !error.is_connect(), source: Some(error.into()) }
}

/// Refuses a reply whose framing a client could read in another way than we did.
fn sound(reply: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
    let codings = reply.headers().get_all(TRANSFER_ENCODING);
    let chunked = codings.iter().all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if chunked && reply.status() != StatusCode::SWITCHING_PROTOCOLS {
        Ok(reply)
    } else {
        Err(Failure { fault: Fault::Malformed, sent: true, source: None })
    }
}
