//! A model's price, and what so many tokens come to.

use crate::Cost;

/// Trillionths of a dollar per token in one dollar per million tokens.
pub(crate) const DOLLAR_PER_MILLION: u64 = 1_000_000;

/// What one token costs, in trillionths of a dollar: `2_500_000` is $2.50 per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// A token of the prompt.
    pub input: u64,
    /// A token of the answer, its reasoning included.
    pub output: u64,
    /// A token of the prompt that was read from the provider's cache; without one, as any other.
    pub cached_input: Option<u64>,
    /// A token of the prompt that was written to the provider's cache; without one, as any other.
    pub cache_write: Option<u64>,
}

/// Other rates for long prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// A prompt of more tokens than this is charged at these rates, from its first token.
    pub above: u64,
    /// The rates.
    pub rates: Rates,
}

/// What a model costs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Price {
    /// What a token costs.
    pub rates: Rates,
    /// What each call costs beside its tokens, in trillionths of a dollar.
    pub per_call: u64,
    /// What longer prompts cost, the shortest first.
    pub tiers: Vec<Tier>,
}

/// The tokens of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// The whole prompt, with what came from a cache or went to one.
    pub prompt: u64,
    /// Of the prompt, what was read from the provider's cache.
    pub cached: u64,
    /// Of the prompt, what was written to the provider's cache.
    pub cache_write: u64,
    /// The whole answer, its reasoning included.
    pub completion: u64,
}

impl Rates {
    fn pico(&self, tokens: &Tokens) -> u128 {
        let plain = tokens.prompt.saturating_sub(tokens.cached).saturating_sub(tokens.cache_write);
        [
            (plain, self.input),
            (tokens.cached, self.cached_input.unwrap_or(self.input)),
            (tokens.cache_write, self.cache_write.unwrap_or(self.input)),
            (tokens.completion, self.output),
        ]
        .iter()
        .fold(0, |sum: u128, (count, rate)| sum.saturating_add(u128::from(*count) * u128::from(*rate)))
    }
}

impl Price {
    /// Nothing: a model on the operator's own machine.
    #[must_use]
    pub fn free() -> Self {
        Self::default()
    }

    /// What so many tokens cost.
    #[must_use]
    pub fn cost(&self, tokens: &Tokens) -> Cost {
        let pico = self.rates_for(tokens.prompt).pico(tokens);
        Cost::from_pico(pico.saturating_add(u128::from(self.per_call)))
    }

    fn rates_for(&self, prompt: u64) -> &Rates {
        let reached = self.tiers.iter().rev().find(|tier| prompt > tier.above);
        reached.map_or(&self.rates, |tier| &tier.rates)
    }
}

/// What a budget in dollars assumes for a model whose price is not known: $15 and $75 per million tokens.
///
/// That is the dearest general line of models there has been, Claude Opus up to 4.1; 98 in 100 prices of the table
/// are at or below it. Dearer are only models for which one decides on purpose (o1-pro, gpt-5.5-pro, gpt-4.5).
#[must_use]
pub fn expensive() -> Price {
    let rates = Rates {
        input: 15 * DOLLAR_PER_MILLION,
        output: 75 * DOLLAR_PER_MILLION,
        cached_input: None,
        cache_write: Some(18_750_000),
    };
    Price { rates, ..Price::default() }
}

#[cfg(test)]
mod tests {
    use super::{DOLLAR_PER_MILLION, Price, Rates, Tier, Tokens};

    fn opus() -> Price {
        let rates = Rates {
            input: 15_000_000,
            output: 75_000_000,
            cached_input: Some(1_500_000),
            cache_write: Some(18_750_000),
        };
        Price { rates, ..Price::default() }
    }

    fn check(price: &Price, tokens: Tokens, dollars: &str) {
        assert_eq!(price.cost(&tokens).to_string(), dollars, "{tokens:?}");
    }

    #[test]
    fn every_part_of_a_prompt_has_its_own_rate() {
        check(&opus(), Tokens::default(), "0");
        check(&opus(), Tokens { prompt: 1, ..Tokens::default() }, "0.000015");
        check(&opus(), Tokens { prompt: 1_000_000, completion: 1_000_000, ..Tokens::default() }, "90");
        check(&opus(), Tokens { prompt: 1_000, cached: 1_000, ..Tokens::default() }, "0.0015");
        let mixed = Tokens { prompt: 6_000, cached: 1_000, cache_write: 2_000, completion: 10 };
        check(&opus(), mixed, "0.08475");
    }

    #[test]
    fn without_a_rate_of_their_own_cached_tokens_cost_what_others_do() {
        let price = Price { rates: Rates { input: 1_000_000, ..Rates::default() }, ..Price::default() };
        let tokens = Tokens { prompt: 30, cached: 10, cache_write: 10, completion: 0 };
        check(&price, tokens, "0.00003");
    }

    #[test]
    fn a_long_prompt_costs_more_from_its_first_token() {
        let long = Rates { input: 2 * DOLLAR_PER_MILLION, ..Rates::default() };
        let price = Price {
            rates: Rates { input: DOLLAR_PER_MILLION, ..Rates::default() },
            tiers: vec![Tier { above: 200_000, rates: long }],
            ..Price::default()
        };
        check(&price, Tokens { prompt: 200_000, ..Tokens::default() }, "0.2");
        check(&price, Tokens { prompt: 200_001, ..Tokens::default() }, "0.400002");
    }

    #[test]
    fn a_usage_that_cannot_be_is_charged_for_all_it_names_and_never_wraps() {
        let more_cached_than_asked = Tokens { prompt: 10, cached: 20, ..Tokens::default() };
        check(&opus(), more_cached_than_asked, "0.00003");
        let absurd = Tokens { prompt: u64::MAX, completion: u64::MAX, ..Tokens::default() };
        assert_eq!(opus().cost(&absurd).nano_dollars(), u64::MAX);
    }

    #[test]
    fn a_fee_is_charged_once_per_call() {
        let price = Price { per_call: 5_000_000_000, ..Price::default() };
        check(&price, Tokens { prompt: 1_000, ..Tokens::default() }, "0.005");
    }
}
