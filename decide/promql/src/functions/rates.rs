//! Rates, increases and deltas. Pure.

use super::window::{Window, started_anew, starts_overlap};

/// Which of the three extrapolated functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    PerSecond,
    Increase,
    Delta,
}

impl Rate {
    pub(crate) fn is_counter(self) -> bool {
        self != Self::Delta
    }
}

/// The bounds of a range in milliseconds: after `start`, up to and with `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Bounds {
    pub(crate) fn seconds(self) -> f64 {
        (self.end - self.start) as f64 / 1000.0
    }
}

/// Where a counter was reset: where it falls, or says that it started anew. Computed once per series, so that a range
/// need not be walked for it.
pub(crate) fn reset_indexes(times: &[i64], values: &[f64], starts: &[i64]) -> Vec<u32> {
    if starts.is_empty() {
        // Most counters never fall: that is seen without a branch per value.
        let next = values.get(1..).unwrap_or_default();
        if !values.iter().zip(next).fold(false, |any, (before, v)| any | (v < before)) {
            return Vec::new();
        }
        return (1..values.len()).filter(|i| values[*i] < values[i - 1]).map(|i| i as u32).collect();
    }
    let anew = |i: usize| started_anew((starts[i - 1], times[i - 1]), (starts[i], times[i]));
    (1..values.len()).filter(|i| values[*i] < values[i - 1] || anew(*i)).map(|i| i as u32).collect()
}

/// Whether a counter claims to have started before the sample before it, anywhere in a range.
pub(crate) fn any_overlap(times: &[i64], starts: &[i64]) -> bool {
    (1..starts.len().min(times.len())).any(|i| starts_overlap((starts[i - 1], times[i - 1]), starts[i]))
}

/// When the samples of a range were measured, and what is known of the start of the first one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) count: usize,
    /// When the counter of the first sample began, if it is known and lies within the range: nothing was counted before.
    pub(crate) start: Option<i64>,
}

impl Extent {
    /// Of the samples at these times; `starts` may be empty.
    pub(crate) fn of(times: &[i64], starts: &[i64], bounds: Bounds, rate: Rate) -> Option<Self> {
        let (first, last) = (*times.first()?, *times.last()?);
        let usable = |s: &i64| rate.is_counter() && *s != 0 && *s > bounds.start && *s < first;
        Some(Self { first, last, count: times.len(), start: starts.first().copied().filter(usable) })
    }

    /// By how much the increase between the samples is multiplied to cover the range; `None` when there are too few
    /// samples. `zero` is the first value and the increase of a counter that was at zero some time before.
    pub(crate) fn factor(&self, bounds: Bounds, rate: Rate, zero: Option<(f64, f64)>) -> Option<f64> {
        Some(self.reach(bounds, rate)?.factor(zero))
    }

    /// What of the factor does not depend on values.
    pub(crate) fn reach(&self, bounds: Bounds, rate: Rate) -> Option<Reach> {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        let mut to_start = seconds(self.first - bounds.start);
        let mut to_end = seconds(bounds.end - self.last);
        let mut sampled = seconds(self.last - self.first);
        let average = if self.count > 1 { sampled / (self.count - 1) as f64 } else { 0.0 };
        let threshold = average * 1.1;
        if let Some(start) = self.start {
            to_start = 0.0;
            sampled = seconds(self.last - start);
        } else if self.count < 2 {
            return None;
        } else if to_start >= threshold {
            to_start = average / 2.0;
        }
        if to_end >= threshold {
            to_end = average / 2.0;
        }
        let per = if rate == Rate::PerSecond { bounds.seconds() } else { 1.0 };
        let mut reach = Reach { to_start, sampled, to_end, per, whole: 0.0 };
        reach.whole = reach.extended_from(to_start);
        Some(reach)
    }
}

/// How far the result of a range is extended, as Prometheus does it; the same for all series measured at the same times.
///
/// The samples cover less than the range. Towards each bound the result is extended by the gap when the gap is under 1.1
/// average intervals, by half an interval otherwise, and never to before a counter's zero: the first value and the
/// increase say where that is. Where the counter is known to have begun within the range, its increase is counted from
/// there, and nothing is extended on that side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Seconds.
    to_start: f64,
    sampled: f64,
    to_end: f64,
    /// The seconds a rate is divided by, 1 for an increase.
    per: f64,
    /// The factor where no zero stands in the way.
    whole: f64,
}

impl Reach {
    fn extended_from(&self, to_start: f64) -> f64 {
        let factor = if self.sampled == 0.0 { 1.0 } else { (self.sampled + to_start + self.to_end) / self.sampled };
        factor / self.per
    }

    /// The factor, for a first value and an increase.
    pub(crate) fn factor(&self, zero: Option<(f64, f64)>) -> f64 {
        if let Some((first, increase)) = zero {
            let to_zero = self.sampled * (first / increase);
            if to_zero < self.to_start {
                return self.extended_from(to_zero);
            }
        }
        self.whole
    }
}

/// `rate`, `increase` or `delta` of numbers over a range, extrapolated to its bounds; `None` when there are too few.
///
/// `before_resets` are the values of a counter before each of its resets in the range.
pub(crate) fn extrapolated(
    w: &Window<'_>,
    bounds: Bounds,
    rate: Rate,
    before_resets: impl Iterator<Item = f64>,
) -> Option<f64> {
    let extent = Extent::of(w.times, w.starts, bounds, rate)?;
    let reach = extent.reach(bounds, rate)?;
    Some(extended(w.values, reach, extent.start.is_some(), rate, before_resets))
}

/// The same where it is known how far to extend; `begun` where the first value itself was counted within the range.
pub(crate) fn extended(
    values: &[f64],
    reach: Reach,
    begun: bool,
    rate: Rate,
    before_resets: impl Iterator<Item = f64>,
) -> f64 {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else { return f64::NAN };
    let mut result = last - first;
    before_resets.for_each(|v| result += v);
    // A counter known to have begun within the range is not extended before that.
    let from_zero = rate.is_counter() && !begun && result > 0.0 && first >= 0.0;
    let factor = reach.factor(from_zero.then_some((first, result)));
    if begun {
        result += first;
    }
    result * factor
}

fn instant(w: &Window<'_>, rate: bool) -> Option<f64> {
    let n = w.values.len();
    if n < 2 {
        return None;
    }
    let (before, last) = (w.values[n - 2], w.values[n - 1]);
    let interval_ms = w.times[n - 1] - w.times[n - 2];
    if interval_ms == 0 {
        return None;
    }
    let anew = started_anew((w.start(n - 2), w.times[n - 2]), (w.start(n - 1), w.times[n - 1]));
    // After a counter's reset the last value is all we know of the increase.
    let difference = if rate && (last < before || anew) { last } else { last - before };
    Some(if rate { difference / (interval_ms as f64 / 1000.0) } else { difference })
}

pub(crate) fn irate(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    instant(w, true)
}

pub(crate) fn idelta(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    instant(w, false)
}

pub(crate) fn resets(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    (!w.values.is_empty()).then(|| reset_indexes(w.times, w.values, w.starts).len() as f64)
}

pub(crate) fn changes(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    let changed = |p: &&[f64]| p[0] != p[1] && !(p[0].is_nan() && p[1].is_nan());
    (!w.values.is_empty()).then(|| w.values.windows(2).filter(changed).count() as f64)
}
