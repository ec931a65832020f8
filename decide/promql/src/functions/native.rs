//! Functions of native histograms: single ones, and those of a range. Pure.

use std::sync::Arc;

use kernel::series::{CounterReset, Histogram, Incompatible};

use super::kahan::Kahan;
use super::rates::{Bounds, Extent, Rate};
use super::window::{Histograms, Window, started_anew, starts_overlap};
use crate::annotations::{Note, Operation};

/// Takes what is noticed.
pub(crate) type Notes<'n> = &'n mut dyn FnMut(Note);

pub(crate) fn count(h: &Histogram) -> f64 {
    h.count
}

pub(crate) fn sum(h: &Histogram) -> f64 {
    h.sum
}

pub(crate) fn average(h: &Histogram) -> f64 {
    h.sum / h.count
}

pub(crate) fn deviation(h: &Histogram) -> f64 {
    variance(h).sqrt()
}

/// The variance, each observation taken to lie in the middle of its bucket (the geometric one of exponential buckets).
pub(crate) fn variance(h: &Histogram) -> f64 {
    let mean = h.sum / h.count;
    let mut total = Kahan::default();
    for b in h.buckets().iter().filter(|b| b.count != 0.0) {
        let middle = if h.has_custom_bounds() {
            (b.upper + b.lower) / 2.0
        } else if b.spans_zero() {
            0.0
        } else {
            (b.upper * b.lower).sqrt().copysign(b.upper)
        };
        let delta = middle - mean;
        total.add(b.count * delta * delta);
    }
    (total.sum + total.lost) / h.count
}

/// A sum or mean of histograms that grows one by one, compensated for rounding.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    value: Histogram,
    lost: Option<Histogram>,
    count: f64,
    /// The sum would overflow, so `value` is the mean.
    is_mean: bool,
    reset: bool,
    not_reset: bool,
}

impl Fold {
    pub(crate) fn new(first: &Histogram) -> Self {
        let value = first.clone();
        let mut fold = Self { value, lost: None, count: 1.0, is_mean: false, reset: false, not_reset: false };
        fold.note_reset(first);
        fold
    }

    fn note_reset(&mut self, h: &Histogram) {
        self.reset |= h.reset == CounterReset::Reset;
        self.not_reset |= h.reset == CounterReset::NotReset;
    }

    /// Whether some say that they were reset, and others that they were not.
    pub(crate) fn resets_contradict(&self) -> bool {
        self.reset && self.not_reset
    }

    /// Adds one to a sum; whether bounds had to be reconciled.
    pub(crate) fn add(&mut self, h: &Histogram) -> Result<bool, Incompatible> {
        self.note_reset(h);
        Ok(self.value.add_compensated(h, &mut self.lost)?.bounds_reconciled)
    }

    /// Adds one to a mean; whether bounds had to be reconciled.
    pub(crate) fn add_to_mean(&mut self, h: &Histogram) -> Result<bool, Incompatible> {
        self.note_reset(h);
        self.count += 1.0;
        if !self.is_mean {
            let (mut value, mut lost) = (self.value.clone(), self.lost.clone());
            let done = value.add_compensated(h, &mut lost)?;
            if !value.has_overflow() {
                (self.value, self.lost) = (value, lost);
                return Ok(done.bounds_reconciled);
            }
            self.is_mean = true;
            self.value.divide(self.count - 1.0);
            self.lost.iter_mut().for_each(|l| l.divide(self.count - 1.0));
        }
        let kept = (self.count - 1.0) / self.count;
        self.value.scale(kept);
        self.lost.iter_mut().for_each(|l| l.scale(kept));
        let mut part = h.clone();
        part.divide(self.count);
        Ok(self.value.add_compensated(&part, &mut self.lost)?.bounds_reconciled)
    }

    /// The sum.
    pub(crate) fn total(&self) -> Histogram {
        let mut value = self.value.clone();
        // Both have the same layout.
        let _ = self.lost.as_ref().map(|lost| value.add(lost));
        value.compact();
        value
    }

    /// The mean.
    pub(crate) fn mean(&self) -> Histogram {
        let divisor = if self.is_mean { 1.0 } else { self.count };
        let (mut value, mut lost) = (self.value.clone(), self.lost.clone());
        value.divide(divisor);
        if let Some(lost) = &mut lost {
            lost.divide(divisor);
            let _ = value.add(lost);
        }
        value.compact();
        value
    }
}

/// `sum_over_time` and `avg_over_time` of histograms.
pub(crate) fn fold(all: &[Arc<Histogram>], mean: bool, note: Notes<'_>) -> Option<Histogram> {
    let (first, rest) = all.split_first()?;
    let (mut fold, mut reconciled) = (Fold::new(first), false);
    for h in rest {
        match if mean { fold.add_to_mean(h) } else { fold.add(h) } {
            Ok(differ) => reconciled |= differ,
            Err(Incompatible) => {
                note(Note::ExponentialAndCustom);
                return None;
            }
        }
    }
    if fold.resets_contradict() {
        note(Note::ResetsContradict(Operation::Aggregation));
    }
    if reconciled {
        note(Note::BoundsReconciled(Operation::Aggregation));
    }
    Some(if mean { fold.mean() } else { fold.total() })
}

/// Adds or subtracts and says what was noticed; false when that is not possible.
pub(crate) fn combine(to: &mut Histogram, other: &Histogram, operation: Operation, note: Notes<'_>) -> bool {
    let done = if operation == Operation::Subtraction { to.subtract(other) } else { to.add(other) };
    match done {
        Ok(done) => {
            if done.bounds_reconciled {
                note(Note::BoundsReconciled(operation));
            }
            true
        }
        Err(Incompatible) => {
            note(Note::ExponentialAndCustom);
            false
        }
    }
}

