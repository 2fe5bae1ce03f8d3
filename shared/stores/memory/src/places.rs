//! Places by their keys: who holds one, and until when.

use std::collections::HashMap;

use twinlane_store::{Millis, Unavailable};

use crate::room::Room;

#[derive(Debug)]
pub(crate) struct Places {
    taken: HashMap<String, HashMap<String, Millis>>,
    room: Room,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        Self { taken: HashMap::new(), room: Room::new(most) }
    }

    pub(crate) fn enter(
        &mut self,
        key: &str,
        lease: &str,
        most: u64,
        now: Millis,
        until: Millis,
    ) -> Result<bool, Unavailable> {
        self.make_room(key, now)?;
        let places = self.taken.entry(key.to_owned()).or_default();
        places.retain(|_, until| *until > now);
        let entered = places.contains_key(lease) || (places.len() as u64) < most;
        if entered {
            places.insert(lease.to_owned(), until);
        }
        self.forget_if_empty(key);
        Ok(entered)
    }

    pub(crate) fn leave(&mut self, key: &str, lease: &str) {
        if let Some(places) = self.taken.get_mut(key) {
            places.remove(lease);
            self.forget_if_empty(key);
        }
    }

    pub(crate) fn sweep(&mut self, now: Millis) {
        self.taken.retain(|_, places| {
            places.retain(|_, until| *until > now);
            !places.is_empty()
        });
    }

    fn forget_if_empty(&mut self, key: &str) {
        if self.taken.get(key).is_some_and(HashMap::is_empty) {
            self.taken.remove(key);
        }
    }

    fn make_room(&mut self, key: &str, now: Millis) -> Result<(), Unavailable> {
        if self.taken.contains_key(key) {
            return Ok(());
        }
        if self.room.wants_sweep(self.taken.len(), now) {
            self.sweep(now);
        }
        self.room.admits(self.taken.len(), 1, "keys with places")
    }
}
