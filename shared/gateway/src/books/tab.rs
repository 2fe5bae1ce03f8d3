//! What one call has taken of its caller's limits and budgets, and how that is settled.

use std::sync::Arc;
use std::time::Duration;

use twinlane_store::{Meter, Millis, Reservation, Reserved, Store, Unavailable, UsageRecord, millis};

use super::bill::{self, Came, Cost, Tokens};
use super::budgets::Account;
use super::rates::{Counted, Limited};
use super::{Bodies, Books, Need, Payer, Standings, entry};
use crate::keeping::now;
use crate::record::Record;

/// How much longer than its call a place and a part of a budget are held: a call may end a little late.
const GRACE: Duration = Duration::from_secs(60);

/// The tab of one call. However the call ends, and wherever it is dropped, what it took is settled.
#[derive(Debug)]
pub(crate) struct Tab {
    books: Arc<Books>,
    store: Arc<dyn Store>,
    /// The call's own id, which no other call has.
    id: String,
    payer: Payer,
    need: Need,
    /// The meters of tokens, each with what was spent.
    tokens: Vec<Meter>,
    /// Where the call has a place.
    places: Vec<String>,
    /// The budgets in which something is set aside.
    accounts: Vec<Account>,
    ended: Option<Ended>,
}

/// How a call ended, as far as its tab is concerned.
#[derive(Debug)]
struct Ended {
    cost: Cost,
    entry: Option<UsageRecord>,
}

impl Tab {
    /// An empty tab, under an id that no other call has.
    pub(super) fn new(books: &Arc<Books>, id: String, payer: Payer) -> Self {
        let (tokens, places, accounts) = (Vec::new(), Vec::new(), Vec::new());
        let (store, need) = (Arc::clone(books.keeping.store()), Need::default());
        Self { books: Arc::clone(books), store, id, payer, need, tokens, places, accounts, ended: None }
    }

    /// Takes what a call needs of its caller's limits and budgets. How the limits stand is told in either case.
    ///
    /// # Errors
    /// [`Error::Limited`](crate::Error::Limited) where a limit or a budget is spent;
    /// [`Error::StoreUnavailable`](crate::Error::StoreUnavailable) where nobody can know and the settings say
    /// `STORE_DOWN=closed`.
    pub(crate) async fn take(&mut self, need: Need, standings: &mut Standings) -> Result<(), crate::Error> {
        self.need = need;
        Arc::clone(&self.books).fill(self, standings).await
    }

    /// Takes what a call needs, where it may. What has been taken of a call that is refused goes back as this is
    /// dropped, except for the request itself: one that is refused has been made.
    pub(super) async fn fill(
        &mut self,
        at: Millis,
        standings: &mut Standings,
    ) -> Result<Option<Limited>, Unavailable> {
        let estimate = self.need.estimate();
        let spent = self.spend(estimate, at, standings).await?;
        if spent.is_some() {
            return Ok(spent);
        }
        let entered = self.enter(at).await?;
        if entered.is_some() {
            return Ok(entered);
        }
        self.set_aside(estimate, at).await
    }

    /// The same tab with another store, where nothing has been taken yet.
    pub(super) fn moved(&mut self, store: Arc<dyn Store>) {
        self.store = store;
        (self.tokens, self.places, self.accounts) = (Vec::new(), Vec::new(), Vec::new());
    }

    async fn spend(
        &mut self,
        estimate: Tokens,
        at: Millis,
        standings: &mut Standings,
    ) -> Result<Option<Limited>, Unavailable> {
        let metered = self.books.meters(&self.payer, estimate.sum());
        if metered.is_empty() {
            return Ok(None);
        }
        let meters: Vec<Meter> = metered.iter().map(|metered| metered.meter.clone()).collect();
        let verdict = self.store.spend(&meters, at).await?;
        *standings = Standings::of(&metered, &verdict.standings);
        if let Some((which, wait)) = verdict.refused {
            return Ok(metered.get(which).map(|metered| Limited::by_meter(metered, wait)));
        }
        let tokens = metered.into_iter().filter(|metered| metered.counted == Counted::Tokens);
        self.tokens = tokens.map(|metered| metered.meter).collect();
        Ok(None)
    }

