//! How many connections are served at once, and what becomes of the next one.
//!
//! Without a bound a crowd of clients takes every file descriptor there is, also those that the calls under way need to
//! reach their providers. Whoever comes when the room is full is told to come back, by a process that is otherwise well.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::descriptors::{self, Shares};

/// The room there is for connections.
#[derive(Debug)]
pub(crate) struct Room {
    served: Arc<Semaphore>,
    refused: Arc<Semaphore>,
    size: usize,
}

/// What becomes of a new connection. A permit is held for as long as the connection is.
#[derive(Debug)]
pub(crate) enum Place {
    /// Its calls are answered.
    Served(OwnedSemaphorePermit),
    /// Its request's head is read, and refused.
    Refused(OwnedSemaphorePermit),
    /// It is refused unread, because too many others are being refused.
    Dismissed,
}

impl Room {
    /// Room for `wanted` connections, or for fewer where the process cannot have the descriptors.
    pub(crate) fn new(wanted: Option<usize>) -> Self {
        let Shares { connections, refusals } = descriptors::shares(wanted);
        if let Some(wanted) = wanted.filter(|wanted| *wanted > connections) {
            tracing::warn!(
                "MAX_CONNECTIONS is {wanted}, but the file descriptors (ulimit -n) suffice for {connections}"
            );
        }
        Self::of(connections, refusals)
    }

    fn of(size: usize, refused: usize) -> Self {
        let (served, refused) = (Semaphore::new(size), Semaphore::new(refused));
        Self { served: Arc::new(served), refused: Arc::new(refused), size }
    }

    /// The place of a new connection.
    pub(crate) fn place(&self) -> Place {
        if let Ok(permit) = Arc::clone(&self.served).try_acquire_owned() {
            return Place::Served(permit);
        }
        Arc::clone(&self.refused).try_acquire_owned().map_or(Place::Dismissed, Place::Refused)
    }

    /// How many connections are served, whenever it is asked.
    pub(crate) fn counted(&self) -> impl Fn() -> usize + Send + Sync + 'static + use<> {
        let (served, size) = (Arc::clone(&self.served), self.size);
        move || size - served.available_permits()
    }

    /// Whether a connection should make room once its call is answered, rather than wait for a next one.
    ///
    /// To close connections that are idle already would hit some whose next call is on its way.
    pub(crate) fn is_scarce(&self) -> bool {
        self.served.available_permits() < self.size.div_ceil(8)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Room};

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let room = Room::of(1, 1);
        let first = room.place();
        assert!(matches!(first, Place::Served(_)));
        let second = room.place();
        assert!(matches!(second, Place::Refused(_)));
        assert!(matches!(room.place(), Place::Dismissed));
        drop(first);
        assert!(matches!(room.place(), Place::Served(_)));
        drop(second);
    }

    #[test]
    fn the_last_eighth_is_scarce() {
        let room = Room::of(16, 0);
        let mut held: Vec<Place> = (0..14).map(|_| room.place()).collect();
        assert!(!room.is_scarce());
        held.push(room.place());
        assert!(room.is_scarce());
    }
}
