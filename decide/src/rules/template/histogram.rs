//! A native histogram as Prometheus prints one: `{count:3, sum:5, (0.5,1]:2}`. Pure.

use kernel::series::{BucketSpan, Histogram};

use super::format::float;

/// The text of a histogram; buckets without observations are left out.
pub fn text(h: &Histogram) -> String {
    let number = |v: f64| float(v, 'g', None);
    let mut out = format!("{{count:{}, sum:{}", number(h.count), number(h.sum));
    let negative: Vec<(i64, f64)> = buckets(&h.negative_spans, &h.negative_buckets).collect();
    for (index, count) in negative.into_iter().rev() {
        let (near, far) = (-bound(h, index - 1), -bound(h, index));
        out.push_str(&format!(", [{},{}):{}", number(far), number(near), number(count)));
    }
    if h.zero_count != 0.0 {
        let (edge, count) = (number(h.zero_threshold), number(h.zero_count));
        out.push_str(&format!(", [-{edge},{edge}]:{count}"));
    }
    for (index, count) in buckets(&h.positive_spans, &h.positive_buckets) {
        let (from, to) = (number(bound(h, index - 1)), number(bound(h, index)));
        let open = if h.has_custom_bounds() && index == 0 { '[' } else { '(' };
        out.push_str(&format!(", {open}{from},{to}]:{}", number(count)));
    }
    out.push('}');
    out
}

/// Buckets with observations: index and count.
fn buckets<'h>(spans: &'h [BucketSpan], counts: &'h [f64]) -> impl Iterator<Item = (i64, f64)> + 'h {
    let mut at = 0i64;
    let indexes = spans.iter().flat_map(move |span| {
        at += i64::from(span.offset);
        let from = at;
        at += i64::from(span.length);
        from..at
    });
    indexes.zip(counts.iter().copied()).filter(|(_, count)| *count != 0.0)
}

/// The upper bound of a bucket.
fn bound(h: &Histogram, index: i64) -> f64 {
    if h.has_custom_bounds() {
        return match usize::try_from(index) {
            Ok(i) => h.custom_bounds.get(i).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        };
    }
    let exponent = index as f64 * 2f64.powi(-h.schema);
    exponent.exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_14_histograms_as_prometheus_prints_them() {
        let spans = |offset, length| vec![BucketSpan { offset, length }];
        let plain = Histogram {
            count: 6.0,
            sum: 5.5,
            zero_threshold: 0.001,
            zero_count: 1.0,
            positive_spans: spans(0, 3),
            positive_buckets: vec![2.0, 0.0, 1.0],
            negative_spans: spans(1, 1),
            negative_buckets: vec![2.0],
            ..Histogram::default()
        };
        assert_eq!(text(&plain), "{count:6, sum:5.5, [-2,-1):2, [-0.001,0.001]:1, (0.5,1]:2, (2,4]:1}");
        let custom = Histogram {
            schema: -53,
            count: 3.0,
            custom_bounds: vec![1.0, 2.5],
            positive_spans: spans(0, 3),
            positive_buckets: vec![1.0, 1.0, 1.0],
            ..Histogram::default()
        };
        assert_eq!(text(&custom), "{count:3, sum:0, [-Inf,1]:1, (1,2.5]:1, (2.5,+Inf]:1}");
    }
}
