//! Extended ranges: `anchored` and `smoothed`. Pure.
//!
//! `anchored` takes the newest sample at or before the start of the range (within the lookback) as the value at the
//! start. `smoothed` interpolates the values at both bounds between the samples around them. Neither extrapolates.

use std::sync::Arc;

use kernel::series::{CounterReset, Histogram, Point, Sample};

use super::EvalError;
use super::columns::Columns;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::Line;
use super::select::Ranges;
use crate::annotations::{Note, Operation};
use crate::functions::native::{Notes, combine};
use crate::functions::rates::{Bounds, Rate};
use crate::functions::window::{Window, started_after, started_anew};
use crate::syntax::ast::{Expr, Extend, Selector};
use crate::syntax::span::Span;

/// The value on the line through two samples; a counter that was reset in between rose from zero.
fn between(a: (i64, f64), b: (i64, f64), t: i64, counter: bool) -> f64 {
    let from = if counter && b.1 < a.1 { 0.0 } else { a.1 };
    from + (b.1 - from) * (t - a.0) as f64 / (b.0 - a.0) as f64
}

/// As [`between`], of histograms; `None` when they do not go together.
fn between_histograms(
    a: (i64, &Histogram),
    b: (i64, &Histogram),
    t: i64,
    counter: bool,
    note: Notes<'_>,
) -> Option<Histogram> {
    let mut out = b.1.clone();
    if t == a.0 {
        return Some(a.1.clone());
    }
    if t == b.0 {
        return Some(out);
    }
    let share = (t - a.0) as f64 / (b.0 - a.0) as f64;
    if counter && b.1.is_reset_since(a.1) {
        out.scale(share);
        return Some(out);
    }
    if !combine(&mut out, a.1, Operation::Subtraction, note) {
        return None;
    }
    out.scale(share);
    combine(&mut out, a.1, Operation::Addition, note).then_some(out)
}

/// A value at a time, and when its counter began, 0 where that is not known.
#[derive(Clone, Copy, Debug)]
struct Known {
    at: (i64, f64),
    start: i64,
}

impl Known {
    /// When its counter began, and its time.
    fn began(&self) -> (i64, i64) {
        (self.start, self.at.0)
    }

    /// When its counter began, if not after a time.
    fn start_before(&self, time: i64) -> i64 {
        if self.start > time { 0 } else { self.start }
    }
}

/// Which samples an extended range looks at: the first and the last one, by their places.
#[derive(Clone, Copy, Debug)]
struct Reach {
    first: usize,
    last: usize,
    bounds: Bounds,
    smoothed: bool,
}

impl Reach {
    /// Of samples at these times; `None` when there is nothing to measure. `counts_before` says of the first sample, where it is behind the range,
    /// whether something was counted within it all the same.
    fn of(
        times: &[i64],
        bounds: Bounds,
        lookback_ms: i64,
        smoothed: bool,
        counts_before: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let Bounds { start, end } = bounds;
        let oldest = times.partition_point(|t| *t <= start - lookback_ms);
        let after_start = times.partition_point(|t| *t <= start);
        let first = if after_start > oldest { after_start - 1 } else { after_start };
        let newest = times.partition_point(|t| *t <= if smoothed { end + lookback_ms } else { end });
        if first >= newest {
            return None;
        }
        // The first sample at or after the end, for interpolation.
        let beyond = times.partition_point(|t| *t < end);
        let last = if smoothed && beyond < newest { beyond } else { newest - 1 };
        if times[last] <= start || (smoothed && times[first] > end && !counts_before(first)) {
            return None;
        }
        Some(Self { first, last, bounds, smoothed })
    }

    fn interpolates_left(&self, times: &[i64]) -> bool {
        self.smoothed && times[self.first] < self.bounds.start
    }

    fn interpolates_right(&self, times: &[i64]) -> bool {
        self.smoothed && self.last > self.first && times[self.last] > self.bounds.end
    }

