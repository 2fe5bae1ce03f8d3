//! Remembers for a little while which targets have just failed, so that a dead one is not tried at every call.
//!
//! What is remembered is this instance's own. It concerns the server's keys only: that one client has used up its key
//! says nothing of the others'.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where the provider does not say how long.
const USUAL: Duration = Duration::from_secs(5);
/// However long the provider says. It may recover, and somebody has to find out.
const LONGEST: Duration = Duration::from_secs(60);
/// Clients choose models' names: there is no end to them.
const MOST: usize = 1000;

/// The targets that are left alone.
#[derive(Debug, Default)]
pub struct Cooldown(Mutex<HashMap<String, Instant>>);

impl Cooldown {
    /// Notes that a target failed, and how long its provider asks to be left alone.
    pub fn note(&self, target: String, asked: Option<Duration>, now: Instant) {
        let mut targets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if targets.len() >= MOST {
            targets.retain(|_, until| *until > now);
        }
        if targets.len() < MOST {
            targets.insert(target, now + asked.unwrap_or(USUAL).min(LONGEST));
        }
    }

    /// Whether a target is to be left alone.
    pub fn is_cooling(&self, target: &str, now: Instant) -> bool {
        let targets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        targets.get(target).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Cooldown, LONGEST, MOST, USUAL};

    #[test]
    fn a_target_is_left_alone_as_long_as_it_asks_and_not_for_ever() {
        let (cooldown, now) = (Cooldown::default(), Instant::now());
        for (target, asked, expected) in [
            ("a", None, USUAL),
            ("b", Some(Duration::from_secs(20)), Duration::from_secs(20)),
            ("c", Some(Duration::from_secs(3600)), LONGEST),
        ] {
            cooldown.note(target.to_owned(), asked, now);
            let just_before = now + expected - Duration::from_millis(1);
            assert!(cooldown.is_cooling(target, just_before), "{target}");
            assert!(!cooldown.is_cooling(target, now + expected), "{target}");
        }
        assert!(!cooldown.is_cooling("d", now));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (cooldown, now) = (Cooldown::default(), Instant::now());
        for number in 0..2 * MOST {
            cooldown.note(number.to_string(), None, now);
        }
        assert_eq!(cooldown.0.lock().unwrap().len(), MOST);
        cooldown.note("late".to_owned(), None, now + USUAL);
        assert!(cooldown.is_cooling("late", now + USUAL));
    }
}
