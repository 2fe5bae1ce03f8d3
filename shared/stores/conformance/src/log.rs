//! The usage log: kept once, read newest first, a page at a time.

use serde_json::{Map, Value};
use twinlane_store::{Filter, Millis, UsageRecord};

use crate::crowd::{CROWD, each};
use crate::{HOUR, Shared, beginning};

pub(crate) async fn hold(fresh: &impl AsyncFn() -> Shared) {
    a_record_comes_back_as_it_was(fresh().await).await;
    a_record_is_kept_once(fresh().await).await;
    records_come_newest_first_over_pages(fresh().await).await;
    every_filter_filters(fresh().await).await;
    filters_go_with_pages(fresh().await).await;
    what_comes_in_between_pages_moves_nothing(fresh().await).await;
    a_crowd_appends_everything_once(fresh().await).await;
}

/// A record with the least in it.
pub(crate) fn plain(id: &str, time: Millis) -> UsageRecord {
    UsageRecord { id: id.to_owned(), time, status: 200, ..UsageRecord::default() }
}

async fn append(store: &Shared, record: &UsageRecord) {
    store.append(record, Some(beginning() + 9 * HOUR)).await.unwrap();
}

/// All records, page by page. A page may be the last without saying so; then one that is empty follows.
pub(crate) async fn all(store: &Shared, filter: &Filter, most: usize) -> Vec<UsageRecord> {
    let (mut records, mut after) = (Vec::new(), None);
    loop {
        let page = store.records(filter, after.as_ref(), most).await.unwrap();
        assert!(page.records.len() <= most, "a page of {} is larger than {most}", page.records.len());
        records.extend(page.records);
        after = page.next;
        if after.is_none() {
            return records;
        }
    }
}

async fn ids(store: &Shared, filter: &Filter, most: usize) -> Vec<String> {
    all(store, filter, most).await.into_iter().map(|record| record.id).collect()
}

async fn a_record_comes_back_as_it_was(store: Shared) {
    let rest = serde_json::json!({
        "provider": "openai", "lane": "edge", "attempts": 2, "cost": 1250, "cut": false, "tokens": {"in": 3, "out": null},
        "note": "naïve \"quoted\"\n\u{1F600}", "share": 0.5, "list": [1, "two"],
    });
    let Value::Object(rest) = rest else { panic!("an object") };
    let some = |text: &str| Some(text.to_owned());
    let (token, session, service, model) = (some("alice"), some("s-1"), some("openai"), some("gpt-ü"));
    let full = UsageRecord {
        id: "1".to_owned(),
        time: beginning(),
        token,
        session,
        service,
        model,
        status: 429,
        rest: rest.into(),
    };
    let plain = plain("2", beginning());
    for record in [full, plain] {
        append(&store, &record).await;
        assert_eq!(store.record(&record.id).await.unwrap(), Some(record.clone()));
        let only = Filter { status: Some(record.status), ..Filter::default() };
        assert_eq!(all(&store, &only, 10).await, [record]);
    }
    assert_eq!(store.record("3").await.unwrap(), None);
}

async fn a_record_is_kept_once(store: Shared) {
    let now = beginning();
    let first = plain("1", now);
    append(&store, &first).await;
    append(&store, &first).await;
    append(&store, &UsageRecord { status: 500, ..plain("1", now + 1) }).await;
    assert_eq!(all(&store, &Filter::default(), 10).await, std::slice::from_ref(&first));
    assert_eq!(store.record("1").await.unwrap(), Some(first));
}

/// Twenty-five records of seven milliseconds: the pages end within one millisecond as well as between two.
async fn records_come_newest_first_over_pages(store: Shared) {
    let now = beginning();
    for index in (0..25).rev() {
        append(&store, &plain(&format!("id-{index:02}"), now + index / 4)).await;
    }
    let newest_first: Vec<String> = (0..25).rev().map(|index| format!("id-{index:02}")).collect();
    for most in [1, 3, 4, 24, 25, 26, 100] {
        assert_eq!(ids(&store, &Filter::default(), most).await, newest_first, "{most} a page");
    }
}

