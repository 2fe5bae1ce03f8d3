//! The built-in table: which line of `data/prices.txt` a model is on. Its format is described in its head.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::overrides::per_million;
use crate::pattern::fits;
use crate::price::{Price, Rates, Tier};

/// The file. It is 90 KB of the binary; its index takes less than a millisecond, when the first price is asked for.
pub(crate) const TEXT: &str = include_str!("../data/prices.txt");

/// One provider's models.
#[derive(Debug, Default)]
struct Section {
    /// The providers whose models this one has, too.
    others: Vec<&'static str>,
    /// Names without a pattern, to the number of their line and its price.
    plain: HashMap<&'static str, (usize, &'static str)>,
    /// Patterns in the order of their lines.
    patterns: Vec<(&'static str, (usize, &'static str))>,
}

impl Section {
    fn add(&mut self, number: usize, line: &'static str) {
        let Some((patterns, price)) = line.split_once('\t') else { return };
        for pattern in patterns.split('|') {
            if pattern.contains(['*', '#']) {
                self.patterns.push((pattern, (number, price)));
            } else {
                self.plain.entry(pattern).or_insert((number, price));
            }
        }
    }

    /// The price of the first line that has a pattern for the name.
    fn find(&self, name: &str) -> Option<&'static str> {
        let plain = self.plain.get(name);
        let pattern = self.patterns.iter().find(|(pattern, _)| fits(pattern, name)).map(|(_, found)| found);
        plain.into_iter().chain(pattern).min_by_key(|(number, _)| *number).map(|(_, price)| *price)
    }
}

/// Whether there is a table for a provider.
pub(crate) fn is_listed(provider: &str) -> bool {
    sections().contains_key(provider)
}

/// What a model costs at a provider; of its spellings, the first that is on any line decides.
pub(crate) fn find(provider: &str, names: &[String]) -> Option<Price> {
    let own = sections().get(provider)?;
    let others = own.others.iter().filter_map(|other| sections().get(other));
    let asked: Vec<&Section> = std::iter::once(own).chain(others).collect();
    let found = names.iter().find_map(|name| asked.iter().find_map(|section| section.find(name)))?;
    parse(found)
}

fn sections() -> &'static HashMap<&'static str, Section> {
    static SECTIONS: OnceLock<HashMap<&'static str, Section>> = OnceLock::new();
    SECTIONS.get_or_init(read)
}

fn read() -> HashMap<&'static str, Section> {
    let mut sections: HashMap<&'static str, Section> = HashMap::new();
    let mut provider = "";
    for (number, line) in TEXT.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let mut names = head.split(' ');
            provider = names.next().unwrap_or_default();
            sections.entry(provider).or_default().others = names.collect();
        } else {
            sections.entry(provider).or_default().add(number, line);
        }
    }
    sections
}

/// A price as a line tells it; `None` for a model that tokens alone do not price.
pub(crate) fn parse(text: &str) -> Option<Price> {
    let (first, longer) = text.split_once(" >").map_or((text, ""), |(first, longer)| (first, longer));
    let (rates, fee) = first.split_once(" @").map_or((first, "0"), |(rates, fee)| (rates, fee));
    let tiers = longer.split(" >").filter(|tier| !tier.is_empty()).map(tier).collect::<Option<_>>()?;
    // Dollars per thousand calls are a thousand times dollars per million.
    Some(Price { rates: columns(rates)?, per_call: per_million(fee).ok()?.checked_mul(1_000)?, tiers })
}

fn tier(text: &str) -> Option<Tier> {
    let (above, rates) = text.split_once(' ')?;
    Some(Tier { above: above.parse().ok()?, rates: columns(rates)? })
}

fn columns(text: &str) -> Option<Rates> {
    let mut columns =
        text.split(' ').map(|column| if column == "." { None } else { Some(per_million(column)) });
    let mut next = || columns.next().flatten().transpose().ok();
    Some(Rates { input: next()??, output: next()??, cached_input: next()?, cache_write: next()? })
}
