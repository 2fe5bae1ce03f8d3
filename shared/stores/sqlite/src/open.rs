//! Opening a file: the settings of a connection, and the words for what is wrong with a file.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use twinlane_store::Unavailable;

use crate::schema::{self, Found};

/// How long a process waits for another that is writing. A transaction takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The statements that a connection keeps prepared: all there are, with the usual filters of the log.
const PREPARED: usize = 64;

/// A connection to a file that has our schema by then.
pub(crate) fn file(path: &Path) -> Result<Connection, Unavailable> {
    keep_private(path);
    first_connection(path).map_err(|problem| Unavailable(format!("{}: {problem}", path.display())))
}

/// A connection to a database that nobody else sees and that ends with it.
pub(crate) fn memory() -> Result<Connection, Unavailable> {
    let open = || {
        let mut db = Connection::open_in_memory()?;
        settle(&db)?;
        schema::migrate(&mut db)?;
        Ok(db)
    };
    open().map_err(unavailable)
}

/// One more connection to a file that is open already.
pub(crate) fn another(path: &Path) -> Result<Connection, Unavailable> {
    let open = || {
        let db = connect(path)?;
        settle(&db)?;
        db.pragma_update(None, "query_only", true)?;
        Ok(db)
    };
    open().map_err(unavailable)
}

/// What an error of SQLite means to those who run the gateway.
#[allow(clippy::needless_pass_by_value, reason = "it is what map_err wants")]
pub(crate) fn unavailable(error: rusqlite::Error) -> Unavailable {
    Unavailable(words(&error))
}

fn first_connection(path: &Path) -> Result<Connection, String> {
    let told = |error: rusqlite::Error| words(&error);
    let mut db = connect(path).map_err(told)?;
    usable(&look(&mut db).map_err(told)?)?;
    settle(&db).map_err(told)?;
    usable(&schema::migrate(&mut db).map_err(told)?)?;
    Ok(db)
}

fn usable(found: &Found) -> Result<(), String> {
    match found {
        Found::Ours(_) => Ok(()),
        Found::Foreign => Err(FOREIGN.to_owned()),
        Found::Newer(version) => Err(newer(*version)),
    }
}

/// Looks at a file of one moment, since another process may be making it.
fn look(db: &mut Connection) -> rusqlite::Result<Found> {
    let moment = db.transaction()?;
    schema::look(&moment)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(PATIENCE)?;
    Ok(db)
}

/// With a write-ahead log, readers and the writer do not wait for each other, and a commit needs no `fsync`: a process
/// that is killed loses nothing it committed, a machine that loses power may lose the last moments, and neither
/// damages the file.
fn settle(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(PREPARED);
    write_ahead(db)?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)
}

/// SQLite answers busy at once, not after the timeout, when two processes change the mode of a new file together.
fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            changed => return changed,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// A new file is for its owner alone: the log tells who called what. Where it cannot be made, SQLite says why.
#[cfg(unix)]
fn keep_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt;
    let new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    drop(new);
}

#[cfg(not(unix))]
fn keep_private(_: &Path) {}

const FOREIGN: &str = "this is the database of another program; set another file for the store";

fn newer(version: i64) -> String {
    let known = schema::known();
    format!(
        "a later Twinlane wrote this file (its schema is {version}, this one knows {known}); run that one, or update \
         this one with `git pull && cargo run`, or set another file for the store"
    )
}

fn words(error: &rusqlite::Error) -> String {
    let what_to_do = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => {
            "it cannot be opened or made; does its folder exist, and may we write there?"
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "it is not a SQLite database, or it is damaged; `sqlite3 FILE .recover` saves what is left, and without \
             the file the store begins anew"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "it may not be written; check its owner and its folder's"
        }
        Some(ErrorCode::DiskFull) => "the disk is full",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process keeps it locked",
        _ => return format!("SQLite: {error}"),
    };
    format!("{what_to_do} (SQLite: {error})")
}
