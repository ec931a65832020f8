//! Sums, differences and multiples of histograms: layouts that differ are brought together first. Pure.
//!
//! <https://prometheus.io/docs/specs/native_histograms/#promql>

use super::buckets::{Side, spans_of};
use super::{CounterReset, Histogram};

/// Histograms of which one has exponential and the other custom buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("histograms with exponential and with custom buckets have nothing in common")]
pub struct Incompatible;

/// What was noticed when two histograms were put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// One was said to be reset, the other not to be.
    pub reset_collision: bool,
    /// Their custom bounds differ: the result has those that both have.
    pub bounds_reconciled: bool,
}

/// A bucket: its index, its count, and what rounding lost of it.
type Cell = (i32, f64, f64);

/// One histogram more on a sum, compensated (Neumaier).
fn plus((sum, lost): (f64, f64), v: f64) -> (f64, f64) {
    let total = sum + v;
    let lost = if total.is_infinite() {
        0.0
    } else if sum.abs() >= v.abs() {
        lost + ((sum - total) + v)
    } else {
        lost + ((v - total) + sum)
    };
    (total, lost)
}

fn cells(side: Side) -> Vec<Cell> {
    side.into_iter().map(|(i, v)| (i, v, 0.0)).collect()
}

/// A histogram taken apart, with what rounding lost.
struct Parts {
    zero: (f64, f64),
    zero_threshold: f64,
    positive: Vec<Cell>,
    negative: Vec<Cell>,
}

impl Parts {
    fn of(h: &Histogram, lost: Option<&Histogram>) -> Self {
        let beside = |side: Side, lost: Option<Side>| match lost {
            // The compensation has the same layout, by construction.
            Some(lost) => side.into_iter().zip(lost).map(|((i, v), (_, c))| (i, v, c)).collect(),
            None => cells(side),
        };
        Self {
            zero: (h.zero_count, lost.map_or(0.0, |c| c.zero_count)),
            zero_threshold: h.zero_threshold,
            positive: beside(h.positive(), lost.map(Histogram::positive)),
            negative: beside(h.negative(), lost.map(Histogram::negative)),
        }
    }

    /// The zero bucket made at least that wide; wider, where it would end within a bucket that holds something.
    fn widen(&mut self, threshold: f64, schema: i32) {
        let mut wanted = threshold;
        let bound = |i: i32| super::buckets::exponential_bound(i, schema);
        loop {
            let inside = |c: &&Cell| c.1 != 0.0 && bound(c.0 - 1) < wanted && bound(c.0) > wanted;
            match self.positive.iter().chain(&self.negative).find(inside) {
                Some(cell) => wanted = bound(cell.0),
                None => break,
            }
        }
        for side in [&mut self.positive, &mut self.negative] {
            side.retain(|cell| {
                let keep = bound(cell.0 - 1) >= wanted;
                if !keep {
                    self.zero = plus(plus(self.zero, cell.1), cell.2);
                }
                keep
            });
        }
        self.zero_threshold = wanted;
    }

    fn coarser(&mut self, from: i32, to: i32) {
        for side in [&mut self.positive, &mut self.negative] {
            *side = reduce(side, from, to);
        }
    }
}

/// Buckets of a coarser schema.
fn reduce(side: &[Cell], from: i32, to: i32) -> Vec<Cell> {
    if to >= from {
        return side.to_vec();
    }
    let mut out: Vec<Cell> = Vec::new();
    for (index, v, lost) in side {
        let target = coarser_index(*index, from, to);
        match out.last_mut() {
            Some(last) if last.0 == target => (last.1, last.2) = plus(plus((last.1, last.2), *v), *lost),
            _ => out.push((target, *v, *lost)),
        }
    }
    out
}

/// The bucket of a coarser schema that a bucket lies in.
pub(super) fn coarser_index(index: i32, from: i32, to: i32) -> i32 {
    (index.saturating_sub(1) >> (from - to).clamp(0, 31)) + 1
}

/// Both sides' buckets in one, `sign` times the second.
fn merge(a: &[Cell], b: &[Cell], sign: f64) -> Vec<Cell> {
    let mut out = Vec::with_capacity(a.len().max(b.len()));
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (left, right) = (a.get(i), b.get(j));
        match (left, right) {
            (Some(x), Some(y)) if x.0 == y.0 => {
                let (v, lost) = plus(plus((x.1, x.2), sign * y.1), sign * y.2);
                out.push((x.0, v, lost));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), Some(y)) if x.0 < y.0 => {
                out.push(*x);
                i += 1;
            }
            (Some(x), None) => {
                out.push(*x);
                i += 1;
            }
            (_, Some(y)) => {
                out.push((y.0, sign * y.1, sign * y.2));
                j += 1;
            }
            (None, None) => break,
        }
    }
    out
}

