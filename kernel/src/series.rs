//! The read and write ports of the series store, and the columns that cross them. Pure.
//!
//! A series comes as one column of timestamps and one of values. Timestamps are shared between the series of one
//! scrape group (a check's results, a target's scrape), so a reader may compute windows once per group.

mod admin;
mod histogram;
mod rolled;
mod write;

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::Labels;
pub use admin::{BlockFacts, Cardinality, Counted, SeriesAdmin};
pub use histogram::{
    Bucket, BucketSpan, CUSTOM_BOUNDS_SCHEMA, Combined, CounterReset, Histogram, HistogramError, Incompatible, Keep,
    SCHEMA_MAX, SCHEMA_MIN,
};
pub use rolled::{Rolled, RolledUp};
pub use write::{
    Appended, Batch, BatchRow, Cell, GroupId, KEPT_MS, KnownColumns, ROWS_PREFIX, Rejected, Rejection, Row, SeriesRef,
    SeriesWriter, group_of, rows_of,
};

/// The bit pattern of Prometheus's staleness marker, a NaN that says: this series ended here.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The staleness marker as a value.
pub const fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// Whether a value is the staleness marker (other NaNs are values).
#[inline]
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

/// One value: a number or a native histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

impl Point {
    /// Whether it marks the end of its series.
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Float(v) => is_stale(*v),
            Self::Histogram(h) => h.is_stale(),
        }
    }
}

/// A column of values, as long as the column of timestamps beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Plain numbers.
    Floats(Vec<f64>),
    /// A column with at least one histogram in it.
    Mixed(Vec<Point>),
}

impl Column {
    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(v) => v.len(),
            Self::Mixed(v) => v.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, when there is nothing else.
    pub fn floats(&self) -> Option<&[f64]> {
        match self {
            Self::Floats(v) => Some(v),
            Self::Mixed(_) => None,
        }
    }

    /// A value by its place.
    pub fn get(&self, at: usize) -> Option<Point> {
        match self {
            Self::Floats(v) => v.get(at).map(|v| Point::Float(*v)),
            Self::Mixed(v) => v.get(at).cloned(),
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
    /// When each sample's counter began (its *start* or *created timestamp*, milliseconds; 0 where that is not known);
    /// `None` when it is known of no sample. As long as `timestamps`.
    pub starts: Option<Arc<[i64]>>,
}

impl Series {
    /// A series of plain numbers without start times.
    pub fn floats(labels: Labels, timestamps: Arc<[i64]>, values: Vec<f64>) -> Self {
        Self { labels, timestamps, values: Column::Floats(values), starts: None }
    }
}

/// An example of what a sample counted: usually the trace of one request (OpenMetrics).
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Where to look: `trace_id` and the like.
    pub labels: Labels,
    /// What was observed.
    pub value: f64,
    /// When, milliseconds since the epoch.
    pub t_ms: i64,
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
    /// The store does not know the group (any more): open it again, and ask for its columns again.
    #[error("there is no group {} (any more): open it again", .0.0)]
    UnknownGroup(GroupId),
    /// Files could not be read or written, or hold something else than they should.
    #[error("{0}")]
    Storage(String),
}

/// Takes series one by one; [`ControlFlow::Break`] ends the reading.
pub type Visit<'v> = &'v mut dyn FnMut(Series) -> ControlFlow<()>;

/// Takes names, values or label sets one by one; [`ControlFlow::Break`] ends the reading.
pub type VisitEach<'v, T> = &'v mut dyn FnMut(T) -> ControlFlow<()>;

/// Reads series. Synchronous, bounded, no I/O of its own visible to the caller: it runs on the CPU pool.
pub trait SeriesReader: Send + Sync {
    /// All series that match, with their samples in the range; series without a sample there are left out.
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError>;

    /// As [`SeriesReader::select`], but one at a time, so that not all of them are in memory together. The order is
    /// not said, but the same for the same data; series that share their timestamps come with the same `Arc`.
    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        for series in self.select(select)? {
            if visit(series).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// As [`SeriesReader::visit`], where of each series its newest sample in the range is enough; earlier ones may come too.
    fn visit_newest(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.visit(select, visit)
    }

    /// Before which times only figures of stretches are kept, the longest stretches (and so the earliest boundary) first; none where all
    /// samples are there themselves. What older times have is asked for by [`SeriesReader::visit_rolled`]; the other questions answer
    /// with [`Rolled::Last`] there.
    fn rolled_up(&self) -> Vec<RolledUp> {
        Vec::new()
    }

    /// As [`SeriesReader::visit`], with one figure of stretches where samples are gone, and of samples where they are there. Of
    /// histograms sums, counts and the last ones are kept, and the other figures leave them out. Only readers that say so by
    /// [`SeriesReader::rolled_up`] are asked.
    fn visit_rolled(&self, select: &Select, figure: Rolled, visit: Visit<'_>) -> Result<(), SeriesError> {
        let _ = figure;
        self.visit(select, visit)
    }

    /// A number that the matching series are not more than, told without searching; `None` when only a search would tell. What reads
    /// little need not wait behind what reads much.
    fn at_most(&self, select: &Select) -> Option<u64> {
        let _ = select;
        None
    }

    /// The labels of the matching series, sorted.
    fn series(&self, select: &Select) -> Result<Vec<Labels>, SeriesError> {
        let mut all: Vec<Labels> = self.select(select)?.into_iter().map(|s| s.labels).collect();
        all.sort_unstable();
        Ok(all)
    }

    /// As [`SeriesReader::series`], but one at a time, so that whoever asks may count, and stop. The order is not said, and a label set
    /// may come more than once.
    fn visit_labels(&self, select: &Select, visit: VisitEach<'_, Labels>) -> Result<(), SeriesError> {
        // Stopped early is no failure.
        let _ = self.series(select)?.into_iter().try_for_each(visit);
        Ok(())
    }

    /// As [`SeriesReader::label_values`], but one at a time, as with [`SeriesReader::visit_labels`].
    fn visit_values(&self, name: &str, select: &Select, visit: VisitEach<'_, Arc<str>>) -> Result<(), SeriesError> {
        let _ = self.label_values(name, select)?.into_iter().map(Arc::from).try_for_each(visit);
        Ok(())
    }

    /// The names of labels of the matching series, sorted.
    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError>;

    /// The values of one label of the matching series, sorted.
    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError>;

    /// The exemplars of the matching series in the range, oldest first, series sorted by labels.
    fn exemplars(&self, select: &Select) -> Result<Vec<(Labels, Vec<Exemplar>)>, SeriesError> {
        let _ = select;
        Ok(Vec::new())
    }
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
