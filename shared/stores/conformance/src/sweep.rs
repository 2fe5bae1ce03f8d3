//! For engines that forget only when they are swept, and that are near enough to be asked a lot.

use twinlane_store::Filter;

use crate::log::{all, plain};
use crate::{HOUR, Shared, beginning};

/// Panics unless the engine forgets what has run out when it is swept, and keeps the rest; and unless it lists ten
/// thousand keys and no more.
pub async fn sweeps(fresh: impl AsyncFn() -> Shared) {
    records_that_have_run_out_are_forgotten(fresh().await).await;
    a_swept_record_may_be_kept_again(fresh().await).await;
    values_that_have_not_run_out_stay(fresh().await).await;
    ten_thousand_keys_are_listed_at_most(fresh().await).await;
}

async fn records_that_have_run_out_are_forgotten(store: Shared) {
    let now = beginning();
    for (id, until) in [("short", Some(now + HOUR)), ("long", Some(now + 2 * HOUR)), ("ever", None)] {
        store.append(&plain(id, now), until).await.unwrap();
    }
    check(&store, now + HOUR - 1, &["short", "long", "ever"]).await;
    check(&store, now + HOUR, &["long", "ever"]).await;
    check(&store, now + 9 * HOUR, &["ever"]).await;

    async fn check(store: &Shared, now: u64, wanted: &[&str]) {
        store.sweep(now).await.unwrap();
        let mut left: Vec<String> =
            all(store, &Filter::default(), 10).await.into_iter().map(|record| record.id).collect();
        left.sort_by_key(|id| ["short", "long", "ever"].iter().position(|name| name == id));
        assert_eq!(left, wanted);
    }
    assert_eq!(store.record("short").await.unwrap(), None);
}

async fn a_swept_record_may_be_kept_again(store: Shared) {
    let now = beginning();
    store.append(&plain("1", now), Some(now + HOUR)).await.unwrap();
    store.sweep(now + HOUR).await.unwrap();
    store.append(&plain("1", now + 1), None).await.unwrap();
    assert_eq!(all(&store, &Filter::default(), 10).await, [plain("1", now + 1)]);
}

async fn values_that_have_not_run_out_stay(store: Shared) {
    let now = beginning();
    store.put("short", b"", Some(now + HOUR)).await.unwrap();
    store.put("long", b"", Some(now + 2 * HOUR)).await.unwrap();
    store.put("ever", b"", None).await.unwrap();
    store.sweep(now + HOUR).await.unwrap();
    assert_eq!(store.keys("", now).await.unwrap(), ["ever", "long"]);
}

async fn ten_thousand_keys_are_listed_at_most(store: Shared) {
    let now = beginning();
    for index in 0..10_001 {
        store.put(&format!("key {index:05}"), b"", None).await.unwrap();
    }
    let keys = store.keys("key ", now).await.unwrap();
    assert_eq!(keys.len(), 10_000);
    assert_eq!(keys.last().unwrap(), "key 09999");
}
