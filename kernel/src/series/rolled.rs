//! What a store keeps of samples that are gone: figures of each stretch of time. Pure.

/// A figure that is kept of the samples of a series in each stretch of time.
///
/// A sample that is still there itself stands for a stretch of its own: it is its minimum, maximum, sum and last value, and counts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rolled {
    /// The least number.
    Min,
    /// The greatest number.
    Max,
    /// All numbers together, and all histograms.
    Sum,
    /// How many samples there were, histograms included.
    Count,
    /// The last sample as it was, with markers of ends, and what counters need so that nothing is lost where they begin anew.
    Last,
}

impl Rolled {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Min, Self::Max, Self::Sum, Self::Count, Self::Last];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Last => "last",
        }
    }
}

/// A time before which only figures of stretches of this length are kept (or even longer ones, where another boundary says so).
///
/// Stretches are aligned to the epoch, open on the left and closed on the right, as PromQL's ranges are. Their figures stand at the time
/// of their last sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolledUp {
    /// The boundary, milliseconds since the epoch: samples at it or later are there themselves.
    pub before_ms: i64,
    /// The length of a stretch, milliseconds.
    pub resolution_ms: i64,
}
