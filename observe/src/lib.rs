//! The senses: asks the world and brings back what it found; decides nothing. I/O.
//!
//! Nothing here knows of plans as files, of stores, of rules or of people to tell; what is found leaves as a
//! [`kernel::probe::ProbeResult`].

pub mod host;
pub mod probe;
