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

/// How the area between two samples is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quadrature {
    /// As a rectangle as high as the first one.
    Left,
    /// As a rectangle as high as the second one.
    Right,
    /// As a trapezoid.
    Trapezoidal,
}

/// The quadrature of a number, where there is one of it.
fn quadrature(strategy: f64) -> Option<Quadrature> {
    match strategy {
        0.0 => Some(Quadrature::Left),
        1.0 => Some(Quadrature::Right),
        2.0 => Some(Quadrature::Trapezoidal),
        _ => None,
    }
}

/// Whether [`integral`] knows this strategy; it takes trapezoids where not.
pub(crate) fn is_strategy(strategy: f64) -> bool {
    quadrature(strategy).is_some()
}

/// The area below the samples over their times in seconds; those that are no number count as 0.
pub(crate) fn integral(w: &Window<'_>, args: &[f64]) -> Option<f64> {
    if w.values.is_empty() {
        return None;
    }
    let strategy = args.first().and_then(|s| quadrature(*s)).unwrap_or(Quadrature::Trapezoidal);
    let number = |v: f64| if v.is_nan() { 0.0 } else { v };
    let mut area = Kahan::default();
    for (t, v) in w.times.windows(2).zip(w.values.windows(2)) {
        let (before, now) = (number(v[0]), number(v[1]));
        let height = match strategy {
            Quadrature::Left => Kahan { sum: before, lost: 0.0 },
            Quadrature::Right => Kahan { sum: now, lost: 0.0 },
            Quadrature::Trapezoidal => middle(before, now),
        };
        if height.sum != 0.0 || height.lost != 0.0 {
            let seconds = (t[1] - t[0]) as f64 / 1000.0;
            area.lost += height.lost * seconds;
            area.add(height.sum * seconds);
        }
    }
    Some(if area.sum.is_infinite() { area.sum } else { area.sum + area.lost })
}

/// The mean of two numbers, with what rounding lost of it; of two finite ones it does not overflow.
fn middle(a: f64, b: f64) -> Kahan {
    let mut whole = Kahan { sum: a, lost: 0.0 };
    whole.add(b);
    if whole.sum.is_infinite() && a.is_finite() && b.is_finite() {
        whole = Kahan { sum: a / 2.0, lost: 0.0 };
        whole.add(b / 2.0);
        return whole;
    }
    Kahan { sum: whole.sum / 2.0, lost: whole.lost / 2.0 }
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
