//! Classic histograms: quantiles and fractions of cumulative buckets. Pure.

use std::cmp::Ordering;

use super::quantile::nan_first;

/// How far apart two counts may be and still pass for equal: rates of equal counters differ by rounding.
const SMALL_DELTA: f64 = 1e-12;

/// One cumulative bucket: how many observations were at most `upper`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) upper: f64,
    pub(crate) count: f64,
}

/// The result of a quantile, and where the buckets had to be made monotonic: the lowest and highest bound, and the
/// most that a count was raised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quantile {
    pub(crate) value: f64,
    pub(crate) forced: Option<(f64, f64, f64)>,
}

/// Sorted by bound, buckets of one bound (differently written) added up; `None` without a `+Inf` bucket.
fn prepared(buckets: &mut Vec<Bucket>) -> Option<()> {
    buckets.sort_by(|a, b| nan_first(a.upper, b.upper));
    if buckets.last()?.upper != f64::INFINITY {
        return None;
    }
    buckets.dedup_by(|later, kept| {
        let same = later.upper == kept.upper;
        if same {
            kept.count += later.count;
        }
        same
    });
    Some(())
}

fn nearly_equal(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < SMALL_DELTA * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < SMALL_DELTA
}

/// Counts must not fall from bucket to bucket; says where one did by more than rounding, and by how much at most.
fn make_monotonic(buckets: &mut [Bucket]) -> Option<(f64, f64, f64)> {
    let mut forced: Option<(f64, f64, f64)> = None;
    let mut before = buckets[0].count;
    for bucket in &mut buckets[1..] {
        if nearly_equal(before, bucket.count) {
            bucket.count = before;
        } else if bucket.count < before {
            let (lowest, highest, most) = forced.unwrap_or((f64::INFINITY, f64::NEG_INFINITY, 0.0));
            let by = before - bucket.count;
            forced = Some((lowest.min(bucket.upper), highest.max(bucket.upper), most.max(by)));
            bucket.count = before;
        } else {
            before = bucket.count;
        }
    }
    forced
}

/// The value below which a fraction `q` of the observations lies, linear within its bucket.
pub(crate) fn quantile(q: f64, buckets: &mut Vec<Bucket>) -> Quantile {
    let plain = |value| Quantile { value, forced: None };
    if q.is_nan() {
        return plain(f64::NAN);
    }
    if q < 0.0 {
        return plain(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return plain(f64::INFINITY);
    }
    if prepared(buckets).is_none() {
        return plain(f64::NAN);
    }
    let forced = make_monotonic(buckets);
    let last = buckets.len() - 1;
    let observations = buckets[last].count;
    if last == 0 || observations == 0.0 {
        return Quantile { value: f64::NAN, forced };
    }
    let rank = q * observations;
    // By halves: where a count is no number, what is found depends on the way, which is Prometheus's.
    let at = buckets[..last]
        .partition_point(|b| !matches!(b.count.partial_cmp(&rank), Some(Ordering::Greater | Ordering::Equal)));
    Quantile { value: within(buckets, at, rank), forced }
}

fn within(buckets: &[Bucket], at: usize, rank: f64) -> f64 {
    if at == buckets.len() - 1 {
        return buckets[at - 1].upper;
    }
    if at == 0 && buckets[0].upper <= 0.0 {
        return buckets[0].upper;
    }
    let (start, before) = if at == 0 { (0.0, 0.0) } else { (buckets[at - 1].upper, buckets[at - 1].count) };
    let Bucket { upper, count } = buckets[at];
    start + (upper - start) * ((rank - before) / (count - before))
}

/// The fraction of the observations between two values.
pub(crate) fn fraction(low: f64, high: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if prepared(buckets).is_none() {
        return f64::NAN;
    }
    let count = buckets[buckets.len() - 1].count;
    if count == 0.0 || low.is_nan() || high.is_nan() {
        return f64::NAN;
    }
    if low >= high {
        return 0.0;
    }
    // A rank that is no number stays none.
    let capped = |rank: f64| if rank > count { count } else { rank };
    (capped(rank_of(high, buckets)) - capped(rank_of(low, buckets))) / count
}

/// How many observations lie below a value. A bucket without a finite width is not interpolated: a value in the
/// lowest one counts all of it, a value in the highest one counts none of it.
fn rank_of(v: f64, buckets: &[Bucket]) -> f64 {
    let mut rank = 0.0;
    let mut lower = if buckets[0].upper > 0.0 { 0.0 } else { f64::NEG_INFINITY };
    for bucket in buckets {
        if v <= lower {
            return rank;
        }
        if v < bucket.upper {
            return if lower == f64::NEG_INFINITY {
                bucket.count
            } else {
                rank + (bucket.count - rank) * ((v - lower) / (bucket.upper - lower))
            };
        }
        rank = bucket.count;
        lower = bucket.upper;
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|(upper, count)| Bucket { upper: *upper, count: *count }).collect()
    }

    #[test]
    fn quantiles() {
        let check = |q, pairs: &[(f64, f64)], expect: f64, forced| {
            let got = quantile(q, &mut buckets(pairs));
            assert_eq!((got.value, got.forced.is_some()), (expect, forced), "{q} of {pairs:?}");
        };
        let inf = f64::INFINITY;
        check(0.5, &[(2.0, 1.0), (4.0, 2.0), (6.0, 3.0), (inf, 3.0)], 3.0, false);
        check(1.0, &[(1.0, 5.0), (inf, 6.0)], 1.0, false);
        check(0.5, &[(1.0, 10.0), (2.0, 5.0), (inf, 10.0)], 0.5, true);
        check(0.5, &[(1.0, 1.0), (2.0, 1.0 - 1e-14), (inf, 2.0)], 1.0, false);
        assert!(quantile(0.5, &mut buckets(&[(1.0, 5.0)])).value.is_nan());
    }

    #[test]
    fn fractions() {
        let inf = f64::INFINITY;
        let check = |low, high, expect: f64| {
            let got = fraction(low, high, &mut buckets(&[(1.0, 1.0), (2.0, 3.0), (3.0, 6.0), (inf, 100.0)]));
            assert!((got - expect).abs() < 1e-12, "{low}..{high}: {got}");
        };
        check(0.0, 1.5, 0.02);
        check(4.0, 5.0, 0.0);
        check(400.0, inf, 0.94);
        check(3.0, 2.0, 0.0);
    }
}
