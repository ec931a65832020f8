//! Stories of senders, over a store that keeps everything in memory.

pub(crate) mod memory;
mod mutated;
mod senders;
mod stories;
