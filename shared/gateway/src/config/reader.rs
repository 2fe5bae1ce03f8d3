//! Reads single settings and collects what is wrong with them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use super::Invalid;

/// The longest clock that can be set: a day.
const LONGEST_MS: u64 = 86_400_000;

/// The variables of a process, and the problems found in them so far.
#[derive(Debug)]
pub struct Reader {
    vars: BTreeMap<String, String>,
    asked_for: RefCell<BTreeSet<String>>,
    problems: Vec<String>,
}

impl Reader {
    /// Takes the variables in; empty ones are none.
    pub fn new<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let trimmed = vars.into_iter().map(|(name, value)| (name.into(), value.into().trim().to_owned()));
        Self {
            vars: trimmed.filter(|(_, value)| !value.is_empty()).collect(),
            asked_for: RefCell::default(),
            problems: Vec::new(),
        }
    }

    /// The value, or the problems.
    ///
    /// # Errors
    /// [`Invalid`] where any setting had a problem.
    pub fn finish<T>(self, value: T) -> Result<T, Invalid> {
        if self.problems.is_empty() { Ok(value) } else { Err(Invalid(self.problems)) }
    }

    /// Notes a problem, once.
    pub fn problem(&mut self, name: &str, wrong: &str) {
        let problem = format!("{name}: {wrong}");
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// A setting as it is.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.asked_for.borrow_mut().insert(name.to_owned());
        self.vars.get(name).map(String::as_str)
    }

    /// The names of all variables there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.vars.keys().map(String::as_str)
    }

    /// Whether a name is that of a setting that was read.
    pub fn was_asked_for(&self, name: &str) -> bool {
        self.asked_for.borrow().contains(name)
    }

    /// The parts of a setting that may hold several, separated by commas.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.text(name).unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty())
    }

    /// A setting of a type that parses itself; `shape` says what it should look like.
    pub fn parsed<T: FromStr>(&mut self, name: &str, shape: &str) -> Option<T> {
        let parsed = self.text(name)?.parse().ok();
        if parsed.is_none() {
            self.problem(name, &format!("is not {shape}"));
        }
        parsed
    }

    /// A whole number of milliseconds.
    pub fn millis(&mut self, name: &str) -> Option<Duration> {
        let parsed = self.text(name)?.parse().ok().filter(|ms| (1..=LONGEST_MS).contains(ms));
        if parsed.is_none() {
            self.problem(name, "is not a whole number of milliseconds, 1 to 86400000");
        }
        parsed.map(Duration::from_millis)
    }

    /// A whole number of milliseconds, or `off`.
    pub fn millis_or_off(&mut self, name: &str, default: Duration) -> Option<Duration> {
        match self.text(name) {
            None => Some(default),
            Some(off) if off.eq_ignore_ascii_case("off") || off == "0" => None,
            Some(_) => self.millis(name),
        }
    }

    /// A whole number of seconds.
    pub fn seconds(&mut self, name: &str, default: u64) -> Duration {
        let seconds = self.parsed(name, "a whole number of seconds").unwrap_or(default);
        Duration::from_secs(seconds.clamp(1, LONGEST_MS / 1000))
    }

    /// A whole number of bytes.
    pub fn bytes(&mut self, name: &str) -> Option<usize> {
        let parsed = self.text(name)?.parse().ok().filter(|bytes| *bytes > 0);
        if parsed.is_none() {
            self.problem(name, "is not a whole number of bytes");
        }
        parsed
    }

    /// Yes or no.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        let Some(text) = self.text(name) else { return default };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => {
                self.problem(name, "is neither true nor false");
                default
            }
        }
    }

    /// One of a few words, in any case; the first is the default.
    pub fn one_of<'a>(&mut self, name: &str, words: &[&'a str]) -> &'a str {
        let default = words.first().copied().unwrap_or_default();
        let Some(text) = self.text(name) else { return default };
        let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
        if known.is_none() {
            self.problem(name, &format!("is none of {}", words.join(", ")));
        }
        known.copied().unwrap_or(default)
    }
}