    /// The samples strictly within the bounds.
    fn inside(&self, times: &[i64]) -> std::ops::Range<usize> {
        let first = self.first + usize::from(times[self.first] <= self.bounds.start);
        let end = self.last + usize::from(times[self.last] < self.bounds.end);
        first..end.max(first)
    }
}

impl Ranges<'_> {
    /// The samples of the range with the one before it, if it is in reach, whatever its kind; for `resets` and `changes`.
    pub(super) fn anchored(&self, step: usize) -> Option<Window<'_>> {
        let Bounds { start, end } = self.limits(step);
        let part = |times: &[i64]| {
            let oldest = times.partition_point(|t| *t <= start - self.lookback_ms);
            let (after, to) = (times.partition_point(|t| *t <= start), times.partition_point(|t| *t <= end));
            let anchor = (after > oldest).then(|| times[after - 1]);
            (anchor, after, to)
        };
        let (float, after, to) = part(self.times);
        let (native, native_after, native_to) = self.histograms.as_ref().map_or((None, 0, 0), |h| part(h.times));
        if after == to && native_after == native_to {
            return None;
        }
        let from_float = float.is_some() && float >= native;
        let window = self.floats(after - usize::from(from_float)..to);
        let Some(h) = &self.histograms else { return Some(Window { now_ms: end, ..window }) };
        let from_native = native.is_some() && !from_float;
        let histograms = h.part(native_after - usize::from(from_native), native_to);
        Some(Window { histograms, now_ms: end, ..window })
    }

    pub(super) fn extended_rate(&self, step: usize, extend: Extend, rate: Rate, note: Notes<'_>) -> Option<Point> {
        let (bounds, smoothed) = (self.limits(step), extend == Extend::Smoothed);
        let native = self.histograms.as_ref();
        let reach = |times: &[i64]| {
            let newest = if smoothed { bounds.end + self.lookback_ms } else { bounds.end };
            times.iter().any(|t| *t > bounds.start - self.lookback_ms && *t <= newest)
        };
        if native.is_some_and(|h| reach(h.times)) {
            if reach(self.times) {
                note(Note::FloatsAndHistograms);
                return None;
            }
            return self.extended_histogram_rate(bounds, smoothed, rate, note).map(|h| Point::Histogram(Arc::new(h)));
        }
        self.extended_float_rate(bounds, smoothed, rate).map(Point::Float)
    }

    /// The value of a sample, with its time, and when its counter began.
    fn sample(&self, i: usize) -> Known {
        Known { at: (self.times[i], self.values[i]), start: self.starts.get(i).copied().unwrap_or(0) }
    }

    /// What is at the start of a range, and when its counter began as far as that is before it.
    fn left_of(&self, reach: &Reach, counter: bool) -> (f64, i64) {
        let (first, from) = (self.sample(reach.first), reach.bounds.start);
        let (mut a, mut start) = (first.at, first.start_before(from));
        if a.0 == from {
            return (a.1, first.start);
        }
        if a.0 > from {
            return (self.before_first(reach, first, from, counter), start);
        }
        let next = self.sample(reach.first + 1);
        let mut b = next.at;
        if counter && started_after(from, next.began()) {
            b = (next.start, 0.0);
        } else if counter && started_anew(first.began(), next.began()) {
            (a, start) = ((next.start, 0.0), next.start);
        }
        (if reach.smoothed { between(a, b, from, counter) } else { a.1 }, start)
    }

    /// The same at the end of a range.
    fn right_of(&self, reach: &Reach, counter: bool) -> (f64, i64) {
        let (last, to) = (self.sample(reach.last), reach.bounds.end);
        let (mut b, mut start) = (last.at, last.start_before(to));
        if b.0 <= to {
            return (b.1, start);
        }
        if reach.last == reach.first {
            return (self.before_first(reach, last, to, counter), start);
        }
        let before = self.sample(reach.last - 1);
        let mut a = before.at;
        if counter && started_after(to, last.began()) {
            (b, start) = ((last.start, 0.0), before.start);
        } else if counter && started_anew(before.began(), last.began()) {
            a = (last.start, 0.0);
        }
        (between(a, b, to, counter), start)
    }

    /// The value at a time before the first sample there is: a counter that began since was at zero, one that had begun had risen.
    fn before_first(&self, reach: &Reach, first: Known, time: i64, counter: bool) -> f64 {
        if !counter || !started_after(reach.bounds.start - self.lookback_ms, first.began()) {
            return first.at.1;
        }
        if started_after(time, first.began()) || !reach.smoothed {
            return 0.0;
        }
        between((first.start, 0.0), first.at, time, counter)
    }

    fn extended_float_rate(&self, bounds: Bounds, smoothed: bool, rate: Rate) -> Option<f64> {
        let counts_before = |first: usize| {
            let began = self.sample(first).began();
            let known = started_after(bounds.start - self.lookback_ms, began) && !started_after(bounds.end, began);
            rate.is_counter() && known
        };
        let reach = Reach::of(self.times, bounds, self.lookback_ms, smoothed, counts_before)?;
        let (left, left_start) = self.left_of(&reach, rate.is_counter());
        let (right, right_start) = self.right_of(&reach, rate.is_counter());
        let mut result = right - left;
        if rate.is_counter() {
            let mut before = Known { at: (bounds.start, left), start: left_start };
            let last = Known { at: (bounds.end, right), start: right_start };
            for now in reach.inside(self.times).map(|i| self.sample(i)).chain([last]) {
                if now.at.1 < before.at.1 || started_anew(before.began(), now.began()) {
                    result += before.at.1;
                }
                before = now;
            }
        }
        Some(if rate == Rate::PerSecond { result / bounds.seconds() } else { result })
    }

    fn extended_histogram_rate(
        &self,
        bounds: Bounds,
        smoothed: bool,
        rate: Rate,
        note: Notes<'_>,
    ) -> Option<Histogram> {
        let h = self.histograms.as_ref()?;
        let reach = Reach::of(h.times, bounds, self.lookback_ms, smoothed, |_| false)?;
        let (Reach { first, last, .. }, counter) = (reach, rate.is_counter());
        let used = &h.values[first..=last];
        if used.iter().any(|x| x.has_custom_bounds() != used[0].has_custom_bounds()) {
            note(Note::ExponentialAndCustom);
            return None;
        }
        if counter && used.iter().any(|x| x.reset == CounterReset::Gauge) {
            note(Note::NotACounter);
        }
        let sample = |i: usize| (h.times[i], &*h.values[i]);
        let left = if reach.interpolates_left(h.times) {
            between_histograms(sample(first), sample(first + 1), bounds.start, counter, note)?
        } else {
            (*h.values[first]).clone()
        };
        let right = if reach.interpolates_right(h.times) {
            between_histograms(sample(last - 1), sample(last), bounds.end, counter, note)?
        } else {
            (*h.values[last]).clone()
        };
        if !counter && [&left, &right].iter().any(|x| x.reset != CounterReset::Gauge) {
            note(Note::NotAGauge);
        }
        let mut result = right.clone();
        if !combine(&mut result, &left, Operation::Subtraction, note) {
            return None;
        }
        if counter {
            // What interpolation across a reset at the start counted already is not counted again.
            let spanned = reach.interpolates_left(h.times) && h.values[first + 1].is_reset_since(&h.values[first]);
            let (mut before, from) = if spanned { (&*h.values[first + 1], first + 2) } else { (&left, first + 1) };
            if from <= last {
                for now in h.values[from..last].iter().map(|x| &**x).chain([&right]) {
                    if now.is_reset_since(before) && !combine(&mut result, before, Operation::Addition, note) {
                        return None;
                    }
                    before = now;
                }
            }
        }
        if rate == Rate::PerSecond {
            result.divide(bounds.seconds());
        }
        result.reset = CounterReset::Gauge;
        result.compact();
        Some(result)
    }

    /// The samples of an extended range as they are, with one at each bound.
    pub(super) fn extended_samples(&self, extend: Extend, expr: &Expr) -> Result<Vec<Sample>> {
        let (bounds, smoothed) = (self.limits(0), extend == Extend::Smoothed);
        if self.histograms.is_some() {
            let name = if smoothed { "smoothed" } else { "anchored" };
            return Err(EvalError::invalid(expr.span, format!("{name} modifier is not supported with histograms")));
        }
        let reach = Reach::of(self.times, bounds, self.lookback_ms, smoothed, |_| false);
        let Some(reach) = reach else { return Ok(Vec::new()) };
        let (left, right) = (self.left_of(&reach, false).0, self.right_of(&reach, false).0);
        let inside = reach.inside(self.times).map(|i| Sample { t_ms: self.times[i], value: self.values[i] });
        let at = |t_ms, value| [Sample { t_ms, value }];
        Ok(at(bounds.start, left).into_iter().chain(inside).chain(at(bounds.end, right)).collect())
    }
}

