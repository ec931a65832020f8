//! Pulls: scrapes targets with Prometheus's configuration, as users write it (MET-01). I/O.
//!
//! A configuration ([`config`]) names jobs; [`discovery`] finds their targets; [`relabel`] decides which, and under what
//! labels; [`manager`] asks each in its turn and hands what it says ([`exposition`]) to the write port as rows.

mod client;
pub mod config;
pub mod discovery;
pub mod exposition;
mod histogram;
pub mod labelset;
pub mod manager;
#[cfg(test)]
mod memory;
mod number;
pub mod reader;
pub mod relabel;
#[cfg(test)]
mod serve;
pub mod target;

pub use client::{request_headers, tls_config};
