//! Extended ranges: `anchored` and `smoothed`. Pure.
//!
//! `anchored` takes the newest sample at or before the start of the range (within the lookback) as the value at the
//! start. `smoothed` interpolates the values at both bounds between the samples around them. Neither extrapolates.

use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line};
use super::select::Ranges;
use super::windows::without_stale;
use crate::functions::rates::{Rate, reset_correction};
use crate::functions::window::Window;
use crate::syntax::ast::{Extend, Selector};

/// The value on the line through two samples.
fn between(a: (i64, f64), b: (i64, f64), t: i64) -> f64 {
    a.1 + (b.1 - a.1) * (t - a.0) as f64 / (b.0 - a.0) as f64
}

/// At the start of a range: a counter that was reset rose from zero.
fn left_value(a: (i64, f64), b: (i64, f64), t: i64, counter: bool) -> f64 {
    between(if counter && b.1 < a.1 { (a.0, 0.0) } else { a }, b, t)
}

/// At the end of a range: a counter that was reset rose on from where it was.
fn right_value(a: (i64, f64), b: (i64, f64), t: i64, counter: bool) -> f64 {
    between(a, if counter && b.1 < a.1 { (b.0, a.1 + b.1) } else { b }, t)
}

impl Ranges<'_> {
    /// A function over the samples of the range with the one before it, if it is in reach.
    pub(super) fn anchored<T>(&self, step: usize, f: impl FnOnce(&Window<'_>) -> Option<T>) -> Option<T> {
        let (start, end) = self.limits(step);
        let (from, to) = self.extended(start, end);
        if to == 0 || self.times[to - 1] <= start {
            return None;
        }
        f(&Window { times: &self.times[from..to], values: &self.values[from..to], now_ms: end })
    }

    fn limits(&self, step: usize) -> (i64, i64) {
        let end = self.ends.at(step);
        (end - self.range_ms, end)
    }

    /// Indexes of the samples up to `end`, from the newest one at or before `start` that is in reach.
    fn extended(&self, start: i64, end: i64) -> (usize, usize) {
        let after_start = self.times.partition_point(|t| *t <= start);
        let to = self.times.partition_point(|t| *t <= end);
        let reach = start - self.lookback_ms;
        let from = if after_start > 0 && self.times[after_start - 1] > reach { after_start - 1 } else { after_start };
        (from, to)
    }

    pub(super) fn extended_rate(&self, step: usize, extend: Extend, rate: Rate) -> Option<f64> {
        let (start, end) = self.limits(step);
        let (from, to) = self.extended(start, end);
        let sample = |i: usize| (self.times[i], self.values[i]);
        let (counter, smoothed) = (rate.is_counter(), extend == Extend::Smoothed);
        // The sample at or after the end, for interpolation.
        let beyond = self.times.partition_point(|t| *t < end);
        let in_reach = beyond < self.times.len() && self.times[beyond] <= end + self.lookback_ms;
        let last = if smoothed && in_reach { beyond } else { to.checked_sub(1)? };
        if from > last || self.times[last] <= start {
            return None;
        }
        let interpolates_left = smoothed && self.times[from] < start && from < last;
        let left = if interpolates_left {
            left_value(sample(from), sample(from + 1), start, counter)
        } else {
            self.values[from]
        };
        let interpolates_right = smoothed && self.times[last] > end && last > from;
        let right = if interpolates_right {
            right_value(sample(last - 1), sample(last), end, counter)
        } else {
            self.values[last]
        };
        let mut result = right - left;
        if counter {
            let inside = self.times[from..=last].partition_point(|t| *t <= start) + from;
            let until = self.times[from..=last].partition_point(|t| *t < end) + from;
            let mut values = vec![left];
            values.extend_from_slice(&self.values[inside.min(until)..until]);
            values.push(right);
            result += reset_correction(&values);
        }
        Some(if rate == Rate::PerSecond { result / (self.range_ms as f64 / 1000.0) } else { result })
    }
}

impl Engine<'_> {
    /// An instant selector whose values are interpolated between the samples around each time.
    pub(super) fn smoothed_lines(&self, selector: &Selector, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (reference, lookback) = (self.shifted(&selector.shift, grid)?, self.query.lookback_ms);
        let series = self.read(&selector.matchers, reference.start - lookback + 1, reference.last() + lookback)?;
        for s in series {
            self.check_cancelled()?;
            let clean = without_stale(&s.timestamps, s.values.floats().unwrap_or_default());
            let (times, values) = match &clean {
                Some((times, values)) => (&times[..], &values[..]),
                None => (&s.timestamps[..], s.values.floats().unwrap_or_default()),
            };
            let at = |t| smoothed_value(times, values, t, lookback).unwrap_or(ABSENT);
            let line = Line { labels: s.labels.clone(), drop_name: false, values: reference.times().map(at).collect() };
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }
}

fn smoothed_value(times: &[i64], values: &[f64], t: i64, lookback: i64) -> Option<f64> {
    let next = times.partition_point(|x| *x < t);
    if next < times.len() && times[next] == t {
        return Some(values[next]);
    }
    let before = next.checked_sub(1).filter(|i| times[*i] > t - lookback)?;
    match times.get(next).filter(|x| **x <= t + lookback) {
        Some(after) => Some(between((times[before], values[before]), (*after, values[next]), t)),
        None => Some(values[before]),
    }
}
