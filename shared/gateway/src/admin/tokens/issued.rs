//! The tokens that were issued over HTTP: what each grants is kept until it ends, so that a person can see who was given
//! one and take it back. The token itself is not kept.

use std::time::UNIX_EPOCH;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use twinlane_access::{Grant, Seconds};
use twinlane_store::Unavailable;

use super::facts;
use crate::Error;
use crate::gateway::Gateway;
use crate::keeping::{self, Keeping};
use crate::revocations::{Kept, Revocations};

/// What the keys begin with.
const PREFIX: &str = "issued/";

/// How many are listed where nothing is said, and at most.
const USUAL: usize = 100;
const MOST: usize = 1000;

/// How many are asked for at the same time: each is a request to some stores.
const AT_ONCE: usize = 16;

/// Which part of the list is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    after: Option<String>,
    limit: usize,
}

impl Part {
    /// As a query says it: `after=ID&limit=100`.
    pub(super) fn of(query: Option<&str>) -> Result<Self, Error> {
        let refuse = |name: &str, wrong: &str| Error::unfit("invalid_query", Some(name), wrong);
        let mut part = Self { after: None, limit: USUAL };
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("after", id) => part.after = Some(crate::path::decode(id).into_owned()),
                ("limit", number) => {
                    let limit = number.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    part.limit =
                        limit.ok_or_else(|| refuse("limit", "limit: is not a number from 1 to 1000"))?;
                }
                (name, _) => return Err(refuse(name, "There is no such parameter: after and limit are")),
            }
        }
        Ok(part)
    }
}

/// Keeps what a token grants, until it ends. One that cannot be kept is good all the same, and is not listed.
pub(super) async fn remember(keeping: &Keeping, grant: &Grant) -> bool {
    let until = grant.expires.map(|ends| ends.saturating_mul(1000));
    let value = facts(grant).to_string();
    let kept = keeping.store().put(&key(&grant.id), value.as_bytes(), until).await;
    if let Err(why) = &kept {
        tracing::warn!(token = grant.id, "token {} will not be listed: {why}", grant.id);
    }
    kept.is_ok()
}

/// When a token ends by itself, where it is listed.
pub(super) async fn end(keeping: &Keeping, id: &str) -> Option<Seconds> {
    let facts = fetched(keeping, &key(id)).await.ok()??;
    let ends = humantime::parse_rfc3339(facts["expires"].as_str()?).ok()?;
    ends.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// A part of the list, oldest first, and where the next one begins.
pub(super) async fn list(gateway: &Gateway, part: &Part) -> Result<Value, Unavailable> {
    let keeping = &gateway.keeping;
    let keys = keeping.store().keys(PREFIX, keeping::now()).await?;
    let after = part.after.as_deref().map(key);
    let mut rest = keys.into_iter().filter(|key| after.as_ref().is_none_or(|after| key > after));
    let wanted: Vec<String> = rest.by_ref().take(part.limit).collect();
    let next = wanted.last().filter(|_| rest.next().is_some()).map(|last| last[PREFIX.len()..].to_owned());
    let rows: Vec<_> = wanted.iter().map(|key| row(gateway, key).boxed()).collect();
    let rows: Vec<Option<Value>> = stream::iter(rows).buffered(AT_ONCE).try_collect().await?;
    let tokens: Vec<Value> = rows.into_iter().flatten().collect();
    Ok(json!({ "tokens": tokens, "next": next, "holds": keeping.reach() }))
}

/// What a token grants, and whether it was called back; none where it has ended meanwhile.
async fn row(gateway: &Gateway, key: &str) -> Result<Option<Value>, Unavailable> {
    let Some(mut facts) = fetched(&gateway.keeping, key).await? else { return Ok(None) };
    let id = &key[PREFIX.len()..];
    let revoked = gateway.config.access.revoked.contains(id)
        || Kept(gateway.keeping.store().clone()).is_revoked(id).await.map_err(Unavailable)?;
    facts["revoked"] = revoked.into();
    Ok(Some(facts))
}

async fn fetched(keeping: &Keeping, key: &str) -> Result<Option<Value>, Unavailable> {
    let value = keeping.store().get(key, keeping::now()).await?;
    Ok(value.and_then(|value| serde_json::from_slice(&value).ok()))
}

fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use twinlane_access::Order;

    use super::{Part, end, list, remember};
    use crate::config::tests::config;
    use crate::gateway::{Gateway, Role};
    use crate::log::Logger;

    fn part(after: Option<&str>, limit: usize) -> Part {
        Part { after: after.map(str::to_owned), limit }
    }

    #[test]
    fn a_query_names_a_part_or_is_refused() {
        assert_eq!(Part::of(None).unwrap(), part(None, 100));
        assert_eq!(Part::of(Some("after=id%2D1&limit=7")).unwrap(), part(Some("id-1"), 7));
        for (query, param) in
            [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("pages=2", "pages")]
        {
            let refusal = Part::of(Some(query)).unwrap_err();
            assert_eq!(refusal.json(crate::route::Surface::Gateway, "")["error"]["param"], param, "{query}");
        }
    }

    #[tokio::test]
    async fn what_was_issued_is_listed_part_by_part_without_the_token() {
        let config = config(&[("REVOKED_TOKENS", "id-2")]);
        let gateway = Gateway::new(Arc::new(config), Role::Gateway, Arc::new(Logger));
        for id in ["id-1", "id-2", "id-3"] {
            assert!(
                remember(&gateway.keeping, &Order::default().grant(id, crate::admin::now()).unwrap()).await
            );
        }
        assert_eq!(gateway.revoked.add("id-3", None).await, Ok(()));
        let shown = |list: &Value| -> Vec<(String, bool)> {
            let tokens = list["tokens"].as_array().unwrap().iter();
            tokens.map(|token| (token["id"].as_str().unwrap().to_owned(), token["revoked"] == true)).collect()
        };
        let first = list(&gateway, &part(None, 2)).await.unwrap();
        assert_eq!(shown(&first), [("id-1".to_owned(), false), ("id-2".to_owned(), true)]);
        assert_eq!((&first["next"], &first["holds"]), (&json!("id-2"), &json!("this instance")));
        let second = list(&gateway, &part(Some("id-2"), 2)).await.unwrap();
        assert_eq!((shown(&second), &second["next"]), (vec![("id-3".to_owned(), true)], &Value::Null));
        assert_eq!(second["tokens"][0]["token"], Value::Null);
    }

    #[tokio::test]
    async fn the_end_of_a_listed_token_is_known() {
        let gateway = Gateway::new(Arc::new(config(&[])), Role::Gateway, Arc::new(Logger));
        let grant = Order::default().grant("id-1", crate::admin::now()).unwrap();
        assert!(remember(&gateway.keeping, &grant).await);
        assert_eq!(end(&gateway.keeping, "id-1").await, grant.expires);
        assert_eq!(end(&gateway.keeping, "id-2").await, None);
    }
}
