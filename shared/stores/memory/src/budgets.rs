//! Budgets by their keys, each with what is spent and the calls that have set something aside.

use std::collections::HashMap;

use twinlane_store::{Budget, Millis, Reservation, Reserved, Unavailable};

use crate::room::Room;

#[derive(Debug)]
pub(crate) struct Budgets {
    accounts: HashMap<String, Account>,
    /// How many reservations and accounts there are, together.
    held: usize,
    room: Room,
}

#[derive(Debug)]
struct Account {
    spent: u64,
    until: Millis,
    /// What is set aside, by the id of the call. One that has run out stays, so that a late settlement counts.
    open: HashMap<String, Aside>,
    /// The calls that are settled, until when they could be mistaken for new ones.
    settled: HashMap<String, Millis>,
}

#[derive(Debug)]
struct Aside {
    amount: u64,
    until: Millis,
}

impl Account {
    fn new(until: Millis) -> Self {
        Self { spent: 0, until, open: HashMap::new(), settled: HashMap::new() }
    }

    fn knows(&self, id: &str) -> bool {
        self.open.contains_key(id) || self.settled.contains_key(id)
    }

    fn set_aside(&self, now: Millis) -> u64 {
        self.open.values().filter(|aside| aside.until > now).map(|aside| aside.amount).sum()
    }

    fn size(&self) -> usize {
        1 + self.open.len() + self.settled.len()
    }
}

impl Budgets {
    pub(crate) fn new(most: usize) -> Self {
        Self { accounts: HashMap::new(), held: 0, room: Room::new(most) }
    }

    pub(crate) fn reserve(
        &mut self,
        budget: &Budget,
        reservation: &Reservation,
        now: Millis,
    ) -> Result<Reserved, Unavailable> {
        if self.accounts.get(&budget.key).is_some_and(|account| account.knows(&reservation.id)) {
            return Ok(Reserved::Granted);
        }
        let (spent, aside) = self.balance(budget, now);
        let left = budget.limit.saturating_sub(spent.saturating_add(aside));
        if reservation.amount > left {
            return Ok(Reserved::Exceeded { left });
        }
        self.make_room(&budget.key, now)?;
        self.open(budget, reservation);
        Ok(Reserved::Granted)
    }

    pub(crate) fn settle(&mut self, budget: &Budget, id: &str, spent: u64) {
        let Some(account) = self.accounts.get_mut(&budget.key) else { return };
        if let Some(aside) = account.open.remove(id) {
            account.spent = account.spent.saturating_add(spent);
            account.settled.insert(id.to_owned(), aside.until);
        }
    }

    pub(crate) fn balance(&self, budget: &Budget, now: Millis) -> (u64, u64) {
        self.accounts.get(&budget.key).map_or((0, 0), |account| (account.spent, account.set_aside(now)))
    }

    pub(crate) fn sweep(&mut self, now: Millis) {
        self.accounts.retain(|_, account| {
            account.settled.retain(|_, until| *until > now);
            account.until > now
        });
        self.held = self.accounts.values().map(Account::size).sum();
    }

    fn open(&mut self, budget: &Budget, reservation: &Reservation) {
        self.held += 1 + usize::from(!self.accounts.contains_key(&budget.key));
        let account = self.accounts.entry(budget.key.clone()).or_insert_with(|| Account::new(budget.until));
        let aside = Aside { amount: reservation.amount, until: reservation.until };
        account.open.insert(reservation.id.clone(), aside);
    }

    fn make_room(&mut self, key: &str, now: Millis) -> Result<(), Unavailable> {
        if self.room.wants_sweep(self.held, now) {
            self.sweep(now);
        }
        let more = 1 + usize::from(!self.accounts.contains_key(key));
        self.room.admits(self.held, more, "budgets and reservations")
    }
}
