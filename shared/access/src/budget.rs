//! What a token may spend in a day or a month, as an operator writes it: `5usd/month`, `100000tokens/day`.

use std::fmt;
use std::str::FromStr;

/// An amount of one of two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Millionths of a US dollar.
    MicroDollars(u64),
    /// Tokens, in and out together.
    Tokens(u64),
}

/// The span after which a budget begins anew, by the calendar in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// At midnight.
    Day,
    /// On the first.
    Month,
}

/// How much may be spent in which span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How much.
    pub amount: Amount,
    /// In which span.
    pub per: Period,
}

/// How a budget is written.
const SHAPE: &str = "is not an amount per day or month, such as 5usd/month, 0.50usd/day or 100000tokens/day";

impl FromStr for Budget {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (amount, per) = text.split_once('/').ok_or(SHAPE)?;
        let per = match per.trim() {
            "day" => Period::Day,
            "month" => Period::Month,
            _ => return Err(SHAPE),
        };
        let amount = amount.trim();
        let amount = match (amount.strip_suffix("usd"), amount.strip_suffix("tokens")) {
            (Some(dollars), _) => micro_dollars(dollars.trim()).map(Amount::MicroDollars),
            (_, Some(tokens)) => number(tokens.trim()).map(Amount::Tokens),
            _ => None,
        };
        Ok(Self { amount: amount.ok_or(SHAPE)?, per })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.amount {
            Amount::MicroDollars(micro) => write!(f, "{}usd", dollars(micro))?,
            Amount::Tokens(tokens) => write!(f, "{tokens}tokens")?,
        }
        f.write_str(match self.per {
            Period::Day => "/day",
            Period::Month => "/month",
        })
    }
}

/// Dollars with up to six decimals, without a float between: what is written is what is counted.
fn micro_dollars(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    if decimals.is_empty() || decimals.len() > 6 || !is_digits(decimals) || !is_digits(whole) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let micro: u64 = format!("{decimals:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(micro).filter(|micro| *micro > 0)
}

fn dollars(micro: u64) -> String {
    let text = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0 && is_digits(text))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Amount, Budget, Period};

    #[test]
    fn a_budget_is_read_as_it_is_written() {
        for (text, amount, per) in [
            ("5usd/month", Amount::MicroDollars(5_000_000), Period::Month),
            ("0.5 usd / day", Amount::MicroDollars(500_000), Period::Day),
            ("0.000001usd/day", Amount::MicroDollars(1), Period::Day),
            ("100000tokens/day", Amount::Tokens(100_000), Period::Day),
        ] {
            assert_eq!(text.parse(), Ok(Budget { amount, per }), "{text}");
        }
    }

    #[test]
    fn what_is_no_budget_is_refused() {
        for text in [
            "",
            "5",
            "5usd",
            "5/month",
            "usd/month",
            "-5usd/month",
            "+5usd/month",
            "0usd/month",
            "0tokens/day",
            "1.5tokens/day",
            "5.usd/day",
            ".5usd/day",
            "1.0000001usd/day",
            "5eur/month",
            "5usd/year",
            "5USD/month",
            "99999999999999999999usd/day",
            "1e3usd/day",
        ] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(amount in 1..u64::MAX, tokens: bool, month: bool) {
            let amount = if tokens { Amount::Tokens(amount) } else { Amount::MicroDollars(amount) };
            let budget = Budget { amount, per: if month { Period::Month } else { Period::Day } };
            prop_assert_eq!(budget.to_string().parse(), Ok(budget));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Budget>();
        }
    }
}
