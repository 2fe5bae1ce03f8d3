//! Remembers what arrived, so that a test can ask what the gateway really sent and how the call ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::call::Call;

/// A long-running demo forgets the oldest calls beyond this many…
const MOST_CALLS: usize = 10_000;
/// …and beyond this many bytes of bodies, but never the newest.
const MOST_BYTES: usize = 512 << 20;

/// A call as it arrived at the demo, byte for byte.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The request method.
    pub method: Method,
    /// The raw path and query, exactly as the request line had them.
    pub target: String,
    /// The request headers, in order, their names in lower case.
    pub headers: HeaderMap,
    /// The whole request body.
    pub body: Bytes,
    /// What became of the reply so far.
    pub end: End,
}

/// How the reply to a call ended, as far as the demo can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The reply is still being delayed or written.
    Pending,
    /// All the demo meant to write was handed to the connection; a cut it was asked for counts as meant.
    Complete,
    /// The client's connection closed first, perhaps while the reply's head was still being delayed.
    ClientLeft,
}

/// The calls of one demo, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    calls: VecDeque<Entry>,
    /// The bytes of all bodies together.
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    seen: Seen,
    end: Arc<Mutex<End>>,
}

impl Ledger {
    /// Writes a call down; the ticket decides how it ended.
    pub(crate) fn note(&self, call: &Call) -> Ticket {
        let end = Arc::new(Mutex::new(End::Pending));
        locked(&self.0).push(Entry { seen: seen(call), end: Arc::clone(&end) });
        Ticket(end)
    }

    pub(crate) fn calls(&self) -> Vec<Seen> {
        let now = |entry: &Entry| Seen { end: *locked(&entry.end), ..entry.seen.clone() };
        locked(&self.0).calls.iter().map(now).collect()
    }

    pub(crate) fn clear(&self) {
        *locked(&self.0) = Entries::default();
    }
}

impl Entries {
    fn push(&mut self, entry: Entry) {
        self.bytes += entry.seen.body.len();
        self.calls.push_back(entry);
        while self.calls.len() > MOST_CALLS || (self.bytes > MOST_BYTES && self.calls.len() > 1) {
            self.bytes -= self.calls.pop_front().map_or(0, |oldest| oldest.seen.body.len());
        }
    }
}

/// Follows one reply to its end: dropped before [`Ticket::complete`], it says that the client left.
#[derive(Debug)]
pub(crate) struct Ticket(Arc<Mutex<End>>);

impl Ticket {
    pub(crate) fn complete(&self) {
        *locked(&self.0) = End::Complete;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut end = locked(&self.0);
        if *end == End::Pending {
            *end = End::ClientLeft;
        }
    }
}

fn seen(call: &Call) -> Seen {
    Seen {
        method: call.method.clone(),
        target: call.target.clone(),
        headers: call.headers.clone(),
        body: call.body.clone(),
        end: End::Pending,
    }
}

/// Locks even after a panic elsewhere: nothing here can be left half-written.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
