//! Vercel's routing as a deployment gets it: the `config.json` that the platform's build tool has written, not the
//! `vercel.json` it was written from. The two differ where it hurts: a named group, or a condition without a value,
//! becomes a query that a provider would be sent.
//!
//! A rule with a word that this reader does not know fails the test, so that nothing is passed over in silence.

use std::path::{Path, PathBuf};

use http::HeaderMap;
use regex_lite::Regex;
use serde_json::Value;

/// A built routing table, and what there is for it to lead to.
#[derive(Debug)]
pub struct Routes {
    output: PathBuf,
    rules: Vec<Rule>,
}

/// Where a request is led.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A published file.
    File(PathBuf),
    /// A function, by its path below `functions/` without `.func`, such as `api/gateway`.
    Function(String),
    /// Nothing: the platform answers this status itself.
    Nothing(u16),
}

/// What the table says about a request.
#[derive(Debug)]
pub struct Routed {
    /// Where it is led.
    pub target: Target,
    /// Headers for the answer, where a function does not set them itself.
    pub headers: Vec<(String, String)>,
    /// What is added to the query the function sees. A provider would see it, too.
    pub query: Option<String>,
}

/// A line of the table.
#[derive(Debug)]
enum Rule {
    /// What is there by the request's own path answers it.
    Files,
    /// For the requests it holds for.
    For(Box<Asked>, Says),
}

/// For which requests a rule holds.
#[derive(Debug)]
struct Asked {
    source: Regex,
    /// Headers, each with an expression for its whole value.
    has: Vec<(String, Regex)>,
}

/// What a rule says.
#[derive(Debug)]
struct Says {
    headers: Vec<(String, String)>,
    destination: Option<String>,
    status: Option<u16>,
}

impl Routes {
    /// Reads the table of a build's `.vercel/output`.
    ///
    /// # Panics
    /// When it cannot be read, or has a rule this reader does not know.
    #[must_use]
    pub fn read(output: &Path) -> Self {
        let text = std::fs::read(output.join("config.json")).expect("a built config.json");
        let config: Value = serde_json::from_slice(&text).expect("JSON");
        let lines = config["routes"].as_array().expect("a list of routes").iter();
        // What follows another step is about answers that failed or were found, and leads no request anywhere.
        let about_requests =
            lines.take_while(|line| matches!(line["handle"].as_str(), None | Some("filesystem")));
        Self { output: output.to_owned(), rules: about_requests.map(Rule::read).collect() }
    }

    /// Where the rules lead to, as they are written.
    pub fn destinations(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::Files => None,
            Rule::For(_, says) => says.destination.as_deref(),
        })
    }

    /// What the table says about a request.
    #[must_use]
    pub fn route(&self, path: &str, headers: &HeaderMap) -> Routed {
        let mut routed = Routed { target: Target::Nothing(404), headers: Vec::new(), query: None };
        for rule in &self.rules {
            if let Some(target) = self.follow(rule, path, headers, &mut routed) {
                routed.target = target;
                break;
            }
        }
        routed
    }

    /// Where a rule leads a request; `None` when it leaves it to the next one.
    fn follow(&self, rule: &Rule, path: &str, headers: &HeaderMap, routed: &mut Routed) -> Option<Target> {
        let (asked, says) = match rule {
            Rule::Files => return self.there(path),
            Rule::For(asked, says) => (asked, says),
        };
        if !asked.holds(path, headers) {
            return None;
        }
        routed.headers.extend(says.headers.iter().cloned());
        if let Some((target, query)) = says.destination.as_deref().and_then(|to| self.destination(to)) {
            routed.query = query;
            return Some(target);
        }
        says.status.map(Target::Nothing)
    }

    fn destination(&self, written: &str) -> Option<(Target, Option<String>)> {
        match written.split_once('?') {
            Some((path, query)) => Some((self.there(path)?, Some(query.to_owned()))),
            None => Some((self.there(written)?, None)),
        }
    }

    /// What has been built for a path.
    fn there(&self, path: &str) -> Option<Target> {
        let path = path.trim_matches('/');
        let files = self.output.join("static");
        let file =
            [files.join(path), files.join(path).join("index.html")].into_iter().find(|file| file.is_file());
        let built = self.output.join("functions").join(format!("{path}.func")).is_dir();
        file.map(Target::File).or_else(|| built.then(|| Target::Function(path.to_owned())))
    }
}

impl Rule {
    fn read(line: &Value) -> Self {
        if line["handle"] == "filesystem" {
            return Self::Files;
        }
        let known = ["check", "continue", "dest", "has", "headers", "src", "status"];
        for word in line.as_object().expect("a rule").keys() {
            assert!(
                known.contains(&word.as_str()),
                "a rule with a word that is unknown here, '{word}': {line}"
            );
        }
        let conditions = line["has"].as_array().map_or(&[][..], Vec::as_slice);
        let asked = Asked { source: whole(&line["src"]), has: conditions.iter().map(condition).collect() };
        let headers = line["headers"].as_object().into_iter().flatten();
        let says = Says {
            headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
            destination: line["dest"].as_str().map(str::to_owned),
            status: line["status"].as_u64().and_then(|status| status.try_into().ok()),
        };
        Self::For(Box::new(asked), says)
    }
}

impl Asked {
    fn holds(&self, path: &str, headers: &HeaderMap) -> bool {
        let has = |(name, wanted): &(String, Regex)| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|value| wanted.is_match(value))
        };
        self.source.is_match(path) && self.has.iter().all(has)
    }
}

fn condition(condition: &Value) -> (String, Regex) {
    assert_eq!(condition["type"], "header", "a condition on something else than a header");
    (text(&condition["key"]), whole(&condition["value"]))
}

/// An expression that must match the whole of a text, as the platform reads it.
fn whole(expression: &Value) -> Regex {
    Regex::new(&format!("^(?:{})$", text(expression))).expect("a regular expression")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
