//! The signed requests that came lately, so that none is served twice.

use std::collections::BTreeSet;

use crate::signed::WINDOW;
use crate::{Denied, Seconds, Signature};

/// What is remembered at most, some 40 MB: 800 requests a second over the ten minutes in which one can come again.
const MOST: usize = 500_000;

/// Signatures that were served, oldest first. A replay has the very same time and tag: to change either needs the key.
#[derive(Debug)]
pub struct Nonces {
    seen: BTreeSet<(Seconds, [u8; 16])>,
    most: usize,
    /// The time of the latest that had to be forgotten early. Nothing from then or before can be told from a replay.
    floor: Option<Seconds>,
}

impl Default for Nonces {
    fn default() -> Self {
        Self { seen: BTreeSet::new(), most: MOST, floor: None }
    }
}

impl Nonces {
    /// Remembers a signature that has been checked.
    ///
    /// # Errors
    /// [`Denied::Replayed`] where it was there before; [`Denied::SignatureStale`] where that is no longer known.
    pub fn take(&mut self, signature: &Signature, now: Seconds) -> Result<(), Denied> {
        if self.floor.is_some_and(|floor| signature.time <= floor) {
            return Err(Denied::SignatureStale);
        }
        let (tag, _) = signature.tag.split_first_chunk::<16>().ok_or(Denied::SignatureMalformed)?;
        if !self.seen.insert((signature.time, *tag)) {
            return Err(Denied::Replayed);
        }
        self.forget(now);
        Ok(())
    }

    /// Forgets what the window keeps out by itself, and the oldest where there is no room.
    fn forget(&mut self, now: Seconds) {
        let is_over = |time: Seconds| time.saturating_add(WINDOW) < now;
        while self.seen.first().is_some_and(|(time, _)| is_over(*time)) {
            self.seen.pop_first();
        }
        while self.seen.len() > self.most {
            self.floor = self.seen.pop_first().map(|(time, _)| time).max(self.floor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Nonces;
    use crate::{Denied, Signature};

    fn signature(time: u64, tag: u64) -> Signature {
        let hash = "0".repeat(64);
        let text = format!("key=a,time={time},nonce=12345678,digest={hash},signature={tag:064x}");
        // The first half of the tag is what is remembered.
        let text = text.replace(&format!("{tag:064x}"), &format!("{tag:016x}{}", "0".repeat(48)));
        Signature::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_signature_is_taken_once() {
        let mut nonces = Nonces::default();
        assert_eq!(nonces.take(&signature(1000, 1), 1000), Ok(()));
        assert_eq!(nonces.take(&signature(1000, 2), 1000), Ok(()));
        assert_eq!(nonces.take(&signature(1000, 1), 1299), Err(Denied::Replayed));
    }

    #[test]
    fn what_the_window_keeps_out_is_forgotten() {
        let mut nonces = Nonces::default();
        nonces.take(&signature(1000, 1), 1000).unwrap();
        nonces.take(&signature(1301, 2), 1301).unwrap();
        assert_eq!(nonces.seen.len(), 1);
    }

    #[test]
    fn where_there_is_no_room_old_signatures_are_refused_rather_than_served_twice() {
        let mut nonces = Nonces { most: 2, ..Nonces::default() };
        for (time, tag) in [(1000, 1), (1001, 2), (1002, 3)] {
            nonces.take(&signature(time, tag), 1002).unwrap();
        }
        assert_eq!(nonces.take(&signature(1000, 1), 1002), Err(Denied::SignatureStale));
        assert_eq!(nonces.take(&signature(1001, 2), 1002), Err(Denied::Replayed));
        assert_eq!(nonces.take(&signature(1003, 4), 1003), Ok(()));
    }
}
