//! Tests of the language and its evaluation from outside: scripts, properties, a real Prometheus.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod against_prometheus;
mod expressions;
mod language;
mod limits;
mod model;
mod mutated;
mod naive;
mod properties;
mod random;
mod script;
mod scripts;
