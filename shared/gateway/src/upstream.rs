//! The one client that talks to providers and to the background function.
//!
//! It is hyper's own pooled client rather than reqwest: reqwest runs every path through `url::Url`, which rewrites names
//! on their way, and it does not tell whether a request that failed had been sent, on which every retry hangs. It follows
//! no redirects, decodes nothing, reads no proxy settings and repeats only what was never sent.
//!
//! It speaks HTTP/1.1 only. Over HTTP/2 all calls to a provider would share one connection and, beyond the streams that
//! the provider allows on it, wait for each other unseen; and a client that leaves could not simply close it.

mod asked;
mod connect;
mod fault;
mod pinned;
mod upload;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::TRANSFER_ENCODING;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{sleep_until, timeout};

pub use fault::Fault;
pub use upload::Upload;

use crate::body::BoxError;
use connect::Connector;
use upload::Left;

/// How long an unused connection is kept. Providers close theirs after a minute or more; a function that was frozen
/// meanwhile would find out only by sending.
const KEEP_IDLE: Duration = Duration::from_secs(20);

/// Sends requests, and says of those that fail whether they were sent.
#[derive(Debug, Clone)]
pub struct Upstream {
    client: Client<Connector, Upload>,
    /// Whom TLS trusts.
    tls: Arc<rustls::ClientConfig>,
    /// The longest time without progress while a request's body is sent.
    stall: Duration,
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
    /// From the end of the request to the reply's head.
    pub first_byte: Duration,
    /// The moment at which waiting is pointless.
    pub deadline: Option<Instant>,
}

impl Upstream {
    /// A client that gives a connection `connect` to come about, and an upload `stall` to make progress.
    #[must_use]
    pub fn new(connect: Duration, stall: Duration) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(KEEP_IDLE);
        let tls = connect::tls();
        Self { client: builder.build(connect::connector(connect, tls.clone())), tls: tls.into(), stall }
    }

    /// Sends a request and waits for the head of its reply.
    ///
    /// # Errors
    /// [`Failure`]: no reply, or one that cannot be relayed soundly.
    pub async fn send(&self, request: Request<Bytes>, wait: Wait) -> Result<Response<Incoming>, Failure> {
        let reply = match wait.deadline {
            None => self.reply(request, wait).await,
            Some(deadline) => tokio::select! {
                reply = self.reply(request, wait) => reply,
                // That a request was given up says nothing of its being sent.
                () = sleep_until(deadline.into()) => Err(given_up(Fault::Deadline)),
            },
        };
        reply.and_then(sound)
    }

    /// Each clock starts where the one before it ends: the connector's own, the upload's, the first byte's.
    async fn reply(&self, request: Request<Bytes>, wait: Wait) -> Result<Response<Incoming>, Failure> {
        let (head, body) = request.into_parts();
        let (body, left) = upload::upload(body);
        let mut request = Request::from_parts(head, body);
        let mut connection = capture_connection(&mut request);
        let mut reply = std::pin::pin!(self.client.request(request));
        tokio::select! {
            biased;
            reply = &mut reply => return reply.map_err(failure),
            _ = connection.wait_for_connection_metadata() => {}
        }
        tokio::select! {
            biased;
            reply = &mut reply => return reply.map_err(failure),
            uploaded = uploaded(left, self.stall) => uploaded?,
        }
        match timeout(wait.first_byte, reply).await {
            Ok(reply) => reply.map_err(failure),
            Err(_) => Err(given_up(Fault::FirstByte)),
        }
    }
}

/// Resolves when a request's body has been handed over, fails when that makes no progress.
async fn uploaded(mut left: Left, stall: Duration) -> Result<(), Failure> {
    while *left.borrow_and_update() > 0 {
        match timeout(stall, left.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(given_up(Fault::Upload)),
        }
    }
    Ok(())
}

fn given_up(fault: Fault) -> Failure {
    Failure { fault, sent: true, source: None }
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
        Err(given_up(Fault::Malformed))
    }
}
