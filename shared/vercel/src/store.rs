//! Opens the store that the settings choose: a Redis, over its REST where the project has that.

use std::sync::Arc;

use twinlane_gateway::config::{Redis, StoreAt};
use twinlane_gateway::keeping::port;
use twinlane_gateway::upstream::Upstream;
use twinlane_gateway::{Config, Invalid};
use twinlane_store::Store;
use twinlane_store_redis as redis;

/// The store; none where the instance's memory is to do. It connects when it is first asked.
pub(crate) fn open(config: &Config, upstream: &Upstream) -> Result<Option<Arc<dyn Store>>, Invalid> {
    match &config.store {
        StoreAt::Memory => Ok(None),
        StoreAt::Redis(at) => by_redis(at, upstream).map(Some),
        StoreAt::File { .. } | StoreAt::Table(_) => {
            Err(Invalid(vec!["STORE: is nothing that a function on Vercel can open".to_owned()]))
        }
    }
}

fn by_redis(at: &Redis, upstream: &Upstream) -> Result<Arc<dyn Store>, Invalid> {
    let settings = redis::Settings { prefix: at.prefix.clone(), ..redis::Settings::default() };
    let url = at.url.expose();
    let opened = match &at.token {
        Some(token) => redis::Redis::over_rest(url, token.expose(), port::over(upstream), settings),
        None => redis::Redis::over_tcp(url, settings),
    };
    let opened = opened.map_err(|wrong| Invalid(vec![format!("{}: {wrong}", at.setting)]))?;
    Ok(Arc::new(opened))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use twinlane_gateway::upstream::Upstream;
    use twinlane_gateway::{Config, Platform};

    use super::open;

    #[track_caller]
    fn check(vars: &[(&str, &str)], expected: Result<Option<&str>, &str>) {
        let config = Config::read(vars.iter().copied(), Platform::Vercel).unwrap();
        let upstream = Upstream::new(Duration::from_secs(1), Duration::from_secs(1));
        match (open(&config, &upstream), expected) {
            (Ok(store), Ok(engine)) => {
                assert_eq!(store.map(|store| store.engine()), engine, "{vars:?}");
            }
            (Err(invalid), Err(setting)) => {
                let told = invalid.to_string();
                assert!(told.starts_with(setting) && !told.contains("s3cret"), "{told}");
            }
            (opened, _) => panic!("{vars:?}: {opened:?}"),
        }
    }

    #[tokio::test]
    async fn a_redis_is_opened_and_what_it_cannot_be_is_named() {
        check(&[], Ok(None));
        check(&[("STORE", "memory")], Ok(None));
        check(&[("REDIS_URL", "redis://:s3cret@127.0.0.1:1")], Ok(Some("redis")));
        let rest = [("KV_REST_API_URL", "https://a.upstash.io"), ("KV_REST_API_TOKEN", "s3cret")];
        check(&rest, Ok(Some("redis")));
        check(&[("KV_URL", "redis://:s3cret@127.0.0.1/three")], Err("KV_URL: "));
    }
}
