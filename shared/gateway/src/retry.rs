//! Decides what is tried again: one table, one pause, one budget.
//!
//! The table errs on the side of the bill. A call that may have reached a provider is not repeated unless repeating is
//! harmless by its method, or somebody who may say so has said so.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, StatusCode};

/// The pause before the first retry, doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Most tries of a call that is safe to repeat, however many retries the settings allow.
const MOST_TRIES: u32 = 3;

/// How one try of a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// No connection carried it: no provider can have seen it.
    Unsent,
    /// It was sent, and the connection ended before a byte of the reply.
    Cut,
    /// It was sent, and patience ran out: the provider may be at work on it still.
    TimedOut,
    /// The provider replied.
    Replied(StatusCode),
}

/// Whether a call that may have been carried out can be sent again without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeatable {
    /// By its method, an `Idempotency-Key`, or the operator's word.
    Yes,
    /// It may have cost money.
    No,
}

impl Repeatable {
    /// Judges a call by its method, its headers and the methods the operator listed for the service.
    #[must_use]
    pub fn of(method: &Method, headers: &HeaderMap, listed: &[Method]) -> Self {
        let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if safe || listed.contains(method) || headers.contains_key("idempotency-key") {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// Whether a call whose try ended so may be tried again, patience and budget permitting.
///
/// | ended | repeatable | not repeatable |
/// |---|---|---|
/// | unsent | again | again |
/// | cut before the reply | again | never |
/// | timed out | never | never |
/// | 502, 503, 504 | again | never |
/// | any of these with `Retry-After`, 429, any other status | never | never |
///
/// Waiting for as long as a provider asks is the client's decision, and SDKs do it well; so what says `Retry-After` is
/// passed on at once.
#[must_use]
pub fn may_repeat(ended: Ended, repeatable: Repeatable, retry_after: bool) -> bool {
    match (ended, repeatable) {
        (Ended::Unsent, _) => true,
        (Ended::Cut, repeatable) => repeatable == Repeatable::Yes,
        (Ended::Replied(status), Repeatable::Yes) => matches!(status.as_u16(), 502..=504) && !retry_after,
        (Ended::TimedOut, _) | (Ended::Replied(_), Repeatable::No) => false,
    }
}

/// How many tries a call has in all.
///
/// An SDK that is already repeating a call (`x-stainless-retry-count`) leaves the gateway that much less, so that both
/// together stay within what the SDK allows itself.
#[must_use]
pub fn tries(max_retries: u32, headers: &HeaderMap) -> u32 {
    let by_client = headers
        .get("x-stainless-retry-count")
        .and_then(|count| count.to_str().ok()?.parse::<u32>().ok())
        .unwrap_or(0);
    1 + max_retries.saturating_sub(by_client).min(MOST_TRIES - 1)
}

/// The pause after try `n` (from 1): a random part of a doubling span, so that clients of a provider that comes back
/// do not all come back at once. `chance` is a number from 0 to 1.
#[must_use]
pub fn pause(n: u32, chance: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << n.saturating_sub(1).min(16));
    doubled.min(LONGEST_PAUSE).mul_f64(chance.clamp(0.0, 1.0))
}

/// Keeps an outage from doubling itself: retries are at most a tenth of recent calls, with a small floor.
#[derive(Debug, Default)]
pub struct Budget(Mutex<Window>);

/// The calls and retries of the current span of time.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    began: Option<Instant>,
    calls: u32,
    retries: u32,
}

impl Budget {
    const SPAN: Duration = Duration::from_secs(10);
    const FLOOR: u32 = 10;

    /// Counts a call.
    pub fn note_call(&self, now: Instant) {
        self.window(now, |window| window.calls = window.calls.saturating_add(1));
    }

    /// Takes one retry out of the budget; `false` when it is spent.
    pub fn take(&self, now: Instant) -> bool {
        self.window(now, |window| {
            let left = window.retries < Self::FLOOR + window.calls / 10;
            window.retries += u32::from(left);
            left
        })
    }

