//! The read and write ports of the series store, and the columns that cross them. Pure.
//!
//! A series comes as one column of timestamps and one of values. Timestamps are shared between the series of one
//! scrape group (a check's results, a target's scrape), so a reader may compute windows once per group.

use std::sync::Arc;

use crate::Labels;

/// The bit pattern of Prometheus's staleness marker, a NaN that says: this series ended here.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The staleness marker as a value.
pub const fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// Whether a value is the staleness marker (other NaNs are values).
pub const fn is_stale(v: f64) -> bool {
    v.to_bits() == STALE_NAN_BITS
}

/// One measured value at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since the epoch.
    pub t_ms: i64,
    /// The value; staleness is [`STALE_NAN_BITS`].
    pub value: f64,
}

/// A column of values, as long as the column of timestamps beside it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Column {
    /// Plain numbers.
    Floats(Vec<f64>),
}

impl Column {
    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(v) => v.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers.
    pub fn floats(&self) -> &[f64] {
        match self {
            Self::Floats(v) => v,
        }
    }
}

/// A series with its samples in a time range, oldest first, timestamps strictly increasing.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Which series, its name included.
    pub labels: Labels,
    /// Milliseconds since the epoch; the same `Arc` for all series of one scrape group.
    pub timestamps: Arc<[i64]>,
    /// The values at those times.
    pub values: Column,
}

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends
    Regex,
    /// `!~`, anchored at both ends
    NotRegex,
}

/// A condition on one label; a label that is missing has the value `""` (Prometheus's rule).
#[derive(Clone, Debug)]
pub struct Matcher {
    /// The label's name, `__name__` for the metric's.
    pub name: Arc<str>,
    /// How to compare.
    pub op: MatchOp,
    /// The value or the regular expression as written.
    pub value: Arc<str>,
    regex: Option<regex::Regex>,
}

pub use crate::re2::SIZE_LIMIT as REGEX_SIZE_LIMIT;

impl Matcher {
    /// A condition; regular expressions are compiled here, once.
    ///
    /// # Errors
    /// The regular expression is not one, or compiles to more than [`REGEX_SIZE_LIMIT`].
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, regex::Error> {
        let regex = match op {
            MatchOp::Regex | MatchOp::NotRegex => Some(crate::re2::anchored(value)?),
            MatchOp::Equal | MatchOp::NotEqual => None,
        };
        Ok(Self { name: name.into(), op, value: value.into(), regex })
    }

    /// `name="value"`.
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    /// Whether a label's value (`""` when missing) fulfils the condition.
    pub fn matches(&self, value: &str) -> bool {
        let by_regex = || self.regex.as_ref().is_some_and(|r| r.is_match(value));
        match self.op {
            MatchOp::Equal => *self.value == *value,
            MatchOp::NotEqual => *self.value != *value,
            MatchOp::Regex => by_regex(),
            MatchOp::NotRegex => !by_regex(),
        }
    }

    /// Whether a whole label set fulfils the condition.
    pub fn matches_labels(&self, labels: &Labels) -> bool {
        self.matches(labels.get(&self.name).unwrap_or_default())
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

/// What a reader asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    /// First millisecond wanted, inclusive.
    pub start_ms: i64,
    /// Last millisecond wanted, inclusive.
    pub end_ms: i64,
}

/// Why series could not be read or written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SeriesError {
    /// A named limit was reached.
    #[error("{what} is over the limit of {limit}: {advice}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What to do next.
        advice: &'static str,
    },
    /// Files could not be read or written, or hold something else than they should.
    #[error("{0}")]
    Storage(String),
}

/// Reads series. Synchronous, bounded, no I/O of its own visible to the caller: it runs on the CPU pool.
pub trait SeriesReader: Send + Sync {
    /// All series that match, with their samples in the range; series without a sample there are left out.
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError>;

    /// The names of labels of the matching series, sorted.
    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError>;

    /// The values of one label of the matching series, sorted.
    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError>;
}

/// One row of a scrape group: the values of its series at one time, in the order the group was declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The group, as the store named it.
    pub group: GroupId,
    /// Milliseconds since the epoch.
    pub t_ms: i64,
    /// One value per series of the group; `None` where this row has none.
    pub values: Vec<Option<f64>>,
}

/// A scrape group in the store: series that are written together, at the same times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u32);

/// What became of samples that were handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Taken, and durable once the call returned.
    pub samples: u64,
    /// At or before the newest sample of their series, with another value: left out.
    pub out_of_order: u64,
    /// The same sample once more: left out, harmless.
    pub duplicates: u64,
}

/// Writes series.
pub trait SeriesWriter: Send + Sync {
    /// The group of these series, made when it is new. The same list in the same order gives the same group.
    ///
    /// # Errors
    /// [`SeriesError::Limit`] when there would be too many series.
    fn group(&self, series: &[Labels]) -> Result<GroupId, SeriesError>;

    /// Appends rows and returns when they are durable.
    fn append(&self, rows: &[Row]) -> Result<Appended, SeriesError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regex_is_anchored_and_missing_is_empty() {
        let m = Matcher::new("status", MatchOp::Regex, "5..").unwrap();
        assert!(m.matches("503") && !m.matches("1503"));
        let none = Matcher::new("env", MatchOp::NotRegex, ".+").unwrap();
        assert!(none.matches_labels(&Labels::metric("up", [("job", "a")])));
        assert!(Matcher::new("a", MatchOp::Regex, "(").is_err());
    }

    #[test]
    fn stale_is_not_any_nan() {
        assert!(is_stale(stale_nan()));
        assert!(!is_stale(f64::NAN));
    }
}
