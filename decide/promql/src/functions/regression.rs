//! Trends: least squares and double exponential smoothing. Pure.

use super::kahan::Kahan;
use super::window::Window;

/// The least-squares line through samples: slope per second, and the value at a time.
fn line(w: &Window<'_>, intercept_ms: i64) -> (f64, f64) {
    let first = w.values[0];
    if w.values.iter().all(|v| *v == first) {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let [mut x_sum, mut y_sum, mut xy_sum, mut x2_sum] = [Kahan::default(); 4];
    for (t, y) in w.times.iter().zip(w.values) {
        let x = (t - intercept_ms) as f64 / 1e3;
        x_sum.add(x);
        y_sum.add(*y);
        xy_sum.add(x * y);
        x2_sum.add(x * x);
    }
    let n = w.values.len() as f64;
    let [x, y, xy, x2] = [x_sum, y_sum, xy_sum, x2_sum].map(|k| k.sum + k.lost);
    let covariance = xy - x * y / n;
    let variance = x2 - x * x / n;
    let slope = covariance / variance;
    (slope, y / n - slope * x / n)
}

pub(crate) fn deriv(w: &Window<'_>, _: &[f64]) -> Option<f64> {
    (w.values.len() >= 2).then(|| line(w, w.times[0]).0)
}

pub(crate) fn predict_linear(w: &Window<'_>, args: &[f64]) -> Option<f64> {
    if w.values.len() < 2 {
        return None;
    }
    let (slope, intercept) = line(w, w.now_ms);
    Some(slope * args[0] + intercept)
}

/// Holt's linear method: `args` are the smoothing factor and the trend factor, both checked by the caller.
pub(crate) fn double_exponential_smoothing(w: &Window<'_>, args: &[f64]) -> Option<f64> {
    if w.values.len() < 2 {
        return None;
    }
    let (smoothing, trending) = (args[0], args[1]);
    let (mut before, mut level) = (0.0, w.values[0]);
    let mut trend = w.values[1] - w.values[0];
    for (i, v) in w.values.iter().enumerate().skip(1) {
        if i > 1 {
            trend = trending * (level - before) + (1.0 - trending) * trend;
        }
        (before, level) = (level, smoothing * v + (1.0 - smoothing) * (level + trend));
    }
    Some(level)
}
