//! Counts tokens without asking anybody: for `/v1/tokenize`, and for clients that ask how long a conversation is where
//! its provider cannot tell.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Response};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use twinlane_dialects::{Target as At, from_gemini, from_messages, quirks};
use twinlane_tokens::{Count, Tokenizers};

use super::endpoint::{Action, Endpoint};
use super::plan::Plan;
use super::targets::Target;
use crate::Error;
use crate::body::Body;
use crate::gateway::Gateway;
use crate::pages::json_page;
use crate::services::Format;

/// Says of a number of tokens that the provider may count otherwise.
const ESTIMATED: &str = "x-gateway-estimated";

/// The tokenizers, and how many counts are made at once. Counting keeps a processor busy, up to a quarter of a second
/// for a megabyte, and threads for such work are shared with the look-ups of hosts: those must not wait behind it.
pub struct Counting {
    tokenizers: Arc<Tokenizers>,
    room: Arc<Semaphore>,
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting").finish_non_exhaustive()
    }
}

impl Counting {
    /// Counts with these tokenizers, on as many threads as there are processors.
    #[must_use]
    pub fn with(tokenizers: Tokenizers) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { tokenizers: Arc::new(tokenizers), room: Arc::new(Semaphore::new(processors)) }
    }

    /// Does work with the tokenizers where it holds up nobody else.
    ///
    /// # Errors
    /// [`Error::Panic`].
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tokenizers) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| Error::Panic)?;
        let tokenizers = Arc::clone(&self.tokenizers);
        let working = spawn_blocking(move || {
            // Work cannot be stopped: its place comes free when it is done, not when its client has left.
            let _room = room;
            work(&tokenizers)
        });
        working.await.map_err(|_| Error::Panic)
    }
}

impl Default for Counting {
    /// Without vocabularies: every count is an estimate.
    fn default() -> Self {
        Self::with(Tokenizers::new(|_| None))
    }
}

impl Gateway {
    /// The answer to a question for a number of tokens that the target's provider cannot answer; `None` where it can,
    /// and where something else is asked for.
    ///
    /// # Errors
    /// [`Error::Unfit`] for a conversation that cannot be read.
    pub(super) async fn counted(
        &self,
        plan: &Plan,
        target: &Target,
    ) -> Result<Option<Response<Body>>, Error> {
        let Some(chat) = to_count(plan, target)? else { return Ok(None) };
        let model = target.model.clone();
        let count = self.counting.run(move |tokenizers| tokenizers.prompt(&model, &chat)).await?;
        let told = match plan.endpoint {
            Endpoint::CountTokens => json!({ "input_tokens": count.tokens }),
            _ => from_gemini::counted(count.tokens),
        };
        Ok(Some(marked(json_page(&told), count)))
    }
}

/// The conversation whose tokens are to be counted here, as chat.
fn to_count(plan: &Plan, target: &Target) -> Result<Option<Value>, Error> {
    let has =
        |format| crate::services::formats::path_of(target.service.spoken_of(&target.model), format).is_some();
    let at = At {
        model: &target.model,
        asked_model: &plan.model,
        quirks: quirks::for_model(&target.service.alias, &target.model),
        id: &plan.received.id,
        // Nothing that is counted tells the time.
        now: 0,
    };
    let chat = match &plan.endpoint {
        Endpoint::CountTokens if !has(Format::CountTokens) => from_messages::for_counting(plan.json()?, &at)?,
        Endpoint::Gemini { action: Action::CountTokens, .. }
            if !has(Format::Conversation(twinlane_dialects::Dialect::Gemini)) =>
        {
            from_gemini::for_counting(plan.json()?, &at)?
        }
        _ => return Ok(None),
    };
    Ok(Some(chat.body))
}

/// The answer that says so where its number is not exact.
pub(super) fn marked(mut response: Response<Body>, count: Count) -> Response<Body> {
    if !count.exact {
        response.headers_mut().insert(ESTIMATED, HeaderValue::from_static("1"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::Counting;
    use crate::Error;

    #[tokio::test]
    async fn no_more_is_counted_at_once_than_there_are_processors() {
        let (counting, now, most) =
            (Counting::default(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let count = || {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            counting.run(move |_| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(5));
                now.fetch_sub(1, Ordering::SeqCst);
            })
        };
        join_all((0..32).map(|_| count())).await;
        let processors = std::thread::available_parallelism().unwrap().get();
        assert!((1..=processors).contains(&most.load(Ordering::SeqCst)));
    }

    #[tokio::test]
    async fn a_count_that_panics_is_an_error_and_gives_its_place_back() {
        let counting = Counting::default();
        for _ in 0..64 {
            let panicked: Result<(), Error> = counting.run(|_| panic!("deliberate")).await;
            assert!(matches!(panicked, Err(Error::Panic)));
        }
        assert_eq!(counting.run(|_| 1).await.unwrap(), 1);
    }
}
