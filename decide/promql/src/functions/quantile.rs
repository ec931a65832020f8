//! Quantiles of plain values. Pure.

use std::cmp::Ordering;

/// Ascending, NaN before everything.
pub(crate) fn nan_first(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

/// The quantile of values, interpolated between the two nearest; puts them in another order.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let last = values.len() - 1;
    let rank = q * last as f64;
    let lower = rank.floor().max(0.0) as usize;
    let weight = rank - rank.floor();
    let order = |a: &f64, b: &f64| nan_first(*a, *b);
    // The two values are found without sorting the others.
    let (_, low, above) = values.select_nth_unstable_by(lower, order);
    if weight == 0.0 {
        return *low;
    }
    let high = above.iter().copied().min_by(order).unwrap_or(*low);
    *low * (1.0 - weight) + high * weight
}
