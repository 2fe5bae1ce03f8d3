//! What callers may spend, and what is kept of their calls.

use std::collections::BTreeMap;
use std::time::Duration;

use twinlane_access::{Budget, Rates};
use twinlane_prices::{Price, Prices};

use super::{Platform, Reader};

/// The days for which the usage log is kept unless a setting says otherwise.
const USUAL_DAYS: u64 = 90;
const DAY: u64 = 24 * 60 * 60;
/// The longest that the usage log can be kept, in days: ten years.
const MOST_DAYS: u64 = 3660;
/// The shortest rate: less than one a minute is none.
const SHAPE: &str = "a whole number above 0";

/// Limits, budgets and the usage log, as they are set.
#[derive(Debug, Clone)]
pub struct Books {
    /// How fast calls may come, by whose they are.
    pub rates: [(Whose, Rates); 4],
    /// What all calls together may cost.
    pub budget: Option<Budget>,
    /// What the calls of each token may cost, where the token itself does not say.
    pub budget_per_token: Option<Budget>,
    /// Whether calls are served while the store cannot be reached, by limits of this instance.
    pub open: bool,
    /// Whether a record of each call is kept; none: where it can be of use.
    pub log: Option<bool>,
    /// For how long.
    pub retention: Duration,
    /// Of whose calls the bodies are kept.
    pub bodies: Bodies,
    /// The operator's own prices of models.
    pub prices: BTreeMap<String, Price>,
}

/// Whose calls share a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of everybody.
    All,
    /// Those made with one token.
    Token,
    /// Those of one session.
    Session,
    /// Those from one address, or from one network of IPv6.
    Address,
}

/// Of whose calls the bodies are kept in the usage log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bodies {
    /// Nobody's.
    Off,
    /// Everybody's.
    All,
    /// Those made with these tokens, by their ids or names.
    Of(Vec<String>),
}

impl Bodies {
    /// Whether those of a token's calls are kept.
    #[must_use]
    pub fn are_of(&self, id: Option<&str>, name: Option<&str>) -> bool {
        let listed = |listed: &str| Some(listed) == id || Some(listed) == name;
        match self {
            Self::Off => false,
            Self::All => true,
            Self::Of(tokens) => tokens.iter().any(|token| listed(token)),
        }
    }
}

pub(super) fn read(reader: &mut Reader) -> Books {
    let rates = [
        (Whose::All, ""),
        (Whose::Token, "_PER_TOKEN"),
        (Whose::Session, "_PER_SESSION"),
        (Whose::Address, "_PER_ADDRESS"),
    ];
    Books {
        rates: rates.map(|(whose, suffix)| (whose, limits(reader, suffix))),
        budget: budget(reader, "BUDGET"),
        budget_per_token: budget(reader, "BUDGET_PER_TOKEN"),
        open: reader.one_of("STORE_DOWN", &["open", "closed"]) == "open",
        log: reader.text("USAGE_LOG").is_some().then(|| reader.flag("USAGE_LOG", true)),
        retention: retention(reader),
        bodies: bodies(reader),
        prices: prices(reader),
    }
}

fn limits(reader: &mut Reader, suffix: &str) -> Rates {
    let mut limit = |name: &str| {
        let name = format!("LIMIT_{name}{suffix}");
        let limit: Option<u64> = reader.parsed(&name, SHAPE);
        if limit == Some(0) {
            reader.problem(&name, &format!("is not {SHAPE}; leave it out for no limit"));
        }
        limit.filter(|limit| *limit > 0)
    };
    Rates { rpm: limit("RPM"), tpm: limit("TPM"), streams: limit("STREAMS") }
}

fn budget(reader: &mut Reader, name: &str) -> Option<Budget> {
    let read: Result<Budget, _> = reader.text(name)?.parse();
    read.map_err(|wrong| reader.problem(name, wrong)).ok()
}

fn retention(reader: &mut Reader) -> Duration {
    let days: Option<u64> = reader.parsed("USAGE_RETENTION", "a whole number of days");
    if days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
        reader.problem(
            "USAGE_RETENTION",
            "is not a number of days from 1 to 3660; USAGE_LOG=off keeps nothing",
        );
    }
    Duration::from_secs(days.unwrap_or(USUAL_DAYS).clamp(1, MOST_DAYS) * DAY)
}

fn bodies(reader: &Reader) -> Bodies {
    let listed: Vec<String> = reader.list("LOG_BODIES").map(str::to_owned).collect();
    match &listed[..] {
        [] => Bodies::Off,
        [one] if matches!(one.to_ascii_lowercase().as_str(), "off" | "false" | "0" | "no") => Bodies::Off,
        [one] if matches!(one.to_ascii_lowercase().as_str(), "all" | "on" | "true" | "1" | "yes") => {
            Bodies::All
        }
        _ => Bodies::Of(listed),
    }
}

fn prices(reader: &mut Reader) -> BTreeMap<String, Price> {
    let read = reader.text("PRICES").map(Prices::read_overrides).transpose();
    read.map_err(|wrongs| wrongs.iter().for_each(|wrong| reader.problem("PRICES", wrong)))
        .unwrap_or_default()
        .unwrap_or_default()
}

impl Books {
    /// Whether a record of each call is kept: where a setting says so, and else where it outlives the instance or a
    /// person sits beside it.
    #[must_use]
    pub fn keeps_log(&self, lasting: bool, platform: Platform) -> bool {
        self.log.unwrap_or(lasting || platform == Platform::Local)
    }
}

#[cfg(test)]
mod tests {
    use super::Bodies;
    use crate::config::tests::{config, problems};

    #[test]
    fn a_malformed_limit_budget_or_span_is_named() {
        for (setting, value) in [
            ("LIMIT_RPM", "sixty"),
            ("LIMIT_TPM_PER_TOKEN", "0"),
            ("LIMIT_STREAMS_PER_ADDRESS", "-1"),
            ("BUDGET", "5"),
            ("BUDGET_PER_TOKEN", "5eur/month"),
            ("STORE_DOWN", "ajar"),
            ("USAGE_RETENTION", "0"),
            ("USAGE_RETENTION", "90d"),
            ("USAGE_LOG", "maybe"),
        ] {
            let problems = problems(&[(setting, value)]);
            assert_eq!(problems.len(), 1, "{setting}={value}: {problems:?}");
            assert!(problems[0].starts_with(&format!("{setting}: ")), "{problems:?}");
        }
    }

    #[test]
    fn bodies_are_kept_of_nobody_of_all_or_of_some() {
        let of = |value: &str| config(&[("LOG_BODIES", value)]).books.bodies;
        assert_eq!((of(""), of("off"), of("all")), (Bodies::Off, Bodies::Off, Bodies::All));
        let some = of("alice, 0123");
        assert!(some.are_of(Some("0123"), None) && some.are_of(Some("x"), Some("alice")));
        assert!(!some.are_of(None, None) && !some.are_of(Some("x"), Some("bob")));
    }
}
