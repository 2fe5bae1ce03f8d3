//! A token as it is asked for: by flags on a terminal, by JSON from an administrator, in a setting. Checked here, once,
//! into a [`Grant`]; every problem is told by the name under which it was asked for.

use std::fmt;
use std::time::Duration;

use crate::grant::{Grant, Kind, LONGEST_IN_A_BROWSER, Rates};
use crate::{Budget, Seconds};

/// How long a token is good for, where nobody says.
const USUAL: Seconds = 30 * DAY;
/// The same in a browser.
const USUAL_IN_A_BROWSER: Seconds = 10 * 60;
/// The longest that can be asked for.
const LONGEST: Seconds = 3660 * DAY;
const DAY: Seconds = 24 * 60 * 60;

/// The most entries of a list, and the longest entry.
const MOST_ENTRIES: usize = 64;
const LONGEST_ENTRY: usize = 256;

/// A token that is asked for. The fields are those of [`Grant`], as people write them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    /// A name for people.
    pub name: String,
    /// Who is to hold it.
    pub kind: Kind,
    /// Aliases of services.
    pub services: Vec<String>,
    /// Patterns of models.
    pub models: Vec<String>,
    /// Patterns or beginnings of paths.
    pub paths: Vec<String>,
    /// Origins of pages.
    pub origins: Vec<String>,
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
    /// Streams at once.
    pub streams: Option<u64>,
    /// Such as `5usd/month`.
    pub budget: Option<String>,
    /// Whose budget it is, where several tokens share one.
    pub budget_id: Option<String>,
    /// The most tokens of one answer.
    pub max_tokens: Option<u64>,
    /// Such as `30d`.
    pub expires: Option<String>,
}

/// What is wrong with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field at fault.
    pub field: String,
    /// What is wrong with it.
    pub wrong: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.wrong)
    }
}

fn problem(field: &str, wrong: impl Into<String>) -> Problem {
    Problem { field: field.to_owned(), wrong: wrong.into() }
}

