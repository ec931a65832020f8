//! Probes of databases, brokers and containers against real ones. Each test starts what it needs on free ports. Only
//! Docker's needs root; what cannot be started here says why, and is skipped.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "these are tests, their helpers too"
)]

mod docker;
mod kafka;
mod mysql;
mod plans;
mod postgres;
mod redis;
mod servers;
#[allow(dead_code, reason = "shared with the tests of the network probes, which use all of it")]
#[path = "../net/support.rs"]
mod support;
