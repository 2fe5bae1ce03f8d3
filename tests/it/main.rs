//! The gateway from the outside: every promise as a fact, against real processes and real sockets on 127.0.0.1.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod aws_deploy;
mod aws_tools;
mod bytes;
mod clocks;
mod cors;
mod doctor;
mod doors;
mod headers;
mod hop;
mod house;
mod lambda;
mod lanes;
mod limits;
mod logs;
mod paths;
mod retries;
mod sdks;
mod settings;
mod streams;
mod vercel;
mod vercel_deploy;
mod world;
