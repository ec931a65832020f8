//! Selectors and subqueries: from the store's columns to lines and ranges. Pure.

use std::cell::OnceCell;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Column, Histogram, Series};

use super::EvalError;
use super::bare::without_buckets;
use super::columns::Columns;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent};
use super::windows::{NONE, PerColumn, bounds, newest};
use crate::functions::rates::{Bounds, Extent, Rate, Reach};
use crate::functions::window::{Histograms, Window};
use crate::query::Limits;
use crate::syntax::ast::{Expr, ExprKind, Extend, RangeSelector, Selector, Subquery};
use crate::syntax::span::Span;

/// The histograms of a series and which of them belong to which time.
pub(super) struct HistogramRanges<'s> {
    pub(super) times: &'s [i64],
    pub(super) values: &'s [Arc<Histogram>],
    pub(super) starts: &'s [i64],
    bounds: Vec<(u32, u32)>,
}

/// Which numbers of a series belong to which time, and what else is the same for all series with the same timestamps.
pub(super) struct Places {
    bounds: Vec<(u32, u32)>,
    /// How far to extend a rate at each time; `None` where there are too few samples.
    reaches: OnceCell<Vec<Option<Reach>>>,
}

/// One series and its ranges at all times of a query; staleness markers are left out.
pub(super) struct Ranges<'s> {
    pub(super) labels: &'s Labels,
    pub(super) drop_name: bool,
    pub(super) times: &'s [i64],
    pub(super) values: &'s [f64],
    pub(super) starts: &'s [i64],
    places: &'s Places,
    pub(super) histograms: Option<HistogramRanges<'s>>,
    /// The end of the range at each time.
    pub(super) ends: Grid,
    pub(super) range_ms: i64,
    pub(super) lookback_ms: i64,
    /// The times of the query.
    grid: Grid,
    pub(super) extend: Option<Extend>,
}

impl<'s> Ranges<'s> {
    pub(super) fn window(&self, step: usize) -> Window<'_> {
        let part = self.part(step);
        let histograms = self.histograms.as_ref().map_or_else(Histograms::default, |h| {
            let (from, to) = h.bounds[step];
            h.part(from as usize, to as usize)
        });
        Window { histograms, now_ms: self.grid.at(step), ..self.floats(part) }
    }

    /// Where the numbers of a step are.
    pub(super) fn part(&self, step: usize) -> std::ops::Range<usize> {
        let (from, to) = self.places.bounds[step];
        from as usize..to as usize
    }

    /// How far to extend a rate at each step where nothing is known of when counters began. A selector's ranges are of one
    /// function only.
    pub(super) fn reaches(&self, rate: Rate) -> &[Option<Reach>] {
        self.places.reaches.get_or_init(|| {
            let reach = |step| {
                let limits = self.limits(step);
                Extent::of(&self.times[self.part(step)], &[], limits, rate)?.reach(limits, rate)
            };
            (0..self.steps()).map(reach).collect()
        })
    }

    /// A window of numbers by their places.
    pub(super) fn floats(&self, part: std::ops::Range<usize>) -> Window<'_> {
        Window {
            times: &self.times[part.clone()],
            values: &self.values[part.clone()],
            starts: self.starts.get(part).unwrap_or_default(),
            histograms: Histograms::default(),
            now_ms: 0,
        }
    }

    /// The bounds of the range at a step.
    pub(super) fn limits(&self, step: usize) -> Bounds {
        let end = self.ends.at(step);
        Bounds { start: end - self.range_ms, end }
    }

    /// The values before each of these falls that lie within the window of a step.
    pub(super) fn before_resets<'r>(&'r self, step: usize, resets: &'r [u32]) -> impl Iterator<Item = f64> + 'r {
        let (from, to) = self.places.bounds[step];
        let first = resets.partition_point(|i| *i <= from);
        resets[first..].iter().take_while(move |i| **i < to).map(|i| self.values[*i as usize - 1])
    }

    pub(super) fn steps(&self) -> usize {
        self.places.bounds.len()
    }
}

impl HistogramRanges<'_> {
    pub(super) fn part(&self, from: usize, to: usize) -> Histograms<'_> {
        Histograms {
            times: &self.times[from..to],
            values: &self.values[from..to],
            starts: self.starts.get(from..to).unwrap_or_default(),
        }
    }
}

