//! The buckets of a histogram with their bounds, in ascending order. Pure.

use std::fmt;

use super::{BucketSpan, CUSTOM_BOUNDS_SCHEMA, Histogram};

/// One bucket with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Its lower bound, which may be `-Inf`.
    pub lower: f64,
    /// Its upper bound, which may be `+Inf`.
    pub upper: f64,
    /// Whether an observation at the lower bound is in it.
    pub lower_inclusive: bool,
    /// Whether an observation at the upper bound is in it.
    pub upper_inclusive: bool,
    /// How many observations.
    pub count: f64,
}

impl Bucket {
    /// Whether it is the bucket around zero of an exponential schema, or could hold zero.
    pub fn spans_zero(&self) -> bool {
        self.lower <= 0.0 && self.upper >= 0.0
    }

    /// How Prometheus's API writes which bounds belong to it: 0 `(l,u]`, 1 `[l,u)`, 2 `(l,u)`, 3 `[l,u]`.
    pub fn boundary_rule(&self) -> u8 {
        match (self.lower_inclusive, self.upper_inclusive) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        }
    }
}

/// Buckets of one side, by index, rising.
pub(super) type Side = Vec<(i32, f64)>;

/// The buckets that spans and counts describe. What does not fit together is cut off.
pub(super) fn side(spans: &[BucketSpan], counts: &[f64]) -> Side {
    let mut out = Vec::with_capacity(counts.len());
    let (mut index, mut counts) = (0i32, counts.iter());
    for span in spans {
        index = index.saturating_add(span.offset);
        for _ in 0..span.length {
            let Some(count) = counts.next() else { return out };
            out.push((index, *count));
            index = index.saturating_add(1);
        }
    }
    out
}

/// Spans and counts of buckets, rising by index.
pub(super) fn spans_of(side: impl IntoIterator<Item = (i32, f64)>) -> (Vec<BucketSpan>, Vec<f64>) {
    let (mut spans, mut counts): (Vec<BucketSpan>, Vec<f64>) = Default::default();
    let mut next = 0i32;
    for (index, count) in side {
        match spans.last_mut() {
            Some(last) if index == next => last.length += 1,
            Some(_) => spans.push(BucketSpan { offset: index - next, length: 1 }),
            None => spans.push(BucketSpan { offset: index, length: 1 }),
        }
        next = index.saturating_add(1);
        counts.push(count);
    }
    (spans, counts)
}

/// `2^(2^-n)` for the schemas n = 1 to 8, the first of them one unit in the last place too small, as in Prometheus's bounds.
const ROOTS: [f64; super::SCHEMA_MAX as usize] = [
    f64::from_bits(0x3ff6_a09e_667f_3bcc),
    1.189_207_115_002_721,
    1.090_507_732_665_257_7,
    1.044_273_782_427_413_8,
    1.021_897_148_654_116_6,
    1.010_889_286_051_700_5,
    1.005_429_901_112_802_7,
    1.002_711_275_050_202_5,
];

/// The upper bound of a positive exponential bucket: `2^(index · 2^-schema)`. The bucket that would end at `2^1024`,
/// past the largest number, ends at that number, and the one behind it at infinity.
///
/// Bit by bit the numbers that Prometheus and its clients have in a table (the Go packages `model/histogram` of Prometheus and
/// `prometheus` of `client_golang`), which are up to four units in the last place away from the exact ones: each bound of a schema
/// that the schema before it does not have is the one before times that schema's root.
pub(super) fn exponential_bound(index: i32, schema: i32) -> f64 {
    let (index, schema) = (i64::from(index), schema.clamp(super::SCHEMA_MIN, super::SCHEMA_MAX));
    let (whole, part) =
        if schema <= 0 { (index << -schema, 0) } else { (index >> schema, index & ((1 << schema) - 1)) };
    if whole >= 1024 {
        return if whole == 1024 && part == 0 { f64::MAX } else { f64::INFINITY };
    }
    let roots = ROOTS.iter().zip(1..=schema).filter(|(_, n)| part >> (schema - n) & 1 == 1);
    let fraction = roots.fold(1.0, |product, (root, _)| product * root);
    // In two steps, so that bounds below the smallest normal number come out as well.
    let whole = whole.max(-2200) as i32;
    fraction * 2f64.powi(whole / 2) * 2f64.powi(whole - whole / 2)
}

impl Histogram {
    /// The upper bound of a positive bucket.
    pub fn bound(&self, index: i32) -> f64 {
        if self.schema != CUSTOM_BOUNDS_SCHEMA {
            return exponential_bound(index, self.schema);
        }
        match usize::try_from(index) {
            Ok(at) => self.custom_bounds.get(at).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        }
    }

    pub(super) fn positive(&self) -> Side {
        side(&self.positive_spans, &self.positive_buckets)
    }

    pub(super) fn negative(&self) -> Side {
        side(&self.negative_spans, &self.negative_buckets)
    }

    /// All buckets in ascending order, empty ones too; the zero bucket when it holds anything. Buckets that reach into
    /// the zero bucket are cut off at it.
    pub fn buckets(&self) -> Vec<Bucket> {
        self.buckets_beside(self.zero_threshold, self.zero_count > 0.0)
    }

