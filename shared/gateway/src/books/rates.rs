//! Whose calls are counted together, and how fast they may come.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use twinlane_access::Rates;
use twinlane_store::Meter;

use super::{Books, Payer};
use crate::config::Whose;

const MINUTE: Duration = Duration::from_secs(60);

/// What is counted at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Requests, one each.
    Requests,
    /// Tokens, in and out.
    Tokens,
}

/// A meter, and what it means to people.
#[derive(Debug, Clone)]
pub(super) struct Metered {
    pub(super) counted: Counted,
    pub(super) whose: Whose,
    pub(super) meter: Meter,
}

/// A number of streams that may run at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) whose: Whose,
    pub(super) key: String,
    pub(super) most: u64,
}

/// That a call may not be made now, and when it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// What happened, for people.
    pub told: String,
    /// Whether a budget is used up, rather than a rate.
    pub budget: bool,
    /// When to try again.
    pub wait: Duration,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl Limited {
    /// When to try again, in seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        whole_seconds(self.wait).max(1)
    }

    pub(super) fn by_meter(metered: &Metered, wait: Duration) -> Self {
        let (limit, whose) = (metered.meter.limit, told(metered.whose));
        let what = match metered.counted {
            Counted::Requests => "requests",
            Counted::Tokens => "tokens",
        };
        let seconds = whole_seconds(wait);
        let told =
            format!("The limit of {limit} {what} per minute {whose} is reached; try again in {seconds} s");
        Self { told, budget: false, wait }
    }

    pub(super) fn by_places(places: &Places) -> Self {
        let (most, whose) = (places.most, told(places.whose));
        let told =
            format!("The limit of {most} streams at once {whose} is reached; try again when one has ended");
        Self { told, budget: false, wait: Duration::from_secs(1) }
    }
}

/// Seconds until a wait is certainly over.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn told(whose: Whose) -> &'static str {
    match whose {
        Whose::All => "for all callers together",
        Whose::Token => "for this token",
        Whose::Session => "for this session",
        Whose::Address => "for this address",
    }
}

impl Books {
    /// The limits that hold for somebody: whose they are, the name they are counted under, and how fast.
    fn limits<'a>(&'a self, payer: &'a Payer) -> impl Iterator<Item = (Whose, String, Rates)> + 'a {
        self.settings.rates.iter().filter_map(|(whose, rates)| {
            let rates = if *whose == Whose::Token { payer.rates(*rates) } else { *rates };
            (rates != Rates::default()).then_some(())?;
            Some((*whose, payer.name(*whose)?, rates))
        })
    }

    /// What a call spends at once: itself, and its tokens as far as they can be told before. No meter is asked for more
    /// than it can ever hold, since such a call could never be made.
    pub(super) fn meters(&self, payer: &Payer, tokens: u64) -> Vec<Metered> {
        let meters = self.limits(payer).flat_map(|(whose, name, rates)| {
            let meter = |counted, kind: &str, limit: Option<u64>, cost: u64| {
                let limit = limit?;
                let meter =
                    Meter { key: format!("{kind}/{name}"), limit, period: MINUTE, cost: cost.min(limit) };
                Some(Metered { counted, whose, meter })
            };
            let requests = meter(Counted::Requests, "rpm", rates.rpm, 1);
            let tokens = meter(Counted::Tokens, "tpm", rates.tpm, tokens);
            [requests, tokens].into_iter().flatten()
        });
        meters.collect()
    }

    /// Where a stream takes a place.
    pub(super) fn places(&self, payer: &Payer) -> Vec<Places> {
        let places = self.limits(payer).filter_map(|(whose, name, rates)| {
            Some(Places { whose, key: format!("streams/{name}"), most: rates.streams? })
        });
        places.collect()
    }
}

impl Payer {
    /// What the token itself says goes before what the settings say for every token.
    fn rates(&self, usual: Rates) -> Rates {
        let own = self.grant.as_ref().map(|grant| grant.rates).unwrap_or_default();
        Rates {
            rpm: own.rpm.or(usual.rpm),
            tpm: own.tpm.or(usual.tpm),
            streams: own.streams.or(usual.streams),
        }
    }

    /// The name under which a call is counted; none where it has no such thing.
    fn name(&self, whose: Whose) -> Option<String> {
        match whose {
            Whose::All => Some("all".to_owned()),
            Whose::Token => self.token.as_ref().map(|token| format!("token/{token}")),
            // A session is its client's word, and one client's must not use up another's.
            Whose::Session => {
                let session = self.session.as_ref()?;
                let owner = self.name(Whose::Token).or_else(|| self.name(Whose::Address)).unwrap_or_default();
                Some(format!("session/{owner}/{session}"))
            }
            Whose::Address => self.address.map(|address| format!("address/{}", network(address))),
        }
    }
}

/// Who has one address of IPv6 has a network of them.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{network, whole_seconds};

    #[test]
    fn addresses_are_counted_by_whoever_holds_them() {
        for (address, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_wait_is_told_in_seconds_that_suffice() {
        for (ms, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(ms)), seconds);
        }
    }
}
