//! The port to the second function, and the ways to reach it.

pub mod heard;
mod here;
mod http_hop;
mod outlive;
pub mod sent;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use here::Here;
pub use http_hop::HttpHop;
pub use outlive::Outlive;

use crate::auth::Caller;
use crate::call::Call;
use crate::config::{Config, HopTo};
use crate::gateway::{Gateway, Role};
use crate::record::Recorder;
use crate::send::{Failed, Reply};
use crate::upstream::Upstream;

/// Carries calls to the background function.
pub trait Background: Send + Sync + fmt::Debug {
    /// Has the background carry a call.
    ///
    /// # Errors
    /// [`NotCarried::NeverReached`] **only** when no provider can have seen the call: the edge lane then sends it.
    fn forward<'a>(&'a self, call: &'a Call, caller: &'a Caller) -> BoxFuture<'a, Result<Reply, NotCarried>>;
}

/// Why the background has no reply to a call.
#[derive(Debug)]
pub enum NotCarried {
    /// The call did not come as far as a provider.
    NeverReached {
        /// What kept it.
        why: &'static str,
        /// What the background itself said, for a client whose call is not to fall back.
        answer: Option<Box<Reply>>,
    },
    /// A provider may have seen it. It is not sent again.
    Failed(Failed),
}

/// The way the settings name; none where every call stays on the edge lane, or only the door knows the way.
#[must_use]
pub fn by_settings(
    config: &Arc<Config>,
    upstream: &Upstream,
    recorder: &Arc<dyn Recorder>,
) -> Option<Box<dyn Background>> {
    match &config.hop {
        HopTo::Nowhere | HopTo::Function(_) => None,
        HopTo::Here => {
            let gateway = Gateway::new(Arc::clone(config), Role::Background, Arc::clone(recorder));
            Some(Box::new(Here(Arc::new(gateway))))
        }
        HopTo::Url { base, pass } => Some(Box::new(HttpHop {
            base: base.clone(),
            pass: pass.clone(),
            secret: config.secret.clone(),
            upstream: upstream.clone(),
            outlive: Outlive::of(config),
        })),
    }
}
