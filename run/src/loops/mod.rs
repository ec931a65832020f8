//! The loops: one file each, all of them reconcilers: periodic and woken, same path after a crash and on a normal day.

pub mod alive;
pub mod certificates;
pub mod clean;
pub mod collect;
pub mod deliveries;
pub mod judge;
pub mod kpis;
pub mod outbox;
pub mod probes;
pub mod reload;
pub mod rules;
pub mod scrapes;
pub mod secrets;
mod told;
pub mod trail;
pub mod views;
pub mod watchdog;
pub mod watchful;
