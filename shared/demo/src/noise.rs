//! Bytes and numbers that look random and never change, so that a test can know them in advance.

use std::ops::Range;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// The bytes `/bytes/{n}` answers, from `range.start` to `range.end`.
pub(crate) fn bytes(range: Range<u64>) -> Bytes {
    let words = range.start / 8..range.end.div_ceil(8);
    let skipped = range.start % 8;
    let mut bytes: Vec<u8> = words.flat_map(|word| mix(word).to_le_bytes()).collect();
    bytes.drain(..usize::try_from(skipped).unwrap_or(0));
    bytes.truncate(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
    bytes.into()
}

/// The SHA-256 of some bytes in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number that stands for a text.
pub(crate) fn seed(text: &str) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// The finalizer of splitmix64: every input bit moves every output bit.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_part_of_the_noise_is_a_part_of_the_whole() {
        let whole = bytes(0..200);
        for from in 0..40 {
            assert_eq!(bytes(from..from + 101)[..], whole[from as usize..from as usize + 101]);
        }
    }

    #[test]
    fn a_digest_is_written_as_everyone_writes_it() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
