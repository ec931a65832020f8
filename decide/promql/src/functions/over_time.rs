//! Functions over the samples of a range: the `…_over_time` family. Pure.

use super::kahan::{Kahan, Mean};
use super::quantile::quantile as quantile_of;
use super::window::Window;

pub(crate) fn avg(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    let mut mean = Mean::default();
    w.values.iter().for_each(|v| mean.add(*v));
    (!w.values.is_empty()).then(|| mean.value())
}

pub(crate) fn sum(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    let mut total = Kahan::default();
    w.values.iter().for_each(|v| total.add(*v));
    (!w.values.is_empty()).then(|| total.value())
}

pub(crate) fn count(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    (!w.values.is_empty()).then_some(w.values.len() as f64)
}

pub(crate) fn present(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    (!w.values.is_empty()).then_some(1.0)
}

pub(crate) fn first(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    w.values.first().copied()
}

pub(crate) fn last(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    w.values.last().copied()
}

pub(crate) fn max(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    w.values.iter().copied().reduce(|best, v| if v > best || best.is_nan() { v } else { best })
}

pub(crate) fn min(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    w.values.iter().copied().reduce(|best, v| if v < best || best.is_nan() { v } else { best })
}

pub(crate) fn quantile(w: &Window<'_>, args: &[f64]) -> Option<f64> {
    (!w.values.is_empty()).then(|| quantile_of(args[0], &mut w.values.to_vec()))
}

/// The median of the distances from the median.
pub(crate) fn mad(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    if w.values.is_empty() {
        return None;
    }
    // Without a median there is no distance from it.
    if w.values.iter().any(|v| v.is_nan()) {
        return Some(f64::NAN);
    }
    let mut values = w.values.to_vec();
    let median = quantile_of(0.5, &mut values);
    values.iter_mut().for_each(|v| *v = (*v - median).abs());
    Some(quantile_of(0.5, &mut values))
}

/// Welford's running variance with compensated sums.
fn variance(w: &Window<'_>) -> Option<f64> {
    let (mut mean, mut squares, mut count) = (Kahan::default(), Kahan::default(), 0.0);
    for v in w.values {
        count += 1.0;
        let delta = v - (mean.sum + mean.lost);
        mean.add(delta / count);
        squares.add(delta * (v - (mean.sum + mean.lost)));
    }
    (count > 0.0).then(|| (squares.sum + squares.lost) / count)
}

pub(crate) fn stddev(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    variance(w).map(f64::sqrt)
}

pub(crate) fn stdvar(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    variance(w)
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

pub(crate) fn ts_of_first(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    w.times.first().map(|t| seconds(*t))
}

pub(crate) fn ts_of_last(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    w.times.last().map(|t| seconds(*t))
}

pub(crate) fn ts_of_max(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    time_of_extreme(w, |v, best| v >= best)
}

pub(crate) fn ts_of_min(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    time_of_extreme(w, |v, best| v <= best)
}

/// The time of the last of the most extreme values.
fn time_of_extreme(w: &Window<'_>, beats: fn(f64, f64) -> bool) -> Option<f64> {
    let mut samples = w.times.iter().zip(w.values);
    let first = samples.next()?;
    let best = samples.fold(first, |best, s| if beats(*s.1, *best.1) || best.1.is_nan() { s } else { best });
    Some(seconds(*best.0))
}
