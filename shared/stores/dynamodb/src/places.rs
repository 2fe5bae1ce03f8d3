//! Places under a key: a map of leases, each with its end, in one item.

use serde_json::Value;
use twinlane_store::{Millis, Unavailable};

use crate::DynamoDb;
use crate::api::{Again, pause};
use crate::item::{Item, as_number, entries, map, number};
use crate::update::{Update, Updated};

/// How often places that others take at the same time are tried for.
const ROUNDS: u32 = 10;

/// How many leases that have run out are cleared away at once; an expression has at most 4 KiB.
const CLEARED: usize = 100;

/// Somebody who wants a place.
struct Wish<'a> {
    pk: String,
    lease: &'a str,
    most: u64,
    now: Millis,
    until: Millis,
}

/// The next thing to try.
enum Step {
    /// Takes a place.
    Take(Update),
    /// Clears leases away that have run out, since there are too many to do it in passing.
    Clear(Update),
}

impl Step {
    fn update(&self) -> &Update {
        let (Self::Take(update) | Self::Clear(update)) = self;
        update
    }
}

impl DynamoDb {
    pub(crate) async fn take_place(
        &self,
        key: &str,
        lease: &str,
        most: u64,
        now: Millis,
        until: Millis,
    ) -> Result<bool, Unavailable> {
        let wish = Wish { pk: pk(key), lease, most, now, until };
        let mut step = Step::Take(wish.take());
        for round in 0..ROUNDS {
            step = match (self.api.update(step.update(), Again::Harmless).await?, step) {
                (Updated::Done(_), Step::Take(_)) => return Ok(true),
                (Updated::Done(_), Step::Clear(_)) => Step::Take(wish.take()),
                (Updated::Not(item), _) => match wish.next(&item) {
                    Some(step) => step,
                    None => return Ok(false),
                },
            };
            if round > 1 {
                pause(round).await;
            }
        }
        Err(Unavailable(format!("too many take places under {key} at the same time")))
    }

    pub(crate) async fn give_place_back(&self, key: &str, lease: &str) -> Result<(), Unavailable> {
        let there = "attribute_exists(lease_map.#lease)";
        let update = Update::of(&pk(key), "REMOVE lease_map.#lease", there).name("#lease", lease);
        self.api.update(&update, Again::Harmless).await.map(|_| ())
    }
}

impl Wish<'_> {
    /// Takes a place, or renews it, as long as nothing that has run out is in the way.
    fn take(&self) -> Update {
        let change = "SET lease_map.#lease = :until, #ttl = :ttl";
        let room = "lease_map.#lease > :now OR size(lease_map) < :most";
        let condition = format!("attribute_exists(lease_map) AND ({room})");
        self.named(Update::of(&self.pk, change, &condition))
            .number(":now", self.now)
            .number(":most", self.most)
    }

    /// What to do about an item that did not let us in; none where all places are truly taken.
    fn next(&self, item: &Item) -> Option<Step> {
        let (over, live): (Vec<_>, Vec<_>) =
            entries(item, "lease_map").partition(|(_, until)| self.is_over(until));
        // A place that is ours by now is one whose answer was lost.
        let ours = live.iter().any(|(lease, _)| *lease == self.lease);
        if !ours && live.len() as u64 >= self.most {
            return None;
        }
        if !item.contains_key("lease_map") {
            return Some(Step::Take(self.first()));
        }
        let over: Vec<&String> = over.into_iter().map(|(lease, _)| lease).collect();
        Some(match over.len() {
            count if ours || count == 0 => Step::Take(self.take()),
            1..=CLEARED => Step::Take(self.take_from(&over)),
            _ => Step::Clear(self.clear(&over[..CLEARED])),
        })
    }

    fn is_over(&self, until: &Value) -> bool {
        as_number::<Millis>(until).is_none_or(|until| until <= self.now)
    }

    fn first(&self) -> Update {
        let map = map([(self.lease.to_owned(), number(self.until))]);
        Update::of(&self.pk, "SET lease_map = :map, #ttl = :ttl", "attribute_not_exists(lease_map)")
            .value(":map", map)
            .ending(self.until)
    }

    /// Takes a place from leases that have run out, all of which must still have.
    fn take_from(&self, over: &[&String]) -> Update {
        let others: Vec<&String> = over.iter().filter(|lease| **lease != self.lease).copied().collect();
        let mine = if others.len() < over.len() { "lease_map.#lease <= :now AND " } else { "" };
        let removed = if others.is_empty() { String::new() } else { removal(&others) };
        let still: String = others.iter().enumerate().map(|(index, _)| still_over(index) + " AND ").collect();
        let update = self.named(Update::of(
            &self.pk,
            &format!("SET lease_map.#lease = :until, #ttl = :ttl {removed}"),
            &format!("{mine}{still}size(lease_map) < :most"),
        ));
        let most = self.most.saturating_add(over.len() as u64);
        naming(update, &others).number(":now", self.now).number(":most", most)
    }

    /// Clears leases away that have run out, all of which must still have.
    fn clear(&self, over: &[&String]) -> Update {
        let still: Vec<String> = (0..over.len()).map(still_over).collect();
        let update = Update::of(&self.pk, &removal(over), &still.join(" AND "));
        naming(update, over).number(":now", self.now)
    }

    fn named(&self, update: Update) -> Update {
        update.name("#lease", self.lease).number(":until", self.until).ending(self.until)
    }
}

fn removal(over: &[&String]) -> String {
    let gone: Vec<String> = (0..over.len()).map(|index| format!("lease_map.#o{index}")).collect();
    format!("REMOVE {}", gone.join(", "))
}

fn still_over(index: usize) -> String {
    format!("lease_map.#o{index} <= :now")
}

fn naming(update: Update, over: &[&String]) -> Update {
    over.iter().enumerate().fold(update, |update, (index, lease)| update.name(&format!("#o{index}"), lease))
}

fn pk(key: &str) -> String {
    format!("places#{key}")
}
