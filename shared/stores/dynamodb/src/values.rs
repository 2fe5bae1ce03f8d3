//! Values: an item each, spread over a few keys so that no one of them carries all.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use twinlane_store::{Millis, Unavailable};

use crate::DynamoDb;
use crate::api::Again;
use crate::item::{Item, nonsense, number, number_in, text, text_in, time_to_live};

/// The most keys that are listed at once.
const MOST_LISTED: usize = 10_000;

/// Over how many keys values are spread. It cannot be changed for a table that has any.
const SPREAD: u64 = 8;

impl DynamoDb {
    pub(crate) async fn put_value(
        &self,
        key: &str,
        value: &[u8],
        until: Option<Millis>,
    ) -> Result<(), Unavailable> {
        self.api.put(item(key, value, until), None, Again::Harmless).await.map(|_| ())
    }

    /// To ask again whether something new may be put would find what the lost first time has put there.
    pub(crate) async fn put_new_value(
        &self,
        key: &str,
        value: &[u8],
        now: Millis,
        until: Option<Millis>,
    ) -> Result<bool, Unavailable> {
        let free = "attribute_not_exists(pk) OR ends_at <= :now";
        let condition = Some((free, json!({ ":now": number(now) })));
        self.api.put(item(key, value, until), condition, Again::Counts).await
    }

    pub(crate) async fn value(&self, key: &str, now: Millis) -> Result<Option<Vec<u8>>, Unavailable> {
        let item = self.api.get(&pk(key), &sk(key)).await?;
        if item.is_empty() || is_over(&item, now) {
            return Ok(None);
        }
        let coded = item.get("kept_value").and_then(|value| value.get("B")?.as_str()).ok_or_else(nonsense)?;
        STANDARD.decode(coded).map(Some).map_err(|_| nonsense())
    }

    pub(crate) async fn names(&self, prefix: &str, now: Millis) -> Result<Vec<String>, Unavailable> {
        let spread = (0..SPREAD).map(|share| self.names_in(share, prefix, now));
        let mut names = try_join_all(spread).await?.concat();
        names.sort_unstable();
        names.truncate(MOST_LISTED);
        Ok(names)
    }

    async fn names_in(&self, share: u64, prefix: &str, now: Millis) -> Result<Vec<String>, Unavailable> {
        let (mut names, mut from) = (Vec::new(), None);
        loop {
            let (items, next) = self.api.query(named(share, prefix, from)).await?;
            let live = items.iter().filter(|item| !is_over(item, now));
            names.extend(live.filter_map(|item| Some(text_in(item, "sk")?.strip_prefix('=')?.to_owned())));
            from = next;
            if from.is_none() || names.len() >= MOST_LISTED {
                return Ok(names);
            }
        }
    }

    pub(crate) async fn delete_value(&self, key: &str) -> Result<(), Unavailable> {
        self.api.delete(&pk(key), &sk(key)).await
    }
}

fn named(share: u64, prefix: &str, from: Option<Value>) -> Value {
    let mut request = json!({
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": { ":pk": text(&format!("value#{share}")), ":prefix": text(&sk(prefix)) },
        "ProjectionExpression": "sk, ends_at",
    });
    if let Some(from) = from {
        request["ExclusiveStartKey"] = from;
    }
    request
}

fn item(key: &str, value: &[u8], until: Option<Millis>) -> Value {
    let mut item = json!({
        "pk": text(&pk(key)),
        "sk": text(&sk(key)),
        "kept_value": { "B": STANDARD.encode(value) },
    });
    if let Some(until) = until {
        item["ends_at"] = number(until);
        item["ttl"] = time_to_live(until);
    }
    item
}

fn is_over(item: &Item, now: Millis) -> bool {
    number_in::<Millis>(item, "ends_at").is_some_and(|until| until <= now)
}

fn pk(key: &str) -> String {
    format!("value#{}", share(key))
}

/// A sort key is never empty; a value's key may be.
fn sk(key: &str) -> String {
    format!("={key}")
}

/// FNV-1a: it must stay the same for ever, which the standard library's hashes do not promise.
fn share(key: &str) -> u64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash % SPREAD
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_key_stays_where_it_is_and_keys_are_spread() {
        assert_eq!((share(""), share("a"), share("foobar")), (5, 4, 0));
        let mut shares: Vec<u64> = (0..100).map(|index| share(&format!("token:{index}"))).collect();
        shares.sort_unstable();
        shares.dedup();
        assert_eq!(shares.len(), 8);
    }
}
