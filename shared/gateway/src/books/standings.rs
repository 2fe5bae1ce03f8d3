//! How the limits of a caller stand, in the headers that OpenAI's clients know.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use twinlane_store::Standing;

use super::rates::{Counted, Metered};
use crate::headers::plain;

/// What is told of requests, and of tokens: the limit, what is left, when it is full again.
static REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
static TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// How the limit stands that has the least left, of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standings {
    requests: Option<(u64, Standing)>,
    tokens: Option<(u64, Standing)>,
}

impl Standings {
    pub(super) fn of(metered: &[Metered], standings: &[Standing]) -> Self {
        let least = |counted| {
            let of_kind = metered.iter().zip(standings).filter(|(metered, _)| metered.counted == counted);
            let told = of_kind.map(|(metered, standing)| (metered.meter.limit, *standing));
            told.min_by_key(|(_, standing)| standing.remaining)
        };
        Self { requests: least(Counted::Requests), tokens: least(Counted::Tokens) }
    }

    /// Tells of them on an answer, in place of the provider's own: those are of the operator's key, which all callers
    /// share.
    pub(crate) fn dress(&self, headers: &mut HeaderMap) {
        for (names, told) in [(&REQUESTS, self.requests), (&TOKENS, self.tokens)] {
            let Some((limit, standing)) = told else { continue };
            let reset = HeaderValue::from_str(&span(standing.reset)).unwrap_or(plain(0));
            let values = [plain(limit), plain(standing.remaining), reset];
            for (name, value) in names.iter().zip(values) {
                headers.insert(name, value);
            }
        }
    }
}

/// A span as OpenAI writes it: `12ms`, `1.5s`, `6m0s`.
fn span(span: Duration) -> String {
    let ms = u64::try_from(span.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
    let (minutes, rest) = (ms / 60_000, ms % 60_000);
    let seconds = format!("{}.{:03}", rest / 1000, rest % 1000);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    match (minutes, ms) {
        (0, ..1000) => format!("{ms}ms"),
        (0, _) => format!("{seconds}s"),
        _ => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::span;

    #[test]
    fn a_span_is_written_as_openai_writes_it() {
        for (ms, expected) in [
            (0, "0ms"),
            (12, "12ms"),
            (1000, "1s"),
            (1500, "1.5s"),
            (20_000, "20s"),
            (60_000, "1m0s"),
            (360_000, "6m0s"),
            (61_050, "1m1.05s"),
        ] {
            assert_eq!(span(Duration::from_millis(ms)), expected);
        }
        assert_eq!(span(Duration::from_micros(1)), "1ms");
    }
}
