//! The metrics engine on its own, without a plan: what `farero metrics` runs. I/O.

pub mod notify;
pub mod rules;