/// Whether the counter of one sample of a range began anew after the one before.
fn anew(w: &Histograms<'_>, i: usize) -> bool {
    let start = |i: usize| w.starts.get(i).copied().unwrap_or(0);
    i > 0 && started_anew((start(i - 1), w.times[i - 1]), (start(i), w.times[i]))
}

/// `rate`, `increase` or `delta` of the histograms of a range.
pub(crate) fn rate(w: &Histograms<'_>, bounds: Bounds, rate: Rate, note: Notes<'_>) -> Option<Histogram> {
    let extent = Extent::of(w.times, w.starts, bounds, rate)?;
    let first = &w.values[0];
    let mut result = if w.values.len() > 1 { Some(increase(w, rate, note)?) } else { None };
    let zero = result.as_ref().filter(|r| rate.is_counter() && r.count > 0.0 && first.count >= 0.0);
    let factor = extent.factor(bounds, rate, zero.map(|r| (first.count, r.count)))?;
    if extent.start.is_some() {
        match &mut result {
            None => result = Some((**first).clone()),
            Some(result) => {
                if !combine(result, first, Operation::Addition, note) {
                    return None;
                }
            }
        }
    }
    let mut result = result?;
    result.scale(factor);
    Some(result)
}

/// The increase from the first to the last histogram.
fn increase(w: &Histograms<'_>, rate: Rate, note: Notes<'_>) -> Option<Histogram> {
    let (all, counter) = (w.values, rate.is_counter());
    let (first, second, last) = (&all[0], &all[1], &all[all.len() - 1]);
    let is_gauge = |h: &Histogram| h.reset == CounterReset::Gauge;
    if counter && (is_gauge(first) || is_gauge(last)) {
        note(Note::NotACounter);
    }
    // When the counter began anew after the first one, that one's layout does not matter any more.
    let nothing;
    let mut before: &Histogram = first;
    if counter && (anew(w, 1) || second.is_reset_since(first)) {
        let custom_bounds = second.custom_bounds.clone();
        nothing = Histogram { schema: second.schema, custom_bounds, ..Histogram::default() };
        before = &nothing;
    }
    let custom = before.has_custom_bounds();
    let mut schema = last.schema.min(before.schema);
    if last.has_custom_bounds() != custom {
        note(Note::ExponentialAndCustom);
        return None;
    }
    if counter {
        for h in &all[1..all.len() - 1] {
            if is_gauge(h) {
                note(Note::NotACounter);
            }
            if h.has_custom_bounds() != custom {
                note(Note::ExponentialAndCustom);
                return None;
            }
            schema = schema.min(h.schema);
        }
    } else if !is_gauge(first) || !is_gauge(last) {
        note(Note::NotAGauge);
    }
    let mut result = last.at_schema(schema);
    if !combine(&mut result, before, Operation::Subtraction, note) {
        return None;
    }
    if counter {
        overlap(w, note);
        for (i, h) in all.iter().enumerate().skip(1) {
            if (anew(w, i) || h.is_reset_since(before)) && !combine(&mut result, before, Operation::Addition, note) {
                return None;
            }
            before = h;
        }
    }
    result.reset = CounterReset::Gauge;
    result.compact();
    Some(result)
}

fn overlap(w: &Histograms<'_>, note: Notes<'_>) {
    if (1..w.starts.len()).any(|i| starts_overlap((w.starts[i - 1], w.times[i - 1]), w.starts[i])) {
        note(Note::StartsOverlap);
    }
}

/// `irate` and `idelta` of two histograms, `interval_ms` apart; `anew` when the start time says that the counter began
/// between them.
pub(crate) fn instant(
    before: &Histogram,
    last: &Histogram,
    anew: bool,
    per_second: Option<f64>,
    note: Notes<'_>,
) -> Option<Histogram> {
    let is_rate = per_second.is_some();
    let gauges = [before, last].map(|h| h.reset == CounterReset::Gauge);
    if is_rate && gauges.contains(&true) {
        note(Note::NotACounter);
    }
    if !is_rate && gauges.contains(&false) {
        note(Note::NotAGauge);
    }
    let mut result = last.clone();
    let whole = is_rate && (anew || last.is_reset_since(before));
    if !whole && !combine(&mut result, before, Operation::Subtraction, note) {
        return None;
    }
    result.reset = CounterReset::Gauge;
    result.compact();
    if let Some(seconds) = per_second {
        result.divide(seconds);
    }
    Some(result)
}

/// How many times the counter of a range was reset; from a number to a histogram or back is a reset too.
pub(crate) fn resets(w: &Window<'_>) -> f64 {
    use super::window::Measured::{Float, Histogram};
    let all = w.by_time();
    let reset = |p: &&[(i64, super::window::Measured<'_>, i64)]| {
        let ((t_before, before, start_before), (t, now, start)) = (p[0], p[1]);
        let anew = started_anew((start_before, t_before), (start, t));
        match (before, now) {
            (Float(a), Float(b)) => b < a || anew,
            (Histogram(a), Histogram(b)) => anew || b.is_reset_since(a),
            _ => true,
        }
    };
    all.windows(2).filter(reset).count() as f64
}

/// How many times the value of a range changed.
pub(crate) fn changes(w: &Window<'_>) -> f64 {
    use super::window::Measured::{Float, Histogram};
    let all = w.by_time();
    let changed = |p: &&[(i64, super::window::Measured<'_>, i64)]| match (p[0].1, p[1].1) {
        (Float(a), Float(b)) => a != b && !(a.is_nan() && b.is_nan()),
        (Histogram(a), Histogram(b)) => !a.same_as(b),
        _ => true,
    };
    all.windows(2).filter(changed).count() as f64
}
