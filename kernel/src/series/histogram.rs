//! Native histograms: many buckets with exponential (or custom) bounds in one sample. Pure.
//!
//! <https://prometheus.io/docs/specs/native_histograms/>

mod arithmetic;
mod buckets;
mod reset;
mod trim;

use super::is_stale;
pub use arithmetic::{Combined, Incompatible};
pub use buckets::Bucket;
pub use trim::Keep;

/// The schema of a histogram whose bounds are given one by one (Prometheus's NHCB).
pub const CUSTOM_BOUNDS_SCHEMA: i32 = -53;
/// The coarsest exponential schema: each bucket's upper bound is 65,536 times its lower one.
pub const SCHEMA_MIN: i32 = -4;
/// The finest exponential schema: 256 buckets for each power of two.
pub const SCHEMA_MAX: i32 = 8;

/// What is known of a histogram's counter since the sample before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CounterReset {
    /// Has to be found out by comparing.
    #[default]
    Unknown,
    /// The counter was reset.
    Reset,
    /// The counter was not reset.
    NotReset,
    /// No counter at all: a histogram that may fall.
    Gauge,
}

/// Consecutive buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BucketSpan {
    /// Gap to the span before in buckets; of the first span, the index of its first bucket.
    pub offset: i32,
    /// How many buckets.
    pub length: u32,
}

/// A native histogram with counts as numbers (Prometheus's *float histogram*).
///
/// Counts are absolute, not differences. Integer histograms are the same with whole counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// What is known of resets.
    pub reset: CounterReset,
    /// -4 to 8: bucket *i* holds observations in `(2^(2^-schema · (i-1)), 2^(2^-schema · i)]`; -53: custom bounds.
    pub schema: i32,
    /// Width of the zero bucket: it holds observations with an absolute value of at most this.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// Sum of all observations; the staleness marker says that the series ended.
    pub sum: f64,
    /// Where the positive buckets lie.
    pub positive_spans: Vec<BucketSpan>,
    /// Observations of the positive buckets, as many as the spans are long.
    pub positive_buckets: Vec<f64>,
    /// Where the negative buckets lie.
    pub negative_spans: Vec<BucketSpan>,
    /// Observations of the negative buckets, as many as the spans are long.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of custom buckets, rising, without the last, infinite one; empty for exponential schemas.
    pub custom_bounds: Vec<f64>,
}

/// Why something is no histogram.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HistogramError {
    /// Not -53 and not within -4..=8.
    #[error("histogram schema {0} is unknown: -4 to 8 and -53 (custom bounds) are")]
    Schema(i32),
    /// Spans say how many buckets there have to be.
    #[error("the spans of the {side} buckets cover {spans} buckets, but {buckets} are given")]
    BucketCount {
        /// `positive` or `negative`.
        side: &'static str,
        /// What the spans say.
        spans: u64,
        /// What is there.
        buckets: usize,
    },
    /// Only the first span may begin below zero.
    #[error("span {index} of the {side} buckets has the negative offset {offset}")]
    NegativeOffset {
        /// `positive` or `negative`.
        side: &'static str,
        /// Which span.
        index: usize,
        /// Its offset.
        offset: i32,
    },
    /// A count is below zero or no number.
    #[error("the {what} of a histogram is {value}: counts are not negative")]
    NegativeCount {
        /// Which count.
        what: &'static str,
        /// What it is.
        value: f64,
    },
    /// Custom bounds have to rise, and need their schema.
    #[error("custom bounds: {0}")]
    CustomBounds(&'static str),
}

impl Histogram {
    /// What it takes of memory, in words of eight bytes.
    pub fn words(&self) -> usize {
        let buckets = self.positive_buckets.len() + self.negative_buckets.len() + self.custom_bounds.len();
        size_of::<Self>() / size_of::<f64>() + self.positive_spans.len() + self.negative_spans.len() + buckets
    }

    /// Whether it marks the end of its series.
    pub fn is_stale(&self) -> bool {
        is_stale(self.sum)
    }

