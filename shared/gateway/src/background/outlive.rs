//! How long the edge waits for the background: as long as that may run, and a little longer, so that its own words arrive.

use std::time::Duration;

use crate::call::Call;
use crate::config::{Clocks, Config};
use crate::retry::{self, Repeatable};
use crate::upstream::Wait;

/// What is added for pauses between tries, a cold start and the way itself.
const MORE: Duration = Duration::from_secs(5);

/// What the background's time is made of.
#[derive(Debug, Clone, Copy)]
pub struct Outlive {
    clocks: Clocks,
    retry: bool,
}

impl Outlive {
    /// By the settings, which are the background's as well.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { clocks: config.clocks, retry: config.retry }
    }

    /// The clocks over the hop of a call: every connection that the background may try, and every reply it may wait for.
    #[must_use]
    pub fn wait(&self, call: &Call) -> Wait {
        let tries = if self.retry { retry::tries(call.service.max_retries, &call.headers) } else { 1 };
        let repeatable = Repeatable::of(&call.method, &call.headers, &call.service.retryable_methods);
        let replies = if repeatable == Repeatable::Yes { tries } else { 1 };
        let reply = call.service.first_byte.unwrap_or(self.clocks.background);
        Wait { first_byte: self.clocks.connect * tries + reply * replies + MORE, deadline: call.deadline }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Outlive;
    use crate::call::tests::call;
    use crate::config::tests::config;
    use crate::services::Service;

    #[test]
    fn the_edge_outlives_every_try_of_the_background() {
        let config = config(&[("CONNECT_TIMEOUT", "1000"), ("BACKGROUND_TIMEOUT", "10000")]);
        let mut call = call("POST", "/v1/embeddings", "{}");
        assert_eq!(Outlive::of(&config).wait(&call).first_byte, Duration::from_secs(2 + 10 + 5));
        call.headers.insert("idempotency-key", "k".parse().unwrap());
        assert_eq!(Outlive::of(&config).wait(&call).first_byte, Duration::from_secs(2 + 2 * 10 + 5));
        let own =
            Service { first_byte: Some(Duration::from_secs(60)), max_retries: 0, ..(*call.service).clone() };
        call.service = own.into();
        assert_eq!(Outlive::of(&config).wait(&call).first_byte, Duration::from_secs(61 + 5));
    }
}
