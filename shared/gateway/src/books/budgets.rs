//! Budgets: how much may be spent in a day or a month, and by whom.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use twinlane_access::{Amount, Budget, Period};
use twinlane_store::{Millis, millis};

use super::bill::Cost;
use super::rates::Limited;
use super::{Books, Payer};
use crate::config::Whose;

/// For how long a budget is remembered after its period: calls that began in it may still be settled.
const AFTER: Millis = 2 * 24 * 60 * 60 * 1000;

/// A budget that a call draws on.
#[derive(Debug, Clone)]
pub(super) struct Account {
    whose: Whose,
    told: Budget,
    /// The budget of this period.
    pub(super) budget: twinlane_store::Budget,
    /// When the next period begins.
    anew: Millis,
}

impl Account {
    fn new(whose: Whose, told: Budget, id: &str, at: Millis) -> Self {
        let (period, anew) = period(told.per, at);
        let (unit, limit) = match told.amount {
            Amount::MicroDollars(limit) => ("usd", limit),
            Amount::Tokens(limit) => ("tokens", limit),
        };
        let budget =
            twinlane_store::Budget { key: format!("{unit}/{id}/{period}"), limit, until: anew + AFTER };
        Self { whose, told, budget, anew }
    }

    /// What a call takes of it.
    pub(super) fn share(&self, cost: &Cost) -> u64 {
        match self.told.amount {
            Amount::MicroDollars(_) => cost.micro_dollars(),
            Amount::Tokens(_) => cost.tokens.sum(),
        }
    }

    /// That too little is left of it.
    pub(super) fn exceeded(&self, left: u64, wanted: u64, at: Millis) -> Limited {
        let wait = Duration::from_millis(self.anew.saturating_sub(at));
        let anew = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(self.anew));
        let whose = match self.whose {
            Whose::All => "of all callers together",
            _ => "of this token",
        };
        let (left, wanted) = (self.amount(left), self.amount(wanted));
        let told = format!(
            "The budget {whose}, {}, has {left} left, and this call may cost {wanted}. It begins anew at {anew}",
            self.told
        );
        Limited { told, budget: true, wait }
    }

    fn amount(&self, amount: u64) -> String {
        match self.told.amount {
            Amount::MicroDollars(_) => format!("{}.{:06} USD", amount / 1_000_000, amount % 1_000_000),
            Amount::Tokens(_) => format!("{amount} tokens"),
        }
    }
}

impl Books {
    /// The budgets that a call draws on.
    pub(super) fn accounts(&self, payer: &Payer, at: Millis) -> Vec<Account> {
        let all = self.settings.budget.map(|budget| Account::new(Whose::All, budget, "@all", at));
        let granted = payer.grant.as_ref().and_then(|grant| Some((grant.budget?, grant.budget_id.as_str())));
        let usual = || Some((self.settings.budget_per_token?, payer.token.as_deref()?));
        let own = granted.or_else(usual).map(|(budget, id)| Account::new(Whose::Token, budget, id, at));
        [own, all].into_iter().flatten().collect()
    }
}

/// The name of the period that a time is in, by the calendar in UTC, and when the next one begins.
fn period(per: Period, at: Millis) -> (String, Millis) {
    const DAY: Millis = 24 * 60 * 60 * 1000;
    let date = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(at)).to_string();
    match per {
        Period::Day => (date[..10].to_owned(), (at / DAY + 1) * DAY),
        Period::Month => (date[..7].to_owned(), next_month(&date).unwrap_or(at + 31 * DAY)),
    }
}

/// When the month after that of a date begins.
fn next_month(date: &str) -> Option<Millis> {
    let (year, month): (u32, u32) = (date.get(..4)?.parse().ok()?, date.get(5..7)?.parse().ok()?);
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let first = humantime::parse_rfc3339(&format!("{year:04}-{month:02}-01T00:00:00Z")).ok()?;
    first.duration_since(SystemTime::UNIX_EPOCH).ok().map(millis)
}

#[cfg(test)]
mod tests {
    use twinlane_access::Period;
    use twinlane_store::millis;

    use super::period;

    fn at(date: &str) -> u64 {
        let since = humantime::parse_rfc3339(date).unwrap().duration_since(std::time::UNIX_EPOCH);
        millis(since.unwrap())
    }

    #[test]
    fn a_period_is_a_day_or_a_month_of_the_calendar_in_utc() {
        for (per, now, name, anew) in [
            (Period::Day, "2026-11-21T00:00:00Z", "2026-11-21", "2026-11-22T00:00:00Z"),
            (Period::Day, "2026-12-31T23:59:59Z", "2026-12-31", "2027-01-01T00:00:00Z"),
            (Period::Month, "2026-11-30T23:59:59Z", "2026-11", "2026-12-01T00:00:00Z"),
            (Period::Month, "2026-12-01T00:00:00Z", "2026-12", "2027-01-01T00:00:00Z"),
            (Period::Month, "2028-02-29T12:00:00Z", "2028-02", "2028-03-01T00:00:00Z"),
        ] {
            assert_eq!(period(per, at(now)), (name.to_owned(), at(anew)), "{now}");
        }
    }
}