async fn every_filter_filters(store: Shared) {
    let now = beginning();
    let some = |text: &str| Some(text.to_owned());
    append(&store, &plain("0", now)).await;
    append(&store, &UsageRecord { token: some("alice"), ..plain("1", now + 1) }).await;
    append(&store, &UsageRecord { session: some("alice"), ..plain("2", now + 2) }).await;
    append(&store, &UsageRecord { service: some("openai"), ..plain("3", now + 3) }).await;
    append(&store, &UsageRecord { model: some("gpt"), service: some("openai"), ..plain("4", now + 4) }).await;
    append(&store, &UsageRecord { status: 502, model: some("gpt"), ..plain("5", now + 5) }).await;
    let any = Filter::default;
    check(&store, any(), &["5", "4", "3", "2", "1", "0"]).await;
    check(&store, Filter { token: some("alice"), ..any() }, &["1"]).await;
    check(&store, Filter { session: some("alice"), ..any() }, &["2"]).await;
    check(&store, Filter { service: some("openai"), ..any() }, &["4", "3"]).await;
    check(&store, Filter { model: some("gpt"), ..any() }, &["5", "4"]).await;
    check(&store, Filter { status: Some(502), ..any() }, &["5"]).await;
    check(&store, Filter { model: some("gpt"), status: Some(200), ..any() }, &["4"]).await;
    check(&store, Filter { token: some("bob"), ..any() }, &[]).await;
    check(&store, Filter { from: Some(now + 4), ..any() }, &["5", "4"]).await;
    check(&store, Filter { to: Some(now + 2), ..any() }, &["1", "0"]).await;
    check(&store, Filter { from: Some(now + 2), to: Some(now + 3), ..any() }, &["2"]).await;
    check(&store, Filter { from: Some(now + 3), to: Some(now + 3), ..any() }, &[]).await;
    check(&store, Filter { from: Some(now + 4), service: some("openai"), ..any() }, &["4"]).await;

    async fn check(store: &Shared, filter: Filter, wanted: &[&str]) {
        assert_eq!(ids(store, &filter, 4).await, wanted, "{filter:?}");
    }
}

async fn filters_go_with_pages(store: Shared) {
    let now = beginning();
    for index in 0..30 {
        let token = Some(["alice", "bob", "carol"][index % 3].to_owned());
        append(&store, &UsageRecord { token, ..plain(&format!("{index:02}"), now + index as Millis / 2) })
            .await;
    }
    let bob = Filter { token: Some("bob".to_owned()), ..Filter::default() };
    let bobs: Vec<String> = (0..10).rev().map(|index| format!("{:02}", 3 * index + 1)).collect();
    for most in [1, 2, 5, 10, 11] {
        assert_eq!(ids(&store, &bob, most).await, bobs, "{most} a page");
    }
}

async fn what_comes_in_between_pages_moves_nothing(store: Shared) {
    let now = beginning();
    for index in 0..4 {
        append(&store, &plain(&format!("old {index}"), now + index)).await;
    }
    let first = store.records(&Filter::default(), None, 2).await.unwrap();
    append(&store, &plain("new", now + 9)).await;
    let second = store.records(&Filter::default(), first.next.as_ref(), 2).await.unwrap();
    let seen: Vec<String> = first.records.into_iter().chain(second.records).map(|record| record.id).collect();
    assert_eq!(seen, ["old 3", "old 2", "old 1", "old 0"]);
}

async fn a_crowd_appends_everything_once(store: Shared) {
    let now = beginning();
    let answers = each(&store, move |store, index| async move {
        let rest = Map::from_iter([("attempts".to_owned(), Value::from(index))]);
        append(&store, &UsageRecord { rest: rest.into(), ..plain(&format!("{:03}", index / 2), now) }).await;
    });
    answers.await;
    let kept = ids(&store, &Filter::default(), 17).await;
    let wanted: Vec<String> = (0..CROWD / 2).rev().map(|index| format!("{index:03}")).collect();
    assert_eq!(kept, wanted);
}
