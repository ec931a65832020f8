//! The API over a store in memory: whole answers, as Prometheus gives them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod admin;
mod memory;
mod names;
mod query;
mod receive;
mod rules;
mod search;
mod server;
mod status;
mod targets;
mod transport;
