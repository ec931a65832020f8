//! Quantiles and fractions of native histograms. Pure.
//!
//! Within custom buckets and the zero bucket observations are taken to be spread evenly, within exponential buckets
//! evenly on a logarithmic scale. <https://prometheus.io/docs/specs/native_histograms/#interpolation-within-a-bucket>

use kernel::series::{Bucket, Histogram};

use super::native::Notes;
use crate::annotations::Note;

/// The value below which a fraction `q` of the observations lies.
pub(crate) fn quantile(q: f64, h: &Histogram, note: Notes<'_>) -> f64 {
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    if h.count == 0.0 || q.is_nan() {
        return f64::NAN;
    }
    // Observations that are no numbers are in no bucket, but counted, as if they were above all: then from below.
    let forward = h.sum.is_nan() || q < 0.5;
    let rank = if forward { q * h.count } else { (1.0 - q) * h.count };
    let mut buckets = h.buckets();
    if !forward {
        buckets.reverse();
    }
    let (mut bucket, mut count, mut at) = (NOTHING, 0.0, 0);
    for b in &buckets {
        at += 1;
        bucket = *b;
        count += b.count;
        if b.count != 0.0 && count >= rank {
            break;
        }
    }
    if h.has_custom_bounds() {
        if bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return bucket.upper;
            }
            bucket.lower = 0.0;
        } else if bucket.upper == f64::INFINITY {
            return bucket.lower;
        }
    } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
        one_sided(&mut bucket, h);
    }
    count = count.min(h.count);
    if count < rank {
        if h.sum.is_nan() {
            note(Note::QuantileIsNan);
            return f64::NAN;
        }
        return bucket.upper;
    }
    let within = if forward { rank - (count - bucket.count) } else { count - rank };
    if h.sum.is_nan() {
        count += buckets[at..].iter().map(|b| b.count).sum::<f64>();
        if count < h.count {
            note(Note::QuantileIsSkewed);
        }
    }
    let share = within / bucket.count;
    if h.has_custom_bounds() || bucket.spans_zero() {
        return (bucket.upper - bucket.lower).mul_add(share, bucket.lower);
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    if bucket.lower > 0.0 {
        (upper - lower).mul_add(share, lower).exp2()
    } else {
        -(lower - upper).mul_add(1.0 - share, upper).exp2()
    }
}

const NOTHING: Bucket = Bucket { lower: 0.0, upper: 0.0, lower_inclusive: false, upper_inclusive: false, count: 0.0 };

/// The zero bucket of a histogram with buckets on one side only reaches to zero on the other side.
fn one_sided(bucket: &mut Bucket, h: &Histogram) {
    match (h.negative_buckets.is_empty(), h.positive_buckets.is_empty()) {
        (true, false) => bucket.lower = 0.0,
        (false, true) => bucket.upper = 0.0,
        _ => {}
    }
}

/// The fraction of the observations between two values.
pub(crate) fn fraction(low: f64, high: f64, h: &Histogram, note: Notes<'_>) -> f64 {
    if h.count == 0.0 || low.is_nan() || high.is_nan() {
        return f64::NAN;
    }
    if low >= high {
        return 0.0;
    }
    let buckets = h.buckets();
    let mut count = h.count;
    if h.sum.is_nan() {
        count = buckets.iter().map(|b| b.count).sum();
        if count < h.count {
            note(Note::FractionWithoutNan);
        }
    }
    let rank = |v| rank_of(v, h, &buckets).unwrap_or(count).min(count);
    (rank(high) - rank(low)) / h.count
}

/// How many observations lie below a value; `None` when it is above all buckets.
fn rank_of(v: f64, h: &Histogram, buckets: &[Bucket]) -> Option<f64> {
    let mut rank = 0.0;
    for bucket in buckets {
        let mut b = *bucket;
        let zero = b.spans_zero();
        if zero {
            one_sided(&mut b, h);
        }
        if b.lower >= v {
            return Some(rank);
        }
        if b.upper > v {
            if !h.has_custom_bounds() && !zero {
                return Some(b.count.mul_add(logarithmic_share(&b, v), rank));
            }
            // Of a bucket without a lower end nothing is known: all of it counts.
            return Some(match b.lower {
                f64::NEG_INFINITY => b.count,
                lower => rank + b.count * (v - lower) / (b.upper - lower),
            });
        }
        rank += b.count;
    }
    None
}

fn logarithmic_share(b: &Bucket, v: f64) -> f64 {
    let (lower, upper, at) = (b.lower.abs().log2(), b.upper.abs().log2(), v.abs().log2());
    if v > 0.0 { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::histogram;

    fn check_quantile(text: &str, q: f64, expect: f64, notes: &[Note]) {
        let mut found = Vec::new();
        let got = quantile(q, &histogram(text).unwrap(), &mut |n| found.push(n));
        assert!(
            (got - expect).abs() < 1e-12 || got == expect || (got.is_nan() && expect.is_nan()),
            "{text} {q}: {got}"
        );
        assert_eq!(found, notes, "{text} {q}");
    }

    #[test]
    fn quantiles() {
        // (0.5, 1] (1, 2] (2, 4]
        let h = "count:12 sum:20 buckets:[4 4 4]";
        check_quantile(h, 0.5, 2f64.sqrt(), &[]);
        check_quantile(h, 1.0, 4.0, &[]);
        check_quantile(h, 0.0, 0.5, &[]);
        check_quantile("count:4 sum:-9 n_buckets:[4]", 0.5, -(0.5f64.sqrt()), &[]);
        check_quantile("count:2 sum:0 z_bucket:2 z_bucket_w:0.5", 0.75, 0.25, &[]);
        check_quantile("schema:-53 count:4 sum:9 custom_values:[1 3] buckets:[1 2 1]", 0.5, 2.0, &[]);
        check_quantile("schema:-53 count:4 sum:9 custom_values:[1 3] buckets:[1 2 1]", 1.0, 3.0, &[]);
        check_quantile("count:5 sum:NaN buckets:[4]", 0.5, 0.5 * 2f64.powf(0.625), &[Note::QuantileIsSkewed]);
        check_quantile("count:5 sum:NaN buckets:[4]", 1.0, f64::NAN, &[Note::QuantileIsNan]);
        check_quantile("count:0", 0.5, f64::NAN, &[]);
    }

    #[test]
    fn fractions() {
        let check = |text: &str, low, high, expect: f64| {
            let got = fraction(low, high, &histogram(text).unwrap(), &mut |_| {});
            assert!((got - expect).abs() < 1e-12, "{text} {low}..{high}: {got}");
        };
        let (h, inf) = ("count:12 sum:20 buckets:[4 4 4]", f64::INFINITY);
        check(h, -inf, inf, 1.0);
        check(h, 1.0, 2.0, 1.0 / 3.0);
        check(h, 2f64.sqrt(), 4.0, 0.5);
        check(h, 5.0, 6.0, 0.0);
        check("count:4 sum:0 z_bucket:4 z_bucket_w:0.5", 0.0, 1.0, 0.5);
    }
}
