//! What comes to be known of a call on its way, by whoever learns it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use twinlane_dialects::chat::Usage;

use super::Outcome;
use crate::lane::Choice;

/// The most letters that are kept of a name that a client or a provider chose. No model's has that many, and a store or a
/// log line has no room for all that somebody may write there.
const LONGEST_NAME: usize = 256;

/// More tokens than any call has. A provider that tells more has made a mistake, which would block limits for years.
const MOST_TOKENS: u64 = 100_000_000;

/// A name as it is kept.
pub(crate) fn name(mut name: String) -> String {
    if let Some((end, _)) = name.char_indices().nth(LONGEST_NAME) {
        name.truncate(end);
    }
    // A terminal, a label or a table would do something else with it than show it.
    if name.contains(char::is_control) { name.replace(char::is_control, "\u{fffd}") } else { name }
}

/// What comes to be known of a call only on its way, be it after its answer has begun: noted by whoever learns it.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Noted>>);

/// What has been noted so far.
#[derive(Debug, Clone, Default)]
pub struct Noted {
    /// How the call ended.
    pub outcome: Option<Outcome>,
    /// The lane it took, and why.
    pub choice: Option<Choice>,
    /// How often a provider was tried; none before that is known.
    pub attempts: Option<u32>,
    /// The target that served, as `provider/model`.
    pub served: Option<String>,
    /// The targets that did not, each with the reason.
    pub fallbacks: Vec<String>,
    /// The client's parameters that were dropped for the target that served, with commas.
    pub dropped: String,
    /// The tokens it cost, where they are known.
    pub usage: Option<Usage>,
    /// The model that answered, where the provider told it.
    pub model_served: Option<String>,
    /// The code of the error that was told after the answer had begun.
    pub error: Option<&'static str>,
}

impl Notes {
    /// Notes how the call ended. Whoever ends it first is right.
    pub fn ended(&self, outcome: Outcome) {
        self.open().outcome.get_or_insert(outcome);
    }

    /// Notes the lane.
    pub fn chose(&self, choice: Choice) {
        self.open().choice = Some(choice);
    }

    /// Notes how often a provider was tried.
    pub fn tried(&self, attempts: u32) {
        *self.open().attempts.get_or_insert(0) += attempts;
    }

    /// Notes which target a call is for now, and what of it that target is not told.
    pub fn served(&self, target: String, dropped: String) {
        let mut noted = self.open();
        (noted.served, noted.dropped) = (Some(name(target)), dropped);
    }

    /// Notes a target that did not serve, and why.
    pub fn fell(&self, why: String) {
        self.open().fallbacks.push(name(why));
    }

    /// Notes what a call cost, unless that cannot be.
    pub fn used(&self, usage: Usage) {
        if usage.prompt.max(usage.completion) <= MOST_TOKENS {
            self.open().usage = Some(usage);
        }
    }

    /// Notes which model answered, in the provider's words.
    pub fn answered_by(&self, model: &str) {
        self.open().model_served = Some(name(model.to_owned()));
    }

    /// Notes an error that an answer ended in.
    pub fn failed(&self, code: &'static str) {
        self.open().error.get_or_insert(code);
    }

    /// What has been noted so far.
    #[must_use]
    pub fn read(&self) -> Noted {
        self.open().clone()
    }

    fn open(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
