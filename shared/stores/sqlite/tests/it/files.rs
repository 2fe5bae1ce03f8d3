//! What kinds of file there are, and what is said of those that cannot be used.

use std::path::Path;

use rusqlite::Connection;
use twinlane_store::{Store, Unavailable};
use twinlane_store_sqlite::Sqlite;

use crate::{count, folder, record};

fn refusal(path: &Path) -> String {
    let Unavailable(words) = Sqlite::open(path).map(drop).unwrap_err();
    assert!(words.starts_with(&path.display().to_string()), "{words}");
    words
}

#[tokio::test]
async fn what_was_kept_is_there_when_it_is_opened_again() {
    let path = folder().join("store.db");
    let store = Sqlite::open(&path).unwrap();
    store.append(&record("1"), None).await.unwrap();
    store.put("key", b"value", None).await.unwrap();
    drop(store);
    assert!(!path.with_extension("db-wal").exists(), "the file was closed as it should be");
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.record("1").await.unwrap(), Some(record("1")));
    assert_eq!(store.get("key", 0).await.unwrap().as_deref(), Some(&b"value"[..]));
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let path = folder().join("store.db");
    let _store = Sqlite::open(&path).unwrap();
    for file in [path.clone(), path.with_extension("db-wal")] {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

/// A file as the first version of the schema left it.
fn of_the_first_version(path: &Path) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(include_str!("../../src/schema/1-limits-and-values.sql")).unwrap();
    db.execute_batch("PRAGMA application_id = 0x54774C6E; PRAGMA user_version = 1").unwrap();
    db.execute("INSERT INTO kept_values VALUES ('key', x'01', NULL)", []).unwrap();
}

#[tokio::test]
async fn an_older_schema_is_migrated_when_it_is_opened() {
    let path = folder().join("store.db");
    of_the_first_version(&path);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.get("key", 0).await.unwrap(), Some(vec![1]));
    store.append(&record("1"), None).await.unwrap();
    assert_eq!(count(&store).await, 1);
}

#[test]
fn a_newer_schema_is_refused_with_what_to_do_and_left_alone() {
    let path = folder().join("store.db");
    drop(Sqlite::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&path).unwrap();
    let words = refusal(&path);
    assert!(words.contains("schema is 99") && words.contains("git pull && cargo run"), "{words}");
    assert!(std::fs::read(&path).unwrap() == before, "it was changed");
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let path = folder().join("shopping.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE shopping (item TEXT)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(refusal(&path).contains("another program"));
    assert!(std::fs::read(&path).unwrap() == before, "it was changed");
}

#[test]
fn a_file_that_is_no_database_or_damaged_is_told() {
    let folder = folder();
    let text = folder.join("text.db");
    std::fs::write(&text, "a letter to a friend\n".repeat(1000)).unwrap();
    assert!(refusal(&text).contains("not a SQLite database, or it is damaged"));
    let cut = folder.join("cut.db");
    drop(Sqlite::open(&cut).unwrap());
    std::fs::OpenOptions::new().write(true).open(&cut).unwrap().set_len(6000).unwrap();
    assert!(refusal(&cut).contains("not a SQLite database, or it is damaged"));
}

/// Paths that not even root may write to.
#[test]
fn a_file_that_cannot_be_opened_or_written_is_told() {
    let folder = folder();
    for path in [folder.join("no/such/folder.db"), folder.clone(), "/proc/store.db".into()] {
        let words = refusal(&path);
        assert!(words.contains("cannot be opened or made"), "{words}");
    }
}

#[test]
fn a_file_that_is_locked_for_long_is_told() {
    let path = folder().join("store.db");
    drop(Sqlite::open(&path).unwrap());
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let words = refusal(&path);
    assert!(words.contains("another process keeps it locked"), "{words}");
}
