//! Meters: spending from several, or from none, and correcting.

use std::time::Duration;

use twinlane_store::{Meter, Millis, Standing, Verdict};

use crate::crowd::{CROWD, each};
use crate::{HOUR, Shared, beginning};

pub(crate) async fn hold(fresh: &impl AsyncFn() -> Shared) {
    a_meter_is_spent_at_once_and_fills_evenly(fresh().await).await;
    where_one_meter_has_not_enough_nothing_is_spent(fresh().await).await;
    the_first_meter_that_has_not_enough_is_named(fresh().await).await;
    more_than_the_limit_is_never_granted(fresh().await).await;
    nothing_to_spend_is_granted(fresh().await).await;
    a_correction_goes_both_ways_and_never_beyond_full(fresh().await).await;
    a_crowd_spends_what_is_left_and_no_more(fresh().await).await;
    a_crowd_with_several_meters_spends_all_or_none(fresh().await).await;
}

/// A meter of `limit` units an hour.
fn meter(key: &str, limit: u64, cost: u64) -> Meter {
    Meter { key: key.to_owned(), limit, period: Duration::from_millis(HOUR), cost }
}

async fn spend(store: &Shared, meters: &[Meter], now: Millis) -> Verdict {
    store.spend(meters, now).await.unwrap()
}

async fn remaining(store: &Shared, key: &str, limit: u64, now: Millis) -> u64 {
    spend(store, &[meter(key, limit, 0)], now).await.standings[0].remaining
}

async fn a_meter_is_spent_at_once_and_fills_evenly(store: Shared) {
    let now = beginning();
    let all = spend(&store, &[meter("a", 60, 60)], now).await;
    let empty = Standing { remaining: 0, reset: Duration::from_millis(HOUR) };
    assert_eq!(all, Verdict { standings: vec![empty], refused: None });
    let more = spend(&store, &[meter("a", 60, 1)], now).await;
    assert_eq!(more, Verdict { standings: vec![empty], refused: Some((0, Duration::from_secs(60))) });
    let later = spend(&store, &[meter("a", 60, 1)], now + 60_000).await;
    assert_eq!(later, Verdict { standings: vec![empty], refused: None });
    assert_eq!(remaining(&store, "a", 60, now + HOUR / 2).await, 29);
    assert_eq!(remaining(&store, "a", 60, now + 3 * HOUR).await, 60);
}

async fn where_one_meter_has_not_enough_nothing_is_spent(store: Shared) {
    let now = beginning();
    assert_eq!(spend(&store, &[meter("small", 1, 1)], now).await.refused, None);
    let both = spend(&store, &[meter("large", 10, 3), meter("small", 1, 1)], now).await;
    assert_eq!(both.refused, Some((1, Duration::from_millis(HOUR))));
    assert_eq!(both.standings[0], Standing { remaining: 10, reset: Duration::ZERO });
    assert_eq!(spend(&store, &[meter("large", 10, 10)], now).await.refused, None);
}

async fn the_first_meter_that_has_not_enough_is_named(store: Shared) {
    let now = beginning();
    let three = [meter("a", 4, 4), meter("b", 2, 2), meter("c", 1, 1)];
    let granted = spend(&store, &three, now).await;
    assert_eq!(granted.refused, None);
    assert_eq!(granted.standings.len(), 3);
    let again = [meter("d", 4, 4), meter("b", 2, 2), meter("c", 1, 1)];
    assert_eq!(spend(&store, &again, now).await.refused, Some((1, Duration::from_millis(HOUR))));
}

async fn more_than_the_limit_is_never_granted(store: Shared) {
    let verdict = spend(&store, &[meter("a", 5, 6)], beginning()).await;
    assert_eq!(verdict.refused, Some((0, Duration::MAX)));
    assert_eq!(verdict.standings[0].remaining, 5);
}

async fn nothing_to_spend_is_granted(store: Shared) {
    let nothing = Verdict { standings: Vec::new(), refused: None };
    assert_eq!(spend(&store, &[], beginning()).await, nothing);
}

async fn a_correction_goes_both_ways_and_never_beyond_full(store: Shared) {
    let now = beginning();
    spend(&store, &[meter("a", 60, 10)], now).await;
    let of = meter("a", 60, 0);
    store.correct(&of, 30, now).await.unwrap();
    assert_eq!(remaining(&store, "a", 60, now).await, 20);
    store.correct(&of, -15, now).await.unwrap();
    assert_eq!(remaining(&store, "a", 60, now).await, 35);
    store.correct(&of, -1000, now).await.unwrap();
    assert_eq!(remaining(&store, "a", 60, now).await, 60);
    store.correct(&of, 61, now).await.unwrap();
    let over = spend(&store, &[meter("a", 60, 1)], now).await;
    assert_eq!(over.refused, Some((0, Duration::from_secs(120))));
    store.correct(&meter("b", 60, 0), 5, now).await.unwrap();
    assert_eq!(remaining(&store, "b", 60, now).await, 55);
    store.correct(&meter("c", 60, 0), -5, now).await.unwrap();
    assert_eq!(remaining(&store, "c", 60, now).await, 60);
}

async fn a_crowd_spends_what_is_left_and_no_more(store: Shared) {
    let now = beginning();
    spend(&store, &[meter("a", 100, 50)], now).await;
    let answers = each(&store, move |store, _| async move {
        spend(&store, &[meter("a", 100, 1)], now).await.refused.is_none()
    });
    assert_eq!(answers.await.into_iter().filter(|granted| *granted).count(), 50);
}

/// Half of the crowd names its meters the other way round, on which an engine that locks them in turn would hang.
async fn a_crowd_with_several_meters_spends_all_or_none(store: Shared) {
    let now = beginning();
    let answers = each(&store, move |store, index| async move {
        let own = ["left", "right"][index % 2];
        let mut meters = [meter("all", 10 * CROWD as u64, 1), meter(own, 20, 1)];
        if index % 4 < 2 {
            meters.reverse();
        }
        spend(&store, &meters, now).await.refused.is_none()
    });
    assert_eq!(answers.await.into_iter().filter(|granted| *granted).count(), 40);
    assert_eq!(remaining(&store, "all", 10 * CROWD as u64, now).await, 10 * CROWD as u64 - 40);
}
