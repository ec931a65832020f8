//! Selectors and subqueries: from the store's columns to lines and ranges. Pure.

use std::sync::Arc;

use kernel::Labels;

use super::EvalError;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent};
use super::windows::{NONE, PerColumn, bounds, newest, without_stale};
use crate::functions::window::Window;
use crate::syntax::ast::{Expr, ExprKind, Extend, RangeSelector, Selector, Subquery};

/// One series and its ranges at all times of a query; staleness markers are left out.
pub(super) struct Ranges<'s> {
    pub(super) labels: &'s Labels,
    pub(super) drop_name: bool,
    pub(super) times: &'s [i64],
    pub(super) values: &'s [f64],
    bounds: &'s [(u32, u32)],
    /// The end of the range at each time.
    pub(super) ends: Grid,
    pub(super) range_ms: i64,
    pub(super) lookback_ms: i64,
    /// The times of the query.
    grid: Grid,
    pub(super) extend: Option<Extend>,
}

impl Ranges<'_> {
    pub(super) fn window(&self, step: usize) -> Window<'_> {
        let (from, to) = self.bounds[step];
        let part = from as usize..to as usize;
        Window { times: &self.times[part.clone()], values: &self.values[part], now_ms: self.grid.at(step) }
    }

    /// The values before each of these falls that lie within the window of a step.
    pub(super) fn before_resets<'r>(&'r self, step: usize, resets: &'r [u32]) -> impl Iterator<Item = f64> + 'r {
        let (from, to) = self.bounds[step];
        let first = resets.partition_point(|i| *i <= from);
        resets[first..].iter().take_while(move |i| **i < to).map(|i| self.values[*i as usize - 1])
    }

    pub(super) fn steps(&self) -> usize {
        self.bounds.len()
    }
}

impl Engine<'_> {
    pub(super) fn select_lines(&self, selector: &Selector, grid: Grid, sink: Sink<'_>) -> Result<()> {
        if selector.extend == Some(Extend::Smoothed) {
            return self.smoothed_lines(selector, grid, sink);
        }
        self.newest_samples(selector, grid, |_, value| value, sink)
    }

    /// For `timestamp()`: the times of the samples in seconds.
    pub(super) fn select_times(&self, selector: &Selector, grid: Grid, sink: Sink<'_>) -> Result<()> {
        self.newest_samples(selector, grid, |time, _| time as f64 / 1000.0, sink)
    }

    fn newest_samples(
        &self,
        selector: &Selector,
        grid: Grid,
        pick: impl Fn(i64, f64) -> f64,
        sink: Sink<'_>,
    ) -> Result<()> {
        let reference = self.shifted(&selector.shift, grid)?;
        let lookback = self.query.lookback_ms;
        let series = self.read(&selector.matchers, reference.start - lookback + 1, reference.last())?;
        let mut indexes = PerColumn::default();
        for s in series {
            self.check_cancelled()?;
            let column = s.values.floats().unwrap_or_default();
            let at = indexes.get(&s.timestamps, |times| newest(times, reference, lookback));
            let value = |i: &u32| match column.get(*i as usize) {
                Some(v) if *i != NONE && !is_absent(*v) => pick(s.timestamps[*i as usize], *v),
                _ => ABSENT,
            };
            let line = Line { labels: s.labels, drop_name: false, values: at.iter().map(value).collect() };
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }

    /// Streams the series of a range vector.
    pub(super) fn ranges(
        &self,
        expr: &Expr,
        grid: Grid,
        sink: &mut dyn FnMut(&Ranges<'_>) -> Result<()>,
    ) -> Result<()> {
        match &expr.unwrapped().kind {
            ExprKind::Range(r) => self.selected_ranges(r, grid, sink),
            ExprKind::Subquery(s) => self.subquery_ranges(s, expr, grid, sink),
            _ => Err(EvalError::invalid(expr.span, "expected a range vector")),
        }
    }

    fn selected_ranges(
        &self,
        r: &RangeSelector,
        grid: Grid,
        sink: &mut dyn FnMut(&Ranges<'_>) -> Result<()>,
    ) -> Result<()> {
        let (range_ms, extend) = (self.positive_ms(&r.range)?, r.selector.extend);
        let ends = self.shifted(&r.selector.shift, grid)?;
        // Extended ranges also need the samples around their bounds.
        let before = if extend.is_some() { self.query.lookback_ms } else { 0 };
        let after = if extend == Some(Extend::Smoothed) { self.query.lookback_ms } else { 0 };
        let series = self.read(&r.selector.matchers, ends.start - range_ms - before + 1, ends.last() + after)?;
        let mut shared = PerColumn::default();
        for s in &series {
            self.check_cancelled()?;
            let clean = without_stale(&s.timestamps, s.values.floats().unwrap_or_default());
            let own;
            let (times, values, bounds) = match &clean {
                Some((times, values)) => {
                    own = bounds(times, ends, range_ms);
                    (&times[..], &values[..], &own)
                }
                None => {
                    let bounds = shared.get(&s.timestamps, |times| bounds(times, ends, range_ms));
                    (&s.timestamps[..], s.values.floats().unwrap_or_default(), bounds)
                }
            };
            let labels = &s.labels;
            sink(&Ranges {
                labels,
                drop_name: false,
                times,
                values,
                bounds,
                ends,
                range_ms,
                lookback_ms: self.query.lookback_ms,
                grid,
                extend,
            })?;
        }
        Ok(())
    }

    fn subquery_ranges(
        &self,
        s: &Subquery,
        expr: &Expr,
        grid: Grid,
        sink: &mut dyn FnMut(&Ranges<'_>) -> Result<()>,
    ) -> Result<()> {
        let range_ms = self.positive_ms(&s.range)?;
        let step = s.step.as_ref().map_or(Ok(self.query.subquery_step_ms), |d| self.positive_ms(d))?;
        let ends = self.shifted(&s.shift, grid)?;
        // Inner times are multiples of the step, so that they do not depend on when the query is asked.
        let start = ((ends.start - range_ms).div_euclid(step) + 1) * step;
        if start > ends.last() {
            return Ok(());
        }
        let steps = (ends.last() - start) / step + 1;
        if steps as u64 > self.limits.max_points {
            let (what, limit) = ("has a subquery with too many steps", self.limits.max_points);
            return Err(EvalError::Limit { what, limit, advice: "take a longer step or a shorter range" });
        }
        let inner = Grid { start, step, steps: steps as usize };
        let all: Arc<[i64]> = inner.times().collect();
        let mut shared = PerColumn::default();
        let span = expr.span;
        let mut merged = super::line::Merged::default();
        self.lines(&s.expr, inner, &mut |line| {
            self.hold(inner.steps)?;
            merged.add(line, span)
        })?;
        for line in merged.into_lines() {
            let clean = without_stale(&all, &line.values);
            let own;
            let (times, values, bounds) = match &clean {
                Some((times, values)) => {
                    own = bounds(times, ends, range_ms);
                    (&times[..], &values[..], &own)
                }
                None => (&all[..], &line.values[..], shared.get(&all, |times| bounds(times, ends, range_ms))),
            };
            let (labels, drop_name) = (&line.labels, line.drop_name);
            sink(&Ranges {
                labels,
                drop_name,
                times,
                values,
                bounds,
                ends,
                range_ms,
                lookback_ms: self.query.lookback_ms,
                grid,
                extend: None,
            })?;
        }
        Ok(())
    }
}
