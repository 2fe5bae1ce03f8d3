//! Items in DynamoDB's JSON, in which each value says its type and numbers are texts.

use serde_json::{Map, Value, json};
use twinlane_store::{Millis, Unavailable};

/// An item's attributes; none where there is no item.
pub(crate) type Item = Map<String, Value>;

/// DynamoDB may delete what has run out this long ago, for callers whose clocks are behind. An item's time to live is
/// that of what was last written in it, so other things in it may end up to a day later.
const GRACE_SECONDS: u64 = 24 * 3600;

pub(crate) fn text(text: &str) -> Value {
    json!({ "S": text })
}

pub(crate) fn number(number: impl Into<i128>) -> Value {
    json!({ "N": number.into().to_string() })
}

pub(crate) fn map(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    json!({ "M": Map::from_iter(entries) })
}

/// The time to live of what has run out at a time.
pub(crate) fn time_to_live(until: Millis) -> Value {
    number((until / 1000).saturating_add(GRACE_SECONDS))
}

pub(crate) fn key(pk: &str, sk: &str) -> Value {
    json!({ "pk": text(pk), "sk": text(sk) })
}

pub(crate) fn text_in<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

pub(crate) fn number_in<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    as_number(item.get(name)?)
}

pub(crate) fn as_number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.get("N")?.as_str()?.parse().ok()
}

/// The entries of a map; none where there is no map.
pub(crate) fn entries<'a>(item: &'a Item, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    item.get(name).and_then(|map| map.get("M")?.as_object()).into_iter().flatten()
}

/// An answer that DynamoDB does not give, or an item that is not ours.
pub(crate) fn nonsense() -> Unavailable {
    Unavailable("DynamoDB gave an answer that makes no sense here".to_owned())
}
