//! Meters by their keys. One that is full again is as good as one that was never spent from, and is dropped for room.

use std::collections::HashMap;

use twinlane_store::{Meter, Millis, Unavailable, Verdict, spend_all};

use crate::room::Room;

#[derive(Debug)]
pub(crate) struct Meters {
    full_at: HashMap<String, u64>,
    room: Room,
}

impl Meters {
    pub(crate) fn new(most: usize) -> Self {
        Self { full_at: HashMap::new(), room: Room::new(most) }
    }

    pub(crate) fn spend(&mut self, meters: &[Meter], now: Millis) -> Result<Verdict, Unavailable> {
        self.make_room(meters, now)?;
        let states: Vec<u64> = meters.iter().map(|meter| self.state(meter)).collect();
        let (verdict, after) = spend_all(meters, &states, now);
        if verdict.refused.is_none() {
            self.full_at.extend(meters.iter().map(|meter| meter.key.clone()).zip(after));
        }
        Ok(verdict)
    }

    pub(crate) fn correct(&mut self, meter: &Meter, delta: i64, now: Millis) -> Result<(), Unavailable> {
        self.make_room(std::slice::from_ref(meter), now)?;
        let state = meter.corrected(self.state(meter), delta, now);
        self.full_at.insert(meter.key.clone(), state);
        Ok(())
    }

    pub(crate) fn sweep(&mut self, now: Millis) {
        self.full_at.retain(|_, full_at| *full_at > now.saturating_mul(1000));
    }

    fn state(&self, meter: &Meter) -> u64 {
        self.full_at.get(&meter.key).copied().unwrap_or(0)
    }

    fn make_room(&mut self, meters: &[Meter], now: Millis) -> Result<(), Unavailable> {
        let new = meters.iter().filter(|meter| !self.full_at.contains_key(&meter.key)).count();
        if new == 0 {
            return Ok(());
        }
        if self.room.wants_sweep(self.full_at.len() + new - 1, now) {
            self.sweep(now);
        }
        let new = meters.iter().filter(|meter| !self.full_at.contains_key(&meter.key)).count();
        self.room.admits(self.full_at.len(), new, "meters")
    }
}
