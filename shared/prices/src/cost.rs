//! Money, in whole numbers: a sum of a million small calls is exact.

use std::fmt;

const PICO_PER_NANO: u128 = 1_000;
const NANO_PER_DOLLAR: u64 = 1_000_000_000;

/// What something costs, in billionths of a dollar.
///
/// A cost is rounded up once, when it is made, and saturates at eighteen billion dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u64);

impl Cost {
    /// A cost of so many billionths of a dollar.
    #[must_use]
    pub fn from_nano(nano: u64) -> Self {
        Self(nano)
    }

    /// A cost of so many trillionths of a dollar, rounded up.
    pub(crate) fn from_pico(pico: u128) -> Self {
        Self(u64::try_from(pico.div_ceil(PICO_PER_NANO)).unwrap_or(u64::MAX))
    }

    /// Billionths of a dollar.
    #[must_use]
    pub fn nano_dollars(self) -> u64 {
        self.0
    }

    /// Millionths of a dollar, rounded up: for a budget, which is never told less than was spent.
    #[must_use]
    pub fn to_micro_rounded_up(self) -> u64 {
        self.0.div_ceil(1_000)
    }
}

/// Dollars as a decimal number of at most nine places.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, rest) = (self.0 / NANO_PER_DOLLAR, self.0 % NANO_PER_DOLLAR);
        if rest == 0 {
            return write!(f, "{dollars}");
        }
        let places = format!("{rest:09}");
        write!(f, "{dollars}.{}", places.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::Cost;

    #[test]
    fn a_cost_is_told_in_dollars_with_all_its_places() {
        for (nano, told) in [
            (0, "0"),
            (1, "0.000000001"),
            (3_500_000, "0.0035"),
            (1_000_000_000, "1"),
            (12_345_678_901, "12.345678901"),
            (999_999_999_999_999, "999999.999999999"),
        ] {
            let cost = Cost::from_nano(nano);
            assert_eq!(cost.to_string(), told);
        }
    }

    #[test]
    fn costs_are_rounded_up_and_never_wrap() {
        assert_eq!(Cost::from_pico(1).nano_dollars(), 1);
        assert_eq!(Cost::from_pico(1_000).nano_dollars(), 1);
        assert_eq!(Cost::from_pico(1_001).nano_dollars(), 2);
        assert_eq!(Cost::from_pico(u128::MAX).nano_dollars(), u64::MAX);
        assert_eq!(Cost::from_nano(1).to_micro_rounded_up(), 1);
        assert_eq!(Cost::from_nano(1_000).to_micro_rounded_up(), 1);
    }
}
