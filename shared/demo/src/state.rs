//! What one demo remembers between calls: the calls themselves, how often a key came, and who is connected.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::openai::batches::Batches;
use crate::openai::files::Shelf;
use crate::seen::{Ledger, locked};

/// Keys of `x-demo-times`, or names of one kind, beyond this many are forgotten together.
const MOST_KEYS: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) ledger: Ledger,
    pub(crate) shelf: Shelf,
    pub(crate) batches: Batches,
    /// The responses a conversation may go on from.
    pub(crate) responses: Known,
    /// The paths of what was uploaded to 1min.ai.
    pub(crate) assets: Known,
    calls: AtomicU64,
    times: Mutex<HashMap<String, u32>>,
    accepted: AtomicUsize,
    open: AtomicUsize,
}

impl State {
    /// The number of the next call, from 1; every id the demo makes up is derived from it.
    pub(crate) fn next_number(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many calls came with this key, this one included.
    pub(crate) fn times_seen(&self, key: &str) -> u32 {
        let mut times = locked(&self.times);
        if times.len() >= MOST_KEYS {
            times.clear();
        }
        let seen = times.entry(key.to_owned()).or_default();
        *seen += 1;
        *seen
    }

    pub(crate) fn clear(&self) {
        self.ledger.clear();
        locked(&self.times).clear();
    }

    pub(crate) fn count_connection(self: &Arc<Self>) -> Counted {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(self))
    }

    pub(crate) fn connections(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// Names that were given out; the oldest are not kept for ever.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashSet<String>>);

impl Known {
    pub(crate) fn note(&self, name: String) {
        let mut names = locked(&self.0);
        if names.len() >= MOST_KEYS {
            names.clear();
        }
        names.insert(name);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        locked(&self.0).contains(name)
    }
}

/// An open connection; dropping it counts it as closed.
#[derive(Debug)]
pub(crate) struct Counted(Arc<State>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
