//! Says what a call of a model costs; without it a budget in dollars could not be held, nor the usage log tell a cost.
//!
//! Prices come from two places: the operator's own, and a table made from genai-prices (`data/update`), which is parsed
//! when the first price is asked for. Nothing here reads a clock or a file, and no price is ever guessed: a model
//! nobody has named a price for has none.
//!
//! ```
//! use twinlane_prices::{Prices, Tokens};
//!
//! let price = Prices::default().of(Some("openai"), "gpt-4o-2024-08-06").expect("a known model");
//! let cost = price.cost(&Tokens { prompt: 1_000, completion: 100, ..Tokens::default() });
//! assert_eq!(cost.to_string(), "0.0035");
//! ```
//!
//! What the table leaves out, and a cost therefore does not hold: discounts for batches and service tiers, fees for
//! tools such as web search, and the higher prices that some models have for audio in a prompt and for an hour in a
//! cache. Where a model's answer is priced by more than tokens of text (speech, some images), the model has no price
//! at all. Where a price depends on the hour, or was to change within three weeks of the table's day, the table holds
//! the dearest.

mod cost;
mod names;
mod overrides;
mod pattern;
mod price;
mod table;

use std::collections::BTreeMap;

pub use cost::Cost;
use names::Seller;
pub use price::{Price, Rates, Tier, Tokens, expensive};

use crate::overrides::Override;

/// The longest name of a model that is looked up. The longest in the table has 90 bytes, an ARN of Bedrock's may have 150.
const LONGEST_NAME: usize = 256;

/// The price of every model that has one.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    overrides: Vec<Override>,
}

impl Prices {
    /// The table, with the operator's own prices before it, as [`Self::read_overrides`] reads them.
    #[must_use]
    pub fn new(overrides: BTreeMap<String, Price>) -> Self {
        Self { overrides: overrides::by_weight(overrides) }
    }

    /// Reads the setting `PRICES`: a JSON object from a model, `service/model` or a pattern with `*` to its prices in
    /// dollars per million tokens.
    ///
    /// # Errors
    /// Every problem, each in a sentence for the operator that names the key.
    pub fn read_overrides(json: &str) -> Result<BTreeMap<String, Price>, Vec<String>> {
        overrides::read(json)
    }

    /// What a model costs at a provider, where that is known.
    ///
    /// The provider is a service's alias. Where there is none, or it is a service of the operator's own, the price is
    /// that of the model's maker. The name may be as clients ask for it or as the provider answers it: with a date, a
    /// path, a region. A dated model that is not in the table costs what it costs without its date.
    #[must_use]
    pub fn of(&self, provider: Option<&str>, model: &str) -> Option<Price> {
        if model.is_empty() || model.len() > LONGEST_NAME {
            return None;
        }
        let provider = provider.map(str::to_ascii_lowercase);
        let names = names::spellings(provider.as_deref(), model);
        let own = self.overrides.iter().find(|own| own.covers(provider.as_deref(), &names));
        own.map(|own| own.price.clone()).or_else(|| listed(provider.as_deref(), &names))
    }
}

fn listed(provider: Option<&str>, names: &[String]) -> Option<Price> {
    match names::seller(provider, names) {
        Seller::Free => Some(Price::free()),
        Seller::Unlisted => None,
        Seller::Listed { table, names } => table::find(&table, &names),
    }
}

#[cfg(test)]
mod tests;
