//! What is done to native histograms on their way in: empty buckets out, fewer buckets when a limit says so. Pure.

use kernel::series::{BucketSpan, Histogram, SCHEMA_MAX, SCHEMA_MIN};

/// Takes out empty buckets, so that the same observations always give the same spans.
pub(crate) fn compact(histogram: &mut Histogram) {
    compact_side(&mut histogram.positive_spans, &mut histogram.positive_buckets);
    compact_side(&mut histogram.negative_spans, &mut histogram.negative_buckets);
}

fn compact_side(spans: &mut Vec<BucketSpan>, buckets: &mut Vec<f64>) {
    let kept: Vec<(i32, f64)> = indexed(spans, buckets).filter(|(_, count)| *count != 0.0).collect();
    *spans = spans_of(kept.iter().map(|(index, _)| *index));
    *buckets = kept.into_iter().map(|(_, count)| count).collect();
}

/// Buckets with their indices.
fn indexed<'h>(spans: &'h [BucketSpan], buckets: &'h [f64]) -> impl Iterator<Item = (i32, f64)> + 'h {
    let mut next = 0i32;
    let indices = spans.iter().flat_map(move |span| {
        let first = next.wrapping_add(span.offset);
        next = first.wrapping_add(span.length as i32);
        (0..span.length as i32).map(move |i| first.wrapping_add(i))
    });
    indices.zip(buckets.iter().copied())
}

/// The spans of rising indices.
pub(crate) fn spans_of(indices: impl Iterator<Item = i32>) -> Vec<BucketSpan> {
    let mut out: Vec<BucketSpan> = Vec::new();
    let mut next = 0i32;
    for index in indices {
        match out.last_mut() {
            Some(last) if index == next => last.length += 1,
            _ => out.push(BucketSpan { offset: index.wrapping_sub(next), length: 1 }),
        }
        next = index.wrapping_add(1);
    }
    out
}

/// Brings a histogram down to a coarser schema: two neighbours become one, as often as needed.
pub(crate) fn reduce(histogram: &mut Histogram, schema: i32) {
    if histogram.has_custom_bounds() || schema >= histogram.schema {
        return;
    }
    let steps = (histogram.schema - schema) as u32;
    for (spans, buckets) in [
        (&mut histogram.positive_spans, &mut histogram.positive_buckets),
        (&mut histogram.negative_spans, &mut histogram.negative_buckets),
    ] {
        let mut merged: Vec<(i32, f64)> = Vec::with_capacity(buckets.len());
        for (index, count) in indexed(spans, buckets) {
            // Bucket i ends at base^i: its new index is ceil(i / 2^steps).
            let coarse = (index.wrapping_sub(1) >> steps).wrapping_add(1);
            match merged.last_mut() {
                Some((last, sum)) if *last == coarse => *sum += count,
                _ => merged.push((coarse, count)),
            }
        }
        *spans = spans_of(merged.iter().map(|(index, _)| *index));
        *buckets = merged.into_iter().map(|(_, count)| count).collect();
    }
    histogram.schema = schema;
}

/// Brings a histogram under a limit of buckets; `false` when even the coarsest schema has too many.
pub(crate) fn limit_buckets(histogram: &mut Histogram, limit: usize) -> bool {
    loop {
        if histogram.positive_buckets.len() + histogram.negative_buckets.len() <= limit {
            return true;
        }
        if histogram.has_custom_bounds() || histogram.schema <= SCHEMA_MIN {
            return false;
        }
        reduce(histogram, histogram.schema - 1);
    }
}

/// The finest schema whose buckets grow by at least `factor` (`native_histogram_min_bucket_factor`).
pub(crate) fn finest_schema(factor: f64) -> i32 {
    if factor <= 1.0 {
        return SCHEMA_MAX;
    }
    // A bucket of schema n grows by 2^(2^-n); n is the largest with 2^(2^-n) >= factor.
    let finest = (-factor.log2().log2()).floor();
    (finest as i32).clamp(SCHEMA_MIN, SCHEMA_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(spans: &[(i32, u32)], counts: &[f64]) -> Histogram {
        Histogram {
            schema: 2,
            count: counts.iter().sum(),
            positive_spans: spans
                .iter()
                .map(|(offset, length)| BucketSpan { offset: *offset, length: *length })
                .collect(),
            positive_buckets: counts.to_vec(),
            ..Histogram::default()
        }
    }

    #[test]
    fn empty_buckets_go() {
        let mut h = histogram(&[(-2, 4), (1, 2)], &[0.0, 1.0, 0.0, 2.0, 3.0, 0.0]);
        compact(&mut h);
        assert_eq!(h, histogram(&[(-1, 1), (1, 1), (1, 1)], &[1.0, 2.0, 3.0]));
        let mut empty = histogram(&[(3, 2)], &[0.0, 0.0]);
        compact(&mut empty);
        assert!(empty.positive_spans.is_empty() && empty.verify().is_ok());
    }

    #[test]
    fn coarser_buckets_hold_what_the_finer_did() {
        // Indices -3..=4: pairs (-3,-2) (-1,0) (1,2) (3,4) become -1 0 1 2.
        let mut h = histogram(&[(-3, 8)], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        reduce(&mut h, 1);
        assert_eq!(h.positive_buckets, [3.0, 7.0, 11.0, 15.0]);
        assert_eq!(h.positive_spans, [BucketSpan { offset: -1, length: 4 }]);
        assert!(limit_buckets(&mut h, 2));
        assert_eq!((h.schema, h.positive_buckets.iter().sum::<f64>()), (0, 36.0));
    }

    #[test]
    fn factors_and_schemas() {
        assert_eq!(finest_schema(0.0), 8);
        assert_eq!(finest_schema(1.002), 8);
        // Schema 3 grows by 1.0905, schema 2 by 1.189.
        assert_eq!((finest_schema(1.09), finest_schema(1.1)), (3, 2));
        assert_eq!(finest_schema(1.5), 0);
        assert_eq!(finest_schema(4.0), -1);
        assert_eq!(finest_schema(1e9), -4);
    }
}
