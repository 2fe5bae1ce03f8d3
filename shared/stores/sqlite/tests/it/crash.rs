//! A process that is killed under load: nothing that it was told is kept is lost, nothing is counted twice.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use twinlane_store::{Reservation, Store};
use twinlane_store_sqlite::Sqlite;

use crate::{budget, count, folder, meter, record};

/// How many calls are in flight at once.
const CALLS: usize = 16;
/// What is reserved for a call and what it spends in the end.
const ASIDE: u64 = 10;
const SPENT: u64 = 7;
/// In the folder of a child that is to be killed.
const FILE: &str = "crash.db";
/// More than the calls of all rounds.
const METER: u32 = 1_000_000;

/// What a call does. Each of its steps but `spend` may be done again.
async fn call(store: &Sqlite, id: &str) {
    let reservation = Reservation { id: id.to_owned(), amount: ASIDE, until: 1 << 40 };
    store.reserve(&budget(1 << 40), &reservation, 0).await.unwrap();
    store.settle(&budget(1 << 40), id, SPENT, 0).await.unwrap();
    store.append(&record(id), None).await.unwrap();
}

/// Makes calls until it is killed, and tells of each that is done, in one write.
async fn calls(store: Arc<Sqlite>, worker: usize, round: usize) {
    for number in 0.. {
        let id = format!("{round}-{worker}-{number}");
        store.spend(&[meter(METER)], 0).await.unwrap();
        call(&store, &id).await;
        std::io::stderr().write_all(format!("done {id}\n").as_bytes()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "this is the child that the test below kills; alone it has no file to work on and does nothing"]
async fn child() {
    if !Path::new(FILE).exists() {
        return;
    }
    let store = Arc::new(Sqlite::open(FILE.as_ref()).unwrap());
    let round = count(&store).await;
    let workers = (0..CALLS).map(|worker| tokio::spawn(calls(store.clone(), worker, round)));
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
}

fn start(folder: &Path) -> Child {
    let itself = env::current_exe().unwrap();
    let mut child = Command::new(itself);
    child.args(["crash::child", "--exact", "--ignored", "--nocapture"]).current_dir(folder);
    child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills a child after it has told of so many calls; all it has told of until it was dead.
fn kill_after(calls: usize, folder: &Path) -> Vec<String> {
    let mut child = start(folder);
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let done = |line: String| line.strip_prefix("done ").map(str::to_owned);
    let mut ids: Vec<String> = told.by_ref().filter_map(done).take(calls).collect();
    assert_eq!(ids.len(), calls, "the child ended by itself");
    child.kill().unwrap();
    ids.extend(told.filter_map(done));
    child.wait().unwrap();
    ids
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_was_told_and_counts_nothing_twice() {
    let folder = folder();
    let path = folder.join(FILE);
    drop(Sqlite::open(&path).unwrap());
    let mut done = Vec::new();
    for calls in [1, 300, 1000] {
        done.extend(kill_after(calls, &folder));
        let store = Sqlite::open(&path).unwrap();
        all_is_kept(&store, &done).await;
        no_more_is_spent_than_was_begun(&store, &done).await;
        doing_it_again_counts_nothing_twice(&store, &done).await;
    }
}

async fn all_is_kept(store: &Sqlite, done: &[String]) {
    for id in done {
        assert!(store.record(id).await.unwrap().is_some(), "{id} is lost");
    }
}

/// A call in flight may have been counted or not, once.
async fn no_more_is_spent_than_was_begun(store: &Sqlite, done: &[String]) {
    let rounds = 3;
    let mut look = meter(METER);
    look.cost = 0;
    let metered = u64::from(METER) - store.spend(&[look], 0).await.unwrap().standings[0].remaining;
    let (spent, aside) = store.balance(&budget(1 << 40), 0).await.unwrap();
    let (least, most) = (done.len() as u64, (done.len() + rounds * CALLS) as u64);
    assert!((least..=most).contains(&metered), "{metered} of {least} to {most}");
    assert!((least * SPENT..=most * SPENT).contains(&spent), "{spent} of {least} to {most} calls");
    assert_eq!(spent % SPENT, 0);
    assert!(aside <= (rounds * CALLS) as u64 * ASIDE, "{aside}");
}

async fn doing_it_again_counts_nothing_twice(store: &Sqlite, done: &[String]) {
    let before = (store.balance(&budget(1 << 40), 0).await.unwrap(), count(store).await);
    for id in done {
        call(store, id).await;
    }
    let after = (store.balance(&budget(1 << 40), 0).await.unwrap(), count(store).await);
    assert_eq!(before, after);
}
