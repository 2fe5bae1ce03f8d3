//! The background in the same process: the local door's.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Background, NotCarried};
use crate::auth::Caller;
use crate::call::Call;
use crate::gateway::Gateway;
use crate::send::Reply;

/// A background that is a function call away. Its connections and clocks are its own.
#[derive(Debug)]
pub struct Here(pub Arc<Gateway>);

impl Background for Here {
    fn forward<'a>(&'a self, call: &'a Call, caller: &'a Caller) -> BoxFuture<'a, Result<Reply, NotCarried>> {
        async move { self.0.carry(call, caller).await.map_err(NotCarried::Failed) }.boxed()
    }
}
