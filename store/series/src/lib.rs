//! Metrics on local disk, organised by scrape group: one column of times, one column of values per series. I/O.
//!
//! Invariants, each with a test in `tests/`:
//! 1. Samples for which `append` returned `Ok` are on disk; after a kill at any moment each of them is there exactly once.
//! 2. Values come back bit for bit: NaN payloads, negative zero and staleness markers too.
//! 3. Times of a series strictly increase in every answer.
//! 4. A flipped bit is noticed: what it damaged is missing from answers and counted, everything else is served.
//! 5. When the disk is full, `append` fails loudly, reads go on, and appending works again by itself once there is room.
//! 6. Every limit is in [`limits`], and reaching one is an error that says what to do, and counted.
//!
//! The way of a sample: `append` waits with other callers for one commit, which takes the cells of all rows into the open
//! columns of their groups, writes what changed to the log, and syncs it. Rows are sealed to spans, which leave memory for a
//! file ([`SeriesStore::maintain`]); spans become blocks, sorted by series, with an index; small blocks become large ones. Of blocks
//! that are too old a roll-up stays.
//! The store knows nothing of checks, rules or PromQL, starts no thread and reads no wall clock.

mod admin;
mod apply;
mod bitmap;
mod bits;
mod block;
mod catalog;
mod codec;
mod coder;
mod commit;
mod compact;
mod decimal;
mod disk;
mod exemplars;
mod extra;
mod files;
mod frame;
mod gather;
mod group;
mod habit;
mod head;
mod histogram;
mod index;
pub mod inspect;
pub mod limits;
mod look;
mod open;
mod pace;
mod page;
mod parallel;
mod place;
mod pool;
#[cfg(test)]
mod proof;
mod read;
mod record;
mod registry;
mod replay;
mod rollup;
mod room;
mod side;
mod span;
mod spanfile;
mod store;
mod times;
mod token;
mod tombstones;
mod undo;
mod upkeep;
mod wal;

pub use open::OpenReport;
pub use store::{Options, SeriesStore, Stats, Written};
pub use upkeep::{UPKEEP_EVERY, Upkeep};
