//! OpenTelemetry's histograms as native ones. Pure.

use kernel::series::{CUSTOM_BOUNDS_SCHEMA, Histogram, SCHEMA_MAX, SCHEMA_MIN, stale_nan};

use super::model::{Buckets, Explicit, Exponential};
use crate::histogram::{SpanBuilder, whole};
use crate::limits::Reason;
use crate::writer::Refusal;

/// Width of the zero bucket, as Prometheus assumes it.
const ZERO_THRESHOLD: f64 = 1e-128;

/// Buckets farther from 1 hold no 64-bit number at any scale that is in use (2^11 doublings, 2^18 buckets in each).
const FARTHEST: u32 = 1 << 29;

fn refuse<T>(text: String) -> Result<T, Refusal> {
    Err(Refusal { reason: Reason::InvalidHistogram, text })
}

fn checked(h: Histogram) -> Result<Histogram, Refusal> {
    h.verify().map_err(|error| error.to_string()).and_then(|()| whole(&h)).or_else(refuse)?;
    Ok(h)
}

/// The marker of a series that ended.
pub(crate) fn stale() -> Histogram {
    Histogram { sum: stale_nan(), ..Histogram::default() }
}

/// An exponential histogram: its scale is Prometheus's schema, up to 8; bucket *i* of OpenTelemetry, above `base^i`, is bucket
/// *i + 1* of Prometheus, up to `base^(i + 1)`.
pub(crate) fn exponential(of: &Exponential) -> Result<Histogram, Refusal> {
    if of.scale < SCHEMA_MIN {
        let text = "cannot convert exponential to native histogram. Scale must be >=";
        return refuse(format!("{text} {SCHEMA_MIN}, was {}", of.scale));
    }
    if [&of.positive, &of.negative].iter().any(|side| side.offset.unsigned_abs() > FARTHEST) {
        return refuse(format!(
            "the buckets of an exponential histogram begin beyond {FARTHEST}, where no number lies"
        ));
    }
    let schema = of.scale.min(SCHEMA_MAX);
    let shift = (of.scale - schema).min(31) as u32;
    let (positive, negative) = (spans(&of.positive, shift), spans(&of.negative, shift));
    checked(Histogram {
        schema,
        zero_threshold: ZERO_THRESHOLD,
        zero_count: of.zero_count as f64,
        count: of.count as f64,
        sum: of.sum.unwrap_or_default(),
        positive_spans: positive.spans,
        positive_buckets: positive.counts,
        negative_spans: negative.spans,
        negative_buckets: negative.counts,
        ..Histogram::default()
    })
}

/// Buckets of which 2^shift become one; empty ones are left out.
fn spans(of: &Buckets, shift: u32) -> SpanBuilder {
    let mut out = SpanBuilder::default();
    for (at, count) in of.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let index = (i64::from(of.offset) + at as i64) >> shift;
        out.add(index + 1, *count as f64);
    }
    out
}

/// A histogram with explicit bounds as one with custom bounds.
pub(crate) fn custom(of: &Explicit) -> Result<Histogram, Refusal> {
    let mut buckets = SpanBuilder::default();
    for (at, count) in of.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        buckets.add(at as i64, *count as f64);
    }
    checked(Histogram {
        schema: CUSTOM_BOUNDS_SCHEMA,
        count: of.count as f64,
        sum: of.sum.unwrap_or_default(),
        positive_spans: buckets.spans,
        positive_buckets: buckets.counts,
        custom_bounds: of.bounds.clone(),
        ..Histogram::default()
    })
}

#[cfg(test)]
mod tests {
    use kernel::series::BucketSpan;

    use super::*;

    #[test]
    fn scales_above_8_are_made_coarser() {
        let of = Exponential {
            count: 10,
            sum: Some(3.0),
            scale: 9,
            zero_count: 0,
            positive: Buckets { offset: -3, counts: vec![1, 0, 2, 3, 4] },
            negative: Buckets::default(),
        };
        // Buckets -3 -1 0 1 of scale 9 lie in -2 -1 0 0 of scale 8, which Prometheus counts from 1.
        let h = exponential(&of).unwrap();
        assert_eq!((h.schema, h.positive_spans), (8, vec![BucketSpan { offset: -1, length: 3 }]));
        assert_eq!(h.positive_buckets, [1.0, 2.0, 7.0]);
        assert!(exponential(&Exponential { scale: -5, ..of.clone() }).is_err());
        assert!(exponential(&Exponential { count: 11, ..of }).is_err());
    }

    #[test]
    fn explicit_bounds_become_custom_bounds() {
        let of = Explicit { count: 5, sum: Some(2.0), counts: vec![0, 2, 0, 3], bounds: vec![1.0, 2.0, 5.0] };
        let h = custom(&of).unwrap();
        assert_eq!(h.positive_spans, [BucketSpan { offset: 1, length: 1 }, BucketSpan { offset: 1, length: 1 }]);
        assert_eq!((h.positive_buckets, h.custom_bounds), (vec![2.0, 3.0], vec![1.0, 2.0, 5.0]));
    }
}
