//! Budgets: a hash of what is spent, what is held and by whom, and a sorted set of when each of those ends.

use twinlane_store::{Budget, Millis, Reservation, Reserved, Unavailable};

use crate::scripts::{BALANCE, RESERVE, SETTLE};
use crate::{Redis, exact, kept_for};

impl Redis {
    pub(crate) async fn set_aside(
        &self,
        budget: &Budget,
        reservation: &Reservation,
        now: Millis,
    ) -> Result<Reserved, Unavailable> {
        let (amount, until) = (exact(reservation.amount), exact(reservation.until));
        let kept = kept_for(now, budget.until.max(reservation.until));
        let args = vec![exact(now), reservation.id.clone(), amount, until, exact(budget.limit), kept];
        let [granted, left] = self.run(&RESERVE, self.budget_keys(budget), args).await?.numbers()?;
        Ok(if granted > 0 { Reserved::Granted } else { Reserved::Exceeded { left } })
    }

    pub(crate) async fn settle_one(
        &self,
        budget: &Budget,
        reservation: &str,
        spent: u64,
    ) -> Result<(), Unavailable> {
        let args = vec![reservation.to_owned(), exact(spent)];
        self.run(&SETTLE, self.budget_keys(budget), args).await.map(|_| ())
    }

    pub(crate) async fn balance_of(&self, budget: &Budget, now: Millis) -> Result<(u64, u64), Unavailable> {
        let keys = self.budget_keys(budget);
        let [spent, held] = self.run(&BALANCE, keys, vec![exact(now)]).await?.numbers()?;
        Ok((spent, held))
    }

    fn budget_keys(&self, budget: &Budget) -> Vec<String> {
        vec![self.key("budget", &budget.key), self.key("budget-ends", &budget.key)]
    }
}
