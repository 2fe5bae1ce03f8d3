//! What a token grants: to whom, until when, and for what. An empty list does not restrict.

use crate::{Budget, Denied, Seconds};

/// How far the clocks of two machines may differ.
const SKEW: Seconds = 30;

/// The longest that a page in a browser may hold a token.
pub(crate) const LONGEST_IN_A_BROWSER: Seconds = 60 * 60;

/// Who is to hold a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A program on a server, or a person.
    #[default]
    Server,
    /// A page in a browser, which cannot keep a secret: for an hour at most, and for named origins.
    Browser,
}

/// How fast somebody may call; none: as fast as the gateway's own limits allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
    /// Streams at once.
    pub streams: Option<u64>,
}

/// What somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// The id: what the log, a revocation and the limits call it.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Who is to hold it.
    pub kind: Kind,
    /// The services that may be called, by alias.
    pub services: Vec<String>,
    /// The models, as patterns.
    pub models: Vec<String>,
    /// The paths below a service, as patterns or as beginnings.
    pub paths: Vec<String>,
    /// The origins of the pages that may call.
    pub origins: Vec<String>,
    /// How fast.
    pub rates: Rates,
    /// How much.
    pub budget: Option<Budget>,
    /// Whose budget: the token's own id, or a name that several share.
    pub budget_id: String,
    /// The most tokens that one answer may be asked to have.
    pub max_tokens: Option<u64>,
    /// When it was issued.
    pub issued: Seconds,
    /// When it ends; none: never.
    pub expires: Option<Seconds>,
}

impl Grant {
    /// Whether this is the time of the grant.
    ///
    /// # Errors
    /// [`Denied::Expired`] and [`Denied::NotYet`].
    pub fn at(&self, now: Seconds) -> Result<(), Denied> {
        if self.expires.is_some_and(|expires| expires.saturating_add(SKEW) <= now) {
            return Err(Denied::Expired);
        }
        if self.issued > now.saturating_add(SKEW) { Err(Denied::NotYet) } else { Ok(()) }
    }

    /// The same grant for the second of two functions, where the first has seen the request as it came and found it
    /// within its scope: the second sees another path and another name of the model.
    #[must_use]
    pub fn already_checked(&self) -> Self {
        Self {
            services: Vec::new(),
            models: Vec::new(),
            paths: Vec::new(),
            origins: Vec::new(),
            max_tokens: None,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Grant;
    use crate::Denied;

    #[test]
    fn a_grant_has_its_time_and_clocks_may_differ_by_half_a_minute() {
        let grant = Grant { issued: 1000, expires: Some(2000), ..Grant::default() };
        for (now, expected) in [
            (969, Err(Denied::NotYet)),
            (970, Ok(())),
            (1500, Ok(())),
            (2029, Ok(())),
            (2030, Err(Denied::Expired)),
            (u64::MAX, Err(Denied::Expired)),
        ] {
            assert_eq!(grant.at(now), expected, "{now}");
        }
        assert_eq!(Grant::default().at(u64::MAX), Ok(()), "without an end");
    }
}
