//! Places: so many at a time, given back or run out.

use twinlane_store::Millis;

use crate::crowd::each;
use crate::{HOUR, Shared, beginning};

pub(crate) async fn hold(fresh: &impl AsyncFn() -> Shared) {
    no_more_than_so_many_are_taken(fresh().await).await;
    a_place_is_renewed_under_its_lease(fresh().await).await;
    a_place_that_was_not_given_back_runs_out(fresh().await).await;
    giving_back_what_is_not_taken_is_no_error(fresh().await).await;
    a_crowd_takes_so_many_places_and_no_more(fresh().await).await;
}

async fn enter(store: &Shared, lease: &str, most: u64, now: Millis) -> bool {
    store.enter("streams", lease, most, now, now + HOUR).await.unwrap()
}

async fn leave(store: &Shared, lease: &str) {
    store.leave("streams", lease).await.unwrap();
}

async fn no_more_than_so_many_are_taken(store: Shared) {
    let now = beginning();
    assert!(!enter(&store, "nobody", 0, now).await);
    assert!(enter(&store, "a", 2, now).await);
    assert!(enter(&store, "b", 2, now).await);
    assert!(!enter(&store, "c", 2, now).await);
    assert!(store.enter("other", "c", 2, now, now + HOUR).await.unwrap());
    assert!(!enter(&store, "c", 2, now).await);
    leave(&store, "a").await;
    assert!(enter(&store, "c", 2, now).await);
    assert!(!enter(&store, "d", 2, now).await);
    assert!(enter(&store, "d", 3, now).await);
}

async fn a_place_is_renewed_under_its_lease(store: Shared) {
    let now = beginning();
    assert!(enter(&store, "a", 1, now).await);
    assert!(enter(&store, "a", 1, now + HOUR / 2).await, "it is there already");
    assert!(!enter(&store, "b", 1, now + HOUR).await, "the first end was put off");
    assert!(enter(&store, "b", 1, now + HOUR / 2 + HOUR).await);
    assert!(!enter(&store, "a", 1, now + HOUR / 2 + HOUR).await, "its own place is over");
    assert!(enter(&store, "c", 2, now + 2 * HOUR).await);
    assert!(enter(&store, "b", 1, now + 2 * HOUR).await, "renewed, although there are more than one by now");
}

async fn a_place_that_was_not_given_back_runs_out(store: Shared) {
    let now = beginning();
    assert!(enter(&store, "a", 1, now).await);
    assert!(!enter(&store, "b", 1, now + HOUR - 1).await);
    assert!(enter(&store, "b", 1, now + HOUR).await);
    assert!(!enter(&store, "c", 1, now + HOUR).await);
}

async fn giving_back_what_is_not_taken_is_no_error(store: Shared) {
    let now = beginning();
    leave(&store, "nobody").await;
    assert!(enter(&store, "a", 1, now).await);
    leave(&store, "b").await;
    assert!(!enter(&store, "c", 1, now).await);
    leave(&store, "a").await;
    leave(&store, "a").await;
    assert!(enter(&store, "c", 1, now).await);
    assert!(!enter(&store, "d", 1, now).await);
}

async fn a_crowd_takes_so_many_places_and_no_more(store: Shared) {
    let now = beginning();
    let answers = each(&store, move |store, index| async move {
        let lease = format!("lease {index}");
        enter(&store, &lease, 7, now).await.then_some(lease)
    });
    let taken: Vec<String> = answers.await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 7);
    for lease in taken {
        leave(&store, &lease).await;
    }
    assert!(enter(&store, "last", 1, now).await);
}
