//! What follows from what was seen: rules, alerts, deliveries, health. Pure.
//!
//! Facts, plan, memory and the time come in; decisions, new memory and a report come out. Nothing here reads a clock,
//! opens a file or waits. What is decided is carried out by `act`, kept by `state`, and comes back as a fact at the next
//! turn.

pub mod access;
pub mod dashboards;
pub mod deliver;
pub mod health;
pub mod kpi;
pub mod rules;
pub mod severity;
pub mod words;

#[cfg(test)]
mod testing;
