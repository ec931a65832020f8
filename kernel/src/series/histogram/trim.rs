//! The part of a histogram below or above a value: PromQL's `</` and `>/`. Pure.

use super::{Bucket, Histogram};

/// Which observations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those below the value (`</`).
    Below,
    /// Those above the value (`>/`).
    Above,
}

/// The part of a bucket that is kept: how many observations, and the value that stands for each of them.
struct Part {
    count: f64,
    typical: f64,
}

impl Histogram {
    /// Only the observations on one side of a value. Within a bucket they are taken to be spread evenly (custom buckets
    /// and the zero bucket) or exponentially; of a bucket without an end nothing is known, so it is left out as a whole
    /// where the value lies in it. When anything was taken away, the sum is estimated from the buckets.
    #[must_use]
    pub fn trimmed(&self, at: f64, keep: Keep) -> Self {
        let linear = self.has_custom_bounds();
        let mut out = self.clone();
        let (mut count, mut sum, mut changed) = (0.0, 0.0, false);
        let sides =
            [(self.positive(), 1.0, &mut out.positive_buckets), (self.negative(), -1.0, &mut out.negative_buckets)];
        let mut filled = [false; 2];
        for (side, (buckets, sign, kept)) in sides.into_iter().enumerate() {
            for ((index, v), slot) in buckets.into_iter().zip(kept.iter_mut()).filter(|((_, v), _)| *v != 0.0) {
                filled[side] = true;
                let (outer, inner) = (self.bound(index), self.bound(index.saturating_sub(1)));
                let (lower, upper) = if sign > 0.0 { (inner, outer) } else { (-outer, -inner) };
                let part = part_of(lower, upper, v, at, keep, linear);
                if part.count != v {
                    *slot = part.count;
                    changed = true;
                }
                count += part.count;
                sum = part.typical.mul_add(part.count, sum);
            }
        }
        if self.zero_count > 0.0 {
            let part = zero_part(&self.zero_bucket(), at, keep, filled);
            changed |= part.count != self.zero_count;
            out.zero_count = part.count;
            count += part.count;
            sum = part.typical.mul_add(part.count, sum);
        }
        if changed {
            (out.count, out.sum) = (count, sum);
            out.compact();
        }
        out
    }
}

fn part_of(lower: f64, upper: f64, count: f64, at: f64, keep: Keep, linear: bool) -> Part {
    let (all, none) = match keep {
        Keep::Below => (upper <= at, lower >= at),
        Keep::Above => (lower >= at, upper <= at),
    };
    if all {
        return Part { count, typical: middle(lower, upper, linear) };
    }
    // A value that is no number separates nothing.
    if none || at.is_nan() {
        return Part { count: 0.0, typical: 0.0 };
    }
    if lower.is_infinite() || upper.is_infinite() {
        return endless_part(lower, upper, count, at, keep);
    }
    let below = count * share_below(lower, upper, at, linear);
    match keep {
        Keep::Below => Part { count: below, typical: middle(lower, at, linear) },
        Keep::Above => Part { count: count - below, typical: middle(at, upper, linear) },
    }
}

/// Of a bucket without a lower or an upper end, with the value in it.
fn endless_part(lower: f64, upper: f64, count: f64, at: f64, keep: Keep) -> Part {
    let nothing = Part { count: 0.0, typical: 0.0 };
    if lower == f64::NEG_INFINITY {
        // Observations are usually positive: a first bucket with a positive bound is taken to begin at zero.
        let from_zero = upper > 0.0 && upper != f64::INFINITY;
        return match keep {
            Keep::Below if from_zero && at > 0.0 => Part { count: count * at / upper, typical: at / 2.0 },
            Keep::Below if upper <= 0.0 => Part { count, typical: at },
            Keep::Above if from_zero && at >= 0.0 => {
                Part { count: count * (1.0 - at / upper), typical: (at + upper) / 2.0 }
            }
            _ => nothing,
        };
    }
    match keep {
        Keep::Above => Part { count, typical: at },
        Keep::Below => nothing,
    }
}

