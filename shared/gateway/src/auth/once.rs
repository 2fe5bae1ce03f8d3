//! That no other instance has served a signed request before.
//!
//! Each instance knows its own. Where there is a store, it knows those of all; where that cannot be reached, what this
//! instance knows has to do.

use twinlane_access::Denied;

use super::Caller;
use crate::keeping::{self, Keeping};

impl Caller {
    /// Takes note of a request that is signed, for every instance.
    ///
    /// # Errors
    /// [`Denied::Replayed`].
    pub(crate) async fn comes_once(&self, keeping: &Keeping) -> Result<(), Denied> {
        let Some(signature) = self.signature.as_ref().filter(|_| keeping.is_lasting()) else { return Ok(()) };
        let (key, until) = (format!("signed/{}", signature.mark()), signature.ends().saturating_mul(1000));
        match keeping.store().put_new(&key, b"", keeping::now(), Some(until)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Denied::Replayed),
            Err(why) => {
                tracing::warn!("whether a signed request came to another instance cannot be asked: {why}");
                Ok(())
            }
        }
    }
}
