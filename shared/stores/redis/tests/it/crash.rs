//! A server that is killed and started again under load: nothing that was answered is lost, nothing counts twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use twinlane_store::{Answer, Filter, Reserved};
use twinlane_store_conformance::Shared;

use crate::double::Double;
use crate::server::{Server, budget, meter, now, record, reservation};
use crate::{over_rest, over_tcp};

const CALLERS: usize = 8;
const LIMIT: u64 = 1_000_000;

/// What the callers know at the end.
#[derive(Default)]
struct Known {
    calls: usize,
    spent: u64,
    /// Attempts to spend without an answer, each of which may have counted.
    in_doubt: u64,
    failures: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_counts_twice_over_tcp() {
    let server = Arc::new(Server::start());
    check(over_tcp(&server), server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_counts_twice_over_tls() {
    let server = Arc::new(Server::with_tls());
    check(over_tcp(&server), server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_counts_twice_over_rest() {
    let server = Arc::new(Server::start());
    let double = Double::start(&server).await;
    check(over_rest(&double), server).await;
}

async fn check(store: Shared, server: Arc<Server>) {
    let (begun, over) = (now(), Arc::new(AtomicBool::new(false)));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call(store.clone(), caller, begun, over.clone()));
    }
    let killer = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(200));
            server.kill();
            std::thread::sleep(Duration::from_millis(50));
            server.start_again();
        }
        std::thread::sleep(Duration::from_millis(200));
        over.store(true, Ordering::Relaxed);
        server
    });
    let known = callers.join_all().await;
    let _server = killer.await.unwrap();
    let sum = |count: fn(&Known) -> usize| known.iter().map(count).sum::<usize>();
    assert!(sum(|known| known.failures) > 0, "no caller noticed any kill: no test");
    let calls = sum(|known| known.calls);
    assert_eq!(store.balance(&budget(begun), begun).await, Ok((5 * calls as u64, 0)));
    what_was_spent_counts_once_or_is_in_doubt(&store, &known, begun).await;
    what_was_kept_is_there_once(&store, calls).await;
}

/// A caller's calls: each sets aside, spends, settles and is recorded, and insists until it has an answer, but for
/// spending, which is asked for once.
async fn call(store: Shared, caller: usize, begun: u64, over: Arc<AtomicBool>) -> Known {
    let mut known = Known::default();
    while !over.load(Ordering::Relaxed) {
        let id = format!("{caller}-{}", known.calls);
        let (budget, reservation) = (budget(begun), reservation(&id, begun));
        let reserved = insist(&mut known, || store.reserve(&budget, &reservation, begun)).await;
        assert_eq!(reserved, Reserved::Granted);
        match store.spend(&[meter(LIMIT)], begun).await {
            Ok(_) => known.spent += 1,
            Err(_) => known.in_doubt += 1,
        }
        insist(&mut known, || store.settle(&budget, &id, 5, begun)).await;
        let record = record(&id, begun + known.calls as u64);
        insist(&mut known, || store.append(&record, None)).await;
        known.calls += 1;
    }
    known
}

async fn insist<'a, T>(known: &mut Known, act: impl Fn() -> Answer<'a, T>) -> T {
    for _ in 0..1000 {
        match act().await {
            Ok(answer) => return answer,
            Err(_) => known.failures += 1,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server never came back")
}

async fn what_was_spent_counts_once_or_is_in_doubt(store: &Shared, known: &[Known], begun: u64) {
    let meter = twinlane_store::Meter { cost: 0, ..meter(LIMIT) };
    let spent = LIMIT - store.spend(&[meter], begun).await.unwrap().standings[0].remaining;
    let sure: u64 = known.iter().map(|known| known.spent).sum();
    let in_doubt: u64 = known.iter().map(|known| known.in_doubt).sum();
    assert!(
        (sure..=sure + in_doubt).contains(&spent),
        "{spent}, where {sure} are sure and {in_doubt} in doubt"
    );
}

async fn what_was_kept_is_there_once(store: &Shared, calls: usize) {
    let page = store.records(&Filter::default(), None, 2 * calls).await.unwrap();
    let mut ids: Vec<String> = page.records.into_iter().map(|record| record.id).collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), all), (calls, calls));
}
