//! Tokens that were called back: whoever keeps them is asked, and the answer is good for half a minute.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use twinlane_access::Seconds;
use twinlane_store::{Millis, Store};

use crate::keeping;

/// How long an answer is good for, and so how long a token may outlive its revocation.
const FRESH: Duration = Duration::from_secs(30);
/// How long nobody asks again who was not answered: each who asks may wait for seconds.
const PAUSE: Duration = Duration::from_secs(5);
/// The most answers that are kept. Only valid tokens are asked about, so only their makers could fill it.
const MOST: usize = 10_000;

/// How long a revocation is remembered of a token whose end is not known: no token is good for longer.
const LONGEST: Duration = Duration::from_hours(24 * 3661);
/// For how long after its end a token is still taken, and more than that, since clocks differ.
const LEEWAY: Millis = 120_000;

/// The port to whoever keeps the ids of tokens that were called back.
pub trait Revocations: Send + Sync + fmt::Debug {
    /// Whether a token was called back.
    fn is_revoked<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, String>>;

    /// Calls a token back, which ends by itself at a time, where that is known.
    fn revoke<'a>(&'a self, id: &'a str, ends: Option<Seconds>) -> BoxFuture<'a, Result<(), String>>;
}

/// Revocations in a store, one value each.
#[derive(Debug)]
pub struct Kept(pub Arc<dyn Store>);

impl Revocations for Kept {
    fn is_revoked<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, String>> {
        async move {
            let value = self.0.get(&key(id), keeping::now()).await;
            value.map(|value| value.is_some()).map_err(|error| error.to_string())
        }
        .boxed()
    }

    fn revoke<'a>(&'a self, id: &'a str, ends: Option<Seconds>) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let until = ends.map_or_else(
                || keeping::now() + twinlane_store::millis(LONGEST),
                |ends| ends.saturating_mul(1000) + LEEWAY,
            );
            self.0.put(&key(id), b"", Some(until)).await.map_err(|error| error.to_string())
        }
        .boxed()
    }
}

fn key(id: &str) -> String {
    format!("revoked/{id}")
}

/// What is known of revocations here: what the port has answered lately.
#[derive(Debug)]
pub struct Revoked {
    port: Arc<dyn Revocations>,
    answers: Mutex<HashMap<String, Known>>,
}

/// Whether a token was called back, and until when that need not be asked again.
#[derive(Debug, Clone, Copy)]
struct Known {
    revoked: bool,
    until: Instant,
}

impl Revoked {
    /// What a port knows.
    #[must_use]
    pub fn by(port: Arc<dyn Revocations>) -> Self {
        Self { port, answers: Mutex::default() }
    }

    /// What a store keeps.
    #[must_use]
    pub fn in_store(store: &Arc<dyn Store>) -> Self {
        Self::by(Arc::new(Kept(Arc::clone(store))))
    }

    /// Whether a token was called back. Where the port cannot be reached, what it said last still holds.
    pub async fn has(&self, id: &str, now: Instant) -> bool {
        let last = self.open().get(id).copied();
        match last {
            Some(known) if now < known.until => known.revoked,
            _ => match self.port.is_revoked(id).await {
                Ok(revoked) => self.note(id, Known { revoked, until: now + FRESH }),
                Err(why) => {
                    tracing::warn!(token = id, "whether token {id} was revoked cannot be asked: {why}");
                    let revoked = last.is_some_and(|known| known.revoked);
                    self.note(id, Known { revoked, until: now + PAUSE })
                }
            },
        }
    }

    /// Calls a token back, which ends by itself at a time, where that is known.
    ///
    /// # Errors
    /// In words for the log, where nobody has taken note of it.
    pub async fn add(&self, id: &str, ends: Option<Seconds>) -> Result<(), String> {
        self.port.revoke(id, ends).await?;
        self.note(id, Known { revoked: true, until: Instant::now() + FRESH });
        Ok(())
    }

    fn note(&self, id: &str, known: Known) -> bool {
        let mut answers = self.open();
        if answers.len() >= MOST {
            let now = Instant::now();
            answers.retain(|_, known| now < known.until);
        }
        if answers.len() < MOST || answers.contains_key(id) {
            answers.insert(id.to_owned(), known);
        }
        known.revoked
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

    use twinlane_store::Store;
    use twinlane_store_memory::Memory;

    use super::{Revocations, Revoked};
    use crate::keeping;

    #[derive(Debug, Default)]
    struct Told {
        ids: Mutex<BTreeSet<String>>,
        asked: AtomicU32,
        down: AtomicBool,
    }

    impl Revocations for Told {
        fn is_revoked<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, String>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let answer = if self.down.load(Ordering::Relaxed) {
                Err("down".to_owned())
            } else {
                Ok(self.ids.lock().unwrap().contains(id))
            };
            async { answer }.boxed()
        }

        fn revoke<'a>(&'a self, id: &'a str, _: Option<u64>) -> BoxFuture<'a, Result<(), String>> {
            self.ids.lock().unwrap().insert(id.to_owned());
            async { Ok(()) }.boxed()
        }
    }

    #[tokio::test]
    async fn an_answer_holds_for_half_a_minute() {
        let kept = Arc::new(Told::default());
        let revoked = Revoked::by(Arc::clone(&kept) as Arc<dyn Revocations>);
        let now = Instant::now();
        assert!(!revoked.has("a", now).await);
        kept.ids.lock().unwrap().insert("a".to_owned());
        assert!(!revoked.has("a", now + Duration::from_secs(29)).await);
        assert!(revoked.has("a", now + Duration::from_secs(30)).await);
        assert_eq!(kept.asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn what_is_revoked_here_holds_at_once_and_stays_when_the_port_is_down() {
        let kept = Arc::new(Told::default());
        let revoked = Revoked::by(Arc::clone(&kept) as Arc<dyn Revocations>);
        let now = Instant::now();
        assert!(!revoked.has("a", now).await);
        assert_eq!(revoked.add("a", None).await, Ok(()));
        assert!(revoked.has("a", now).await);
        kept.down.store(true, Ordering::Relaxed);
        assert!(revoked.has("a", now + Duration::from_secs(60)).await);
        assert!(!revoked.has("b", now).await, "what was never known to be revoked is served");
    }

    #[tokio::test]
    async fn a_port_that_is_down_is_asked_again_after_a_pause() {
        let kept = Arc::new(Told::default());
        kept.down.store(true, Ordering::Relaxed);
        let revoked = Revoked::by(Arc::clone(&kept) as Arc<dyn Revocations>);
        let now = Instant::now();
        for (after, asked) in [(0, 1), (4, 1), (5, 2), (6, 2)] {
            assert!(!revoked.has("a", now + Duration::from_secs(after)).await);
            assert_eq!(kept.asked.load(Ordering::Relaxed), asked, "{after} s");
        }
    }

    #[tokio::test]
    async fn a_store_remembers_until_the_token_has_ended_by_itself() {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let now = keeping::now();
        let (here, there) = (Revoked::in_store(&store), Revoked::in_store(&store));
        here.add("a", Some(now / 1000 + 60)).await.unwrap();
        here.add("b", None).await.unwrap();
        for id in ["a", "b"] {
            assert!(there.has(id, Instant::now()).await, "{id}");
        }
        let later = |seconds: u64| now + seconds * 1000;
        assert_eq!(store.keys("revoked/", later(170)).await.unwrap(), ["revoked/a", "revoked/b"]);
        assert_eq!(store.keys("revoked/", later(190)).await.unwrap(), ["revoked/b"]);
    }
}
