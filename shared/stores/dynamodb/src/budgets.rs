//! Budgets: what is spent, what is spent or held, and the calls that hold something, in one item.
//!
//! A call is in `open_map`, with its amount and end, until it is settled or has run out. One that has run out and stands
//! in the way of another is moved to `late_map`, where it holds nothing and can still be settled. A settled call leaves
//! an item of its own, so that nobody who asks for it again is taken for a new one.

use serde_json::{Value, json};
use twinlane_store::{Budget, Millis, Reservation, Reserved, Unavailable};

use crate::DynamoDb;
use crate::api::{Again, pause};
use crate::item::{Item, entries, map, nonsense, number, number_in, text, time_to_live};
use crate::update::{Update, Updated};

/// How often a budget that others change at the same time is tried.
const ROUNDS: u32 = 10;

/// How many calls that have run out are moved away at once; an expression has at most 4 KiB.
const MOVED: usize = 80;

/// An account as it was read.
struct Account {
    spent: u64,
    open: Vec<Open>,
    late: Vec<String>,
}

#[derive(Debug, Clone)]
struct Open {
    id: String,
    amount: u64,
    until: Millis,
}

impl DynamoDb {
    pub(crate) async fn set_aside(
        &self,
        budget: &Budget,
        reservation: &Reservation,
        now: Millis,
    ) -> Result<Reserved, Unavailable> {
        if self.is_settled(budget, &reservation.id, now).await? {
            return Ok(Reserved::Granted);
        }
        for round in 0..ROUNDS {
            let item = match self.api.update(&reserving(budget, reservation), Again::Harmless).await? {
                Updated::Done(_) => return Ok(Reserved::Granted),
                Updated::Not(item) => item,
            };
            let account = Account::read(&item)?;
            if account.knows(&reservation.id) {
                return Ok(Reserved::Granted);
            }
            let left = budget.limit.saturating_sub(account.spent.saturating_add(account.held(now)));
            if reservation.amount > left {
                return Ok(Reserved::Exceeded { left });
            }
            self.make_way(budget, reservation, &item, &account, now).await?;
            if round > 0 {
                pause(round).await;
            }
        }
        Err(contended(budget))
    }

    /// Makes the account where there is none, else moves away what has run out. Whether it happens matters little: the
    /// next round will tell.
    async fn make_way(
        &self,
        budget: &Budget,
        reservation: &Reservation,
        item: &Item,
        account: &Account,
        now: Millis,
    ) -> Result<(), Unavailable> {
        let over: Vec<&Open> = account.open.iter().filter(|open| open.until <= now).take(MOVED).collect();
        if !item.contains_key("used_sum") {
            self.api.update(&opening(budget, reservation), Again::Harmless).await?;
        } else if !over.is_empty() {
            self.api.update(&moving(budget, &over), Again::Harmless).await?;
        }
        Ok(())
    }

    pub(crate) async fn settle_one(&self, budget: &Budget, id: &str, spent: u64) -> Result<(), Unavailable> {
        for round in 0..ROUNDS {
            let account = Account::read(&self.api.get(&pk(budget), "-").await?)?;
            let open = account.open.iter().find(|open| open.id == id);
            let update = match open {
                Some(open) => {
                    self.keep_settled(budget, open).await?;
                    settling(budget, "open_map", id, spent, open.amount)
                }
                None if account.late.iter().any(|late| late == id) => {
                    settling(budget, "late_map", id, spent, 0)
                }
                None => return Ok(()),
            };
            if let Updated::Done(_) = self.api.update(&update, Again::Harmless).await? {
                return Ok(());
            }
            pause(round).await;
        }
        Err(contended(budget))
    }

    pub(crate) async fn balance_of(&self, budget: &Budget, now: Millis) -> Result<(u64, u64), Unavailable> {
        let account = Account::read(&self.api.get(&pk(budget), "-").await?)?;
        Ok((account.spent, account.held(now)))
    }

    /// Written before the account is changed: in between, the call is both open and settled, and reserving it again
    /// changes nothing either way.
    async fn keep_settled(&self, budget: &Budget, open: &Open) -> Result<(), Unavailable> {
        let item = json!({
            "pk": text(&settled_pk(budget, &open.id)),
            "sk": text("-"),
            "ends_at": number(open.until),
            "ttl": time_to_live(open.until),
        });
        self.api.put(item, None, Again::Harmless).await.map(|_| ())
    }