/// Takes the ranges of series one by one.
pub(super) type RangeSink<'s> = &'s mut dyn FnMut(&Ranges<'_>) -> Result<()>;

/// What of the newest samples is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Value,
    /// Its time in seconds.
    Time,
    /// When its counter began, in seconds; no point where the reader knows of none.
    Start,
}

/// What ranges of all series of a selector have in common.
#[derive(Clone, Copy)]
struct Frame {
    ends: Grid,
    range_ms: i64,
    grid: Grid,
    extend: Option<Extend>,
}

impl Engine<'_> {
    pub(super) fn select_lines(&self, selector: &Selector, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        if selector.extend == Some(Extend::Smoothed) {
            return self.smoothed_lines(selector, span, grid, sink);
        }
        self.newest_samples(selector, grid, (Of::Value, self.bare.has(span)), sink)
    }

    /// For `timestamp()`: the times of the samples in seconds.
    pub(super) fn select_times(&self, selector: &Selector, grid: Grid, sink: Sink<'_>) -> Result<()> {
        self.newest_samples(selector, grid, (Of::Time, false), sink)
    }

    /// For `start_timestamp()`: when the counters of the samples began, in seconds.
    pub(super) fn select_starts(&self, selector: &Selector, grid: Grid, sink: Sink<'_>) -> Result<()> {
        self.newest_samples(selector, grid, (Of::Start, false), sink)
    }

    /// What is asked of the newest samples, and whether histograms are to be bare.
    fn newest_samples(&self, selector: &Selector, grid: Grid, (of, bare): (Of, bool), sink: Sink<'_>) -> Result<()> {
        let reference = self.shifted(&selector.shift, grid)?;
        let lookback = self.lookback_at(reference.start);
        let mut indexes = PerColumn::default();
        let range = (reference.start - lookback + 1, reference.last());
        let mut each = |mut s: Series| {
            if bare {
                without_buckets(&mut s);
            }
            let at = indexes.get(&s.timestamps, |times| newest(times, reference, lookback));
            let line = newest_line(s, at, of);
            if line.is_empty() { Ok(()) } else { sink(line) }
        };
        // The newest sample alone does not say whether it was reset.
        if reference.start == reference.last() && !bare {
            return self.visit_newest(&selector.matchers, range, &mut each);
        }
        self.visit(&selector.matchers, range, &mut each)
    }

    /// Streams the series of a range vector.
    pub(super) fn ranges(&self, expr: &Expr, grid: Grid, sink: RangeSink<'_>) -> Result<()> {
        let inner = expr.unwrapped();
        self.explained_ranges(inner, sink, &mut |sink| match &inner.kind {
            ExprKind::Range(r) => self.selected_ranges(r, inner.span, grid, sink),
            ExprKind::Subquery(s) => self.subquery_ranges(s, expr, grid, sink),
            _ => Err(EvalError::invalid(expr.span, "expected a range vector")),
        })
    }

    fn selected_ranges(&self, r: &RangeSelector, span: Span, grid: Grid, sink: RangeSink<'_>) -> Result<()> {
        let (range_ms, extend) = (self.positive_ms(&r.range)?, r.selector.extend);
        let ends = self.shifted(&r.selector.shift, grid)?;
        let range_ms = self.range_at(ends.start, range_ms);
        if !self.rolled.is_empty() {
            self.note_range(r, span, grid)?;
        }
        // Extended ranges also need the samples around their bounds.
        let before = if extend.is_some() { self.query.lookback_ms } else { 0 };
        let after = if extend == Some(Extend::Smoothed) { self.query.lookback_ms } else { 0 };
        let frame = Frame { ends, range_ms, grid, extend };
        let mut shared = PerColumn::default();
        let read = (ends.start - range_ms - before + 1, ends.last() + after);
        let bare = self.bare.has(span);
        self.visit(&r.selector.matchers, read, &mut |mut s| {
            if bare {
                without_buckets(&mut s);
            }
            self.give(&Columns::of(&s), &s.labels, false, &s.timestamps, frame, &mut shared, sink)
        })
    }

    /// Hands the ranges of one series on.
    #[expect(clippy::too_many_arguments, reason = "one place for what a selector and a subquery share")]
    fn give(
        &self,
        columns: &Columns<'_>,
        labels: &Labels,
        drop_name: bool,
        times: &Arc<[i64]>,
        frame: Frame,
        shared: &mut PerColumn<Places>,
        sink: RangeSink<'_>,
    ) -> Result<()> {
        let Frame { ends, range_ms, grid, extend } = frame;
        let own;
        let of = |times: &[i64]| bounds(times, ends, range_ms);
        let places = |times: &[i64]| Places { bounds: of(times), reaches: OnceCell::new() };
        let places = if columns.shared {
            shared.get(times, places)
        } else {
            own = places(&columns.times);
            &own
        };
        let histograms = columns.histograms.as_ref().map(|h| HistogramRanges {
            times: &h.times,
            values: &h.values,
            starts: &h.starts,
            bounds: of(&h.times),
        });
        sink(&Ranges {
            labels,
            drop_name,
            times: &columns.times,
            values: &columns.values,
            starts: &columns.starts,
            places,
            histograms,
            ends,
            range_ms,
            lookback_ms: self.query.lookback_ms,
            grid,
            extend,
        })
    }

    fn subquery_ranges(&self, s: &Subquery, expr: &Expr, grid: Grid, sink: RangeSink<'_>) -> Result<()> {
        let range_ms = self.positive_ms(&s.range)?;
        let step = s.step.as_ref().map_or(Ok(self.query.subquery_step_ms), |d| self.positive_ms(d))?;
        let ends = self.shifted(&s.shift, grid)?;
        // Inner times are multiples of the step, so that they do not depend on when the query is asked.
        let start = ((ends.start - range_ms).div_euclid(step) + 1) * step;
        if start > ends.last() {
            return Ok(());
        }
        let steps = (ends.last() - start) / step + 1;
        let limit = self.limits.max_points.min(Limits::MAX_SUBQUERY_STEPS);
        if steps as u64 > limit {
            let what = "has a subquery with too many steps";
            return Err(EvalError::Limit { what, limit, advice: "take a longer step or a shorter range" });
        }
        let inner = Grid { start, step, steps: steps as usize };
        let all: Arc<[i64]> = inner.times().collect();
        let frame = Frame { ends, range_ms, grid, extend: None };
        let mut shared = PerColumn::default();
        let mut merged = super::line::Merged::default();
        self.lines(&s.expr, inner, &mut |line| {
            self.hold_line(&line)?;
            merged.add(line, expr.span)
        })?;
        for line in merged.into_joined_lines() {
            self.give(&Columns::of_line(&all, &line), &line.labels, line.drop_name, &all, frame, &mut shared, sink)?;
        }
        Ok(())
    }
}

