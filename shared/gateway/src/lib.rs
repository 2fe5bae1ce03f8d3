//! The path of a call, from the moment a door hands over a request until the last byte of the answer has left.
//!
//! Everything that makes Twinlane a gateway is here: who may call, which lane a call takes, what crosses to the
//! provider and back, what is tried again, what ends a call and what is remembered of it. It knows HTTP and policy and
//! names no platform: the doors (`local/`, `shared/vercel`, `lambda/`) translate theirs into a [`Request`](http::Request)
//! with a [`Body`] and an [`Arrival`], and get a response back.
//!
//! Start reading at [`gateway`]; each step of [`Gateway::handle`] is a module of its own.

pub mod admin;
pub mod arrival;
pub mod auth;
pub mod background;
pub mod body;
pub mod books;
pub mod call;
pub mod config;
pub mod cors;
pub mod doctor;
pub mod door;
pub mod error;
pub mod gateway;
pub mod guard;
pub mod headers;
pub mod hop;
pub mod identity;
pub mod inband;
pub mod keeping;
pub mod lane;
mod lexer;
pub mod log;
pub mod metrics;
pub mod pages;
pub mod path;
pub mod reading;
pub mod record;
pub mod recorders;
pub mod relay;
pub mod retry;
pub mod revocations;
pub mod route;
pub mod scan;
mod scope;
pub mod secret;
pub mod send;
pub mod services;
pub mod session;
pub mod signer;
pub mod silence;
pub mod telemetry;
mod terminal;
pub mod unified;
pub mod upstream;
pub mod usage;
pub mod vision;

#[cfg(test)]
mod openapi;
#[cfg(test)]
mod properties;

pub use arrival::Arrival;
pub use body::Body;
pub use config::{Config, Invalid, Platform};
pub use door::Door;
pub use error::Error;
pub use gateway::{Gateway, Role};
pub use twinlane_access as access;
pub use twinlane_tokens::Tokenizers;

/// What every answer says in `x-gateway-version`, and `/health` in `version`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
