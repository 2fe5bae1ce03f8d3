//! What the integration tests are written with: programs of this project as real processes, a small HTTP client, raw
//! sockets, and the platforms' sides of their protocols.
//!
//! Everything stays on 127.0.0.1. A fixture that cannot be set up panics with words on what is missing: a test must
//! fail, never be skipped.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "fixtures fail their test by panicking"
)]

pub mod client;
pub mod lambda;
pub mod process;
pub mod raw;
pub mod store;
pub mod vercel;

use std::time::Duration;

pub use client::{Answer, Client};
pub use process::{Program, Twinlane};

/// How long anything may take that is expected to happen at once, on the slowest machine.
pub const SOON: Duration = Duration::from_secs(20);

/// Waits until `holds`, and fails the test when it does not come to that.
///
/// # Panics
/// When `holds` stays false.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, waited).await.unwrap_or_else(|_| panic!("never came true: {what}"));
}