/// The share of a bucket's observations that lie below a value in it.
fn share_below(lower: f64, upper: f64, at: f64, linear: bool) -> f64 {
    if linear {
        return (at - lower) / (upper - lower);
    }
    let log = |v: f64| v.abs().log2();
    if lower >= 0.0 {
        (log(at) - log(lower)) / (log(upper) - log(lower))
    } else {
        1.0 - (log(at) - log(upper)) / (log(lower) - log(upper))
    }
}

/// The value that stands for all between two.
fn middle(lower: f64, upper: f64, linear: bool) -> f64 {
    if lower.is_infinite() {
        return match upper {
            u if u.is_infinite() => 0.0,
            u if u > 0.0 => u / 2.0,
            u => u,
        };
    }
    if upper.is_infinite() {
        return lower;
    }
    if linear {
        return (lower + upper) / 2.0;
    }
    let geometric = (lower * upper).abs().sqrt();
    if upper <= 0.0 { -geometric } else { geometric }
}

/// The zero bucket holds only numbers of the sign that the histogram has at all.
fn zero_part(bucket: &Bucket, at: f64, keep: Keep, [positive, negative]: [bool; 2]) -> Part {
    let lower = if positive && !negative { 0.0 } else { bucket.lower };
    let upper = if negative && !positive { 0.0 } else { bucket.upper };
    let whole = Part { count: bucket.count, typical: (lower + upper) / 2.0 };
    let nothing = Part { count: 0.0, typical: 0.0 };
    let width = upper - lower;
    match keep {
        Keep::Below if at <= lower => nothing,
        Keep::Below if at >= upper => whole,
        Keep::Below => Part { count: bucket.count * ((at - lower) / width), typical: (lower + at) / 2.0 },
        Keep::Above if at <= lower => whole,
        Keep::Above if at >= upper => nothing,
        Keep::Above => Part { count: bucket.count * ((upper - at) / width), typical: (at + upper) / 2.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::super::buckets::spans_of;
    use super::*;

    fn histogram(schema: i32, bounds: &[f64], counts: &[f64]) -> Histogram {
        let (positive_spans, positive_buckets) = spans_of(counts.iter().enumerate().map(|(i, v)| (i as i32, *v)));
        let count = counts.iter().sum();
        Histogram {
            schema,
            count,
            sum: 7.0,
            custom_bounds: bounds.to_vec(),
            positive_spans,
            positive_buckets,
            ..Histogram::default()
        }
    }

    #[test]
    fn custom_buckets_are_cut_evenly() {
        let h = histogram(-53, &[1.0, 2.0, 4.0], &[1.0, 2.0, 4.0, 8.0]);
        let below = h.trimmed(3.0, Keep::Below);
        assert_eq!((below.count, below.positive_buckets), (5.0, vec![1.0, 2.0, 2.0]));
        assert_eq!(below.sum, 0.5 + 3.0 + 5.0);
        let above = h.trimmed(3.0, Keep::Above);
        assert_eq!((above.count, above.positive_buckets), (10.0, vec![2.0, 8.0]));
        assert_eq!(above.sum, 7.0 + 32.0);
    }

    #[test]
    fn what_is_not_cut_stays_as_it_is() {
        let h = histogram(0, &[], &[1.0, 2.0]);
        assert_eq!(h.trimmed(f64::INFINITY, Keep::Below), h);
        assert_eq!(h.trimmed(0.0, Keep::Above), h);
        let none = h.trimmed(0.1, Keep::Below);
        assert_eq!((none.count, none.positive_buckets.len()), (0.0, 0));
    }

    #[test]
    fn exponential_buckets_are_cut_on_a_logarithmic_scale() {
        let h = histogram(-1, &[], &[0.0, 8.0]); // (1, 4]
        let below = h.trimmed(2.0, Keep::Below);
        assert_eq!((below.count, below.positive_buckets), (4.0, vec![4.0]));
    }
}
