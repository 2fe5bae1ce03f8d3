//! The books: what a call may spend before it is sent, and what is kept of it once it has ended.
//!
//! A call that has been understood opens a [`Tab`]: requests and tokens per minute are spent, a place among the streams
//! is taken, a part of each budget is set aside. The tab travels with the call's record and is settled with it, whatever
//! way the call ends: with the tokens that it really cost, or an estimate where nobody says. Where nothing is counted and
//! nothing kept there is no tab, and a call pays nothing for what is not asked for.
//!
//! [`rates`] and [`budgets`] know whose call is counted where, [`bill`] what it cost, [`entry`] what is remembered.

mod backlog;
mod bill;
mod bodies;
mod budgets;
mod entry;
mod rates;
mod standings;
mod tab;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;
use twinlane_access::{Grant, Rates};
use twinlane_prices::Prices;
use twinlane_store::{Millis, Store, Unavailable};
use twinlane_store_memory::Memory;

use crate::auth::{Auth, Caller};
use crate::call::Call;
use crate::config::{self, Config};
use crate::keeping::{Keeping, now};
use crate::record::Record;
use crate::scan::Asked;
use crate::unified::plan::Plan;
use crate::{Error, record, scope, usage};

use backlog::Backlog;
use bill::{PriceList, Tokens};
pub(crate) use bodies::Bodies;
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

/// Whose call it is, by the names under which limits, budgets and the usage log know them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payer {
    /// The token, by its id.
    pub(crate) token: Option<String>,
    /// The token's name for people.
    pub(crate) name: Option<String>,
    /// The session.
    pub(crate) session: Option<String>,
    /// The address.
    pub(crate) address: Option<IpAddr>,
    /// What the token grants.
    pub(crate) grant: Option<Arc<Grant>>,
}

/// What is to be paid for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// The provider that is asked first.
    pub(crate) service: String,
    /// The model, as it was asked for.
    pub(crate) model: Option<String>,
    /// Whether a model is to work.
    pub(crate) works: bool,
    /// About how many tokens the prompt has.
    pub(crate) prompt: u64,
    /// The most that each answer may have, where the client says.
    pub(crate) most: Option<u64>,
    /// How many answers there are to be.
    pub(crate) answers: u64,
    /// Whether the answer is to be a stream.
    pub(crate) stream: bool,
    /// How long the call may take.
    pub(crate) lasts: Duration,
}

/// The longest that a call without an end of its own holds its place among the streams, and its part of a budget.
pub(crate) const LONGEST: Duration = Duration::from_secs(60 * 60);

impl Payer {
    /// Who pays for a call: its token, session and address, as far as they are known.
    pub(crate) fn of(caller: &Caller, auth: &Auth, record: &Record) -> Self {
        let plain = || auth.place_of(caller.token.as_ref()?).map(|place| format!("auth-{place}"));
        Self {
            token: caller.grant.as_ref().map(|grant| grant.id.clone()).or_else(plain),
            name: caller.grant.as_ref().map(|grant| grant.name.clone()),
            session: record.session.clone(),
            address: record.address,
            grant: caller.grant.clone(),
        }
    }
}

impl Order {
    /// What a call of one service orders: a model's work, where it names a model or its path leads to one, and it asks for
    /// more than a number.
    pub(crate) fn of_call(call: &Call, asked: &Asked) -> Self {
        let model = scope::model_of(call, asked);
        let lasts = call.deadline.map(|deadline| deadline.saturating_duration_since(call.arrival.at));
        let counts = ["/count_tokens", ":countTokens"].iter().any(|ending| call.path.ends_with(ending));
        let works = !counts && (model.is_some() || usage::works(&call.method, &call.path));
        Self::of(&call.service.alias, model, works, asked, call.stream.is_asked(), lasts)
    }

    /// What a call of the unified API orders.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let received = &plan.received;
        let service = plan.targets.first().map_or("", |target| target.service.alias.as_str());
        let model = Some(&plan.model).filter(|model| !model.is_empty() && received.method == Method::POST);
        let works = model.is_some() || usage::works(&received.method, &received.path);
        let lasts = received.deadline.map(|deadline| deadline.saturating_duration_since(received.arrival.at));
        let works = works && !plan.endpoint.is_counting();
        Self::of(service, model.cloned(), works, &received.asked, plan.stream.is_asked(), lasts)
    }

    fn of(
        service: &str,
        model: Option<String>,
        works: bool,
        asked: &Asked,
        stream: bool,
        lasts: Option<Duration>,
    ) -> Self {
        Self {
            service: service.to_owned(),
            model: model.map(record::name),
            works,
            prompt: if works { asked.prompt_tokens() } else { 0 },
            most: asked.most_tokens.filter(|_| works),
            answers: asked.answers(),
            stream,
            lasts: lasts.unwrap_or(LONGEST).min(LONGEST),
        }
    }

    /// About how many tokens it will cost: all that the answer may have, since nobody knows how long it will be.
    fn estimate(&self) -> Tokens {
        if !self.works {
            return Tokens::default();
        }
        let each = self.most.unwrap_or(bill::USUAL_ANSWER);
        Tokens::of(self.prompt, each.saturating_mul(self.answers.max(1)))
    }
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
