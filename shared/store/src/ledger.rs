//! Budgets: amounts that are set aside before a call and settled after it, so that calls at the same time cannot spend
//! what is there only once.

use crate::Millis;

/// An amount that may be spent in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose, of what and for which period: `usd:alice:2026-11`, `tokens:alice:2026-11-20`, …
    pub key: String,
    /// The most that may be spent: millionths of a dollar, or tokens.
    pub limit: u64,
    /// When the period is well over and the budget may be forgotten.
    pub until: Millis,
}

/// An amount to be set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The id of the call.
    pub id: String,
    /// How much.
    pub amount: u64,
    /// When the call must long have ended: an amount that nobody settled is free again then.
    pub until: Millis,
}

/// Whether an amount was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It was.
    Granted,
    /// It was not; this much is left.
    Exceeded {
        /// What is neither spent nor set aside.
        left: u64,
    },
}
