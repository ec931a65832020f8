//! Histograms over time as counts per bucket, from classic and from native ones. Pure.

use std::collections::BTreeMap;

use decide_promql::MatrixSeries;
use kernel::series::{Bucket, Histogram};

use super::HEAT_ROWS;

/// Counts by time and bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Lower and upper bound of each row, rising; infinite ones where a bucket has no end.
    pub rows: Vec<(f64, f64)>,
    /// Times in milliseconds since the epoch, rising.
    pub times: Vec<i64>,
    /// For each time a count for each row; none where nothing was measured.
    pub counts: Vec<Vec<Option<f64>>>,
}

impl Buckets {
    /// From series with a label `le`, whose values count everything up to it; series that differ in other labels are added up.
    /// `None` when there is no such series.
    pub fn classic(series: &[MatrixSeries]) -> Option<Self> {
        let mut bounds: Vec<f64> = series.iter().filter_map(upper_bound).collect();
        bounds.sort_unstable_by(f64::total_cmp);
        bounds.dedup();
        if bounds.is_empty() {
            return None;
        }
        let mut sums: BTreeMap<i64, Vec<Option<f64>>> = BTreeMap::new();
        for one in series {
            let Some(row) = upper_bound(one).and_then(|b| bounds.binary_search_by(|x| x.total_cmp(&b)).ok()) else {
                continue;
            };
            for s in one.samples.iter().filter(|s| s.value.is_finite()) {
                let cell = &mut sums.entry(s.t_ms).or_insert_with(|| vec![None; bounds.len()])[row];
                *cell = Some(cell.unwrap_or(0.0) + s.value);
            }
        }
        let lower = |i: usize| {
            if i > 0 {
                bounds[i - 1]
            } else if bounds[0] > 0.0 {
                0.0
            } else {
                f64::NEG_INFINITY
            }
        };
        let rows = (0..bounds.len()).map(|i| (lower(i), bounds[i])).collect();
        let (times, counts) = sums.into_iter().map(|(t, cumulative)| (t, differences(&cumulative))).unzip();
        Some(Self { rows, times, counts }.merged())
    }

    /// From series of native histograms, added up. `None` when there is none.
    pub fn native(series: &[MatrixSeries]) -> Option<Self> {
        let all = || series.iter().flat_map(|s| s.histograms.iter());
        all().next()?;
        let schema = coarse_schema(all().map(|(_, h)| &**h));
        let mut sums: BTreeMap<i64, Vec<(Row, f64)>> = BTreeMap::new();
        let mut rows: Vec<Row> = Vec::new();
        for (t, h) in all() {
            let at = sums.entry(*t).or_default();
            for bucket in h.buckets().iter().filter(|b| b.count > 0.0 && b.count.is_finite()) {
                let row = Row::of(bucket, schema);
                rows.push(row);
                at.push((row, bucket.count));
            }
        }
        rows.sort_by(Row::order);
        rows.dedup();
        let (mut times, mut counts) = (Vec::new(), Vec::new());
        for (t, found) in sums {
            let mut column = vec![Some(0.0); rows.len()];
            for (row, count) in found {
                if let Ok(i) = rows.binary_search_by(|r| r.order(&row)) {
                    column[i] = Some(column[i].unwrap_or(0.0) + count);
                }
            }
            times.push(t);
            counts.push(column);
        }
        Some(Self { rows: rows.iter().map(|r| (r.lower, r.upper)).collect(), times, counts }.merged())
    }

    /// Not more rows than are seen: neighbours are put together.
    fn merged(self) -> Self {
        let by = self.rows.len().div_ceil(HEAT_ROWS).max(1);
        if by == 1 {
            return self;
        }
        let rows = self.rows.chunks(by).map(|c| (c[0].0, c[c.len() - 1].1)).collect();
        let add = |part: &[Option<f64>]| part.iter().flatten().copied().reduce(|a, b| a + b);
        let counts = self.counts.iter().map(|column| column.chunks(by).map(add).collect()).collect();
        Self { rows, counts, ..self }
    }
}

/// The bound in a series' label `le`.
fn upper_bound(series: &MatrixSeries) -> Option<f64> {
    match series.labels.get("le")? {
        "+Inf" => Some(f64::INFINITY),
        text => text.parse().ok().filter(|b: &f64| !b.is_nan()),
    }
}

/// From counts of everything up to a bound to counts of what lies between bounds; a count that falls, as sums of rates may by their
/// last digit, is nothing.
fn differences(cumulative: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut before = 0.0;
    let step = |c: &Option<f64>| {
        let own = (*c)?;
        let difference = (own - before).max(0.0);
        before = own.max(before);
        Some(difference)
    };
    cumulative.iter().map(step).collect()
}

/// A row of a native histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    lower: f64,
    upper: f64,
}

