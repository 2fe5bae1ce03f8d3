//! The tokens of an encoding, looked up by their bytes.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

/// The longest vocabulary believed: o200k unpacks to 1.6 MB.
const LONGEST: u64 = 16 * 1024 * 1024;

/// An empty slot of the table.
const NONE: u32 = u32::MAX;

/// A vocabulary in memory, 4.5 MB for the larger one.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// All tokens one after the other, in the order of their ids.
    bytes: Vec<u8>,
    /// Where each token ends in `bytes`.
    ends: Vec<u32>,
    /// The ids by hash, with open addressing and at most half full.
    slots: Vec<u32>,
}

impl Vocabulary {
    /// Unpacks a vocabulary; `None` if it is damaged.
    ///
    /// The format is that of the `tiktoken` crate: zstd around `TKV1`, the number of tokens, the first id (0 for us), the
    /// length of every token, and then their bytes, the shortest tokens first. Ids are ranks: the lower is merged first.
    pub(crate) fn unpack(packed: &[u8]) -> Option<Self> {
        let mut unpacked = Vec::new();
        StreamingDecoder::new(packed).ok()?.take(LONGEST).read_to_end(&mut unpacked).ok()?;
        let (count, rest) = take_u32(unpacked.strip_prefix(b"TKV1")?)?;
        let (0, mut rest) = take_u32(rest)? else { return None };
        let lengths = (0..count).map(|_| take_varint(&mut rest)).collect::<Option<Vec<_>>>()?;
        let vocabulary = Self::gather(&lengths, rest)?;
        (0..=u8::MAX).all(|byte| vocabulary.id(&[byte]).is_some()).then_some(vocabulary)
    }

    /// Puts the tokens, which come sorted by length, into the order of their ids.
    fn gather(lengths: &[usize], body: &[u8]) -> Option<Self> {
        let mut starts = starts_by_length(lengths);
        let mut vocabulary = Self {
            bytes: Vec::with_capacity(body.len()),
            ends: Vec::with_capacity(lengths.len()),
            slots: vec![NONE; (lengths.len() * 2).next_power_of_two()],
        };
        for length in lengths {
            let start = &mut starts[*length];
            vocabulary.add(body.get(*start..*start + length)?);
            *start += length;
        }
        Some(vocabulary)
    }

    fn add(&mut self, token: &[u8]) {
        let id = self.ends.len() as u32;
        self.bytes.extend_from_slice(token);
        self.ends.push(self.bytes.len() as u32);
        let slot = self.slot(token);
        self.slots[slot] = id;
    }

    /// The id of a token, which is also its rank.
    pub(crate) fn id(&self, token: &[u8]) -> Option<u32> {
        let id = self.slots[self.slot(token)];
        (id != NONE).then_some(id)
    }

    /// The bytes of a token.
    pub(crate) fn token(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = id.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[id] as usize]
    }

    /// Where a token is in the table, or would be.
    fn slot(&self, token: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(token) & mask;
        while self.slots[slot] != NONE && self.token(self.slots[slot]) != token {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

/// For each length, where its tokens begin.
fn starts_by_length(lengths: &[usize]) -> Vec<usize> {
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let mut totals = vec![0; longest + 1];
    for length in lengths {
        totals[*length] += length;
    }
    totals.iter().scan(0, |start, total| Some(std::mem::replace(start, *start + total))).collect()
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

/// Seven bits a byte, the lowest first. Two bytes are enough for the length of any token.
fn take_varint(bytes: &mut &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        *bytes = rest;
        return Some(usize::from(*first));
    }
    let (second, rest) = rest.split_first()?;
    *bytes = rest;
    (*second < 0x80).then_some(usize::from(first & 0x7f) | usize::from(*second) << 7)
}

/// A multiplicative hash over words of eight bytes. The vocabulary is ours, so nobody can fill it with collisions.
fn hash(token: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = token.len() as u64;
    for chunk in token.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = (state.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    (state ^ (state >> 32)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoding, embedded};

    fn tiktoken(encoding: Encoding) -> &'static tiktoken::CoreBpe {
        let name = match encoding {
            Encoding::O200k => "o200k_base",
            Encoding::Cl100k => "cl100k_base",
        };
        tiktoken::get_encoding(name).unwrap()
    }

    #[test]
    fn the_tokens_are_those_of_tiktoken() {
        for (encoding, count) in [(Encoding::O200k, 199_998), (Encoding::Cl100k, 100_256)] {
            let vocabulary = Vocabulary::unpack(embedded(encoding)).unwrap();
            assert_eq!(vocabulary.ends.len(), count);
            for id in 0..count as u32 {
                assert_eq!(vocabulary.token(id), tiktoken(encoding).decode(&[id]), "{encoding:?} {id}");
                assert_eq!(vocabulary.id(vocabulary.token(id)), Some(id));
            }
        }
    }

    #[test]
    fn a_damaged_vocabulary_is_none() {
        let whole = embedded(Encoding::Cl100k);
        for packed in [&whole[..0], &whole[..10], &whole[..whole.len() / 2], &whole[1..], b"not zstd at all"]
        {
            assert!(Vocabulary::unpack(packed).is_none());
        }
        let mut flipped = whole.to_vec();
        for at in (0..flipped.len()).step_by(4001) {
            flipped[at] ^= 0x55;
        }
        assert!(Vocabulary::unpack(&flipped).is_none());
    }
}
