//! Opens the store that the settings choose, and forgets there what has run out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use twinlane_gateway::config::{Redis, StoreAt};
use twinlane_gateway::keeping;
use twinlane_store::Store;
use twinlane_store_redis as redis;
use twinlane_store_sqlite::Sqlite;

/// How often what has run out is forgotten.
const TIDIED_EVERY: Duration = Duration::from_secs(60);

/// Why there is no store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The setting cannot be used.
    Setting(String),
    /// What it names cannot be opened.
    File(String),
}

/// The store; none where this process's memory is to do. A Redis is connected to when it is first asked.
pub(crate) fn open(at: &StoreAt) -> Result<Option<Arc<dyn Store>>, Closed> {
    match at {
        StoreAt::Memory => Ok(None),
        StoreAt::File { path, asked_for } => file(path, *asked_for),
        StoreAt::Redis(at) => by_redis(at).map(Some),
        StoreAt::Table(_) => Err(Closed::Setting("STORE: a table of AWS is for its functions".to_owned())),
    }
}

/// A file that is there and cannot be opened ends the start: to go on without it would forget which tokens were called
/// back. One that nobody asked for and that cannot be made, in a container that may not write, has nothing to forget.
fn file(path: &Path, asked_for: bool) -> Result<Option<Arc<dyn Store>>, Closed> {
    match Sqlite::open(path) {
        Ok(store) => Ok(Some(Arc::new(store))),
        Err(_) if !asked_for && !path.exists() => Ok(None),
        Err(why) => Err(Closed::File(format!("The store cannot be opened: {}. STORE names it", why.0))),
    }
}

fn by_redis(at: &Redis) -> Result<Arc<dyn Store>, Closed> {
    let settings = redis::Settings { prefix: at.prefix.clone(), ..redis::Settings::default() };
    let opened = redis::Redis::over_tcp(at.url.expose(), settings);
    Ok(Arc::new(opened.map_err(|wrong| Closed::Setting(format!("{}: {wrong}", at.setting)))?))
}

/// Where things are kept, for a person. No password.
pub(crate) fn described(at: &StoreAt, opened: bool) -> String {
    match at {
        StoreAt::File { path, .. } if opened => path.display().to_string(),
        StoreAt::Redis(_) => "redis (STORE)".to_owned(),
        _ => "this process's memory; limits and revoked tokens end with it".to_owned(),
    }
}

/// Forgets what has run out, for as long as the process lives.
pub(crate) async fn tidied(store: Arc<dyn Store>) {
    let mut minutes = tokio::time::interval(TIDIED_EVERY);
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        if let Err(why) = store.sweep(keeping::now()).await {
            tracing::warn!("what has run out could not be forgotten: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use twinlane_gateway::{Config, Platform};

    use super::{Closed, file, open};

    #[test]
    fn only_a_file_that_nobody_asked_for_may_fail_to_be_made() {
        let nowhere = Path::new("/nonexistent/twinlane.db");
        assert!(file(nowhere, false).unwrap().is_none());
        assert!(matches!(file(nowhere, true), Err(Closed::File(_))));
        // What is there and is no database is refused, whoever names it.
        let folder = Path::new("/");
        assert!(matches!(file(folder, false), Err(Closed::File(_))));
    }

    #[test]
    fn each_choice_is_opened() {
        for (store, engine) in
            [("memory", None), ("sqlite::memory:", Some("sqlite")), ("redis://127.0.0.1:1", Some("redis"))]
        {
            let config = Config::read([("STORE", store)], Platform::Local).unwrap();
            assert_eq!(open(&config.store).unwrap().map(|store| store.engine()), engine, "{store}");
        }
        let config = Config::read([("STORE", "redis://:s3cret@h/three")], Platform::Local).unwrap();
        let Err(Closed::Setting(told)) = open(&config.store) else { panic!("opened") };
        assert!(told.starts_with("STORE: ") && !told.contains("s3cret"), "{told}");
    }
}
