//! Rates, increases and deltas. Pure.

use super::window::Window;

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

/// What a counter lost by resets: the sum of the values before each.
pub(crate) fn reset_correction(values: &[f64]) -> f64 {
    values.windows(2).filter(|w| w[1] < w[0]).map(|w| w[0]).sum()
}

/// Where the values of a series fall: computed once per series, so that a range need not be walked for them.
pub(crate) fn reset_indexes(values: &[f64]) -> Vec<u32> {
    (1..values.len()).filter(|i| values[*i] < values[i - 1]).map(|i| i as u32).collect()
}

/// `rate`, `increase` or `delta` over a range, extrapolated to its bounds as Prometheus does.
///
/// The samples cover less than the range. Towards each bound the result is extended by the gap when the gap is
/// under 1.1 average intervals, by half an interval otherwise, and never to before a counter's zero.
///
/// `before_resets` are the values of a counter before each of its resets in the range.
pub(crate) fn extrapolated(
    w: &Window<'_>,
    bounds: Bounds,
    rate: Rate,
    before_resets: impl Iterator<Item = f64>,
) -> Option<f64> {
    let (n, values) = (w.values.len(), w.values);
    if n < 2 {
        return None;
    }
    let (first, last) = (values[0], values[n - 1]);
    let mut result = last - first;
    before_resets.for_each(|v| result += v);
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let mut to_start = seconds(w.times[0] - bounds.start);
    let mut to_end = seconds(bounds.end - w.times[n - 1]);
    let sampled = seconds(w.times[n - 1] - w.times[0]);
    let average = sampled / (n - 1) as f64;
    let threshold = average * 1.1;
    if to_start >= threshold {
        to_start = average / 2.0;
    }
    if rate.is_counter() && result > 0.0 && first >= 0.0 {
        to_start = to_start.min(sampled * (first / result));
    }
    if to_end >= threshold {
        to_end = average / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    if rate == Rate::PerSecond {
        factor /= seconds(bounds.end - bounds.start);
    }
    Some(result * factor)
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
    // After a counter's reset the last value is all we know of the increase.
    let difference = if rate && last < before { last } else { last - before };
    Some(if rate { difference / (interval_ms as f64 / 1000.0) } else { difference })
}

pub(crate) fn irate(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    instant(w, true)
}

pub(crate) fn idelta(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    instant(w, false)
}

pub(crate) fn resets(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    (!w.values.is_empty()).then(|| w.pairs().filter(|(a, b)| b < a).count() as f64)
}

pub(crate) fn changes(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    let changed = |(a, b): &(f64, f64)| a != b && !(a.is_nan() && b.is_nan());
    (!w.values.is_empty()).then(|| w.pairs().filter(changed).count() as f64)
}
