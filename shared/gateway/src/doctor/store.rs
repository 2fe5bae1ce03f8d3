//! What is found of the store, by asking it for something that nobody keeps.

use std::time::Instant;

use super::{Finding, Weight};
use crate::config::{Platform, StoreAt};
use crate::gateway::Gateway;
use crate::keeping;

/// What is found of the store.
pub(super) async fn store(gateway: &Gateway) -> Finding {
    let (weight, told) = if gateway.keeping.is_lasting() {
        asked(gateway).await
    } else {
        (Weight::Mind, in_memory(gateway.config.platform, &gateway.config.store))
    };
    Finding { weight, area: "store", told }
}

async fn asked(gateway: &Gateway) -> (Weight, String) {
    let store = gateway.keeping.store();
    let (engine, begun) = (store.engine(), Instant::now());
    match store.get("doctor", keeping::now()).await {
        Ok(_) => {
            let took = begun.elapsed().as_millis();
            let what =
                if engine == "sqlite" { "one file, for every process that opens it" } else { "shared" };
            (Weight::Good, format!("{engine} ({what}) answers, in {took} ms"))
        }
        Err(why) => (
            Weight::Wrong,
            format!(
                "{engine} does not answer: {}. Until it does, calls are served and nothing is shared",
                why.0
            ),
        ),
    }
}

fn in_memory(platform: Platform, chosen: &StoreAt) -> String {
    let what_to_do = match (platform, chosen) {
        (Platform::Local, StoreAt::File { .. }) => "the file could not be made; set STORE=sqlite:PATH",
        (Platform::Local, _) => "set STORE=sqlite:PATH or a redis:// URL to have them outlive it",
        (Platform::Vercel, _) => "connect Upstash for Redis under Storage in the project to share them",
        (Platform::Lambda, _) => {
            "deploy with template.yaml, which makes a table, or set REDIS_URL, to share them"
        }
    };
    format!("memory: limits, budgets, revoked tokens and the usage log are each instance's own; {what_to_do}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Weight, store};
    use crate::config::{Config, Platform};
    use crate::gateway::{Gateway, Role};
    use crate::log::Logger;

    #[tokio::test]
    async fn memory_is_told_with_what_to_do() {
        for (platform, word) in
            [(Platform::Local, "STORE="), (Platform::Vercel, "Upstash"), (Platform::Lambda, "template.yaml")]
        {
            let config = Config::read([("LOG_LEVEL", "WARN")], platform).unwrap();
            let gateway = Gateway::new(Arc::new(config), Role::Gateway, Arc::new(Logger));
            let finding = store(&gateway).await;
            assert!(finding.weight == Weight::Mind && finding.told.contains(word), "{finding:?}");
        }
    }
}
