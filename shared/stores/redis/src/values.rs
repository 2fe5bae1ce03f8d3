//! Values: a text each, with its end in front of it, and two sorted sets by which names are found again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use twinlane_store::{Millis, Unavailable};

use crate::reply::{Reply, nonsense};
use crate::scripts::{DELETE, FORGET, GET, KEYS, PUT};
use crate::{GRACE, Redis, exact};

/// The most keys that are listed at once.
const MOST_LISTED: usize = 10_000;

/// How many names a script looks at in one run, so that none keeps the server from others for long.
const A_RUN: usize = 1000;

impl Redis {
    /// Keeps a value; with a `now`, only where none is there that has not ended.
    pub(crate) async fn put_value(
        &self,
        key: &str,
        value: &[u8],
        until: Option<Millis>,
        unless_there: Option<Millis>,
    ) -> Result<bool, Unavailable> {
        let mut args = vec![key.to_owned(), as_text(value), ends(until), exact(GRACE)];
        args.extend(unless_there.map(exact));
        self.run_put(self.value_keys(key), args, unless_there.is_some()).await?.yes()
    }

    /// To ask again whether something new may be put would find what the lost first time has put there.
    async fn run_put(&self, keys: Vec<String>, args: Vec<String>, once: bool) -> Result<Reply, Unavailable> {
        if once { self.run_once(&PUT, keys, args).await } else { self.run(&PUT, keys, args).await }
    }

    pub(crate) async fn value(&self, key: &str, now: Millis) -> Result<Option<Vec<u8>>, Unavailable> {
        let kept = self.run(&GET, vec![self.key("value", key)], Vec::new()).await?.text()?;
        let Some(kept) = kept else { return Ok(None) };
        let (ends, text) = split(&kept)?;
        if ends.is_some_and(|ends| ends <= now) { Ok(None) } else { of_text(text).map(Some) }
    }

    pub(crate) async fn names(&self, prefix: &str, now: Millis) -> Result<Vec<String>, Unavailable> {
        let (mut names, mut seen) = (Vec::new(), 0);
        loop {
            let args = [prefix.to_owned(), exact(now), exact(GRACE), seen.to_string(), A_RUN.to_string()];
            let mut found = self.run(&KEYS, self.index_keys(), args.into()).await?.list()?.into_iter();
            let looked_at = found.next().ok_or_else(nonsense)?.number()?;
            for name in found {
                names.push(name.text()?.ok_or_else(nonsense)?);
            }
            seen += looked_at;
            if looked_at < A_RUN as u64 || names.len() >= MOST_LISTED {
                names.truncate(MOST_LISTED);
                return Ok(names);
            }
        }
    }

    pub(crate) async fn delete_value(&self, key: &str) -> Result<(), Unavailable> {
        self.run(&DELETE, self.value_keys(key), vec![key.to_owned()]).await.map(|_| ())
    }

    pub(crate) async fn forget_names(&self, now: Millis) -> Result<(), Unavailable> {
        let args = vec![exact(now.saturating_add(GRACE)), A_RUN.to_string()];
        while self.run(&FORGET, self.index_keys(), args.clone()).await?.yes()? {}
        Ok(())
    }

    fn value_keys(&self, key: &str) -> Vec<String> {
        let mut keys = vec![self.key("value", key)];
        keys.extend(self.index_keys());
        keys
    }

    fn index_keys(&self) -> Vec<String> {
        vec![self.key("index", "names"), self.key("index", "ends")]
    }
}

/// An end as scripts read it.
pub(crate) fn ends(until: Option<Millis>) -> String {
    until.map(exact).unwrap_or_default()
}

/// What was kept, as its end and the rest.
pub(crate) fn split(kept: &str) -> Result<(Option<Millis>, &str), Unavailable> {
    let (ends, text) = kept.split_once(';').ok_or_else(nonsense)?;
    let ends = if ends.is_empty() { None } else { Some(ends.parse().map_err(|_| nonsense())?) };
    Ok((ends, text))
}

/// A value as text, because REST carries nothing else: itself where it is text, which nearly all are.
fn as_text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => format!("t{text}"),
        Err(_) => format!("b{}", STANDARD.encode(value)),
    }
}

fn of_text(text: &str) -> Result<Vec<u8>, Unavailable> {
    match text.split_at_checked(1) {
        Some(("t", text)) => Ok(text.as_bytes().to_vec()),
        Some(("b", coded)) => STANDARD.decode(coded).map_err(|_| nonsense()),
        _ => Err(nonsense()),
    }
}

#[cfg(test)]
mod tests {
    use super::{as_text, of_text};

    #[test]
    fn every_value_comes_back_as_it_was() {
        for value in [&b""[..], b"text", "t\u{0}\u{ffff}".as_bytes(), b"\xff\x00", b"b64"] {
            assert_eq!(of_text(&as_text(value)).unwrap(), value);
        }
        assert!(of_text("").is_err());
        assert!(of_text("b!").is_err());
    }
}