impl Row {
    /// The row of a coarser schema that a bucket lies in: exponential buckets of one schema lie wholly in those of a coarser one.
    fn of(bucket: &Bucket, schema: Option<i32>) -> Self {
        let own = Self { lower: bucket.lower, upper: bucket.upper };
        let (Some(schema), false) = (schema, bucket.spans_zero()) else { return own };
        let negative = bucket.upper < 0.0;
        let far = if negative { -bucket.lower } else { bucket.upper };
        let factor = 2f64.powf(-f64::from(schema));
        let index = (far.log2() / factor - 1e-9).ceil();
        let (near, far) = (2f64.powf((index - 1.0) * factor), 2f64.powf(index * factor));
        match negative {
            true => Self { lower: -far, upper: -near },
            false => Self { lower: near, upper: far },
        }
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.lower.total_cmp(&other.lower).then(self.upper.total_cmp(&other.upper))
    }
}

/// The finest schema of which all exponential buckets fit into the rows there may be; `None` when bounds are given one by one.
fn coarse_schema<'h>(all: impl Iterator<Item = &'h Histogram>) -> Option<i32> {
    let (mut finest, mut least, mut most, mut custom) = (8, f64::INFINITY, 0f64, false);
    for h in all {
        custom |= h.has_custom_bounds();
        finest = finest.min(h.schema);
        for b in h.buckets().iter().filter(|b| b.count > 0.0 && !b.spans_zero()) {
            let (near, far) = if b.upper < 0.0 { (-b.upper, -b.lower) } else { (b.lower, b.upper) };
            (least, most) = (least.min(near), most.max(far));
        }
    }
    if custom {
        return None;
    }
    let doublings =
        if least < most { (most.min(f64::MAX).log2() - least.max(f64::MIN_POSITIVE).log2()).max(1.0) } else { 1.0 };
    let fits = |schema: i32| doublings * 2f64.powi(schema) <= HEAT_ROWS as f64;
    Some((-4..=finest.max(-4)).rev().find(|s| fits(*s)).unwrap_or(-4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Labels;
    use kernel::series::{BucketSpan, Sample};
    use std::sync::Arc;

    fn le(bound: &str, job: &str, values: &[f64]) -> MatrixSeries {
        let samples = values.iter().enumerate().map(|(i, v)| Sample { t_ms: i as i64 * 10, value: *v }).collect();
        MatrixSeries { labels: Labels::new([("le", bound), ("job", job)]), samples, histograms: Vec::new() }
    }

    #[test]
    fn classic_buckets_are_differences_and_add_up() {
        let all = [le("+Inf", "a", &[5.0]), le("0.5", "a", &[1.0, 2.0]), le("1", "a", &[3.0]), le("0.5", "b", &[10.0])];
        let found = Buckets::classic(&all).unwrap();
        assert_eq!(found.rows, [(0.0, 0.5), (0.5, 1.0), (1.0, f64::INFINITY)]);
        assert_eq!(found.times, [0, 10]);
        // The second job counts 10 up to 0.5 alone: what is below that further up is nothing.
        assert_eq!(found.counts[0], [Some(11.0), Some(0.0), Some(0.0)]);
        assert_eq!(found.counts[1], [Some(2.0), None, None]);
        assert_eq!(Buckets::classic(&[le("x", "a", &[1.0])]), None);
    }

    fn native(schema: i32, first: i32, counts: Vec<f64>) -> MatrixSeries {
        let h = Histogram {
            schema,
            count: counts.iter().sum(),
            positive_spans: vec![BucketSpan { offset: first, length: counts.len() as u32 }],
            positive_buckets: counts,
            ..Histogram::default()
        };
        MatrixSeries { labels: Labels::default(), samples: Vec::new(), histograms: vec![(0, Arc::new(h))] }
    }

    #[test]
    fn fine_native_buckets_fall_into_coarser_rows() {
        // Schema 3: eight buckets for each power of two, over sixteen powers.
        let found = Buckets::native(&[native(3, 1, vec![1.0; 128])]).unwrap();
        assert!(found.rows.len() <= HEAT_ROWS, "{}", found.rows.len());
        assert_eq!(found.counts[0].iter().flatten().sum::<f64>(), 128.0);
        assert!(found.rows.windows(2).all(|w| (w[0].1 / w[1].0 - 1.0).abs() < 1e-9), "{:?}", found.rows);
    }

    #[test]
    fn few_native_buckets_stay_as_they_are() {
        let found = Buckets::native(&[native(0, 1, vec![1.0, 2.0]), native(0, 2, vec![3.0])]).unwrap();
        assert_eq!(found.rows, [(1.0, 2.0), (2.0, 4.0)]);
        assert_eq!(found.counts[0], [Some(1.0), Some(5.0)]);
    }
}
