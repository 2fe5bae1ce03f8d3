//! The books: what a call may spend before it is sent, and what is kept of it once it has ended.
//!
//! A call that has been understood opens a [`Tab`]: requests and tokens per minute are spent, a place among the streams
//! is taken, a part of each budget is set aside. The tab travels with the call's record and is settled with it, whatever
//! way the call ends: with the tokens that it really cost, or an estimate where nobody says. Where nothing is counted and
//! nothing kept there is no tab, and a call pays nothing for what is not asked for.
//!
//! [`need`] knows what a call asks for and who pays, [`rates`] and [`budgets`] where that is counted, [`bill`] what it
//! cost, [`entry`] what is remembered.

mod backlog;
mod bill;
mod bodies;
mod budgets;
mod entry;
mod need;
mod rates;
mod standings;
mod tab;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use twinlane_access::{Grant, Rates};
use twinlane_prices::Prices;
use twinlane_store::{Millis, Store, Unavailable};
use twinlane_store_memory::Memory;

use crate::Error;
use crate::config::{self, Config};
use crate::keeping::{Keeping, now};

use backlog::Backlog;
use bill::PriceList;
pub(crate) use bodies::Bodies;
pub(crate) use need::{Need, Payer};
pub use rates::Limited;
pub(crate) use standings::Standings;
pub(crate) use tab::Tab;

/// For how long a store that could not be reached is left alone.
const ALONE: Millis = 5_000;
/// How often the log says so.
const QUIET: Millis = 60_000;

/// What is counted and what is kept.
#[derive(Debug)]
pub(crate) struct Books {
    settings: config::Books,
    keeps_log: bool,
    prices: PriceList,
    keeping: Keeping,
    /// What counts while the store cannot be reached.
    spare: Arc<dyn Store>,
    backlog: Backlog,
    /// Until when the store is left alone.
    down: AtomicU64,
    /// When the log last said that it cannot be reached.
    warned: AtomicU64,
}

impl Books {
    pub(crate) fn of(config: &Config, keeping: &Keeping) -> Self {
        Self {
            settings: config.books.clone(),
            keeps_log: config.books.keeps_log(keeping.is_lasting(), config.platform),
            prices: PriceList::new(Prices::new(config.books.prices.clone())),
            keeping: keeping.clone(),
            spare: Arc::new(Memory::default()),
            backlog: Backlog::default(),
            down: AtomicU64::new(0),
            warned: AtomicU64::new(0),
        }
    }

    /// Whether anything of a caller's calls is counted or kept.
    fn are_open(&self, grant: Option<&Grant>) -> bool {
        let counted = |grant: &Grant| grant.rates != Rates::default() || grant.budget.is_some();
        self.keeps_log
            || self.settings.budget.is_some()
            || self.settings.budget_per_token.is_some()
            || self.settings.rates.iter().any(|(_, rates)| *rates != Rates::default())
            || grant.is_some_and(counted)
    }

    /// Whether the bodies of a caller's calls are kept.
    fn keeps_bodies(&self, payer: &Payer) -> bool {
        self.keeps_log && self.settings.bodies.are_of(payer.token.as_deref(), payer.name.as_deref())
    }

    /// Opens the tab of a call, under an id that no other call has; none where nothing is counted or kept.
    pub(crate) fn open(
        self: &Arc<Self>,
        id: impl FnOnce() -> String,
        payer: impl FnOnce() -> Payer,
        grant: Option<&Grant>,
    ) -> Option<Box<Tab>> {
        self.are_open(grant).then(|| Box::new(Tab::new(self, id(), payer())))
    }

    /// Fills a tab from the store, or from this instance's memory while the store cannot be reached.
    async fn fill(&self, tab: &mut Tab, standings: &mut Standings) -> Result<(), Error> {
        let at = now();
        if at >= self.down.load(Ordering::Relaxed) {
            match tab.fill(at, standings).await {
                Ok(limited) => return limited.map_or(Ok(()), |limited| Err(limited.into())),
                // From now on, not from when it was asked: a store that is slow to fail would never be left alone.
                Err(lost) => self.note_lost(&lost, now()),
            }
        }
        if !self.settings.open {
            return Err(Error::StoreUnavailable);
        }
        tab.moved(Arc::clone(&self.spare));
        match tab.fill(at, standings).await {
            Ok(limited) => limited.map_or(Ok(()), |limited| Err(limited.into())),
            // Not even memory has room to count in: open means open.
            Err(full) => {
                self.warn("limits and budgets", &full, at);
                Ok(())
            }
        }
    }

    /// Notes that the store cannot be reached, so that the next calls need not wait to learn the same.
    fn note_lost(&self, lost: &Unavailable, at: Millis) {
        self.down.store(at + ALONE, Ordering::Relaxed);
        self.warn("limits and budgets", lost, at);
    }

    fn warn(&self, what: &str, lost: &Unavailable, at: Millis) {
        let last = self.warned.load(Ordering::Relaxed);
        let due = last == 0 || at >= last + QUIET;
        if due && self.warned.compare_exchange(last, at, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::warn!(why = lost.0, "{what} cannot be kept where they should be: {lost}");
        }
    }
}
