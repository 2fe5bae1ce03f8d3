//! Meters: one number each, kept until the meter is full again.

use twinlane_store::{Meter, Millis, Unavailable, Verdict};

use crate::reply::{Reply, nonsense};
use crate::scripts::{CORRECT, SPEND};
use crate::{EXACT, GRACE, Redis, exact};

impl Redis {
    pub(crate) async fn spend_all(&self, meters: &[Meter], now: Millis) -> Result<Verdict, Unavailable> {
        if meters.is_empty() {
            return Ok(verdict(meters, &[], true, now));
        }
        let keys = meters.iter().map(|meter| self.key("meter", &meter.key)).collect();
        let mut args = vec![micros(now), micros(GRACE)];
        args.extend(meters.iter().flat_map(|meter| [moves(meter), exact(most(meter))]));
        let mut answer = self.run_once(&SPEND, keys, args).await?.list()?.into_iter();
        let granted = answer.next().ok_or_else(nonsense)?.yes()?;
        let states: Vec<u64> = answer.map(|state| Reply::number(&state)).collect::<Result<_, _>>()?;
        if states.len() != meters.len() {
            return Err(nonsense());
        }
        Ok(verdict(meters, &states, granted, now))
    }

    pub(crate) async fn correct_one(
        &self,
        meter: &Meter,
        delta: i64,
        now: Millis,
    ) -> Result<(), Unavailable> {
        let moved = exact(delta.unsigned_abs().saturating_mul(meter.step()));
        let moved = if delta < 0 { format!("-{moved}") } else { moved };
        let args = vec![micros(now), micros(GRACE), moved];
        self.run_once(&CORRECT, vec![self.key("meter", &meter.key)], args).await.map(|_| ())
    }
}

/// What the script decided, in the words of the meters. Which meter had not enough, and for how long, is a matter of
/// arithmetic.
fn verdict(meters: &[Meter], states: &[u64], granted: bool, now: Millis) -> Verdict {
    let each = || meters.iter().zip(states.iter().copied());
    let short =
        |(index, (meter, state)): (usize, (&Meter, u64))| Some((index, meter.spend(state, now).err()?));
    let refused = if granted { None } else { each().enumerate().find_map(short) };
    Verdict { standings: each().map(|(meter, state)| meter.standing(state, now)).collect(), refused }
}

/// How far the cost moves a meter; further than it may ever be ahead where the cost is over the limit.
fn moves(meter: &Meter) -> String {
    let over = meter.cost > meter.limit;
    exact(if over { EXACT } else { meter.cost.saturating_mul(meter.step()) })
}

/// How far ahead a meter may be.
fn most(meter: &Meter) -> u64 {
    meter.limit.saturating_mul(meter.step())
}

fn micros(millis: Millis) -> String {
    exact(millis.saturating_mul(1000))
}
