//! Shared state in one DynamoDB table, over the table's JSON API and the door's own HTTP client; no AWS SDK.
//!
//! # The table
//! A string key `pk`, a string sort key `sk`, a time to live on `ttl`. DynamoDB deletes what has run out when it comes to
//! it, within days, so every time is compared with the caller's as well; only the usage log shows a record until then.
//!
//! | what | `pk` | `sk` | one write is |
//! |---|---|---|---|
//! | a meter | `meter#key` | `-` | one conditional update; several meters are one transaction |
//! | the places under a key | `places#key` | `-` | one conditional update of a map |
//! | a budget, with the calls in flight | `budget#key` | `-` | one conditional update of a map |
//! | a settled call | `settled#budget#id` | `-` | one put |
//! | a value | `value#0` to `value#7` | `=key` | one put |
//! | a record, and where it is | `usage#2026-11-20`, `call#id` | `time#id`, `-` | one put each |
//! | the days that have records | `usage-days` | `2026-11-20` | one update a day and instance |
//!
//! # Why it holds under a crowd
//! No operation reads, decides and then writes on the condition that nothing has changed: of a crowd, only one would get
//! through in each round. The conditions say what must be so (not more ahead than a period, fewer than so many entries),
//! and the changes are relative, so that DynamoDB lines the crowd up by itself. What fails is told with the item as it
//! is, from which is read why.
//!
//! # What it costs
//! An item takes a thousand writes a second, and a write counts once for each KiB of it. So a meter that all calls share
//! holds up to a thousand calls a second (500 in a transaction with others), a budget a few hundred with few in flight,
//! a day of the log a thousand. A budget holds some 4000 calls in flight; more are refused as unavailable.
//!
//! # What a lost answer means
//! An operation whose answer is lost is asked for once more where asking twice changes nothing, and that is everything
//! except `put_new`, `correct`, and `spend` from one meter (a transaction is told apart by its token). Those answer
//! [`Unavailable`](twinlane_store::Unavailable) and may have counted: a meter errs by that one call, on the strict side,
//! until it has filled again.

mod api;
mod budgets;
mod item;
mod log;
mod meters;
mod places;
mod sign;
mod store;
mod update;
mod values;

use std::fmt;
use std::time::Duration;

pub use api::Http;
pub use aws_credential_types::Credentials;
pub use sign::Keys;

use api::Api;
use sign::Signer;

/// Where the table is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// Its region.
    pub region: String,
    /// An address that stands in for AWS's own, as `AWS_ENDPOINT_URL_DYNAMODB` names it.
    pub endpoint: Option<String>,
    /// How long an operation may take, further attempts included.
    pub patience: Duration,
}

impl Settings {
    /// A table of AWS's own, with the usual patience.
    #[must_use]
    pub fn new(table: &str, region: &str) -> Self {
        let (table, region) = (table.to_owned(), region.to_owned());
        Self { table, region, endpoint: None, patience: Duration::from_secs(3) }
    }
}

/// The DynamoDB engine.
pub struct DynamoDb {
    api: Api,
    /// The days of the log that this instance has made known already.
    days: log::Known,
}

impl DynamoDb {
    /// An engine on a table. `keys` are asked for at each request, because a role's keys change.
    #[must_use]
    pub fn new(settings: Settings, keys: Keys, http: Http) -> Self {
        let signer = Signer::new(&settings, keys);
        Self { api: Api::new(settings, signer, http), days: log::Known::default() }
    }
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb").field("api", &self.api).finish_non_exhaustive()
    }
}