    async fn is_settled(&self, budget: &Budget, id: &str, now: Millis) -> Result<bool, Unavailable> {
        let item = self.api.get(&settled_pk(budget, id), "-").await?;
        Ok(number_in::<Millis>(&item, "ends_at").is_some_and(|until| until > now))
    }
}

impl Account {
    fn read(item: &Item) -> Result<Self, Unavailable> {
        let open = entries(item, "open_map").map(|(id, call)| read_open(id, call)).collect::<Option<_>>();
        let late = entries(item, "late_map").map(|(id, _)| id.clone()).collect();
        let spent = number_in(item, "spent_sum").unwrap_or(0);
        Ok(Self { spent, open: open.ok_or_else(nonsense)?, late })
    }

    fn knows(&self, id: &str) -> bool {
        self.open.iter().any(|open| open.id == id) || self.late.iter().any(|late| late == id)
    }

    fn held(&self, now: Millis) -> u64 {
        self.open.iter().filter(|open| open.until > now).map(|open| open.amount).sum()
    }
}

fn read_open(id: &str, call: &Value) -> Option<Open> {
    let call = call.get("M")?.as_object()?;
    Some(Open { id: id.to_owned(), amount: number_in(call, "amount")?, until: number_in(call, "ends_at")? })
}

fn open_entry(reservation: &Reservation) -> Value {
    map([
        ("amount".to_owned(), number(reservation.amount)),
        ("ends_at".to_owned(), number(reservation.until)),
    ])
}

/// Sets an amount aside in an account that is there.
fn reserving(budget: &Budget, reservation: &Reservation) -> Update {
    let room = i128::from(budget.limit) - i128::from(reservation.amount);
    Update::of(
        &pk(budget),
        "SET open_map.#id = :open, used_sum = used_sum + :amount",
        "attribute_not_exists(open_map.#id) AND attribute_not_exists(late_map.#id) AND used_sum <= :room",
    )
    .name("#id", &reservation.id)
    .value(":open", open_entry(reservation))
    .number(":amount", reservation.amount)
    .number(":room", room)
}

/// Makes an account, without anything in it.
fn opening(budget: &Budget, reservation: &Reservation) -> Update {
    Update::of(
        &pk(budget),
        "SET open_map = :none, late_map = :none, spent_sum = :zero, used_sum = :zero, #ttl = :ttl",
        "attribute_not_exists(used_sum)",
    )
    .value(":none", map([]))
    .number(":zero", 0)
    .ending(budget.until.max(reservation.until))
}

/// Takes calls that have run out off what is held.
fn moving(budget: &Budget, over: &[&Open]) -> Update {
    let list = |each: &dyn Fn(usize) -> String, between: &str| {
        (0..over.len()).map(each).collect::<Vec<_>>().join(between)
    };
    let late = list(&|index| format!("late_map.#id{index} = :late"), ", ");
    let gone = list(&|index| format!("open_map.#id{index}"), ", ");
    let there = list(&|index| format!("attribute_exists(open_map.#id{index})"), " AND ");
    let change = format!("SET used_sum = used_sum - :held, {late} REMOVE {gone}");
    let held: u64 = over.iter().map(|open| open.amount).sum();
    let update = Update::of(&pk(budget), &change, &there).number(":held", held).number(":late", 1);
    over.iter()
        .enumerate()
        .fold(update, |update, (index, open)| update.name(&format!("#id{index}"), &open.id))
}

/// Ends a call that is in one of the two maps, where it holds an amount.
fn settling(budget: &Budget, of: &str, id: &str, spent: u64, held: u64) -> Update {
    let change = "SET spent_sum = spent_sum + :spent, used_sum = used_sum + :more";
    let (change, there) = (format!("{change} REMOVE {of}.#id"), format!("attribute_exists({of}.#id)"));
    Update::of(&pk(budget), &change, &there)
        .name("#id", id)
        .number(":spent", spent)
        .number(":more", i128::from(spent) - i128::from(held))
}

fn pk(budget: &Budget) -> String {
    format!("budget#{}", budget.key)
}

fn settled_pk(budget: &Budget, id: &str) -> String {
    format!("settled#{}#{id}", budget.key)
}

fn contended(budget: &Budget) -> Unavailable {
    Unavailable(format!("too many change the budget {} at the same time", budget.key))
}
