//! Budgets: set aside, settled once, free again.

use twinlane_store::{Budget, Millis, Reservation, Reserved};

use crate::crowd::each;
use crate::{HOUR, Shared, beginning};

pub(crate) async fn hold(fresh: &impl AsyncFn() -> Shared) {
    what_is_set_aside_stays_within_the_limit(fresh().await).await;
    reserving_again_changes_nothing(fresh().await).await;
    a_reservation_is_settled_once(fresh().await).await;
    a_settled_call_does_not_set_aside_again(fresh().await).await;
    more_may_be_spent_than_was_set_aside(fresh().await).await;
    what_was_never_reserved_is_not_settled(fresh().await).await;
    what_nobody_settled_is_free_again_and_may_be_settled_late(fresh().await).await;
    budgets_are_apart(fresh().await).await;
    a_crowd_sets_aside_what_is_there_and_no_more(fresh().await).await;
    a_crowd_settles_once(fresh().await).await;
}

/// Much longer than any case.
const MONTH: Millis = 30 * 24 * HOUR;

fn budget(key: &str, limit: u64, now: Millis) -> Budget {
    Budget { key: key.to_owned(), limit, until: now + MONTH }
}

async fn reserve(store: &Shared, budget: &Budget, id: &str, amount: u64, now: Millis) -> Reserved {
    let reservation = Reservation { id: id.to_owned(), amount, until: now + HOUR };
    store.reserve(budget, &reservation, now).await.unwrap()
}

async fn settle(store: &Shared, budget: &Budget, id: &str, spent: u64, now: Millis) {
    store.settle(budget, id, spent, now).await.unwrap();
}

async fn is(store: &Shared, budget: &Budget, now: Millis, balance: (u64, u64)) {
    assert_eq!(store.balance(budget, now).await.unwrap(), balance);
}

async fn what_is_set_aside_stays_within_the_limit(store: Shared) {
    let now = beginning();
    let b = budget("usd", 100, now);
    is(&store, &b, now, (0, 0)).await;
    assert_eq!(reserve(&store, &b, "1", 60, now).await, Reserved::Granted);
    assert_eq!(reserve(&store, &b, "2", 41, now).await, Reserved::Exceeded { left: 40 });
    is(&store, &b, now, (0, 60)).await;
    assert_eq!(reserve(&store, &b, "2", 40, now).await, Reserved::Granted);
    is(&store, &b, now, (0, 100)).await;
    assert_eq!(reserve(&store, &b, "3", 0, now).await, Reserved::Granted);
    let lowered = budget("usd", 50, now);
    assert_eq!(reserve(&store, &lowered, "4", 1, now).await, Reserved::Exceeded { left: 0 });
    let raised = budget("usd", 101, now);
    assert_eq!(reserve(&store, &raised, "4", 1, now).await, Reserved::Granted);
}

async fn reserving_again_changes_nothing(store: Shared) {
    let now = beginning();
    let b = budget("usd", 100, now);
    assert_eq!(reserve(&store, &b, "1", 80, now).await, Reserved::Granted);
    assert_eq!(reserve(&store, &b, "1", 80, now).await, Reserved::Granted);
    assert_eq!(reserve(&store, &b, "1", 20, now + HOUR / 2).await, Reserved::Granted);
    is(&store, &b, now, (0, 80)).await;
    is(&store, &b, now + HOUR, (0, 0)).await;
}

async fn a_reservation_is_settled_once(store: Shared) {
    let now = beginning();
    let b = budget("usd", 100, now);
    reserve(&store, &b, "1", 80, now).await;
    reserve(&store, &b, "2", 20, now).await;
    settle(&store, &b, "1", 30, now).await;
    is(&store, &b, now, (30, 20)).await;
    settle(&store, &b, "1", 30, now).await;
    settle(&store, &b, "1", 70, now + HOUR / 2).await;
    is(&store, &b, now, (30, 20)).await;
    settle(&store, &b, "2", 0, now).await;
    is(&store, &b, now, (30, 0)).await;
    assert_eq!(reserve(&store, &b, "3", 71, now).await, Reserved::Exceeded { left: 70 });
    assert_eq!(reserve(&store, &b, "3", 70, now).await, Reserved::Granted);
}

async fn a_settled_call_does_not_set_aside_again(store: Shared) {
    let now = beginning();
    let b = budget("usd", 100, now);
    reserve(&store, &b, "1", 80, now).await;
    settle(&store, &b, "1", 100, now).await;
    assert_eq!(reserve(&store, &b, "1", 80, now).await, Reserved::Granted);
    is(&store, &b, now, (100, 0)).await;
}

async fn more_may_be_spent_than_was_set_aside(store: Shared) {
    let now = beginning();
    let b = budget("usd", 100, now);
    reserve(&store, &b, "1", 1, now).await;
    settle(&store, &b, "1", 250, now).await;
    is(&store, &b, now, (250, 0)).await;
    assert_eq!(reserve(&store, &b, "2", 1, now).await, Reserved::Exceeded { left: 0 });
}

async fn what_was_never_reserved_is_not_settled(store: Shared) {
    let now = beginning();
    let b = budget("usd", 100, now);
    settle(&store, &b, "1", 30, now).await;
    is(&store, &b, now, (0, 0)).await;
    reserve(&store, &b, "2", 10, now).await;
    settle(&store, &b, "1", 30, now).await;
    is(&store, &b, now, (0, 10)).await;
}

async fn what_nobody_settled_is_free_again_and_may_be_settled_late(store: Shared) {
    let now = beginning();
    let b = budget("usd", 100, now);
    reserve(&store, &b, "1", 100, now).await;
    let before = now + HOUR - 1;
    assert_eq!(reserve(&store, &b, "2", 10, before).await, Reserved::Exceeded { left: 0 });
    is(&store, &b, before, (0, 100)).await;
    let over = now + HOUR;
    is(&store, &b, over, (0, 0)).await;
    assert_eq!(reserve(&store, &b, "2", 60, over).await, Reserved::Granted);
    store.sweep(over).await.unwrap();
    settle(&store, &b, "1", 100, over).await;
    is(&store, &b, over, (100, 60)).await;
    store.sweep(over).await.unwrap();
    settle(&store, &b, "1", 100, over).await;
    is(&store, &b, over, (100, 60)).await;
}

async fn budgets_are_apart(store: Shared) {
    let now = beginning();
    let (a, b) = (budget("a", 10, now), budget("b", 10, now));
    reserve(&store, &a, "1", 10, now).await;
    assert_eq!(reserve(&store, &b, "1", 9, now).await, Reserved::Granted);
    settle(&store, &a, "1", 5, now).await;
    is(&store, &a, now, (5, 0)).await;
    is(&store, &b, now, (0, 9)).await;
}

async fn a_crowd_sets_aside_what_is_there_and_no_more(store: Shared) {
    let now = beginning();
    let answers = each(&store, move |store, index| async move {
        reserve(&store, &budget("usd", 500, now), &format!("call {index}"), 10, now).await
    });
    let granted = answers.await.into_iter().filter(|answer| *answer == Reserved::Granted).count();
    assert_eq!(granted, 50);
    is(&store, &budget("usd", 500, now), now, (0, 500)).await;
}

async fn a_crowd_settles_once(store: Shared) {
    let now = beginning();
    let b = budget("usd", 500, now);
    reserve(&store, &b, "1", 10, now).await;
    let answers = each(&store, move |store, _| async move {
        settle(&store, &budget("usd", 500, now), "1", 7, now).await;
    });
    answers.await;
    is(&store, &b, now, (7, 0)).await;
}
