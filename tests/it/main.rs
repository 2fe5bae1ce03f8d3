//! The gateway from the outside: every promise as a fact, against real processes and real sockets on 127.0.0.1.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod aws_deploy;
mod aws_tools;
mod bounds;
mod bytes;
mod clocks;
mod cors;
mod doctor;
mod doors;
mod framing;
mod headers;
mod hop;
mod house;
mod lambda;
mod lanes;
mod limits;
mod logs;
mod paths;
mod pictures;
mod restart;
mod retries;
mod room;
mod sdks;
mod secrets;
mod settings;
mod silence;
mod streams;
mod tokens;
mod unified;
mod unified_pages;
mod unified_sdks;
mod vercel;
mod vercel_deploy;
mod world;
