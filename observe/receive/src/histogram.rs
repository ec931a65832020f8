//! Histograms: coarser schemas, and what counts that are whole numbers must fulfil. Pure.

use kernel::series::{BucketSpan, Histogram};

/// The same histogram with a coarser schema: 2^(schema - target) buckets become one.
///
/// Bucket *i* of schema *s* lies in bucket `((i - 1) >> (s - t)) + 1` of schema *t*
/// (<https://prometheus.io/docs/specs/native_histograms/#schema>). Spans that do not fit their buckets are left as they are
/// and fail when they are verified.
pub(crate) fn reduced(mut h: Histogram, target: i32) -> Histogram {
    let shift = h.schema - target;
    if shift <= 0 {
        return h;
    }
    h.schema = target;
    (h.positive_spans, h.positive_buckets) = merged(&h.positive_spans, &h.positive_buckets, shift);
    (h.negative_spans, h.negative_buckets) = merged(&h.negative_spans, &h.negative_buckets, shift);
    h
}

fn merged(spans: &[BucketSpan], buckets: &[f64], shift: i32) -> (Vec<BucketSpan>, Vec<f64>) {
    let covered: u64 = spans.iter().map(|s| u64::from(s.length)).sum();
    if covered != buckets.len() as u64 || spans.iter().skip(1).any(|s| s.offset < 0) {
        return (spans.to_vec(), buckets.to_vec());
    }
    let mut out = SpanBuilder::default();
    let (mut index, mut counts) = (0i64, buckets.iter());
    for span in spans {
        index += i64::from(span.offset);
        for count in counts.by_ref().take(span.length as usize) {
            out.add(((index - 1) >> shift.min(62)) + 1, *count);
            index += 1;
        }
    }
    (out.spans, out.counts)
}

/// Builds spans from buckets that come by rising index; buckets of the same index are added up.
#[derive(Debug, Default)]
pub(crate) struct SpanBuilder {
    pub(crate) spans: Vec<BucketSpan>,
    pub(crate) counts: Vec<f64>,
    next: i64,
}

impl SpanBuilder {
    pub(crate) fn add(&mut self, index: i64, count: f64) {
        if let Some(last) = self.counts.last_mut().filter(|_| index < self.next) {
            *last += count;
            return;
        }
        match self.spans.last_mut() {
            Some(span) if index == self.next => span.length += 1,
            _ => self.spans.push(BucketSpan { offset: (index - self.next) as i32, length: 1 }),
        }
        self.counts.push(count);
        self.next = index + 1;
    }
}

/// Whether the count of a histogram of whole numbers is that of its buckets; observations that are no numbers are in none.
pub(crate) fn whole(h: &Histogram) -> Result<(), String> {
    let found = h.zero_count + h.positive_buckets.iter().sum::<f64>() + h.negative_buckets.iter().sum::<f64>();
    let must = match (h.sum.is_nan(), found) {
        (true, found) if found > h.count => {
            "histogram's observation count should be at least the number of observations found in the buckets"
        }
        (false, found) if found != h.count => {
            "histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)"
        }
        _ => return Ok(()),
    };
    Err(format!("{found} observations found in buckets, but the Count field is {}: {must}", h.count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarser_schema_holds_the_same_observations() {
        let spans = vec![BucketSpan { offset: -3, length: 5 }, BucketSpan { offset: 4, length: 1 }];
        let fine = Histogram {
            schema: 10,
            positive_spans: spans,
            positive_buckets: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            ..Histogram::default()
        };
        let coarse = reduced(fine, 9);
        // Buckets -3 -2 -1 0 1 and 6 lie in -1, -1 | 0, 0 | 1 | 3.
        assert_eq!(coarse.positive_spans, [BucketSpan { offset: -1, length: 3 }, BucketSpan { offset: 1, length: 1 }]);
        assert_eq!((coarse.positive_buckets, coarse.schema), (vec![3.0, 7.0, 5.0, 6.0], 9));
    }

    #[test]
    fn whole_counts_agree_with_their_buckets() {
        let h = Histogram { count: 3.0, zero_count: 1.0, positive_buckets: vec![2.0], ..Histogram::default() };
        assert_eq!(whole(&h), Ok(()));
        assert!(whole(&Histogram { count: 4.0, ..h.clone() }).is_err());
        assert!(whole(&Histogram { count: 4.0, sum: f64::NAN, ..h.clone() }).is_ok());
        assert!(whole(&Histogram { count: 2.0, sum: f64::NAN, ..h }).is_err());
    }
}
