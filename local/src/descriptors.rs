//! The process's file descriptors: a connection is one, and its call's way to the provider another.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::task::Poll;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::connection;

/// Connections served at once where no setting says otherwise; more than one process has work for.
const MOST: usize = 10_000;

/// What one connection can need.
const EACH: usize = 2;

/// Descriptors for everything else: the runtime, name look-ups, kept connections to providers, and refusals.
const SPARE: usize = 64;

/// How long is waited for a descriptor to come free, and how often at most the log tells that there is none.
const MOMENT: Duration = Duration::from_millis(50);
const REPEAT: Duration = Duration::from_secs(10);

/// What the descriptors suffice for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Connections that are served.
    pub(crate) connections: usize,
    /// Connections that are being refused.
    pub(crate) refusals: usize,
}

/// Divides up what the process may have, where `wanted` connections are wanted. It takes more descriptors for that if it
/// can: the usual limit of 1024 is there for programs that call `select`, of which this is none.
pub(crate) fn shares(wanted: Option<usize>) -> Shares {
    let wanted = wanted.unwrap_or(MOST);
    divided(allowed(wanted.saturating_mul(EACH).saturating_add(SPARE)), wanted)
}

/// Where there are few descriptors, half of them are spare.
fn divided(descriptors: usize, wanted: usize) -> Shares {
    let spare = SPARE.min(descriptors / 2);
    let connections = wanted.min((descriptors - spare) / EACH).max(1);
    Shares { connections, refusals: spare / 2 }
}

/// The descriptors that the process may have, once it has asked for those it needs.
fn allowed(needed: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current.unwrap_or(u64::MAX);
    let asked = u64::try_from(needed).unwrap_or(u64::MAX).min(maximum.unwrap_or(u64::MAX));
    let raised =
        asked > current && setrlimit(Resource::Nofile, Rlimit { current: Some(asked), maximum }).is_ok();
    usize::try_from(if raised { asked } else { current }).unwrap_or(usize::MAX)
}

/// What is done while no connection can be accepted.
///
/// One descriptor is kept back for that: with it a client is taken out of the queue and refused, who would otherwise wait
/// there for as long as the process is short.
#[derive(Debug)]
pub(crate) struct Shortage {
    kept: Option<File>,
    told: Option<Instant>,
}

impl Shortage {
    pub(crate) fn prepared() -> Self {
        Self { kept: kept(), told: None }
    }

    /// Goes on after `accept` has failed, neither at once again and again nor never.
    pub(crate) async fn outlast(&mut self, listener: &TcpListener, error: &io::Error) {
        if only_client_left(error) {
            return;
        }
        self.tell(error);
        if !none_left(error) || self.refuse_next(listener).await.is_err() {
            sleep(MOMENT).await;
        }
    }

    /// Refuses the client that has waited longest, if there is one: Linux says that no descriptor is left before it looks
    /// whether anybody waits.
    async fn refuse_next(&mut self, listener: &TcpListener) -> io::Result<()> {
        self.kept = None;
        let next = poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await;
        let refused = match next {
            Poll::Ready(accepted) => accepted.map(|(stream, _)| connection::dismiss(stream)),
            Poll::Pending => Ok(()),
        };
        self.kept = kept();
        refused
    }

    fn tell(&mut self, error: &io::Error) {
        if self.told.is_none_or(|told| told.elapsed() >= REPEAT) {
            self.told = Some(Instant::now());
            tracing::warn!("connections cannot be accepted and are refused: {error}");
        }
    }
}

fn kept() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Whether this process, or the whole machine, has no descriptor left.
fn none_left(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

fn only_client_left(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::{Shares, divided};

    fn check(descriptors: usize, wanted: usize, connections: usize, refusals: usize) {
        let expected = Shares { connections, refusals };
        assert_eq!(divided(descriptors, wanted), expected, "{descriptors} descriptors, {wanted} wanted");
    }

    #[test]
    fn there_are_two_descriptors_for_each_connection_and_some_to_spare() {
        check(1024, 10_000, 480, 32);
        check(20_064, 10_000, 10_000, 32);
        check(1_000_000, 500, 500, 32);
        check(64, 10_000, 16, 16);
        check(3, 10_000, 1, 0);
    }
}
