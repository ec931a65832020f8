//! Native histograms as Prometheus writes them: count, sum, and the buckets that hold something. Pure.

use kernel::series::Histogram;

use super::number::{Exponent, push_number};

/// Adds a histogram.
pub(crate) fn push_histogram(out: &mut Vec<u8>, histogram: &Histogram) {
    let quoted = |out: &mut Vec<u8>, value: f64| {
        out.push(b'"');
        push_number(out, value, Exponent::Far);
        out.push(b'"');
    };
    out.extend_from_slice(br#"{"count":"#);
    quoted(out, histogram.count);
    out.extend_from_slice(br#","sum":"#);
    quoted(out, histogram.sum);
    let mut any = false;
    for bucket in histogram.buckets().iter().filter(|b| b.count != 0.0) {
        out.extend_from_slice(if any { b"," } else { br#","buckets":["# });
        any = true;
        out.extend_from_slice(&[b'[', b'0' + bucket.boundary_rule()]);
        for value in [bucket.lower, bucket.upper, bucket.count] {
            out.push(b',');
            quoted(out, value);
        }
        out.push(b']');
    }
    out.extend_from_slice(if any { b"]}" } else { b"}" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::series::BucketSpan;

    fn text(h: &Histogram) -> String {
        let mut out = Vec::new();
        push_histogram(&mut out, h);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn buckets_go_from_the_lowest_to_the_highest() {
        let span = |offset: i32, length: u32| BucketSpan { offset, length };
        let h = Histogram {
            count: 11.0,
            sum: 7.5,
            zero_threshold: 0.001,
            zero_count: 2.0,
            positive_spans: vec![span(0, 2), span(1, 1)],
            positive_buckets: vec![1.0, 0.0, 3.0],
            negative_spans: vec![span(1, 2)],
            negative_buckets: vec![4.0, 1.0],
            ..Histogram::default()
        };
        let expect = concat!(
            r#"{"count":"11","sum":"7.5","buckets":[[1,"-4","-2","1"],[1,"-2","-1","4"],"#,
            r#"[3,"-0.001","0.001","2"],[0,"0.5","1","1"],[0,"4","8","3"]]}"#
        );
        assert_eq!(text(&h), expect);
    }

    #[test]
    fn custom_bounds_begin_at_minus_infinity() {
        let h = Histogram {
            schema: -53,
            count: 6.0,
            sum: 3.0,
            positive_spans: vec![BucketSpan { offset: 0, length: 3 }],
            positive_buckets: vec![1.0, 2.0, 3.0],
            custom_bounds: vec![0.1, 5.0],
            ..Histogram::default()
        };
        let expect = r#"{"count":"6","sum":"3","buckets":[[3,"-Inf","0.1","1"],[0,"0.1","5","2"],[0,"5","+Inf","3"]]}"#;
        assert_eq!(text(&h), expect);
    }

    #[test]
    fn an_empty_one_has_no_buckets() {
        assert_eq!(text(&Histogram::default()), r#"{"count":"0","sum":"0"}"#);
    }
}
