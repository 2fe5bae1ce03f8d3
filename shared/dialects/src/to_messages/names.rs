//! Names and ids that Anthropic takes, where the client's hold other characters: Gemini's tool ids carry base64, MCP
//! clients put dots and slashes into the names of tools.

use std::collections::{BTreeMap, BTreeSet};

/// Renames, each name always to the same, and no two names to one.
#[derive(Debug)]
pub(super) struct Names {
    longest: usize,
    sent: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    /// The number that each clashing name was last given.
    numbers: BTreeMap<String, u64>,
}

impl Names {
    /// Names of at most so many characters, none of which is one of the `reserved`.
    pub(super) fn new(longest: usize, reserved: &[&str]) -> Self {
        let taken = reserved.iter().map(|&name| name.to_owned()).collect();
        Self { longest, sent: BTreeMap::new(), taken, numbers: BTreeMap::new() }
    }

    /// The name to send for the client's.
    pub(super) fn sent(&mut self, name: &str) -> String {
        if let Some(sent) = self.sent.get(name) {
            return sent.clone();
        }
        let sent = self.free(&cleaned(name, self.longest));
        self.taken.insert(sent.clone());
        self.sent.insert(name.to_owned(), sent.clone());
        sent
    }

    /// The names that were changed: sent name → the client's.
    pub(super) fn changed(self) -> BTreeMap<String, String> {
        self.sent.into_iter().filter(|(name, sent)| name != sent).map(|(name, sent)| (sent, name)).collect()
    }

    /// The name, or the name with the first number that makes it the only one.
    fn free(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        while self.taken.contains(&free) {
            // Remembered, so that a request full of names that clash costs no more than another.
            let number = self.numbers.entry(name.to_owned()).or_insert(1);
            *number += 1;
            let end = format!("_{number}");
            let kept = name.len().min(self.longest.saturating_sub(end.len()));
            free = format!("{}{end}", &name[..kept]);
        }
        free
    }
}

/// Only ASCII is left, so that it can be cut anywhere.
fn cleaned(name: &str, longest: usize) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let clean: String = name.chars().map(|c| if allowed(c) { c } else { '_' }).take(longest).collect();
    if clean.is_empty() { "_".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_are_changed_only_where_they_must_and_never_clash() {
        let mut names = Names::new(8, &["json"]);
        let mut check = |name: &str, expected: &str| assert_eq!(names.sent(name), expected, "{name}");
        check("get", "get");
        check("a.b", "a_b");
        check("a_b", "a_b_2");
        check("a/b", "a_b_3");
        check("a.b", "a_b");
        check("json", "json_2");
        check("longer-than-8", "longer-t");
        check("longer-than-9", "longer_2");
        check("é", "_");
        check("", "__2");
        let changed = names.changed();
        assert_eq!(changed.get("a_b").map(String::as_str), Some("a.b"));
        assert!(!changed.contains_key("get"));
    }
}
