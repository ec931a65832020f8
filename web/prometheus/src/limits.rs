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

/// Work that takes longer than this is long: a dashboard's queries take less. It is also how long a long query runs before it lets
/// another one go on.
pub const SLICE: Duration = Duration::from_millis(100);

/// Long queries at once, those included that wait for their turn. What they hold stays in memory meanwhile.
pub const LONG_WAITING: usize = 20;

/// One more long query may go on as a short one for so long; then it is refused.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Points of 8 bytes that all queries together hold, labels, results and answers on their way included: 400 MB.
pub const HELD_POINTS: u64 = 50_000_000;

/// Points that each query may hold whatever the others do: a dashboard's queries hold fewer.
pub const FREE_POINTS: u64 = 500_000;

/// Series of a query that is answered at once, without a turn: reading them takes less than handing work to another thread and back.
pub const SMALL_SERIES: u64 = 64;

/// Samples and points of such a query: about a millisecond.
pub const SMALL_SAMPLES: u64 = 20_000;

/// Steps of such a query: each may look at all samples again.
pub const SMALL_STEPS: u64 = 1_000;

/// Bytes of an answer: some million points. Whatever reads it would need several times as much.
pub const ANSWER_BYTES: usize = 256 << 20;

/// Remarks of each kind in an answer (Prometheus's own limit); the others are counted.
pub const REMARKS: usize = 10;

/// Entries of each list of the store's status, where nobody asks for more (Prometheus's own).
pub const STATUS_ENTRIES: usize = 10;

/// Most entries that may be asked for (Prometheus's own limit).
pub const STATUS_ENTRIES_MOST: usize = 10_000;

/// Bytes of a message that writes or reads samples, before it is unpacked: Prometheus's senders stay far below.
pub const MESSAGE_BYTES: usize = 32 << 20;

/// Messages with samples that are worked on at once; more wait. Each may take some times [`MESSAGE_BYTES`] when it is unpacked.
pub const WRITES_AT_ONCE: usize = 8;

/// Terms of one search: who types has one to three, and each costs a look at every text (Prometheus's own limit).
pub const SEARCH_TERMS: usize = 32;

/// Results of a search, where nobody asks for more (Prometheus's own).
pub const SEARCH_RESULTS: usize = 100;

/// Most results that may be asked for (Prometheus's `web.search.max-limit`).
pub const SEARCH_RESULTS_MOST: usize = 10_000;

/// Results in one line of an answer, where nobody says (Prometheus's own).
pub const SEARCH_BATCH: usize = 100;

/// Most results in one line (Prometheus's own limit).
pub const SEARCH_BATCH_MOST: usize = 1_000;

/// Of these, messages of one sender: whoever sends without pause leaves two places to the others.
pub const WRITES_OF_ONE: usize = 6;