/// The bounds that two histograms have in common.
fn common_bounds(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().filter(|bound| b.binary_search_by(|x| x.total_cmp(bound)).is_ok()).copied().collect()
}

/// Buckets counted into wider ones, whose bounds are a part of theirs.
fn rebound(side: &[Cell], bounds: &[f64], wider: &[f64]) -> Vec<Cell> {
    let mut out: Vec<Cell> = Vec::new();
    for (index, v, lost) in side {
        let upper = usize::try_from(*index).ok().and_then(|i| bounds.get(i)).copied().unwrap_or(f64::INFINITY);
        let target = wider.partition_point(|b| *b < upper) as i32;
        match out.last_mut() {
            Some(last) if last.0 == target => (last.1, last.2) = plus(plus((last.1, last.2), *v), *lost),
            _ => out.push((target, *v, *lost)),
        }
    }
    out.retain(|cell| cell.1 != 0.0 || cell.2 != 0.0);
    out
}

impl Histogram {
    /// Every count and the sum times a factor. A negative one makes it a gauge.
    pub fn scale(&mut self, factor: f64) {
        self.each_number(|v| v * factor);
        if factor < 0.0 {
            self.reset = CounterReset::Gauge;
        }
    }

    /// Every count and the sum divided. By zero there are no buckets any more; by a negative number it becomes a gauge.
    pub fn divide(&mut self, divisor: f64) {
        self.each_number(|v| v / divisor);
        if divisor == 0.0 {
            for buckets in [&mut self.positive_buckets, &mut self.negative_buckets] {
                buckets.clear();
            }
            self.positive_spans.clear();
            self.negative_spans.clear();
        } else if divisor < 0.0 {
            self.reset = CounterReset::Gauge;
        }
    }

    fn each_number(&mut self, f: impl Fn(f64) -> f64) {
        for v in [&mut self.zero_count, &mut self.count, &mut self.sum] {
            *v = f(*v);
        }
        self.positive_buckets.iter_mut().chain(&mut self.negative_buckets).for_each(|v| *v = f(*v));
    }

