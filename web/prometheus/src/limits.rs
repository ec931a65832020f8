//! The limits of this API, named, each with its reason. Pure.

use std::time::Duration;

/// Bytes of a form: as many as Go's forms may have, and Prometheus's so.
pub const FORM_BYTES: usize = 10 << 20;

/// The furthest time from the epoch that is asked for, milliseconds: all of them up to here are exact as floats, and adding
/// two of them does not overflow. It is 285,000 years away.
pub const FURTHEST_MS: i64 = 1 << 53;

/// Steps of a range query (Prometheus's own limit).
pub const QUERY_STEPS: i64 = 11_000;

/// Time that a query may take (Prometheus's `query.timeout`).
pub const QUERY_TIME: Duration = Duration::from_secs(120);

/// Queries at once (Prometheus's `query.max-concurrency`); more wait for their turn.
pub const QUERIES_AT_ONCE: usize = 20;

/// Remarks of each kind in an answer (Prometheus's own limit); the others are counted.
pub const REMARKS: usize = 10;

/// Entries of each list of the store's status, where nobody asks for more (Prometheus's own).
pub const STATUS_ENTRIES: usize = 10;

/// Most entries that may be asked for (Prometheus's own limit).
pub const STATUS_ENTRIES_MOST: usize = 10_000;

/// Bytes of a message that writes or reads samples, before it is unpacked: Prometheus's senders stay far below.
pub const MESSAGE_BYTES: usize = 32 << 20;

/// Frames of a streamed answer that wait for a slow reader; each has about 1 MiB.
pub const FRAMES_WAITING: usize = 2;

/// Messages with samples that are worked on at once; more wait. Each may take some times [`MESSAGE_BYTES`] when it is unpacked.
pub const WRITES_AT_ONCE: usize = 8;
