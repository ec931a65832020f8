//! Stories: each tells what a team lives through, with the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may give up loudly"
)]

mod acme;
mod backend_dies;
mod bad_inputs;
mod browser;
mod canaries;
mod command_line;
mod crash;
mod demo;
mod first_run;
mod gathered;
mod heartbeat;
mod login;
mod mail;
mod metrics_clients;
mod metrics_parity;
mod metrics_scraped;
mod outgoing;
mod plans;
mod reload;
mod rules;
mod schemathesis;
mod secrets;
mod socket;
mod tls;
mod trail;
mod two_databases;
mod vault;
mod waiting_plan;
mod web_edges;
