//! Opens the store that the settings choose: the table that the template makes, or a Redis.

use std::sync::Arc;

use twinlane_gateway::config::{Redis, StoreAt};
use twinlane_gateway::keeping::port;
use twinlane_gateway::upstream::Upstream;
use twinlane_gateway::{Config, Invalid};
use twinlane_store::Store;
use twinlane_store_dynamodb::DynamoDb;
use twinlane_store_redis as redis;

use crate::aws::Aws;

/// The store; none where the instance's memory is to do. Nobody is asked before the first call needs it.
pub(crate) fn open(
    config: &Config,
    upstream: &Upstream,
    aws: Option<&Aws>,
) -> Result<Option<Arc<dyn Store>>, Invalid> {
    match &config.store {
        StoreAt::Memory => Ok(None),
        StoreAt::Redis(at) => by_redis(at).map(Some),
        StoreAt::Table(name) => {
            let aws =
                aws.ok_or_else(|| wrong("TABLE_NAME", "there are no credentials of AWS to open it with"))?;
            Ok(Some(by_table(name, aws, upstream)))
        }
        StoreAt::File { .. } => Err(wrong("STORE", "is nothing that a function of Lambda's can open")),
    }
}

fn by_redis(at: &Redis) -> Result<Arc<dyn Store>, Invalid> {
    if at.token.is_some() {
        return Err(wrong(at.setting, "is for Vercel's functions"));
    }
    let settings = redis::Settings { prefix: at.prefix.clone(), ..redis::Settings::default() };
    let opened = redis::Redis::over_tcp(at.url.expose(), settings);
    Ok(Arc::new(opened.map_err(|bad| wrong(at.setting, &bad.to_string()))?))
}

fn by_table(name: &str, aws: &Aws, upstream: &Upstream) -> Arc<dyn Store> {
    let keys = aws.keys();
    Arc::new(DynamoDb::new(aws.table(name), Arc::new(move || Some(keys.clone())), port::over(upstream)))
}

fn wrong(setting: &str, wrong: &str) -> Invalid {
    Invalid(vec![format!("{setting}: {wrong}")])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use twinlane_gateway::upstream::Upstream;
    use twinlane_gateway::{Config, Platform};

    use super::open;
    use crate::aws::tests::aws;

    #[tokio::test]
    async fn the_table_is_opened_in_the_function_s_own_region_or_where_it_is_moved_to() {
        let config = Config::read([("TABLE_NAME", "t")], Platform::Lambda).unwrap();
        let upstream = Upstream::new(Duration::from_secs(1), Duration::from_secs(1));
        for (endpoints, address) in [
            (&[][..], "https://dynamodb.eu-central-1.amazonaws.com/"),
            (&[("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")], "http://127.0.0.1:1/"),
        ] {
            let store = open(&config, &upstream, Some(&aws(endpoints))).unwrap().unwrap();
            assert_eq!(store.engine(), "dynamodb");
            let told = format!("{store:?}");
            assert!(told.contains(address) && !told.contains("secret"), "{told}");
        }
        let nobody = open(&config, &upstream, None).unwrap_err();
        assert!(nobody.to_string().starts_with("TABLE_NAME: "), "{nobody}");
    }

    #[tokio::test]
    async fn a_redis_goes_before_the_table() {
        let vars = [("TABLE_NAME", "t"), ("REDIS_URL", "redis://:s3cret@127.0.0.1:1")];
        let config = Config::read(vars, Platform::Lambda).unwrap();
        let upstream = Upstream::new(Duration::from_secs(1), Duration::from_secs(1));
        assert_eq!(open(&config, &upstream, None).unwrap().unwrap().engine(), "redis");
    }
}
