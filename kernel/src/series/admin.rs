//! What an administrator asks of the series store: what is in it, what is to go, a copy. Pure.

use super::{Matcher, SeriesError};
use crate::Timestamp;

/// A name and how often, or how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Metric, label, or `label=value`.
    pub name: String,
    /// Series, values or bytes.
    pub count: u64,
}

/// How many series there are, and what makes them many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// Series that are written to now.
    pub series: u64,
    /// Different pairs of label and value among them.
    pub label_pairs: u64,
    /// Groups that are written to now.
    pub groups: u64,
    /// Oldest sample in memory, milliseconds since the epoch.
    pub min_ms: Option<i64>,
    /// Newest sample, milliseconds since the epoch.
    pub max_ms: Option<i64>,
    /// Metrics with the most series.
    pub series_by_metric: Vec<Counted>,
    /// Labels with the most values.
    pub values_by_label: Vec<Counted>,
    /// Labels whose values take the most bytes.
    pub bytes_by_label: Vec<Counted>,
    /// Pairs of label and value with the most series.
    pub series_by_pair: Vec<Counted>,
}

/// A block of samples on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFacts {
    /// Its file's name.
    pub name: String,
    /// Its oldest sample, milliseconds since the epoch.
    pub min_ms: i64,
    /// Its newest sample.
    pub max_ms: i64,
    /// Series in it.
    pub series: u64,
    /// Samples in it.
    pub samples: u64,
    /// Its size.
    pub bytes: u64,
    /// How often it was merged: 1 for a block cut from memory.
    pub level: u32,
    /// Of a roll-up, how long its stretches are, milliseconds: it has figures of them, the samples themselves are gone.
    pub rollup_ms: Option<i64>,
}

/// Administers the store.
pub trait SeriesAdmin: Send + Sync {
    /// Deletes the samples of matching series in a range (milliseconds, both ends inclusive); durable when it returns. Answers
    /// how many series were hit.
    ///
    /// # Errors
    /// The disk refused.
    fn delete(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Result<u64, SeriesError>;

    /// Rewrites blocks so that deleted samples are gone from the disk too.
    ///
    /// # Errors
    /// The disk refused.
    fn clean_deleted(&self) -> Result<(), SeriesError>;

    /// Puts everything into as few blocks as there may be, also what is in memory, in place of waiting until that is due.
    ///
    /// # Errors
    /// The disk refused; nothing is lost.
    fn compact(&self) -> Result<(), SeriesError>;

    /// Makes a copy of everything, also of what is in memory unless `without_head`, while the store runs. Answers the name of
    /// the copy's folder below `snapshots`; a store can be opened there. The name begins with the time, as Prometheus's do:
    /// `20060102T150405Z-` and 16 hexadecimal digits.
    ///
    /// # Errors
    /// The disk refused.
    fn snapshot(&self, without_head: bool, now: Timestamp) -> Result<String, SeriesError>;

    /// What is in memory, the `limit` largest of each list.
    fn cardinality(&self, limit: usize) -> Cardinality;

    /// Blocks on disk, oldest first; roll-ups before blocks of samples.
    fn blocks(&self) -> Vec<BlockFacts>;
}