/// The line of a series whose newest sample at each time is known by its place.
fn newest_line(s: Series, at: &[u32], of: Of) -> Line {
    let stale = |i: usize| match &s.values {
        Column::Floats(v) => is_absent(v[i]),
        Column::Mixed(v) => v[i].is_stale(),
    };
    let pick = |f: &dyn Fn(usize) -> f64| {
        let value = |i: &u32| if *i == NONE || stale(*i as usize) { ABSENT } else { f(*i as usize) };
        at.iter().map(value).collect::<Vec<f64>>()
    };
    let values = match (of, &s.values) {
        (Of::Time, _) => pick(&|i| s.timestamps[i] as f64 / 1000.0),
        (Of::Start, _) => match &s.starts {
            Some(starts) => pick(&|i| starts[i] as f64 / 1000.0),
            None => pick(&|_| 0.0),
        },
        // Staleness markers already mean that there is no point.
        (Of::Value, Column::Floats(v)) => at.iter().map(|i| if *i == NONE { ABSENT } else { v[*i as usize] }).collect(),
        (Of::Value, Column::Mixed(points)) => {
            let mut line = Line::absent(s.labels, false, at.len());
            for (step, i) in at.iter().enumerate().filter(|(_, i)| **i != NONE) {
                let point = &points[*i as usize];
                if !point.is_stale() {
                    line.set(step, Some(point.clone()));
                }
            }
            return line;
        }
    };
    Line::floats(s.labels, false, values)
}
