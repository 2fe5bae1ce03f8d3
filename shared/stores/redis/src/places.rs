//! Places under a key: a sorted set of leases by the time each ends.

use twinlane_store::{Millis, Unavailable};

use crate::scripts::{ENTER, LEAVE};
use crate::{GRACE, Redis, exact};

impl Redis {
    pub(crate) async fn take_place(
        &self,
        key: &str,
        lease: &str,
        most: u64,
        now: Millis,
        until: Millis,
    ) -> Result<bool, Unavailable> {
        let args = vec![lease.to_owned(), exact(most), exact(now), exact(until), exact(GRACE)];
        self.run(&ENTER, vec![self.key("places", key)], args).await?.yes()
    }

    pub(crate) async fn give_place_back(&self, key: &str, lease: &str) -> Result<(), Unavailable> {
        self.run(&LEAVE, vec![self.key("places", key)], vec![lease.to_owned()]).await.map(|_| ())
    }
}
