//! Network probes against real servers. Each test starts what it needs on free ports; none needs root.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "these are tests, their helpers too"
)]

mod dns;
mod http;
mod nginx;
mod support;
mod talk;
mod tls;
