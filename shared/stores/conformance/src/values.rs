//! Values: kept, replaced, put once, listed, over.

use crate::crowd::each;
use crate::{HOUR, Shared, beginning};

pub(crate) async fn hold(fresh: &impl AsyncFn() -> Shared) {
    a_value_is_kept_byte_for_byte(fresh().await).await;
    a_value_is_replaced_with_its_time(fresh().await).await;
    a_value_is_gone_when_its_time_is_over(fresh().await).await;
    a_new_value_is_put_only_where_none_is(fresh().await).await;
    a_key_is_forgotten(fresh().await).await;
    keys_are_listed_by_their_beginning_in_order(fresh().await).await;
    one_of_a_crowd_puts_a_new_value(fresh().await).await;
}

async fn a_value_is_kept_byte_for_byte(store: Shared) {
    let now = beginning();
    let every_byte: Vec<u8> = (0..=255).collect();
    for value in [every_byte.clone(), Vec::new(), every_byte.repeat(256)] {
        store.put("key", &value, None).await.unwrap();
        assert!(store.get("key", now).await.unwrap() == Some(value), "a value came back changed");
    }
    assert_eq!(store.get("another", now).await.unwrap(), None);
}

async fn a_value_is_replaced_with_its_time(store: Shared) {
    let now = beginning();
    store.put("key", b"one", Some(now + HOUR)).await.unwrap();
    store.put("key", b"two", None).await.unwrap();
    assert_eq!(store.get("key", now + 2 * HOUR).await.unwrap().as_deref(), Some(&b"two"[..]));
    store.put("key", b"three", Some(now + HOUR)).await.unwrap();
    assert_eq!(store.get("key", now).await.unwrap().as_deref(), Some(&b"three"[..]));
    assert_eq!(store.get("key", now + 2 * HOUR).await.unwrap(), None);
}

async fn a_value_is_gone_when_its_time_is_over(store: Shared) {
    let now = beginning();
    store.put("key", b"value", Some(now + HOUR)).await.unwrap();
    assert!(store.get("key", now + HOUR - 1).await.unwrap().is_some());
    assert_eq!(store.keys("", now + HOUR - 1).await.unwrap(), ["key"]);
    assert_eq!(store.get("key", now + HOUR).await.unwrap(), None);
    assert!(store.keys("", now + HOUR).await.unwrap().is_empty());
}

async fn a_new_value_is_put_only_where_none_is(store: Shared) {
    let now = beginning();
    assert!(store.put_new("key", b"one", now, Some(now + HOUR)).await.unwrap());
    assert!(!store.put_new("key", b"two", now + HOUR - 1, None).await.unwrap());
    assert_eq!(store.get("key", now).await.unwrap().as_deref(), Some(&b"one"[..]));
    assert!(store.put_new("key", b"two", now + HOUR, None).await.unwrap());
    assert_eq!(store.get("key", now + 9 * HOUR).await.unwrap().as_deref(), Some(&b"two"[..]));
    assert!(!store.put_new("key", b"three", now + 9 * HOUR, None).await.unwrap());
}

async fn a_key_is_forgotten(store: Shared) {
    let now = beginning();
    store.delete("never there").await.unwrap();
    store.put("key", b"one", None).await.unwrap();
    store.put("key2", b"two", None).await.unwrap();
    store.delete("key").await.unwrap();
    assert_eq!(store.get("key", now).await.unwrap(), None);
    assert_eq!(store.keys("key", now).await.unwrap(), ["key2"]);
    assert!(store.put_new("key", b"three", now, None).await.unwrap());
}

/// The prefixes hold what is a pattern to one engine or another.
async fn keys_are_listed_by_their_beginning_in_order(store: Shared) {
    let now = beginning();
    let all = ["a", "a%b", "a*b", "a:1", "a:10", "a:2", "a?b", "a[b]", "a\\b", "a_b", "ab", "b", "ä:1", "ü"];
    for key in all.iter().rev() {
        store.put(key, b"", None).await.unwrap();
    }
    check(&store, "", &all).await;
    check(&store, "a", &all[..11]).await;
    check(&store, "a:", &["a:1", "a:10", "a:2"]).await;
    check(&store, "a:1", &["a:1", "a:10"]).await;
    for pattern in ["a%", "a*", "a?", "a[", "a\\", "a_"] {
        let same: Vec<&str> = all.into_iter().filter(|key| key.starts_with(pattern)).collect();
        check(&store, pattern, &same).await;
    }
    check(&store, "ä", &["ä:1"]).await;
    check(&store, "c", &[]).await;

    async fn check(store: &Shared, prefix: &str, keys: &[&str]) {
        assert_eq!(store.keys(prefix, beginning()).await.unwrap(), keys, "{prefix}");
    }
    assert_eq!(store.keys("a:", now + 9 * HOUR).await.unwrap().len(), 3);
}

async fn one_of_a_crowd_puts_a_new_value(store: Shared) {
    let now = beginning();
    let answers = each(&store, move |store, index| async move {
        let value = index.to_string();
        let won = store.put_new("key", value.as_bytes(), now, Some(now + HOUR)).await.unwrap();
        won.then_some(value)
    });
    let winners: Vec<String> = answers.await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(store.get("key", now).await.unwrap().as_deref(), Some(winners[0].as_bytes()));
}