    fn window<T>(&self, now: Instant, change: impl FnOnce(&mut Window) -> T) -> T {
        let mut window = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if window.began.is_none_or(|began| now.duration_since(began) >= Self::SPAN) {
            *window = Window { began: Some(now), ..Window::default() };
        }
        change(&mut window)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use http::{HeaderMap, Method, StatusCode};

    use super::{Budget, Ended, Repeatable, may_repeat, pause, tries};

    const METHODS: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];

    fn endings() -> impl Iterator<Item = Ended> {
        let statuses = (100..600).map(|status| Ended::Replied(StatusCode::from_u16(status).unwrap()));
        [Ended::Unsent, Ended::Cut, Ended::TimedOut].into_iter().chain(statuses)
    }

    #[test]
    fn what_was_never_sent_is_always_tried_again() {
        for repeatable in [Repeatable::Yes, Repeatable::No] {
            assert!(may_repeat(Ended::Unsent, repeatable, false));
        }
    }

    #[test]
    fn what_may_have_been_billed_is_never_sent_twice() {
        for ended in endings().filter(|ended| *ended != Ended::Unsent) {
            for retry_after in [false, true] {
                assert!(!may_repeat(ended, Repeatable::No, retry_after), "{ended:?}");
            }
        }
    }

    #[test]
    fn of_all_statuses_only_a_gateway_s_own_three_are_tried_again() {
        let again: Vec<_> = endings().filter(|ended| may_repeat(*ended, Repeatable::Yes, false)).collect();
        let status = |code| Ended::Replied(StatusCode::from_u16(code).unwrap());
        assert_eq!(again, [Ended::Unsent, Ended::Cut, status(502), status(503), status(504)]);
    }

    #[test]
    fn a_provider_that_says_when_to_come_back_is_not_asked_before() {
        for ended in endings().filter(|ended| matches!(ended, Ended::Replied(_))) {
            assert!(!may_repeat(ended, Repeatable::Yes, true), "{ended:?}");
        }
    }

    #[test]
    fn only_reads_keyed_calls_and_listed_methods_are_repeatable() {
        let none = HeaderMap::new();
        let keyed = HeaderMap::from_iter([("idempotency-key".parse().unwrap(), "k".parse().unwrap())]);
        for method in METHODS {
            let read = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
            assert_eq!(Repeatable::of(&method, &none, &[]) == Repeatable::Yes, read, "{method}");
            assert_eq!(Repeatable::of(&method, &keyed, &[]), Repeatable::Yes, "{method}");
            assert_eq!(
                Repeatable::of(&method, &none, std::slice::from_ref(&method)),
                Repeatable::Yes,
                "{method}"
            );
        }
    }

    #[test]
    fn gateway_and_sdk_together_stay_within_the_bound() {
        let counting = |count: &str| {
            HeaderMap::from_iter([("x-stainless-retry-count".parse().unwrap(), count.parse().unwrap())])
        };
        for (max_retries, count, expected) in
            [(1, "0", 2), (1, "1", 1), (1, "2", 1), (0, "0", 1), (2, "1", 2), (9, "0", 3), (1, "many", 2)]
        {
            assert_eq!(tries(max_retries, &counting(count)), expected, "{max_retries} {count}");
        }
        assert_eq!(tries(1, &HeaderMap::new()), 2);
    }

    #[test]
    fn pauses_double_from_100_ms_to_5_s_and_are_spread() {
        let whole: Vec<_> = (1..9).map(|n| pause(n, 1.0).as_millis()).collect();
        assert_eq!(whole, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pause(3, 0.5), Duration::from_millis(200));
        assert_eq!(pause(u32::MAX, 0.0), Duration::ZERO);
    }

    #[test]
    fn an_outage_is_not_doubled() {
        let (budget, now) = (Budget::default(), Instant::now());
        for _ in 0..1000 {
            budget.note_call(now);
        }
        let granted = (0..1000).filter(|_| budget.take(now)).count();
        assert_eq!(granted, 110, "a tenth of 1000 calls and the floor of 10");
        assert!(budget.take(now + Duration::from_secs(10)), "a new span begins with its floor");
    }
}