impl Order {
    /// Reads one from JSON.
    ///
    /// # Errors
    /// What the JSON has that an order has not, or the other way round.
    pub fn of_json(json: &[u8]) -> Result<Self, Problem> {
        // A list would be read as the fields in order, and an empty one as a token for everything.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(problem("body", "is not a JSON object"));
        }
        serde_json::from_slice(json).map_err(|error| problem("body", error.to_string()))
    }

    /// Takes in a flag and its value: `--services openai,claude`, `--rpm 60`. Lists grow with each flag.
    ///
    /// # Errors
    /// The flag is not known, or its value is not of its kind.
    pub fn set(&mut self, flag: &str, value: &str) -> Result<(), Problem> {
        match flag {
            "name" => value.clone_into(&mut self.name),
            "services" | "service" => self.services.extend(list(value)),
            "models" | "model" => self.models.extend(list(value)),
            "paths" | "path" => self.paths.extend(list(value)),
            "origins" | "origin" => self.origins.extend(list(value)),
            "rpm" => self.rpm = Some(number(flag, value)?),
            "tpm" => self.tpm = Some(number(flag, value)?),
            "streams" => self.streams = Some(number(flag, value)?),
            "max-tokens" => self.max_tokens = Some(number(flag, value)?),
            "budget" => self.budget = Some(value.to_owned()),
            "budget-id" => self.budget_id = Some(value.to_owned()),
            "expires" => self.expires = Some(value.to_owned()),
            _ => return Err(problem(flag, "is not known")),
        }
        Ok(())
    }

    /// The grant that is asked for, under an id of the caller's choice, from `now` on.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn grant(&self, id: &str, now: Seconds) -> Result<Grant, Vec<Problem>> {
        let mut problems = Vec::new();
        let span = self.span().map_err(|found| problems.push(found)).unwrap_or_default();
        let mut grant = self.checked(id, problems)?;
        (grant.issued, grant.expires) = (now, Some(now.saturating_add(span)));
        Ok(grant)
    }

    /// The grant of a client that signs its requests: it ends when the operator takes it out of the settings.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn lasting(&self, id: &str) -> Result<Grant, Vec<Problem>> {
        let only_for_tokens = [
            (self.expires.is_some(), "expires", "is for tokens; take the key out of the setting instead"),
            (self.kind == Kind::Browser, "kind", "cannot be browser: a page cannot keep a key"),
        ];
        let found = only_for_tokens.into_iter().filter(|(wrong, ..)| *wrong);
        self.checked(id, found.map(|(_, field, wrong)| problem(field, wrong)).collect())
    }

    /// Everything but the times, where it has no problem.
    fn checked(&self, id: &str, mut problems: Vec<Problem>) -> Result<Grant, Vec<Problem>> {
        let budget = self.budget.as_deref().map(str::parse).transpose();
        let budget: Option<Budget> =
            budget.map_err(|wrong| problems.push(problem("budget", wrong))).unwrap_or_default();
        problems.extend(self.flaws());
        if !problems.is_empty() {
            return Err(problems);
        }
        let name = if self.name.is_empty() { id } else { &self.name };
        Ok(Grant {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: self.kind,
            services: self.services.clone(),
            models: self.models.clone(),
            paths: self.paths.clone(),
            origins: self.origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
            rates: Rates { rpm: self.rpm, tpm: self.tpm, streams: self.streams },
            budget,
            budget_id: self.budget_id.as_deref().unwrap_or(id).to_owned(),
            max_tokens: self.max_tokens,
            issued: 0,
            expires: None,
        })
    }

    fn flaws(&self) -> Vec<Problem> {
        let lists = [
            list_flaw("services", &self.services, is_word, "an alias of a service, such as openai"),
            list_flaw("models", &self.models, is_plain, "a model or a pattern of models, such as gpt-*"),
            list_flaw("paths", &self.paths, is_path, "a path or a pattern of paths, such as /v1/chat/*"),
            list_flaw("origins", &self.origins, is_origin, "an origin, such as https://app.example"),
        ];
        let numbers = [
            ("rpm", self.rpm),
            ("tpm", self.tpm),
            ("streams", self.streams),
            ("max_tokens", self.max_tokens),
        ];
        let zeros = numbers.into_iter().filter(|(_, number)| *number == Some(0));
        let mut flaws: Vec<Problem> = lists.into_iter().flatten().collect();
        flaws.extend(zeros.map(|(field, _)| problem(field, "is 0; leave it out, or say at least 1")));
        flaws.extend(self.word_flaws());
        flaws
    }

    fn word_flaws(&self) -> impl Iterator<Item = Problem> {
        let name = (!self.name.is_empty() && !is_plain(&self.name) || self.name.len() > 64)
            .then(|| problem("name", "is not a name of at most 64 plain characters"));
        let budget_id = self.budget_id.as_deref().filter(|id| !is_word(id)).map(|_| {
            problem("budget_id", "is not a word of letters, digits, '-', '_', '.' (at most 64 characters)")
        });
        let shared = (self.budget_id.is_some() && self.budget.is_none())
            .then(|| problem("budget_id", "names a budget; say how much in budget"));
        let browser = (self.kind == Kind::Browser && self.origins.is_empty())
            .then(|| problem("origins", "is missing: a browser's token is for named origins only"));
        [name, budget_id, shared, browser].into_iter().flatten()
    }

    /// How long the token is good for.
    fn span(&self) -> Result<Seconds, Problem> {
        let (usual, longest) = match self.kind {
            Kind::Server => (USUAL, LONGEST),
            Kind::Browser => (USUAL_IN_A_BROWSER, LONGEST_IN_A_BROWSER),
        };
        let Some(text) = &self.expires else { return Ok(usual) };
        let span = humantime::parse_duration(text).ok().as_ref().map(Duration::as_secs);
        let Some(span) = span.filter(|span| *span > 0) else {
            return Err(problem("expires", "is not a span of time, such as 30d, 12h or 10m"));
        };
        if span <= longest {
            return Ok(span);
        }
        Err(problem(
            "expires",
            match self.kind {
                Kind::Server => "is longer than ten years",
                Kind::Browser => "is longer than an hour, the most that a page in a browser may hold a token",
            },
        ))
    }
}

fn list(value: &str) -> impl Iterator<Item = String> {
    value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned)
}

fn number(flag: &str, value: &str) -> Result<u64, Problem> {
    value.parse().map_err(|_| problem(flag, "is not a whole number"))
}

fn list_flaw(field: &str, entries: &[String], is_good: fn(&str) -> bool, shape: &str) -> Option<Problem> {
    if entries.len() > MOST_ENTRIES {
        return Some(problem(field, format!("has more than {MOST_ENTRIES} entries")));
    }
    let bad = entries.iter().find(|entry| entry.len() > LONGEST_ENTRY || !is_good(entry))?;
    Some(problem(field, format!("'{}' is not {shape}", bad.escape_default().take(80).collect::<String>())))
}

