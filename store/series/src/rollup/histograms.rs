//! Figures of native histograms: their sums, and which of them stay as last samples. Pure.

use kernel::series::Histogram;

use super::fold::{kept_last, stretches};
use crate::histogram;
use crate::side::Encoded;

pub(super) fn is_stale_histogram(bytes: &[u8]) -> bool {
    histogram::decode(bytes).is_none_or(|h| h.is_stale())
}

/// All histograms of each stretch together, markers of ends left out, at the time of the last one that went into the sum.
///
/// Those with exponential and those with custom bounds cannot be added up: where one kind follows the other, a sum ends and the next
/// one begins. Who puts a range together then finds what samples themselves would show, that there is no sum.
pub(super) fn summed_histograms(all: &Encoded, resolution_ms: i64) -> Encoded {
    let decoded: Vec<(i64, Histogram)> =
        all.iter().filter_map(|(t, bytes)| Some((*t, histogram::decode(bytes).filter(|h| !h.is_stale())?))).collect();
    let mut out = Encoded::new();
    for stretch in stretches(&decoded, resolution_ms) {
        let mut sum: Option<Sum> = None;
        for (t_ms, h) in &decoded[stretch] {
            if sum.as_mut().is_some_and(|sum| sum.add(*t_ms, h)) {
                continue;
            }
            out.extend(sum.replace(Sum { t_ms: *t_ms, value: h.clone(), lost: None }).map(Sum::done));
        }
        out.extend(sum.map(Sum::done));
    }
    out
}

/// A sum that keeps what rounding loses.
struct Sum {
    t_ms: i64,
    value: Histogram,
    lost: Option<Histogram>,
}

impl Sum {
    /// Whether it could be added.
    fn add(&mut self, t_ms: i64, h: &Histogram) -> bool {
        // One that cannot be added leaves both as they are, or the value without what rounding lost: a copy is rarely needed.
        if self.value.has_custom_bounds() != h.has_custom_bounds() {
            return false;
        }
        let done = self.value.add_compensated(h, &mut self.lost).is_ok();
        if done {
            self.t_ms = t_ms;
        }
        done
    }

    fn done(mut self) -> (i64, Box<[u8]>) {
        // Both have the same layout.
        let _ = self.lost.take().map(|lost| self.value.add(&lost));
        self.value.compact();
        (self.t_ms, histogram::encode(&self.value))
    }
}

/// The last histogram of each stretch, the marker behind it, and those around new beginnings.
pub(super) fn last_histograms(all: Encoded, resolution_ms: i64) -> Encoded {
    if all.is_empty() {
        return all;
    }
    let decoded: Vec<_> =
        all.iter().map(|(t, bytes)| (*t, histogram::decode(bytes).filter(|h| !h.is_stale()))).collect();
    let anew = |a: &(i64, Option<Histogram>), b: &(i64, Option<Histogram>)| match (&a.1, &b.1) {
        (Some(a), Some(b)) => b.is_reset_since(a),
        _ => false,
    };
    let parts = stretches(&decoded, resolution_ms);
    let kept = kept_last(&decoded, &parts, Option::is_none, Some(&anew));
    let mut kept = kept.into_iter().peekable();
    all.into_iter().enumerate().filter(|(i, _)| kept.next_if_eq(i).is_some()).map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::series::{BucketSpan, CUSTOM_BOUNDS_SCHEMA, stale_nan};

    fn exponential(buckets: &[f64], sum: f64) -> Histogram {
        Histogram {
            count: buckets.iter().sum(),
            sum,
            positive_spans: vec![BucketSpan { offset: 0, length: buckets.len() as u32 }],
            positive_buckets: buckets.to_vec(),
            ..Histogram::default()
        }
    }

    fn custom(buckets: &[f64]) -> Histogram {
        let custom_bounds = (1..buckets.len()).map(|b| b as f64).collect();
        Histogram { schema: CUSTOM_BOUNDS_SCHEMA, custom_bounds, ..exponential(buckets, 1.0) }
    }

    fn check(all: &[(i64, Histogram)], expected: &[(i64, Histogram)]) {
        let encoded = all.iter().map(|(t, h)| (*t, histogram::encode(h))).collect();
        let found = summed_histograms(&encoded, 10);
        let found: Vec<_> = found.iter().map(|(t, bytes)| (*t, histogram::decode(bytes).unwrap())).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((t, sum), (at, wanted)) in found.iter().zip(expected) {
            assert_eq!(t, at);
            assert!(sum.same_as(wanted), "{sum:?} is not {wanted:?}");
        }
    }

    #[test]
    fn histograms_of_a_stretch_are_added_up() {
        let stale = Histogram { sum: stale_nan(), ..Histogram::default() };
        let all = [
            (1, exponential(&[1.0, 2.0], 0.1)),
            (3, exponential(&[0.0, 1.0, 5.0], 0.2)),
            (10, exponential(&[4.0], 1e16)),
            (11, exponential(&[3.0], 7.0)),
            (12, stale.clone()),
            (25, stale),
        ];
        let mut first = exponential(&[5.0, 3.0, 5.0], 1e16);
        first.sum += 0.3;
        check(&all, &[(10, first), (11, exponential(&[3.0], 7.0))]);
    }

    #[test]
    fn what_cannot_be_added_stays_apart() {
        let all = [(1, exponential(&[1.0], 1.0)), (2, custom(&[1.0, 2.0])), (3, custom(&[2.0, 2.0]))];
        let both = Histogram { sum: 2.0, ..custom(&[3.0, 4.0]) };
        check(&all, &[(1, exponential(&[1.0], 1.0)), (3, both)]);
    }
}
