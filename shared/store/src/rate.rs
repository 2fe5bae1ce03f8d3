//! Rates, by GCRA: a meter of `limit` units per `period` that fills evenly, and one number of state.
//!
//! The number is the theoretical arrival time: when the meter will be full again, in microseconds since 1970. Spending
//! `n` units moves it by `n · period / limit`; it may not be further ahead than one period.

use std::time::Duration;

use crate::Millis;

/// Something that is spent at a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// What is metered: `rpm:token:alice`, `tpm:all`, …
    pub key: String,
    /// Units per period, at least one. All of them may be spent at once.
    pub limit: u64,
    /// The period.
    pub period: Duration,
    /// The units to be spent now. More than the limit are never granted.
    pub cost: u64,
}

/// How a meter stands after a request to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Units that could be spent at once now.
    pub remaining: u64,
    /// Until the meter is full again.
    pub reset: Duration,
}

/// Whether everything was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How each meter stands now, in the order of the request.
    pub standings: Vec<Standing>,
    /// Where nothing was spent: the position of the first meter that had not enough, and how long until it has.
    pub refused: Option<(usize, Duration)>,
}

/// The arithmetic, so that engines in Rust share it and scripts of other engines can be held to it.
impl Meter {
    /// How far one unit moves the meter, in microseconds.
    #[must_use]
    pub fn step(&self) -> u64 {
        (micros(self.period) / self.limit.max(1)).max(1)
    }

    /// The meter's new state where it has enough for `cost` at `now`, else how long until it has.
    ///
    /// # Errors
    /// The time to wait; a cost over the limit waits for ever.
    pub fn spend(&self, full_at: u64, now: Millis) -> Result<u64, Duration> {
        let now = now.saturating_mul(1000);
        let wanted = full_at.max(now).saturating_add(self.cost.saturating_mul(self.step()));
        let most = now.saturating_add(self.step().saturating_mul(self.limit));
        if self.cost > self.limit {
            return Err(Duration::MAX);
        }
        if wanted <= most { Ok(wanted) } else { Err(Duration::from_micros(wanted - most)) }
    }

    /// The meter's state after a correction by `delta` units.
    #[must_use]
    pub fn corrected(&self, full_at: u64, delta: i64, now: Millis) -> u64 {
        let now = now.saturating_mul(1000);
        let moved = delta.unsigned_abs().saturating_mul(self.step());
        let full_at = full_at.max(now);
        if delta >= 0 { full_at.saturating_add(moved) } else { full_at.saturating_sub(moved).max(now) }
    }

    /// How a meter in a state stands.
    #[must_use]
    pub fn standing(&self, full_at: u64, now: Millis) -> Standing {
        let now = now.saturating_mul(1000);
        let ahead = full_at.saturating_sub(now);
        let spent = ahead.div_ceil(self.step());
        Standing { remaining: self.limit.saturating_sub(spent), reset: Duration::from_micros(ahead) }
    }
}

/// What it comes to when all meters are spent from, or none: the verdict, and the meters' states after it, in order.
#[must_use]
pub fn spend_all(meters: &[Meter], states: &[u64], now: Millis) -> (Verdict, Vec<u64>) {
    let spent: Vec<_> = meters.iter().zip(states).map(|(meter, state)| meter.spend(*state, now)).collect();
    let refused = spent.iter().enumerate().find_map(|(index, spent)| spent.err().map(|wait| (index, wait)));
    let after = match refused {
        Some(_) => states.to_vec(),
        None => spent.into_iter().flatten().collect(),
    };
    let standings = meters.iter().zip(&after).map(|(meter, state)| meter.standing(*state, now)).collect();
    (Verdict { standings, refused }, after)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Meter, Standing, spend_all};

    fn meter(cost: u64) -> Meter {
        Meter { key: "k".to_owned(), limit: 60, period: Duration::from_secs(60), cost }
    }

    #[test]
    fn a_full_meter_may_be_spent_at_once_and_fills_evenly() {
        let now = 1_000_000;
        let empty = meter(60).spend(0, now).unwrap();
        assert_eq!(meter(1).standing(empty, now), Standing { remaining: 0, reset: Duration::from_secs(60) });
        assert_eq!(meter(1).spend(empty, now), Err(Duration::from_secs(1)));
        assert!(meter(1).spend(empty, now + 1000).is_ok());
        assert_eq!(meter(2).spend(empty, now + 1000), Err(Duration::from_secs(1)));
        assert_eq!(meter(1).standing(empty, now + 30_000).remaining, 30);
    }

    #[test]
    fn more_than_the_limit_is_never_granted() {
        assert_eq!(meter(61).spend(0, 0), Err(Duration::MAX));
    }

    #[test]
    fn a_correction_goes_both_ways_and_never_beyond_full() {
        let now = 1_000_000;
        let state = meter(10).spend(0, now).unwrap();
        let more = meter(0).corrected(state, 60, now);
        assert_eq!(meter(0).standing(more, now).remaining, 0);
        assert_eq!(meter(1).spend(more, now), Err(Duration::from_secs(11)));
        let back = meter(0).corrected(state, -100, now);
        assert_eq!(meter(0).standing(back, now).remaining, 60);
    }

    #[test]
    fn all_meters_move_or_none() {
        let now = 1_000_000;
        let (granted, after) = spend_all(&[meter(60), meter(1)], &[0, 0], now);
        assert_eq!(granted.refused, None);
        let (refused, same) = spend_all(&[meter(1), meter(1)], &[0, after[0]], now);
        assert_eq!(refused.refused, Some((1, Duration::from_secs(1))));
        assert_eq!((same, refused.standings[0].remaining), (vec![0, after[0]], 60));
    }
}