impl Engine<'_> {
    /// An instant selector whose values are interpolated between the samples around each time.
    pub(super) fn smoothed_lines(&self, selector: &Selector, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let reference = self.shifted(&selector.shift, grid)?;
        let lookback = self.lookback_at(reference.start);
        let read = (reference.start - lookback + 1, reference.last() + lookback);
        self.visit(&selector.matchers, read, &mut |s| {
            let columns = Columns::of(&s);
            let mut line = Line::absent(s.labels.clone(), false, grid.steps);
            let mut note = |n: Note| self.note(span, n, s.labels.name());
            for (step, t) in reference.times().enumerate() {
                line.set(step, smoothed_point(&columns, t, lookback, &mut note));
            }
            if line.is_empty() { Ok(()) } else { sink(line) }
        })
    }
}

fn smoothed_point(columns: &Columns<'_>, t: i64, lookback: i64, note: Notes<'_>) -> Option<Point> {
    // The samples in reach: the ones around the time.
    let around = |times: &[i64]| {
        let next = times.partition_point(|x| *x < t);
        let before = next.checked_sub(1).filter(|i| times[*i] > t - lookback);
        let after = times.get(next).filter(|x| **x <= t + lookback).map(|_| next);
        (before, after)
    };
    let floats = around(&columns.times);
    let native = columns.histograms.as_ref().map(|h| (h, around(&h.times)));
    let native = native.filter(|(_, found)| *found != (None, None));
    if native.is_some() && floats != (None, None) {
        note(Note::FloatsAndHistograms);
        return None;
    }
    let Some((h, (before, after))) = native else {
        let sample = |i: usize| (columns.times[i], columns.values[i]);
        return match floats {
            (_, Some(at)) if columns.times[at] == t => Some(Point::Float(columns.values[at])),
            (Some(a), Some(b)) => Some(Point::Float(between(sample(a), sample(b), t, false))),
            (Some(a), None) => Some(Point::Float(columns.values[a])),
            (None, _) => None,
        };
    };
    let sample = |i: usize| (h.times[i], &*h.values[i]);
    match (before, after) {
        (_, Some(at)) if h.times[at] == t => Some(Point::Histogram(h.values[at].clone())),
        (Some(a), Some(b)) => {
            let (a, b) = (sample(a), sample(b));
            if a.1.has_custom_bounds() != b.1.has_custom_bounds() {
                note(Note::ExponentialAndCustom);
                return None;
            }
            let counter = a.1.reset != CounterReset::Gauge || b.1.reset != CounterReset::Gauge;
            between_histograms(a, b, t, counter, note).map(|h| Point::Histogram(Arc::new(h)))
        }
        (Some(a), None) => {
            // What it says of resets was about the sample before it.
            let mut carried = (*h.values[a]).clone();
            carried.reset = CounterReset::Unknown;
            Some(Point::Histogram(Arc::new(carried)))
        }
        (None, _) => None,
    }
}
