//! Values by their keys, in order, and how many bytes they are.

use std::collections::BTreeMap;

use twinlane_store::{Millis, Unavailable};

use crate::room::Room;

/// The most keys that are listed at once.
const MOST_LISTED: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Values {
    kept: BTreeMap<String, Kept>,
    bytes: usize,
    most_bytes: usize,
    /// The latest time that was heard of, since `put` is not told the time.
    latest: Millis,
    room: Room,
    byte_room: Room,
}

#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    until: Option<Millis>,
}

impl Kept {
    fn is_over(&self, now: Millis) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Values {
    pub(crate) fn new(most: usize, most_bytes: usize) -> Self {
        let (room, byte_room) = (Room::new(most), Room::new(most_bytes));
        Self { kept: BTreeMap::new(), bytes: 0, most_bytes, latest: 0, room, byte_room }
    }

    pub(crate) fn put(&mut self, key: &str, value: &[u8], until: Option<Millis>) -> Result<(), Unavailable> {
        self.make_room(key, value)?;
        self.delete(key);
        self.bytes += key.len() + value.len();
        self.kept.insert(key.to_owned(), Kept { value: value.to_owned(), until });
        Ok(())
    }

    pub(crate) fn put_new(
        &mut self,
        key: &str,
        value: &[u8],
        now: Millis,
        until: Option<Millis>,
    ) -> Result<bool, Unavailable> {
        self.latest = self.latest.max(now);
        let free = self.kept.get(key).is_none_or(|kept| kept.is_over(now));
        if free {
            self.put(key, value, until)?;
        }
        Ok(free)
    }

    pub(crate) fn get(&mut self, key: &str, now: Millis) -> Option<Vec<u8>> {
        self.latest = self.latest.max(now);
        self.kept.get(key).filter(|kept| !kept.is_over(now)).map(|kept| kept.value.clone())
    }

    pub(crate) fn keys(&self, prefix: &str, now: Millis) -> Vec<String> {
        let from = self.kept.range(prefix.to_owned()..);
        let under = from.take_while(|(key, _)| key.starts_with(prefix));
        let live = under.filter(|(_, kept)| !kept.is_over(now));
        live.map(|(key, _)| key.clone()).take(MOST_LISTED).collect()
    }

    pub(crate) fn delete(&mut self, key: &str) {
        if let Some(kept) = self.kept.remove(key) {
            self.bytes -= key.len() + kept.value.len();
        }
    }

    pub(crate) fn sweep(&mut self, now: Millis) {
        self.latest = self.latest.max(now);
        self.kept.retain(|_, kept| !kept.is_over(now));
        self.bytes = self.kept.iter().map(|(key, kept)| key.len() + kept.value.len()).sum();
    }

    fn make_room(&mut self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        let (keys, bytes) = self.more(key, value);
        let full =
            self.bytes + bytes > self.most_bytes && self.byte_room.wants_sweep(self.most_bytes, self.latest);
        if full || (keys > 0 && self.room.wants_sweep(self.kept.len(), self.latest)) {
            self.sweep(self.latest);
        }
        let (keys, bytes) = self.more(key, value);
        self.room.admits(self.kept.len(), keys, "values")?;
        self.byte_room.admits(self.bytes, bytes, "bytes of values")
    }

    /// How many keys and bytes there would be more, a replaced value taken off.
    fn more(&self, key: &str, value: &[u8]) -> (usize, usize) {
        let bytes = key.len() + value.len();
        match self.kept.get(key) {
            Some(kept) => (0, bytes.saturating_sub(key.len() + kept.value.len())),
            None => (1, bytes),
        }
    }
}