    /// All buckets, those near zero cut off at a threshold; with the zero bucket, or without it.
    fn buckets_beside(&self, threshold: f64, with_zero: bool) -> Vec<Bucket> {
        let custom = self.has_custom_bounds();
        let mut out = Vec::with_capacity(self.positive_buckets.len() + self.negative_buckets.len() + 1);
        for (index, count) in self.negative().into_iter().rev() {
            let (lower, mut upper) = (-self.bound(index), -self.bound(index.saturating_sub(1)));
            if upper < 0.0 && upper > -threshold {
                upper = -threshold;
            }
            out.push(Bucket { lower, upper, lower_inclusive: true, upper_inclusive: false, count });
        }
        if with_zero && !custom {
            out.push(self.zero_bucket());
        }
        for (index, count) in self.positive() {
            let (mut lower, upper) = (self.bound(index.saturating_sub(1)), self.bound(index));
            if lower > 0.0 && lower < threshold {
                lower = threshold;
            }
            let lower_inclusive = custom && index == 0;
            out.push(Bucket { lower, upper, lower_inclusive, upper_inclusive: true, count });
        }
        out
    }

    /// The bucket around zero.
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
        }
    }
}

/// A number as Go's `%g` writes it: the shortest digits, with an exponent below 1e-4 and from 1e6.
pub(super) struct Shortest(pub(super) f64);

impl fmt::Display for Shortest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        if v.is_nan() {
            return f.write_str("NaN");
        }
        if v.is_infinite() {
            return f.write_str(if v > 0.0 { "+Inf" } else { "-Inf" });
        }
        let scientific = format!("{v:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if (-4..6).contains(&exponent) {
            return write!(f, "{v}");
        }
        write!(f, "{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    }
}

impl fmt::Display for Bucket {
    /// As Prometheus writes it: `(0.5,1]:3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.lower_inclusive { "[" } else { "(" })?;
        write!(f, "{},{}", Shortest(self.lower), Shortest(self.upper))?;
        f.write_str(if self.upper_inclusive { "]" } else { ")" })?;
        write!(f, ":{}", Shortest(self.count))
    }
}

impl fmt::Display for Histogram {
    /// As Prometheus writes a histogram in labels and messages: `{count:3, sum:5, (0.5,1]:3}`; buckets that hold nothing
    /// are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", Shortest(self.count), Shortest(self.sum))?;
        for bucket in self.buckets_beside(0.0, true).iter().filter(|b| b.count != 0.0) {
            write!(f, ", {bucket}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_exponential_buckets() {
        assert_eq!(exponential_bound(0, 0), 1.0);
        assert_eq!(exponential_bound(3, 0), 8.0);
        assert_eq!(exponential_bound(-1, -2), 1.0 / 16.0);
        assert_eq!(exponential_bound(1, 1), 2f64.sqrt().next_down());
        assert_eq!(exponential_bound(1024, 0), f64::MAX);
        assert_eq!(exponential_bound(1025, 0), f64::INFINITY);
        assert_eq!(exponential_bound(-1074, 0), f64::from_bits(1));
        assert_eq!(exponential_bound(i32::MIN, 8), 0.0);
    }

    /// Of what a scraped histogram of schema 3 and of 8 had in a Prometheus, halves among them that are not the nearest numbers.
    #[test]
    fn bounds_are_prometheus_s_to_the_last_bit() {
        for (index, schema, bound) in [
            (-42, 3, 0.026278012976678575),
            (-38, 3, 0.03716272234383503),
            (6, 3, 1.6817928305074288),
            (7, 3, 1.8340080864093422),
            (1, 8, 1.0027112750502025),
            (255, 8, 1.9945921121709396),
        ] {
            assert_eq!(exponential_bound(index, schema), bound, "{index} of {schema}");
        }
        for (n, root) in (1..).zip(ROOTS) {
            let exact = 0.5f64.powi(n).exp2();
            assert!((root - exact).abs() <= f64::EPSILON, "{n}: {root} and {exact}");
        }
    }

    #[test]
    fn spans_and_sides_are_the_same_thing() {
        let buckets = vec![(-3, 1.0), (-2, 0.0), (4, 2.0), (5, 3.0), (7, 1.0)];
        let (spans, counts) = spans_of(buckets.clone());
        assert_eq!(spans.iter().map(|s| (s.offset, s.length)).collect::<Vec<_>>(), [(-3, 2), (5, 2), (1, 1)]);
        assert_eq!(side(&spans, &counts), buckets);
    }

    #[test]
    fn written_as_prometheus_does() {
        let (positive_spans, positive_buckets) = spans_of([(0, 1.0), (1, 0.0), (2, 2.5)]);
        let (negative_spans, negative_buckets) = spans_of([(1, 4.0)]);
        let h = Histogram {
            count: 12_345_678.0,
            sum: -0.5,
            zero_threshold: 0.001,
            zero_count: 1.0,
            positive_spans,
            positive_buckets,
            negative_spans,
            negative_buckets,
            ..Histogram::default()
        };
        let expect = "{count:1.2345678e+07, sum:-0.5, [-2,-1):4, [-0.001,0.001]:1, (0.5,1]:1, (2,4]:2.5}";
        assert_eq!(h.to_string(), expect);
    }
}
