//! When there is no room for another key, and how often a full engine looks for what has run out.

use twinlane_store::{Millis, Unavailable};

/// A full engine looks through everything at most once in this time: a caller who makes up keys must not make every
/// call slow.
const BETWEEN_SWEEPS: Millis = 1000;

/// The room of one concern.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    swept: Option<Millis>,
}

impl Room {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, swept: None }
    }

    /// Whether it is worth looking for what has run out before another key is added to `taken`.
    pub(crate) fn wants_sweep(&mut self, taken: usize, now: Millis) -> bool {
        let due = self.swept.is_none_or(|swept| now.abs_diff(swept) >= BETWEEN_SWEEPS);
        let wanted = taken >= self.most && due;
        if wanted {
            self.swept = Some(now);
        }
        wanted
    }

    /// Whether `more` keys fit beside those that are `taken`.
    pub(crate) fn admits(&self, taken: usize, more: usize, kind: &str) -> Result<(), Unavailable> {
        if taken.saturating_add(more) <= self.most {
            return Ok(());
        }
        let most = self.most;
        Err(Unavailable(format!("the memory engine is full: it keeps at most {most} {kind}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Room;

    #[test]
    fn a_full_engine_does_not_look_for_room_at_every_call() {
        let mut room = Room::new(2);
        assert!(!room.wants_sweep(1, 5000));
        assert!(room.wants_sweep(2, 5000));
        assert!(!room.wants_sweep(2, 5999));
        assert!(room.wants_sweep(2, 6000));
    }
}
