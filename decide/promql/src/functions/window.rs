//! The samples of one series in one range. Pure.

use std::sync::Arc;

use kernel::series::Histogram;

/// Samples of a series in a range, oldest first, staleness markers left out. Numbers and histograms stand apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// When the numbers were measured, in milliseconds since the epoch.
    pub(crate) times: &'a [i64],
    /// The numbers at those times.
    pub(crate) values: &'a [f64],
    /// When the counter of each number began, 0 where that is not known; empty when it is known of none.
    pub(crate) starts: &'a [i64],
    /// The histograms, most often none.
    pub(crate) histograms: Histograms<'a>,
    /// The time the query is evaluated at, in milliseconds.
    pub(crate) now_ms: i64,
}

/// The histograms of a range.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Histograms<'a> {
    /// When they were measured, in milliseconds since the epoch.
    pub(crate) times: &'a [i64],
    /// The histograms.
    pub(crate) values: &'a [Arc<Histogram>],
    /// When the counter of each began, 0 where that is not known; empty when it is known of none.
    pub(crate) starts: &'a [i64],
}

impl Histograms<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// A sample of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Measured<'a> {
    Float(f64),
    Histogram(&'a Arc<Histogram>),
}

impl<'a> Window<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.histograms.is_empty()
    }

    /// When the counter of a number began; 0 when that is not known.
    pub(crate) fn start(&self, i: usize) -> i64 {
        self.starts.get(i).copied().unwrap_or(0)
    }

    /// All samples by time: when, what, and when its counter began.
    pub(crate) fn by_time(&self) -> Vec<(i64, Measured<'a>, i64)> {
        let floats = (0..self.values.len()).map(|i| (self.times[i], Measured::Float(self.values[i]), self.start(i)));
        let h = self.histograms;
        let start = |i: usize| h.starts.get(i).copied().unwrap_or(0);
        let histograms = (0..h.values.len()).map(|i| (h.times[i], Measured::Histogram(&h.values[i]), start(i)));
        let mut all: Vec<_> = floats.chain(histograms).collect();
        all.sort_by_key(|(t, _, _)| *t);
        all
    }
}

/// Whether a start time says that the counter was reset between two samples: it began after the first one. A start at
/// that sample itself means so only if the one before is known and earlier (increments, each counted from the last).
pub(crate) fn started_anew(before: (i64, i64), now: (i64, i64)) -> bool {
    let ((start_before, t_before), (start, t)) = (before, now);
    if start == start_before || start == 0 || start >= t || start < t_before {
        return false;
    }
    start > t_before || (start_before != 0 && start_before < t_before)
}

/// Whether a start time says that the counter of a sample began after a time.
pub(crate) fn started_after(time: i64, (start, t): (i64, i64)) -> bool {
    start > time && t > time && started_anew((time, time), (start, t))
}

/// Whether a sample claims to count from before the sample before it, though from another start: they overlap.
pub(crate) fn starts_overlap(before: (i64, i64), start: i64) -> bool {
    let (start_before, t_before) = before;
    start != 0 && start < t_before && start != start_before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_that_mean_a_reset() {
        let check = |before, now, expect| assert_eq!(started_anew(before, now), expect, "{before:?} {now:?}");
        check((0, 60), (0, 120), false);
        check((10, 60), (10, 120), false);
        check((10, 60), (61, 120), true);
        check((0, 60), (61, 120), true);
        check((10, 60), (120, 120), false);
        check((10, 60), (121, 120), false);
        check((10, 60), (60, 120), true);
        check((0, 60), (60, 120), false);
        check((60, 60), (60, 120), false);
        check((70, 60), (60, 120), false);
        // The same start is no new one, even where it cannot be.
        check((70, 60), (70, 120), false);
    }
}
