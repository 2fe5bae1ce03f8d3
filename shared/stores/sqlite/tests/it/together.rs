//! Several engines on one file: to SQLite, connections of one process are as strange to each other as processes are.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use tokio::task::JoinSet;
use twinlane_store::{Reservation, Reserved, Store};
use twinlane_store_sqlite::Sqlite;

use crate::{budget, count, folder, meter, record};

const ENGINES: usize = 4;

#[test]
fn many_may_make_the_file_at_once() {
    for _ in 0..10 {
        let path = folder().join("store.db");
        thread::scope(|scope| {
            let opening = [0; 2 * ENGINES].map(|_| scope.spawn(|| Sqlite::open(&path).map(drop)));
            for opened in opening {
                opened.join().unwrap().unwrap();
            }
        });
    }
}

fn engines(path: &Path) -> Vec<Arc<Sqlite>> {
    (0..ENGINES).map(|_| Arc::new(Sqlite::open(path).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn they_share_every_limit() {
    let engines = engines(&folder().join("store.db"));
    let mut crowd = JoinSet::new();
    for index in 0..400 {
        let store = engines[index % ENGINES].clone();
        crowd.spawn(async move {
            let reservation = Reservation { id: index.to_string(), amount: 10, until: 1 << 50 };
            let reserved = store.reserve(&budget(700), &reservation, 0).await.unwrap();
            let spent = store.spend(&[meter(90)], 0).await.unwrap().refused.is_none();
            let entered = store.enter("streams", &index.to_string(), 50, 0, 10).await.unwrap();
            store.append(&record(&(index / 2).to_string()), None).await.unwrap();
            [reserved == Reserved::Granted, spent, entered]
        });
    }
    let answers = crowd.join_all().await;
    let granted = [0, 1, 2].map(|what| answers.iter().filter(|answer| answer[what]).count());
    assert_eq!(granted, [70, 90, 50]);
    for store in &engines {
        assert_eq!(store.balance(&budget(700), 0).await.unwrap(), (0, 700));
        assert_eq!(count(store).await, 200);
    }
}

#[tokio::test]
async fn what_one_was_told_is_kept_the_other_sees() {
    let engines = engines(&folder().join("store.db"));
    for index in 0..100 {
        let value = [index];
        engines[0].put("key", &value, None).await.unwrap();
        assert_eq!(engines[1].get("key", 0).await.unwrap().as_deref(), Some(&value[..]));
    }
}
