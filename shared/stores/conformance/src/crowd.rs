//! Many callers at the same time.

use tokio::task::JoinSet;

use crate::Shared;

/// How many come at once.
pub(crate) const CROWD: usize = 200;

/// What each of a crowd is answered, in no order. Outside a multi-threaded runtime the crowd takes turns.
pub(crate) async fn each<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    store: &Shared,
    act: impl Fn(Shared, usize) -> F,
) -> Vec<T> {
    let mut crowd = JoinSet::new();
    for index in 0..CROWD {
        crowd.spawn(act(store.clone(), index));
    }
    crowd.join_all().await
}
