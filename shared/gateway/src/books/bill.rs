//! What a call cost: in tokens, and in dollars where the model's price is known.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use twinlane_dialects::chat::Usage;
use twinlane_prices::{self as prices, Price, Prices};

use super::Need;
use crate::record::{Outcome, Record};

/// The tokens of an answer of which nobody says how long it may be.
pub(super) const USUAL_ANSWER: u64 = 1024;
/// The bytes that a stream takes for each token, and the bytes that a whole answer does. Providers differ; these come
/// from OpenAI's and Anthropic's streams, on the side of more tokens.
const STREAMED: u64 = 120;
const WHOLE: u64 = 4;

/// The most prices of one service that are at hand, and the longest name of a model among them.
const MOST_PRICES: usize = 500;
const LONGEST_NAME: usize = 128;

/// Tokens, as bills count them: cached and reasoning ones are within the sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tokens(prices::Tokens);

impl Tokens {
    pub(super) fn of(prompt: u64, completion: u64) -> Self {
        Self(prices::Tokens { prompt, completion, ..prices::Tokens::default() })
    }

    fn used(usage: Usage) -> Self {
        Self(prices::Tokens {
            prompt: usage.prompt,
            cached: usage.cached,
            cache_write: usage.cache_write,
            completion: usage.completion,
        })
    }

    pub(super) fn sum(self) -> u64 {
        self.0.prompt.saturating_add(self.0.completion)
    }

    pub(super) fn prompt(self) -> u64 {
        self.0.prompt
    }

    pub(super) fn completion(self) -> u64 {
        self.0.completion
    }
}

/// Prices, with those that were asked for at hand: looking one up among all patterns takes longer than all else that is
/// done for a call's bill.
#[derive(Debug, Default)]
pub(super) struct PriceList {
    prices: Prices,
    asked: Mutex<BTreeMap<String, BTreeMap<String, Option<Price>>>>,
}

impl PriceList {
    pub(super) fn new(prices: Prices) -> Self {
        Self { prices, asked: Mutex::default() }
    }

    fn of(&self, service: &str, model: &str) -> Option<Price> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(price) = asked.get(service).and_then(|models| models.get(model)) {
            return price.clone();
        }
        let price = self.prices.of(Some(service), model);
        let models = asked.entry(service.to_owned()).or_default();
        // Names are the callers' to choose, and as long as they like.
        if models.len() < MOST_PRICES && model.len() <= LONGEST_NAME {
            models.insert(model.to_owned(), price.clone());
        }
        price
    }
}

/// What a call cost, or may cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) tokens: Tokens,
    /// In dollars, where the price is known.
    pub(super) dollars: Option<prices::Cost>,
    /// The same, or by the price that is taken for that of an unknown model.
    assumed: prices::Cost,
}

impl Cost {
    pub(super) fn of(tokens: Tokens, service: &str, model: Option<&str>, prices: &PriceList) -> Self {
        let price = model.and_then(|model| prices.of(service, model));
        let dollars = price.map(|price| price.cost(&tokens.0));
        let assumed = dollars.unwrap_or_else(|| prices::expensive().cost(&tokens.0));
        Self { tokens, dollars, assumed }
    }

    /// What a budget in dollars is charged with. An unknown model is taken for a dear one: a budget that lets pass what
    /// it cannot price would be none.
    pub(super) fn micro_dollars(&self) -> u64 {
        self.assumed.to_micro_rounded_up()
    }
}

/// How far the answer to a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It was an error, or no provider was asked.
    Nowhere,
    /// The client left while a provider was at work on it.
    Unseen,
    /// So many bytes of it went out.
    Out(u64),
}

impl Came {
    pub(super) fn of(record: &Record) -> Self {
        let left_before = record.outcome == Outcome::ClientLeft && record.attempts == 0;
        match record.choice {
            None if left_before => Self::Nowhere,
            Some(_) if left_before => Self::Unseen,
            _ if record.status.is_success() => Self::Out(record.bytes_out),
            _ => Self::Nowhere,
        }
    }
}

/// The tokens that a call used, and whether that is an estimate. A call that failed used none: providers bill answers. An
/// answer that nobody waited for may be billed whole, and to leave early must not be a way past a budget. The limit that
/// the client set does not lessen an estimate: the provider may go by another name for it.
pub(super) fn tokens(need: &Need, used: Option<Usage>, came: Came) -> (Tokens, bool) {
    match (used, came) {
        (Some(used), _) => (Tokens::used(used), false),
        (None, Came::Nowhere) => (Tokens::default(), false),
        (None, _) if !need.works => (Tokens::default(), false),
        (None, Came::Unseen) => (need.estimate(), true),
        (None, Came::Out(bytes)) => {
            let per_token = if need.stream { STREAMED } else { WHOLE };
            (Tokens::of(need.prompt, bytes.div_ceil(per_token)), true)
        }
    }
}

#[cfg(test)]
mod tests {
    use twinlane_dialects::chat::Usage;

    use super::{Came, Tokens, tokens};
    use crate::books::Need;

    fn need(model: Option<&str>, most: Option<u64>, stream: bool) -> Need {
        Need {
            works: model.is_some(),
            model: model.map(str::to_owned),
            prompt: 100,
            most,
            stream,
            ..Need::default()
        }
    }

    #[test]
    fn what_the_provider_says_counts_and_else_an_estimate() {
        let used = Usage { prompt: 7, completion: 3, ..Usage::default() };
        for (need, used, came, expected) in [
            (need(Some("m"), None, false), Some(used), Came::Out(4000), (Tokens::of(7, 3), false)),
            (need(Some("m"), None, false), None, Came::Out(4000), (Tokens::of(100, 1000), true)),
            (need(Some("m"), Some(50), false), None, Came::Out(4000), (Tokens::of(100, 1000), true)),
            (need(Some("m"), Some(50), false), None, Came::Unseen, (Tokens::of(100, 50), true)),
            (need(Some("m"), None, true), None, Came::Out(1200), (Tokens::of(100, 10), true)),
            (need(Some("m"), None, true), None, Came::Out(0), (Tokens::of(100, 0), true)),
            (need(Some("m"), None, true), None, Came::Nowhere, (Tokens::default(), false)),
            (need(None, None, false), None, Came::Out(4000), (Tokens::default(), false)),
            (need(None, None, false), None, Came::Unseen, (Tokens::default(), false)),
        ] {
            assert_eq!(tokens(&need, used, came), expected, "{need:?} {used:?}");
        }
    }
}
