//! Meters: the one number of GCRA, `full_at`, in an item of its own.
//!
//! A meter that is not full is moved on from where it is, and a full one starts anew from now. Each of the two says in
//! its condition when it is the right one, so no meter has to be read before it is moved.

use std::collections::HashMap;

use twinlane_store::{Meter, Millis, Standing, Unavailable, Verdict};

use crate::DynamoDb;
use crate::api::{Again, pause};
use crate::item::{Item, nonsense, number_in, text_in};
use crate::update::{Update, Updated};

/// How often a meter that others move at the same time is tried.
const ROUNDS: u32 = 10;

impl DynamoDb {
    pub(crate) async fn spend_all(&self, meters: &[Meter], now: Millis) -> Result<Verdict, Unavailable> {
        match meters {
            [] => Ok(Verdict { standings: Vec::new(), refused: None }),
            [meter] => self.spend_one(meter, now).await,
            _ => self.spend_several(meters, now).await,
        }
    }

    /// The first guess is that the meter is in use. Where it is not so, the answer says how it is.
    async fn spend_one(&self, meter: &Meter, now: Millis) -> Result<Verdict, Unavailable> {
        let mut state = u64::MAX;
        for _ in 0..ROUNDS {
            state = match self.api.update(&spending(meter, state, now).telling(), Again::Counts).await? {
                Updated::Done(item) => {
                    let state = number_in(&item, "full_at").ok_or_else(nonsense)?;
                    return Ok(granted(&[meter.standing(state, now)]));
                }
                Updated::Not(item) => state_in(&item),
            };
            if let Err(wait) = meter.spend(state, now) {
                let standings = vec![meter.standing(state, now)];
                return Ok(Verdict { standings, refused: Some((0, wait)) });
            }
        }
        Err(contended(&meter.key))
    }

    /// Reads all, and moves all where all had enough. Those who move them meanwhile do not stand in the way, unless they
    /// leave too little; they make the standings that are told older than the answer.
    async fn spend_several(&self, meters: &[Meter], now: Millis) -> Result<Verdict, Unavailable> {
        for round in 0..ROUNDS {
            let states = self.states(meters).await?;
            let spent: Vec<_> =
                meters.iter().zip(&states).map(|(meter, state)| meter.spend(*state, now)).collect();
            if let Some((index, wait)) = first_short(&spent) {
                let standings = standings(meters, &states, now);
                return Ok(Verdict { standings, refused: Some((index, wait)) });
            }
            let updates: Vec<Update> =
                meters.iter().zip(&states).map(|(meter, state)| spending(meter, *state, now)).collect();
            if self.api.update_all(&updates).await? {
                let after: Vec<u64> = spent.into_iter().flatten().collect();
                return Ok(granted(&standings(meters, &after, now)));
            }
            pause(round).await;
        }
        Err(contended(&meters[0].key))
    }

    async fn states(&self, meters: &[Meter]) -> Result<Vec<u64>, Unavailable> {
        let pks: Vec<String> = meters.iter().map(pk).collect();
        let items = self.api.get_all(&pks).await?;
        let states: HashMap<&str, u64> =
            items.iter().filter_map(|item| Some((text_in(item, "pk")?, state_in(item)))).collect();
        Ok(pks.iter().map(|pk| states.get(pk.as_str()).copied().unwrap_or(0)).collect())
    }

    pub(crate) async fn correct_one(
        &self,
        meter: &Meter,
        delta: i64,
        now: Millis,
    ) -> Result<(), Unavailable> {
        let moved = delta.unsigned_abs().saturating_mul(meter.step());
        let ways = if delta >= 0 { more(meter, moved, now) } else { back(meter, moved, now) };
        // Twice, because between the two ways somebody may have moved the meter from one's case to the other's.
        for way in ways.iter().chain(&ways) {
            if let Updated::Done(_) = self.api.update(way, Again::Counts).await? {
                return Ok(());
            }
        }
        // A meter that is full, or not there, has nothing to get back.
        if delta < 0 { Ok(()) } else { Err(contended(&meter.key)) }
    }
}

/// Spends a meter's cost, given how it stands, or is thought to.
fn spending(meter: &Meter, state: u64, now: Millis) -> Update {
    let now_micros = micros(now);
    let moved = meter.cost.saturating_mul(meter.step());
    let most = now_micros.saturating_add(meter.limit.saturating_mul(meter.step()));
    if state > now_micros {
        let change = "SET full_at = full_at + :moved, #ttl = :ttl";
        let room = most.checked_sub(moved).filter(|_| meter.cost <= meter.limit).unwrap_or(0);
        Update::of(&pk(meter), change, "full_at > :now AND full_at <= :room")
            .number(":moved", moved)
            .number(":now", now_micros)
            .number(":room", room)
            .ending(most / 1000)
    } else {
        anew(meter, now_micros, now_micros.saturating_add(moved)).ending(most / 1000)
    }
}

/// Starts a meter that is full.
fn anew(meter: &Meter, now_micros: u64, full_at: u64) -> Update {
    Update::of(
        &pk(meter),
        "SET full_at = :full_at, #ttl = :ttl",
        "attribute_not_exists(full_at) OR full_at <= :now",
    )
    .number(":full_at", full_at)
    .number(":now", now_micros)
}

/// The ways to move a meter on, whether or not there is enough left.
fn more(meter: &Meter, moved: u64, now: Millis) -> [Update; 2] {
    let now = micros(now);
    let on =
        Update::of(&pk(meter), "SET full_at = full_at + :moved, #ttl = #ttl + :seconds", "full_at > :now");
    let on = on.number(":moved", moved).number(":now", now);
    let on = on.name("#ttl", "ttl").number(":seconds", moved.div_ceil(1_000_000));
    let full_at = now.saturating_add(moved);
    [on, anew(meter, now, full_at).ending(full_at / 1000)]
}

/// The ways to move a meter back: by so much, or until it is full.
fn back(meter: &Meter, moved: u64, now: Millis) -> [Update; 2] {
    let now = micros(now);
    let least = now.saturating_add(moved);
    let by = Update::of(&pk(meter), "SET full_at = full_at - :moved", "full_at >= :least")
        .number(":moved", moved)
        .number(":least", least);
    let full = Update::of(&pk(meter), "SET full_at = :now", "full_at < :least AND full_at > :now")
        .number(":now", now)
        .number(":least", least);
    [by, full]
}

fn first_short<T, E: Copy>(spent: &[Result<T, E>]) -> Option<(usize, E)> {
    spent.iter().enumerate().find_map(|(index, spent)| spent.as_ref().err().map(|wait| (index, *wait)))
}

fn standings(meters: &[Meter], states: &[u64], now: Millis) -> Vec<Standing> {
    meters.iter().zip(states).map(|(meter, state)| meter.standing(*state, now)).collect()
}

fn granted(standings: &[Standing]) -> Verdict {
    Verdict { standings: standings.to_vec(), refused: None }
}

fn state_in(item: &Item) -> u64 {
    number_in(item, "full_at").unwrap_or(0)
}

fn pk(meter: &Meter) -> String {
    format!("meter#{}", meter.key)
}

fn micros(millis: Millis) -> u64 {
    millis.saturating_mul(1000)
}

fn contended(key: &str) -> Unavailable {
    Unavailable(format!("too many move the meter {key} at the same time"))
}
