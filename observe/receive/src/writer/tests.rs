//! Stories of senders, over a store that keeps everything in memory.

mod memory;
mod stories;