    async fn enter(&mut self, at: Millis) -> Result<Option<Limited>, Unavailable> {
        if !self.need.stream {
            return Ok(None);
        }
        let until = self.until(at);
        for place in self.books.places(&self.payer) {
            // Noted before it is known: giving back what was not taken is no error, and this may be dropped meanwhile.
            self.places.push(place.key.clone());
            if !self.store.enter(&place.key, &self.id, place.most, at, until).await? {
                return Ok(Some(Limited::by_places(&place)));
            }
        }
        Ok(None)
    }

    async fn set_aside(&mut self, estimate: Tokens, at: Millis) -> Result<Option<Limited>, Unavailable> {
        if !self.need.works {
            return Ok(None);
        }
        let accounts = self.books.accounts(&self.payer, at);
        if accounts.is_empty() {
            return Ok(None);
        }
        let cost = Cost::of(estimate, &self.need.service, self.need.model.as_deref(), &self.books.prices);
        for account in accounts {
            let amount = account.share(&cost);
            let reservation = Reservation { id: self.id.clone(), amount, until: self.until(at) };
            self.accounts.push(account.clone());
            if let Reserved::Exceeded { left } = self.store.reserve(&account.budget, &reservation, at).await?
            {
                return Ok(Some(account.exceeded(left, amount, at)));
            }
        }
        Ok(None)
    }

    fn until(&self, at: Millis) -> Millis {
        at + millis(self.need.lasts + GRACE)
    }

    /// Whether the bodies of this call are kept.
    pub(crate) fn keeps_bodies(&self) -> bool {
        self.books.keeps_bodies(&self.payer)
    }

    /// Notes how the call ended; the tab is settled accordingly when it is dropped.
    pub(crate) fn close(&mut self, record: &Record, bodies: Option<Box<Bodies>>) {
        let (tokens, estimated) = bill::tokens(&self.need, record.usage, Came::of(record));
        let served = entry::served(record, &self.need);
        let cost = Cost::of(tokens, served.service, served.model, &self.books.prices);
        let entry = self.books.keeps_log.then(|| {
            let call = entry::Known { id: &self.id, payer: &self.payer, need: &self.need, cost, estimated };
            entry::of(record, &call, bodies)
        });
        self.ended = Some(Ended { cost, entry });
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let ended = self.ended.take();
        let settling = Settling {
            books: Arc::clone(&self.books),
            store: Arc::clone(&self.store),
            id: std::mem::take(&mut self.id),
            tokens: std::mem::take(&mut self.tokens),
            places: std::mem::take(&mut self.places),
            accounts: std::mem::take(&mut self.accounts),
            cost: ended.as_ref().map(|ended| ended.cost).unwrap_or_default(),
        };
        let entry = ended.and_then(|ended| ended.entry);
        let books = Arc::clone(&self.books);
        self.books.keeping.after(async move {
            settling.settle().await;
            if let Some(entry) = entry {
                books.keep(entry).await;
            }
        });
    }
}

/// What is left to do for a tab.
struct Settling {
    books: Arc<Books>,
    store: Arc<dyn Store>,
    id: String,
    tokens: Vec<Meter>,
    places: Vec<String>,
    accounts: Vec<Account>,
    cost: Cost,
}

impl Settling {
    async fn settle(&self) {
        let at = now();
        if let Err(lost) = self.try_to(at).await {
            self.books.warn("what calls have really cost", &lost, at);
        }
    }

    /// Every step is tried, whether or not those before it could be done.
    async fn try_to(&self, at: Millis) -> Result<(), Unavailable> {
        let mut done = Ok(());
        for account in &self.accounts {
            let spent = account.share(&self.cost);
            done = done.and(self.store.settle(&account.budget, &self.id, spent, at).await);
        }
        let used = self.cost.tokens.sum();
        for meter in &self.tokens {
            let delta =
                i64::try_from(used).unwrap_or(i64::MAX) - i64::try_from(meter.cost).unwrap_or(i64::MAX);
            if delta != 0 {
                done = done.and(self.store.correct(meter, delta, at).await);
            }
        }
        for place in &self.places {
            done = done.and(self.store.leave(place, &self.id).await);
        }
        done
    }
}