/// What can stand in a log line and in a key of a store.
fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn is_path(text: &str) -> bool {
    text.starts_with(['/', '*']) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `scheme://host`, perhaps with a port, and nothing behind it.
fn is_origin(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'[' | b']');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Order, Problem};
    use crate::{Amount, Budget, Kind, Period};

    fn order(flags: &[(&str, &str)]) -> Result<Order, Problem> {
        let mut order = Order::default();
        flags.iter().try_for_each(|(flag, value)| order.set(flag, value))?;
        Ok(order)
    }

    fn problems(order: &Order) -> Vec<String> {
        order.grant("id", 0).unwrap_err().iter().map(|problem| problem.field.clone()).collect()
    }

    #[test]
    fn flags_and_json_ask_for_the_same() {
        let flags = order(&[
            ("services", "openai, claude"),
            ("models", "gpt-*"),
            ("model", "claude-*"),
            ("rpm", "60"),
            ("budget", "5usd/month"),
            ("expires", "30d"),
            ("name", "alice"),
        ]);
        let json =
            br#"{"services":["openai","claude"],"models":["gpt-*","claude-*"],"rpm":60,"budget":"5usd/month",
                        "expires":"30d","name":"alice"}"#;
        assert_eq!(flags, Order::of_json(json));
        let grant = flags.unwrap().grant("id-1", 1000).unwrap();
        assert_eq!((grant.issued, grant.expires), (1000, Some(1000 + 30 * 86_400)));
        assert_eq!(
            grant.budget,
            Some(Budget { amount: Amount::MicroDollars(5_000_000), per: Period::Month })
        );
        assert_eq!((grant.budget_id.as_str(), grant.name.as_str()), ("id-1", "alice"));
    }

    #[test]
    fn a_flag_that_cannot_be_read_is_named() {
        for (flag, value) in
            [("rpm", "many"), ("tpm", "-1"), ("streams", "1.5"), ("servces", "openai"), ("max-tokens", "")]
        {
            assert_eq!(order(&[(flag, value)]).unwrap_err().field, flag);
        }
        for json in ["[]", "{", r#"{"rpm":"60"}"#, r#"{"servces":[]}"#, r#"{"kind":"robot"}"#] {
            assert!(Order::of_json(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once_and_by_its_name() {
        let bad = Order {
            name: "a\nb".to_owned(),
            services: vec!["open ai".to_owned()],
            models: vec![String::new()],
            paths: vec!["v1/chat".to_owned()],
            origins: vec!["https://app.example/page".to_owned()],
            rpm: Some(0),
            budget: Some("5".to_owned()),
            budget_id: Some("a b".to_owned()),
            expires: Some("soon".to_owned()),
            ..Order::default()
        };
        let mut named = problems(&bad);
        named.sort();
        let expected =
            ["budget", "budget_id", "expires", "models", "name", "origins", "paths", "rpm", "services"];
        assert_eq!(named, expected);
    }

    #[test]
    fn a_browser_s_token_is_short_and_for_named_origins() {
        let browser = |origins: &str, expires: Option<&str>| {
            let mut order = Order { kind: Kind::Browser, ..Order::default() };
            order.set("origin", origins).unwrap();
            Order { expires: expires.map(str::to_owned), ..order }
        };
        let grant = browser("https://App.example", None).grant("id", 0).unwrap();
        assert_eq!((grant.expires, grant.origins), (Some(600), vec!["https://app.example".to_owned()]));
        assert!(browser("https://a.example", Some("1h")).grant("id", 0).is_ok());
        assert_eq!(problems(&browser("https://a.example", Some("61m"))), ["expires"]);
        assert_eq!(problems(&browser("", None)), ["origins"]);
    }

    #[test]
    fn a_span_of_no_use_is_refused() {
        for expires in ["0s", "never", "11years", "", "-1d"] {
            assert_eq!(problems(&order(&[("expires", expires)]).unwrap()), ["expires"], "{expires}");
        }
    }

    #[test]
    fn a_lasting_grant_has_no_end_and_is_no_browser_s() {
        assert_eq!(Order::default().lasting("alice").unwrap().expires, None);
        let wrong = Order { kind: Kind::Browser, expires: Some("1d".to_owned()), ..Order::default() };
        assert_eq!(wrong.lasting("alice").unwrap_err().len(), 3);
    }

    proptest! {
        #[test]
        fn no_order_panics(flag in "[a-z-]{0,10}|services|origins|expires|budget", value in ".{0,40}") {
            let mut order = Order::default();
            if order.set(&flag, &value).is_ok() {
                let _ = order.grant("id", 0);
            }
        }
    }
}
