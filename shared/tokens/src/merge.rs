//! Byte pair encoding: joins the bytes of a piece, the lowest rank first, until no two neighbours make a token.
//!
//! A queue of possible joins keeps this at n log n: a caller may send a megabyte of one letter, which is one piece, and
//! the textbook's search for the best pair in every round would take hours.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::vocabulary::Vocabulary;

/// No join begins here: none is possible, or the part was joined to the one before it.
const NONE: u32 = u32::MAX;

/// The working memory of the joining, kept from piece to piece.
#[derive(Debug, Default)]
pub(crate) struct Merge {
    /// By where they begin; what a part has swallowed stays, unused.
    parts: Vec<Part>,
    /// Possible joins by rank and place, those no longer possible among them.
    queue: BinaryHeap<Reverse<(u32, u32)>>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    /// Where the part before it begins, and where it ends itself.
    before: u32,
    end: u32,
    /// The rank of the token which it makes with its successor.
    rank: u32,
}

impl Merge {
    /// Calls `found` with the id of every token of a piece, in order.
    pub(crate) fn tokens(&mut self, vocabulary: &Vocabulary, piece: &[u8], mut found: impl FnMut(u32)) {
        if let Some(id) = vocabulary.id(piece) {
            return found(id);
        }
        self.begin(vocabulary, piece);
        while let Some(Reverse((rank, at))) = self.queue.pop() {
            if self.parts[at as usize].rank == rank {
                self.join(vocabulary, piece, at as usize);
            }
        }
        let mut start = 0;
        while let Some(part) = self.parts.get(start) {
            let end = part.end as usize;
            // Every byte is a token, and only tokens are joined.
            found(vocabulary.id(&piece[start..end]).unwrap_or_default());
            start = end;
        }
    }

    /// One part for each byte.
    fn begin(&mut self, vocabulary: &Vocabulary, piece: &[u8]) {
        let part = |at: u32| Part { before: at.saturating_sub(1), end: at + 1, rank: NONE };
        self.queue.clear();
        self.parts.clear();
        self.parts.extend((0..piece.len() as u32).map(part));
        for at in 0..piece.len() {
            self.rank(vocabulary, piece, at);
        }
    }

    /// Joins a part with its successor, and looks at what its neighbours may now do.
    fn join(&mut self, vocabulary: &Vocabulary, piece: &[u8], at: usize) {
        let swallowed = self.parts[at].end as usize;
        let end = self.parts[swallowed].end;
        self.parts[swallowed].rank = NONE;
        self.parts[at].end = end;
        if let Some(after) = self.parts.get_mut(end as usize) {
            after.before = at as u32;
        }
        self.rank(vocabulary, piece, at);
        if at > 0 {
            self.rank(vocabulary, piece, self.parts[at].before as usize);
        }
    }

    /// Notes whether a part and its successor make a token.
    fn rank(&mut self, vocabulary: &Vocabulary, piece: &[u8], at: usize) {
        let next = self.parts.get(self.parts[at].end as usize);
        let rank = next.and_then(|next| vocabulary.id(&piece[at..next.end as usize]));
        self.parts[at].rank = rank.unwrap_or(NONE);
        if let Some(rank) = rank {
            self.queue.push(Reverse((rank, at as u32)));
        }
    }
}
