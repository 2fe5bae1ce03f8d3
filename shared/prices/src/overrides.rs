//! The operator's own prices, as the setting `PRICES` has them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::pattern::fits;
use crate::price::{DOLLAR_PER_MILLION, Price};

/// More than this per million tokens is a mistake in the unit, not a price.
const DEAREST: u64 = 10_000 * DOLLAR_PER_MILLION;
/// Places of a price behind the point: one trillionth of a dollar per token.
const PLACES: usize = 6;
const FIELDS: &str = "input, output, cached_input, cache_write";

/// A price of the operator's, and which models have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    pattern: String,
    pub(crate) price: Price,
}

impl Override {
    /// Whether the price is that of a model with any of these names.
    pub(crate) fn covers(&self, provider: Option<&str>, names: &[String]) -> bool {
        names.iter().any(|name| {
            fits(&self.pattern, name)
                || provider.is_some_and(|provider| fits(&self.pattern, &format!("{provider}/{name}")))
        })
    }
}

/// The prices in the order in which they are asked: names before patterns, and the longer pattern first.
pub(crate) fn by_weight(prices: BTreeMap<String, Price>) -> Vec<Override> {
    let lowered =
        prices.into_iter().map(|(key, price)| Override { pattern: key.to_ascii_lowercase(), price });
    let mut overrides: Vec<Override> = lowered.collect();
    overrides.sort_by_key(|own| (own.pattern.contains('*'), std::cmp::Reverse(own.pattern.len())));
    overrides
}

/// Reads the setting; see [`crate::Prices::read_overrides`].
pub(crate) fn read(json: &str) -> Result<BTreeMap<String, Price>, Vec<String>> {
    let entries: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).map_err(|error| {
        vec![format!(
            "not a JSON object of models and prices, such as {{\"gpt-4o\":{{\"input\":2.5,\"output\":10}}}}: {error}"
        )]
    })?;
    let (mut prices, mut problems) = (BTreeMap::new(), Vec::new());
    for (model, price) in entries {
        match check_name(&model).and_then(|()| read_price(price.get())) {
            Ok(price) => drop(prices.insert(model, price)),
            Err(problem) => problems.push(format!("the price of {model:?}: {problem}")),
        }
    }
    if problems.is_empty() { Ok(prices) } else { Err(problems) }
}

fn check_name(model: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_graphic() && !['!', '#'].contains(&c);
    if model.is_empty() || !model.chars().all(plain) {
        return Err("the name must be a model, service/model, or a pattern such as my-*".to_owned());
    }
    Ok(())
}

fn read_price(json: &str) -> Result<Price, String> {
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(json).map_err(|_| format!("must be an object with {FIELDS}"))?;
    let mut price = Price::default();
    for (field, amount) in &fields {
        let rate = per_million(amount.get()).map_err(|problem| format!("{field} {problem}"))?;
        match field.as_str() {
            "input" => price.rates.input = rate,
            "output" => price.rates.output = rate,
            "cached_input" => price.rates.cached_input = Some(rate),
            "cache_write" => price.rates.cache_write = Some(rate),
            _ => return Err(format!("{field:?} is none of {FIELDS}")),
        }
    }
    let missing = ["input", "output"].into_iter().find(|field| !fields.contains_key(*field));
    missing.map_or(Ok(price), |field| Err(format!("{field} is missing; write 0 for what is free")))
}

/// Dollars per million tokens as trillionths of a dollar per token, digit by digit: a float would lose some.
pub(crate) fn per_million(text: &str) -> Result<u64, String> {
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(places) {
        return Err(format!(
            "must be dollars per million tokens, a plain number such as 2.5, not {}",
            shown(text)
        ));
    }
    if places.len() > PLACES {
        return Err(format!("has more than {PLACES} places"));
    }
    let shifted: Result<u64, _> = format!("{whole}{places:0<PLACES$}").parse();
    shifted
        .ok()
        .filter(|rate| *rate <= DEAREST)
        .ok_or_else(|| "is more than 10000 dollars; prices are per million tokens, in dollars".to_owned())
}

/// As much of a mistake as fits a line.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::{per_million, read};

    #[test]
    fn decimals_are_read_without_an_error() {
        for (text, expected) in [
            ("0", Some(0)),
            ("2.5", Some(2_500_000)),
            ("0.1", Some(100_000)),
            ("0.000001", Some(1)),
            ("10000", Some(10_000_000_000)),
            ("10000.000001", None),
            ("99999999999999999999999", None),
            ("0.0000001", None),
            ("-1", None),
            ("1e3", None),
            ("\"1\"", None),
            ("null", None),
            (".5", None),
            ("5.", None),
            ("", None),
        ] {
            assert_eq!(per_million(text).ok(), expected, "{text}");
        }
    }

    fn refused(json: &str, about: &str) {
        let problems = read(json).expect_err(json);
        assert!(problems.iter().any(|problem| problem.contains(about)), "{json}: {problems:?}");
    }

    #[test]
    fn what_is_no_price_is_refused_in_the_operators_words() {
        refused("", "not a JSON object");
        refused("[]", "not a JSON object");
        refused(&"[".repeat(100_000), "not a JSON object");
        refused(r#"{"m":{"input":1,"output":2}} x"#, "not a JSON object");
        refused(r#"{"m":3}"#, "must be an object with input, output");
        refused(r#"{"m":{"input":1}}"#, "output is missing");
        refused(r#"{"m":{"input":-1,"output":1}}"#, "input must be dollars per million tokens");
        refused(r#"{"m":{"input":"1","output":1}}"#, "input must be dollars per million tokens");
        refused(r#"{"m":{"input":1e3,"output":1}}"#, "not 1e3");
        refused(r#"{"m":{"input":1,"output":20000}}"#, "more than 10000 dollars");
        refused(r#"{"m":{"input":1,"output":2,"price":3}}"#, r#""price" is none of"#);
        refused(r#"{"":{"input":1,"output":2}}"#, "the name must be");
        refused(r#"{"a b":{"input":1,"output":2}}"#, "the name must be");
        refused(r#"{"a!b":{"input":1,"output":2}}"#, "the name must be");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems =
            read(r#"{"a":{"input":-1,"output":1},"b":{},"c":{"input":1,"output":1}}"#).unwrap_err();
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with(r#"the price of "a":"#), "{problems:?}");
    }
}
