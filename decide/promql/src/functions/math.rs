//! Functions of one value and scalars. Pure.

/// Go's `math.Max`: NaN wins, other than in Rust, but not over infinity.
pub(crate) fn max(a: f64, b: f64) -> f64 {
    let no_number = (a.is_nan() || b.is_nan()) && a != f64::INFINITY && b != f64::INFINITY;
    if no_number { f64::NAN } else { a.max(b) }
}

/// Go's `math.Min`, alike.
pub(crate) fn min(a: f64, b: f64) -> f64 {
    let no_number = (a.is_nan() || b.is_nan()) && a != f64::NEG_INFINITY && b != f64::NEG_INFINITY;
    if no_number { f64::NAN } else { a.min(b) }
}

pub(crate) fn clamp(v: f64, args: &[f64]) -> Option<f64> {
    let (low, high) = (args[0], args[1]);
    if high < low { None } else { Some(max(low, min(high, v))) }
}

pub(crate) fn clamp_max(v: f64, args: &[f64]) -> Option<f64> {
    Some(min(args[0], v))
}

pub(crate) fn clamp_min(v: f64, args: &[f64]) -> Option<f64> {
    Some(max(args[0], v))
}

/// To the nearest multiple, halves up. The inverse is used so that 0.1 gives exact tenths.
pub(crate) fn round(v: f64, args: &[f64]) -> Option<f64> {
    let inverse = 1.0 / args.first().copied().unwrap_or(1.0);
    Some((v * inverse + 0.5).floor() / inverse)
}

pub(crate) fn sgn(v: f64) -> f64 {
    if v < 0.0 {
        -1.0
    } else if v > 0.0 {
        1.0
    } else {
        v
    }
}