    /// Adds another. The result has the coarser schema, the wider zero bucket and the bounds that both have.
    ///
    /// # Errors
    /// One has exponential, the other custom buckets; nothing was changed then.
    pub fn add(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, 1.0, None)
    }

    /// Subtracts another, as [`Histogram::add`]. For PromQL's `-` the result is a gauge, which the caller says.
    ///
    /// # Errors
    /// As [`Histogram::add`].
    pub fn subtract(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, -1.0, None)
    }

    /// Adds another and keeps in `lost` what rounding took (Kahan's summation after Neumaier); the caller adds that at
    /// the end. `lost` has the same layout as this histogram, always.
    ///
    /// # Errors
    /// As [`Histogram::add`].
    pub fn add_compensated(&mut self, other: &Self, lost: &mut Option<Self>) -> Result<Combined, Incompatible> {
        let mut compensation = lost.take().unwrap_or_else(|| {
            let mut zeros = self.clone();
            zeros.each_number(|_| 0.0);
            zeros
        });
        let done = self.combine(other, 1.0, Some(&mut compensation));
        *lost = Some(compensation);
        done
    }

    fn combine(&mut self, other: &Self, sign: f64, lost: Option<&mut Self>) -> Result<Combined, Incompatible> {
        if self.has_custom_bounds() != other.has_custom_bounds() {
            return Err(Incompatible);
        }
        let mut done = Combined { reset_collision: self.reset_with(other.reset), bounds_reconciled: false };
        let (mut a, mut b) = (Parts::of(self, lost.as_deref()), Parts::of(other, None));
        if self.has_custom_bounds() {
            if self.custom_bounds != other.custom_bounds {
                done.bounds_reconciled = true;
                let wider = common_bounds(&self.custom_bounds, &other.custom_bounds);
                a.positive = rebound(&a.positive, &self.custom_bounds, &wider);
                b.positive = rebound(&b.positive, &other.custom_bounds, &wider);
                self.custom_bounds = wider;
            }
        } else {
            while a.zero_threshold != b.zero_threshold {
                if a.zero_threshold < b.zero_threshold {
                    a.widen(b.zero_threshold, self.schema);
                } else if b.zero_threshold < a.zero_threshold {
                    b.widen(a.zero_threshold, other.schema);
                } else {
                    break;
                }
            }
            let schema = self.schema.min(other.schema);
            a.coarser(self.schema, schema);
            b.coarser(other.schema, schema);
            self.schema = schema;
            self.zero_threshold = a.zero_threshold;
        }
        let zero = plus(plus(a.zero, sign * b.zero.0), sign * b.zero.1);
        let whole = |v: f64, lost: f64, w: f64| plus((v, lost), sign * w);
        let (lost_count, lost_sum) = lost.as_ref().map_or((0.0, 0.0), |c| (c.count, c.sum));
        let count = whole(self.count, lost_count, other.count);
        let sum = whole(self.sum, lost_sum, other.sum);
        let (positive, negative) = (merge(&a.positive, &b.positive, sign), merge(&a.negative, &b.negative, sign));
        (self.zero_count, self.count, self.sum) = (zero.0, count.0, sum.0);
        self.set_sides(positive.iter().map(|c| (c.0, c.1)), negative.iter().map(|c| (c.0, c.1)));
        if let Some(lost) = lost {
            (lost.zero_count, lost.count, lost.sum) = (zero.1, count.1, sum.1);
            (lost.schema, lost.zero_threshold) = (self.schema, self.zero_threshold);
            lost.custom_bounds.clone_from(&self.custom_bounds);
            lost.set_sides(positive.iter().map(|c| (c.0, c.2)), negative.iter().map(|c| (c.0, c.2)));
        }
        Ok(done)
    }

    fn set_sides(
        &mut self,
        positive: impl IntoIterator<Item = (i32, f64)>,
        negative: impl IntoIterator<Item = (i32, f64)>,
    ) {
        (self.positive_spans, self.positive_buckets) = spans_of(positive);
        (self.negative_spans, self.negative_buckets) = spans_of(negative);
    }

    /// What is known of resets of a sum of two; whether that was contradictory.
    fn reset_with(&mut self, other: CounterReset) -> bool {
        use CounterReset::{Gauge, Unknown};
        match (self.reset, other) {
            (a, b) if a == b => false,
            (Gauge, _) | (Unknown, _) if other != Gauge => false,
            (_, Gauge) => {
                self.reset = Gauge;
                false
            }
            (_, Unknown) => {
                self.reset = Unknown;
                false
            }
            _ => {
                self.reset = Unknown;
                true
            }
        }
    }

    /// Leaves out buckets that hold nothing.
    pub fn compact(&mut self) {
        if !self.positive_buckets.iter().chain(&self.negative_buckets).any(|v| *v == 0.0) {
            return;
        }
        let filled = |side: Side| side.into_iter().filter(|(_, v)| *v != 0.0);
        self.set_sides(filled(self.positive()), filled(self.negative()));
    }

    /// As it is, or with fewer, wider exponential buckets.
    #[must_use]
    pub fn at_schema(&self, schema: i32) -> Self {
        let mut out = self.clone();
        if !self.has_custom_bounds() && schema < self.schema {
            let narrow = |side: Side| reduce(&cells(side), self.schema, schema).into_iter().map(|c| (c.0, c.1));
            out.set_sides(narrow(self.positive()), narrow(self.negative()));
            out.schema = schema;
        }
        out
    }

    /// Whether any number in it is infinite.
    pub fn has_overflow(&self) -> bool {
        let numbers = [self.zero_count, self.count, self.sum];
        numbers.iter().chain(&self.positive_buckets).chain(&self.negative_buckets).any(|v| v.is_infinite())
    }

    /// Whether both hold the same, however their spans are cut. What is known of resets does not matter.
    pub fn same_as(&self, other: &Self) -> bool {
        let bits = |h: &Self| [h.zero_threshold, h.zero_count, h.count, h.sum].map(f64::to_bits);
        let filled = |side: Side| side.into_iter().filter(|(_, v)| *v != 0.0).collect::<Side>();
        self.schema == other.schema
            && bits(self) == bits(other)
            && self.custom_bounds == other.custom_bounds
            && filled(self.positive()) == filled(other.positive())
            && filled(self.negative()) == filled(other.negative())
    }

    /// The zero bucket widened to a threshold: the threshold it really gets, its count, and the buckets beyond it.
    pub(super) fn widened(&self, threshold: f64) -> (f64, f64, Side, Side) {
        let mut parts = Parts::of(self, None);
        if threshold > self.zero_threshold {
            parts.widen(threshold, self.schema);
        }
        let plain = |cells: Vec<Cell>| cells.into_iter().map(|c| (c.0, c.1)).collect();
        (parts.zero_threshold, parts.zero.0 + parts.zero.1, plain(parts.positive), plain(parts.negative))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exponential(schema: i32, first: i32, counts: &[f64]) -> Histogram {
        let side = counts.iter().enumerate().map(|(i, v)| (first + i as i32, *v));
        let (positive_spans, positive_buckets) = spans_of(side);
        let count = counts.iter().sum();
        Histogram { schema, count, sum: count, positive_spans, positive_buckets, ..Histogram::default() }
    }

    fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
        Histogram { schema: -53, custom_bounds: bounds.to_vec(), ..exponential(0, 0, counts) }
    }

    #[test]
    fn the_coarser_schema_wins() {
        let mut a = exponential(1, 1, &[1.0, 2.0, 3.0, 4.0]);
        a.add(&exponential(0, 1, &[10.0, 20.0])).unwrap();
        assert_eq!((a.schema, a.positive(), a.count), (0, vec![(1, 13.0), (2, 27.0)], 40.0));
    }

    #[test]
    fn a_zero_bucket_swallows_what_it_reaches_into() {
        let mut a = exponential(0, 0, &[5.0, 7.0]); // (0.5, 1] and (1, 2]
        let b = Histogram { zero_threshold: 0.75, zero_count: 2.0, count: 2.0, ..Histogram::default() };
        a.add(&b).unwrap();
        assert_eq!((a.zero_threshold, a.zero_count, a.positive()), (1.0, 7.0, vec![(1, 7.0)]));
    }

    #[test]
    fn custom_bounds_meet_in_what_they_share() {
        let mut a = custom(&[1.0, 2.0, 5.0], &[1.0, 2.0, 3.0, 4.0]);
        let done = a.add(&custom(&[2.0, 4.0], &[10.0, 20.0, 30.0])).unwrap();
        assert!(done.bounds_reconciled && !done.reset_collision);
        assert_eq!((a.custom_bounds, a.positive_buckets), (vec![2.0], vec![13.0, 57.0]));
        assert_eq!(custom(&[1.0], &[]).add(&exponential(0, 0, &[1.0])), Err(Incompatible));
    }

    #[test]
    fn resets_that_contradict() {
        let with = |reset| Histogram { reset, ..Histogram::default() };
        use CounterReset::{Gauge, NotReset, Reset, Unknown};
        let check = |a, b, expect, collision| {
            let mut sum = with(a);
            let done = sum.add(&with(b)).unwrap();
            assert_eq!((sum.reset, done.reset_collision), (expect, collision), "{a:?} {b:?}");
        };
        check(Reset, NotReset, Unknown, true);
        check(Reset, Gauge, Gauge, false);
        check(Gauge, Reset, Gauge, false);
        check(Unknown, Reset, Unknown, false);
        check(NotReset, Unknown, Unknown, false);
        check(Unknown, Gauge, Gauge, false);
    }

    #[test]
    fn compensation_keeps_the_small_ones() {
        let mut sum = exponential(0, 0, &[1e100]);
        let mut lost = None;
        for counts in [[1.0], [-1e100]] {
            sum.add_compensated(&exponential(0, 0, &counts), &mut lost).unwrap();
        }
        sum.add(&lost.unwrap()).unwrap();
        assert_eq!((sum.count, sum.positive_buckets), (1.0, vec![1.0]));
    }

    fn any_side() -> impl Strategy<Value = Vec<(i32, u8)>> {
        prop::collection::btree_map(-40i32..40, 0u8..9, 0..12).prop_map(|m| m.into_iter().collect())
    }

    prop_compose! {
        fn any()(schema in -4i32..=8, positive in any_side(), negative in any_side(), zero in 0u8..5, wide in 0u8..4) -> Histogram {
            let numbers = |side: Vec<(i32, u8)>| side.into_iter().map(|(i, v)| (i, f64::from(v)));
            let count: f64 = positive.iter().chain(&negative).map(|(_, v)| f64::from(*v)).sum::<f64>() + f64::from(zero);
            let mut h = Histogram {
                schema,
                count,
                sum: count,
                zero_count: f64::from(zero),
                zero_threshold: [0.0, 0.001, 0.3, 2.0][usize::from(wide)],
                ..Histogram::default()
            };
            h.set_sides(numbers(positive), numbers(negative));
            h
        }
    }

    fn total(h: &Histogram) -> f64 {
        h.zero_count + h.positive_buckets.iter().chain(&h.negative_buckets).sum::<f64>()
    }

    proptest! {
        #[test]
        fn nothing_gets_lost(a in any(), b in any()) {
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ab.add(&b).unwrap();
            ba.add(&a).unwrap();
            prop_assert_eq!(total(&ab), ab.count);
            prop_assert_eq!(ab.count, a.count + b.count);
            prop_assert!(ab.same_as(&ba));
            prop_assert_eq!(ab.verify(), Ok(()));
            ab.subtract(&b).unwrap();
            prop_assert_eq!(total(&ab), a.count);
        }

        #[test]
        fn written_layouts_come_back(a in any()) {
            let mut compact = a.clone();
            compact.compact();
            prop_assert!(compact.same_as(&a));
            prop_assert_eq!(total(&a.at_schema(-4)), a.count);
        }
    }
}
