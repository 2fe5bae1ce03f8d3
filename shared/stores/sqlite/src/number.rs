//! The port counts from zero; SQLite's integers have a sign.

/// The most that is kept: what the port promises to stay below. Two of them add up without overflow.
const MOST: i64 = (1 << 53) - 1;

/// A number as it is kept.
pub(crate) fn kept(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(MOST).min(MOST)
}

/// A number as it was kept.
pub(crate) fn read(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{MOST, kept, read};

    #[test]
    fn numbers_come_back_and_endless_ones_stay_large() {
        for number in [0, 1, 1_800_000_000_000_000] {
            assert_eq!(read(kept(number)), number);
        }
        assert_eq!((kept(u64::MAX), read(-1)), (MOST, 0));
    }
}
