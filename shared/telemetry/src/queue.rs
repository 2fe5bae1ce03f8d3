//! A queue that never holds up whoever adds to it: where it is full, the oldest goes.

use std::collections::VecDeque;

/// What waits to be sent.
#[derive(Debug)]
pub struct Queue<T> {
    waiting: VecDeque<T>,
    most: usize,
    dropped: u64,
}

impl<T> Queue<T> {
    /// A queue for this many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), most, dropped: 0 }
    }

    /// Adds one.
    pub fn push(&mut self, item: T) {
        self.waiting.push_back(item);
        self.shrink();
    }

    /// Takes the oldest, this many at most.
    pub fn take(&mut self, most: usize) -> Vec<T> {
        let most = most.min(self.waiting.len());
        self.waiting.drain(..most).collect()
    }

    /// Puts back what was taken and could not be sent.
    pub fn put_back(&mut self, items: Vec<T>) {
        items.into_iter().rev().for_each(|item| self.waiting.push_front(item));
        self.shrink();
    }

    /// Counts some that are lost for another reason than want of room.
    pub fn lost(&mut self, number: usize) {
        self.dropped += number as u64;
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many were lost so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn shrink(&mut self) {
        let beyond = self.waiting.len().saturating_sub(self.most);
        self.waiting.drain(..beyond);
        self.lost(beyond);
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;

    #[test]
    fn the_oldest_goes_where_there_is_no_room_and_is_counted() {
        let mut queue = Queue::new(3);
        (1..=5).for_each(|number| queue.push(number));
        assert_eq!((queue.dropped(), queue.take(2)), (2, vec![3, 4]));
        queue.put_back(vec![3, 4]);
        assert_eq!((queue.dropped(), queue.len()), (2, 3));
        let taken = queue.take(9);
        assert_eq!(taken, [3, 4, 5]);
        queue.push(6);
        queue.put_back(taken);
        assert_eq!((queue.dropped(), queue.take(9)), (3, vec![4, 5, 6]));
        assert!(queue.is_empty());
    }
}
