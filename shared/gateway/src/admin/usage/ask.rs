//! What a page of the usage log is asked for. A parameter that is unknown, empty or there twice is refused: a misspelt
//! filter must not become none.

use twinlane_store::{Filter, Millis};

use super::when::{self, DAY};
use crate::{Error, path};

/// How far back a page looks unless it is told.
pub(super) const USUAL_SPAN: Millis = 30 * DAY;

/// The parameters that every page has.
pub(super) const COMMON: &[&str] =
    &["from", "to", "model", "service", "token", "session", "status", "format", "limit"];

/// The parameters of a query.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(&'static str, String)>,
    /// Whether the caller would rather have CSV, where the query says nothing.
    prefers_csv: bool,
}

impl Query {
    /// Reads the query of a page that knows these parameters.
    ///
    /// # Errors
    /// [`Error::Unfit`], with the parameter at fault.
    pub(super) fn read(query: Option<&str>, known: &[&[&'static str]]) -> Result<Self, Error> {
        let mut read = Self::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (plain(name), plain(value));
            let Some(known) = known.iter().copied().flatten().find(|known| **known == name) else {
                let known = known.concat().join(", ");
                let known = if known.is_empty() { "none".to_owned() } else { known };
                return Err(wrong(&name, &format!("is unknown; this page knows: {known}")));
            };
            if value.is_empty() {
                return Err(wrong(known, "is empty; leave it out for no filter"));
            }
            if read.text(known).is_some() {
                return Err(wrong(known, "is there twice"));
            }
            read.pairs.push((known, value));
        }
        Ok(read)
    }

    /// The same parameters, of a caller who may prefer CSV.
    pub(super) fn preferring_csv(self, prefers_csv: bool) -> Self {
        Self { prefers_csv, ..self }
    }

    /// A parameter as it is.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that `read` understands, or else must be of a certain `shape`.
    ///
    /// # Errors
    /// [`Error::Unfit`].
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        shape: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let parse = |text| read(text).ok_or_else(|| wrong(name, &format!("is not {shape}")));
        self.text(name).map(parse).transpose()
    }

    /// A time.
    ///
    /// # Errors
    /// [`Error::Unfit`].
    pub(super) fn time(&self, name: &str) -> Result<Option<Millis>, Error> {
        let shape = "a time such as 2026-11-21, 2026-11-21T08:00:00Z or milliseconds since 1970";
        self.parsed(name, shape, when::read)
    }

    /// How many rows are wanted: so many unless the query says, and never more than the most.
    ///
    /// # Errors
    /// [`Error::Unfit`].
    pub(super) fn limit(&self, usual: usize, most: usize) -> Result<usize, Error> {
        let within = |text: &str| text.parse().ok().filter(|limit| (1..=most).contains(limit));
        let limit = self.parsed("limit", &format!("a whole number from 1 to {most}"), within)?;
        Ok(limit.unwrap_or(usual))
    }

    /// Whether the answer is to be CSV.
    ///
    /// # Errors
    /// [`Error::Unfit`].
    pub(super) fn wants_csv(&self) -> Result<bool, Error> {
        let format = |text: &str| match text {
            "csv" => Some(true),
            "json" => Some(false),
            _ => None,
        };
        Ok(self.parsed("format", "json or csv", format)?.unwrap_or(self.prefers_csv))
    }

    /// Which records are wanted: those of the last 30 days where the query does not say.
    ///
    /// # Errors
    /// [`Error::Unfit`].
    pub(super) fn filter(&self, now: Millis) -> Result<Filter, Error> {
        let (from, to) = (self.time("from")?, self.time("to")?);
        let from = from.unwrap_or_else(|| to.unwrap_or(now).saturating_sub(USUAL_SPAN));
        if to.is_some_and(|to| to <= from) {
            return Err(wrong("to", "is not after 'from'"));
        }
        let status = |text: &str| text.parse().ok().filter(|status| (100..=999).contains(status));
        let text = |name| self.text(name).map(str::to_owned);
        Ok(Filter {
            from: Some(from),
            to,
            token: text("token"),
            session: text("session"),
            service: text("service"),
            model: text("model"),
            status: self.parsed("status", "a status such as 429", status)?,
        })
    }
}

/// The refusal of a parameter. What the caller wrote is repeated as far as it is short and harmless.
pub(super) fn wrong(name: &str, what: &str) -> Error {
    let name: String = name.escape_default().take(64).collect();
    Error::unfit("invalid_parameter", Some(&name), format!("The parameter '{name}' {what}"))
}

/// A name or a value as forms write it.
fn plain(raw: &str) -> String {
    path::decode(&raw.replace('+', " ")).into_owned()
}
