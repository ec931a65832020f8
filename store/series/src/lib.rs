//! Metrics on local disk, organised by scrape group: one column of times, one column of values per series. I/O.
//!
//! Invariants, each with a test in `tests/`:
//! 1. Rows for which `append` returned `Ok` are on disk; after a kill at any moment each of them is there exactly once.
//! 2. Values come back bit for bit: NaN payloads, negative zero and staleness markers too.
//! 3. Times of a series strictly increase in every answer.
//! 4. A flipped bit is noticed: what it damaged is missing from answers and counted, everything else is served.
//! 5. When the disk is full, `append` fails loudly, reads go on, and appending works again by itself once there is room.
//! 6. Every limit is in [`limits`], and reaching one is an error that says what to do, and counted.
//!
//! The way of a row: `append` waits with other callers for one commit ([`SeriesWriter::append`]), which writes the log,
//! syncs it, and shows the rows in the head. [`SeriesStore::maintain`] makes blocks of the head, joins blocks, deletes
//! old ones. The store knows nothing of checks, rules or PromQL, starts no thread and reads no wall clock.
//!
//! [`SeriesWriter::append`]: kernel::series::SeriesWriter::append

mod block;
mod catalog;
mod codec;
mod column;
mod commit;
mod files;
mod frame;
mod head;
mod index;
pub mod limits;
mod merge;
mod open;
mod read;
mod registry;
mod span;
mod store;
mod upkeep;
mod wal;

pub use open::OpenReport;
pub use store::{Options, SeriesStore, Stats};
pub use upkeep::Upkeep;