    /// Whether bounds are given one by one.
    pub fn has_custom_bounds(&self) -> bool {
        self.schema == CUSTOM_BOUNDS_SCHEMA
    }

    /// Whether this is what the specification allows; what comes from outside is asked this before it is kept.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self) -> Result<(), HistogramError> {
        if self.has_custom_bounds() {
            self.verify_custom()?;
        } else if !(SCHEMA_MIN..=SCHEMA_MAX).contains(&self.schema) {
            return Err(HistogramError::Schema(self.schema));
        } else if !self.custom_bounds.is_empty() {
            return Err(HistogramError::CustomBounds("only schema -53 has them"));
        }
        verify_side("positive", &self.positive_spans, &self.positive_buckets)?;
        verify_side("negative", &self.negative_spans, &self.negative_buckets)?;
        let counts = [("count", self.count), ("zero count", self.zero_count)];
        match counts.into_iter().find(|(_, v)| *v < 0.0) {
            Some((what, value)) => Err(HistogramError::NegativeCount { what, value }),
            None => Ok(()),
        }
    }

    fn verify_custom(&self) -> Result<(), HistogramError> {
        let fail = |text| Err(HistogramError::CustomBounds(text));
        if self.zero_count != 0.0 || self.zero_threshold != 0.0 {
            return fail("such a histogram has no zero bucket");
        }
        if !self.negative_spans.is_empty() || !self.negative_buckets.is_empty() {
            return fail("such a histogram has no negative buckets");
        }
        if self.custom_bounds.iter().any(|b| b.is_nan()) || !self.custom_bounds.is_sorted_by(|a, b| a < b) {
            return fail("they must rise, and be numbers");
        }
        if self.custom_bounds.last() == Some(&f64::INFINITY) {
            return fail("the last, infinite one is understood and must be left out");
        }
        let last: i64 = self.positive_spans.iter().map(|s| i64::from(s.offset) + i64::from(s.length)).sum();
        if last > self.custom_bounds.len() as i64 + 1 {
            return fail("there are more buckets than bounds");
        }
        Ok(())
    }
}

fn verify_side(side: &'static str, spans: &[BucketSpan], buckets: &[f64]) -> Result<(), HistogramError> {
    if let Some((index, span)) = spans.iter().enumerate().skip(1).find(|(_, s)| s.offset < 0) {
        return Err(HistogramError::NegativeOffset { side, index, offset: span.offset });
    }
    let covered: u64 = spans.iter().map(|s| u64::from(s.length)).sum();
    if covered != buckets.len() as u64 {
        return Err(HistogramError::BucketCount { side, spans: covered, buckets: buckets.len() });
    }
    match buckets.iter().find(|b| **b < 0.0) {
        Some(value) => Err(HistogramError::NegativeCount { what: "bucket", value: *value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(all: &[(i32, u32)]) -> Vec<BucketSpan> {
        all.iter().map(|(offset, length)| BucketSpan { offset: *offset, length: *length }).collect()
    }

    #[test]
    fn what_the_specification_allows_is_taken() {
        let plain = Histogram {
            count: 3.0,
            positive_spans: spans(&[(-2, 1), (1, 1)]),
            positive_buckets: vec![1.0, 2.0],
            ..Histogram::default()
        };
        assert_eq!(plain.verify(), Ok(()));
        let custom = Histogram { schema: -53, custom_bounds: vec![1.0, 5.0], ..plain.clone() };
        assert_eq!(custom.verify(), Ok(()));
        assert!(Histogram { custom_bounds: vec![5.0, 1.0], ..custom.clone() }.verify().is_err());
        assert!(Histogram { positive_spans: spans(&[(3, 2)]), ..custom }.verify().is_err());
        assert!(Histogram { schema: 9, ..plain.clone() }.verify().is_err());
        assert!(Histogram { positive_buckets: vec![1.0], ..plain.clone() }.verify().is_err());
        assert!(Histogram { positive_spans: spans(&[(0, 1), (-1, 1)]), ..plain.clone() }.verify().is_err());
        assert!(Histogram { zero_count: -1.0, ..plain }.verify().is_err());
    }
}
