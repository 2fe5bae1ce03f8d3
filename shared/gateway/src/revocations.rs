//! Tokens that were called back: whoever keeps them is asked, and the answer is good for half a minute.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

/// How long an answer is good for, and so how long a token may outlive its revocation.
const FRESH: Duration = Duration::from_secs(30);
/// The most answers that are kept. Only valid tokens are asked about, so only their makers could fill it.
const MOST: usize = 10_000;

/// The port to whoever keeps the ids of tokens that were called back, for every instance.
pub trait Revocations: Send + Sync + fmt::Debug {
    /// Whether a token was called back.
    fn is_revoked<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, String>>;

    /// Calls a token back.
    fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), String>>;
}

/// What is known of revocations here: nothing, or what the port has answered lately.
#[derive(Debug, Default)]
pub struct Revoked {
    port: Option<Arc<dyn Revocations>>,
    answers: Mutex<HashMap<String, (Instant, bool)>>,
}

impl Revoked {
    /// What a port knows.
    #[must_use]
    pub fn by(port: Arc<dyn Revocations>) -> Self {
        Self { port: Some(port), answers: Mutex::default() }
    }

    /// Whether a token was called back. Where the port cannot be reached, what it said last still holds.
    pub async fn has(&self, id: &str, now: Instant) -> bool {
        let Some(port) = &self.port else { return false };
        let last = self.open().get(id).copied();
        match last {
            Some((at, answer)) if now.duration_since(at) < FRESH => answer,
            _ => match port.is_revoked(id).await {
                Ok(answer) => self.note(id, now, answer),
                Err(why) => {
                    tracing::warn!(token = id, "whether token {id} was revoked cannot be asked: {why}");
                    last.is_some_and(|(_, answer)| answer)
                }
            },
        }
    }

    /// Calls a token back; `None` where nobody would remember it.
    pub async fn add(&self, id: &str) -> Option<Result<(), String>> {
        let done = self.port.as_ref()?.revoke(id).await;
        if done.is_ok() {
            self.note(id, Instant::now(), true);
        }
        Some(done)
    }

    fn note(&self, id: &str, now: Instant, answer: bool) -> bool {
        let mut answers = self.open();
        if answers.len() >= MOST {
            answers.retain(|_, (at, _)| now.duration_since(*at) < FRESH);
        }
        if answers.len() < MOST {
            answers.insert(id.to_owned(), (now, answer));
        }
        answer
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, bool)>> {
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

    use super::{Revocations, Revoked};

    #[derive(Debug, Default)]
    struct Kept {
        ids: Mutex<BTreeSet<String>>,
        asked: AtomicU32,
        down: AtomicBool,
    }

    impl Revocations for Kept {
        fn is_revoked<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, String>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let answer = if self.down.load(Ordering::Relaxed) {
                Err("down".to_owned())
            } else {
                Ok(self.ids.lock().unwrap().contains(id))
            };
            async { answer }.boxed()
        }

        fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), String>> {
            self.ids.lock().unwrap().insert(id.to_owned());
            async { Ok(()) }.boxed()
        }
    }

    #[tokio::test]
    async fn an_answer_holds_for_half_a_minute() {
        let kept = Arc::new(Kept::default());
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
        let kept = Arc::new(Kept::default());
        let revoked = Revoked::by(Arc::clone(&kept) as Arc<dyn Revocations>);
        let now = Instant::now();
        assert!(!revoked.has("a", now).await);
        assert_eq!(revoked.add("a").await, Some(Ok(())));
        assert!(revoked.has("a", now).await);
        kept.down.store(true, Ordering::Relaxed);
        assert!(revoked.has("a", now + Duration::from_secs(60)).await);
        assert!(!revoked.has("b", now).await, "what was never known to be revoked is served");
    }

    #[tokio::test]
    async fn without_a_port_nothing_is_revoked_or_can_be() {
        let revoked = Revoked::default();
        assert!(!revoked.has("a", Instant::now()).await);
        assert_eq!(revoked.add("a").await, None);
    }
}
