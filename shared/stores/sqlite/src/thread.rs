//! The threads that talk to SQLite, which blocks. One writes, in the order it was asked, and puts what is queued into
//! one transaction, so that a busy gateway pays for a commit once per batch; some read, each by its own connection.

use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;
use twinlane_store::Unavailable;

use crate::open::unavailable;

/// The most operations in one transaction: what other processes wait for is a few milliseconds.
const BATCH: usize = 256;

/// Threads of one kind, and the queue they share.
pub(crate) struct Threads {
    queue: Option<Sender<Box<dyn Job>>>,
    running: Vec<JoinHandle<()>>,
}

impl Threads {
    /// The one that writes.
    pub(crate) fn writing(mut db: Connection) -> Result<Self, Unavailable> {
        let (queue, jobs) = mpsc::channel();
        let running = vec![spawn("sqlite-writer", move || write(&mut db, &jobs))?];
        Ok(Self { queue: Some(queue), running })
    }

    /// Those that read.
    pub(crate) fn reading(connections: Vec<Connection>) -> Result<Self, Unavailable> {
        let (queue, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let start = |db| {
            let jobs = jobs.clone();
            spawn("sqlite-reader", move || read(&db, &jobs))
        };
        let running = connections.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok(Self { queue: Some(queue), running })
    }

    /// Queues an operation and waits for its answer. One that is queued is done even if nobody waits any more.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let job = Asked { work: Some(work), result: None, answer };
        let queued = self.queue.as_ref().is_some_and(|queue| queue.send(Box::new(job)).is_ok());
        if !queued {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for Threads {
    /// Closes the queue and waits until it is done, so that the file is closed as it should be.
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.running.drain(..) {
            // A thread that panicked has nothing left to wait for; those who asked it were told.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

fn stopped() -> Unavailable {
    Unavailable("the thread that talks to SQLite has stopped".to_owned())
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Unavailable> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map_err(|error| Unavailable(format!("no thread for SQLite: {error}")))
}

/// An operation in a queue.
trait Job: Send {
    /// Does it; says whether it succeeded.
    fn run(&mut self, db: &Connection) -> bool;
    /// Answers who asked, once it is known whether what was done is kept.
    fn answer(self: Box<Self>, kept: Result<(), Unavailable>);
}

struct Asked<T, F> {
    work: Option<F>,
    result: Option<rusqlite::Result<T>>,
    answer: oneshot::Sender<Result<T, Unavailable>>,
}

impl<T, F> Job for Asked<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, db: &Connection) -> bool {
        self.result = self.work.take().map(|work| work(db));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, kept: Result<(), Unavailable>) {
        let answer = match (self.result, kept) {
            (Some(Err(error)), _) => Err(unavailable(error)),
            (_, Err(lost)) => Err(lost),
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (None, Ok(())) => Err(stopped()),
        };
        // Who asked may have gone.
        drop(self.answer.send(answer));
    }
}

fn read(db: &Connection, jobs: &Mutex<Receiver<Box<dyn Job>>>) {
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(mut job) = next() {
        job.run(db);
        job.answer(Ok(()));
    }
}

fn write(db: &mut Connection, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        let kept = commit(db, &mut batch);
        for job in batch {
            job.answer(kept.clone());
        }
    }
}

/// Does a batch in one transaction. An operation that fails is undone alone; where SQLite has undone everything, for
/// want of space or memory, nothing of the batch is kept.
fn commit(db: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<(), Unavailable> {
    let mut transaction =
        db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    for job in batch {
        run_alone(&mut transaction, job.as_mut()).map_err(unavailable)?;
        if transaction.is_autocommit() {
            return Err(Unavailable("SQLite has undone a transaction".to_owned()));
        }
    }
    transaction.commit().map_err(unavailable)
}

fn run_alone(transaction: &mut Transaction<'_>, job: &mut dyn Job) -> rusqlite::Result<()> {
    let one = transaction.savepoint()?;
    if job.run(&one) { one.commit() } else { one.finish() }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::Threads;

    #[tokio::test]
    async fn an_operation_that_fails_is_undone_and_the_others_are_kept() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").unwrap();
        let writer = Threads::writing(db).unwrap();
        let insert = |n: i64, again: i64| {
            writer.ask(move |db| {
                db.execute("INSERT INTO t VALUES (?)", [n])?;
                db.execute("INSERT INTO t VALUES (?)", [again])
            })
        };
        let (good, bad, other) = tokio::join!(insert(1, 2), insert(3, 3), insert(4, 5));
        assert!(good.is_ok() && other.is_ok());
        assert!(bad.unwrap_err().0.contains("UNIQUE"));
        let sum = writer.ask(|db| db.query_row("SELECT sum(n) FROM t", [], |row| row.get::<_, i64>(0)));
        assert_eq!(sum.await.unwrap(), 12);
    }

    #[tokio::test]
    async fn where_sqlite_undoes_a_batch_nobody_is_told_otherwise() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").unwrap();
        let writer = Threads::writing(db).unwrap();
        let insert = |n: i64| writer.ask(move |db| db.execute("INSERT INTO t VALUES (?)", [n]));
        // Holds the writer back until the three behind it are one batch.
        let (release, released) = std::sync::mpsc::channel();
        let held = writer.ask(move |_| {
            released.recv().unwrap();
            Ok(())
        });
        let undone = writer.ask(|db| db.execute_batch("ROLLBACK; this is no SQL"));
        let (_, before, undone, after, ()) = tokio::join!(held, insert(1), undone, insert(2), async {
            release.send(()).unwrap();
        });
        assert!(before.is_err() && undone.is_err() && after.is_err());
        let count = writer.ask(|db| db.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
        assert_eq!(count.await.unwrap(), 0);
        assert!(insert(3).await.is_ok());
    }
}
