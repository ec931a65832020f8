//! Times of which only roll-ups are left: which ones they are, and what is read of them. Pure.
//!
//! A time of a query is answered from roll-ups when what it reads begins where samples are gone. Its look-back and its ranges are then at
//! least two stretches long, and functions that a roll-up has a figure for read that figure. Other times of the same query are answered
//! as always: this file does nothing where nothing is rolled up.

use std::sync::Arc;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::series::{Point, Rolled};

use super::columns::{Columns, HistogramColumn};
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent};
use super::windows::{PerColumn, bounds};
use crate::annotations::Note;
use crate::functions::native;
use crate::functions::rates::Rate;
use crate::functions::window::{Histograms, Window};
use crate::functions::{Kind, over_time};
use crate::syntax::ast::{Call, Expr, ExprKind, RangeSelector};
use crate::syntax::span::Span;

/// How a function over a range is put together from figures.
#[derive(Clone, Copy)]
enum Fold {
    /// The least or greatest of one figure.
    Extreme(Rolled),
    /// One figure added up.
    Total(Rolled),
    /// Sums by counts.
    Mean,
}

impl Fold {
    fn of(function: &str) -> Option<Self> {
        Some(match function {
            "min_over_time" => Self::Extreme(Rolled::Min),
            "max_over_time" => Self::Extreme(Rolled::Max),
            "sum_over_time" => Self::Total(Rolled::Sum),
            "count_over_time" => Self::Total(Rolled::Count),
            "avg_over_time" => Self::Mean,
            _ => return None,
        })
    }
}

/// What reads the store itself: the times that it refers to, how far back it reads, and its place.
struct Reading {
    times: Grid,
    back_ms: i64,
    span: Span,
}

impl Engine<'_> {
    /// The length of stretches that what begins at a time is read in; `None` where samples are there themselves.
    fn resolution_at(&self, t_ms: i64) -> Option<i64> {
        self.rolled.iter().find(|r| t_ms < r.before_ms).map(|r| r.resolution_ms)
    }

    /// How far back to look for the newest sample at times that begin at this one.
    pub(super) fn lookback_at(&self, start_ms: i64) -> i64 {
        let lookback = self.query.lookback_ms;
        self.resolution_at(start_ms - lookback + 1).map_or(lookback, |resolution| lookback.max(2 * resolution))
    }

    /// The length of a range at times that begin at this one.
    pub(super) fn range_at(&self, start_ms: i64, range_ms: i64) -> i64 {
        self.resolution_at(start_ms - range_ms + 1).map_or(range_ms, |resolution| range_ms.max(2 * resolution))
    }

    fn reading(&self, expr: &Expr, grid: Grid) -> Result<Option<Reading>> {
        let lookback = self.query.lookback_ms;
        let of = |e: &Expr| -> Result<Option<Reading>> {
            Ok(match &e.unwrapped().kind {
                ExprKind::Selector(s) => {
                    Some(Reading { times: self.shifted(&s.shift, grid)?, back_ms: lookback, span: e.span })
                }
                ExprKind::Range(r) => {
                    let before = if r.selector.extend.is_some() { lookback } else { 0 };
                    let back_ms = self.positive_ms(&r.range)? + before;
                    Some(Reading { times: self.shifted(&r.selector.shift, grid)?, back_ms, span: e.span })
                }
                _ => None,
            })
        };
        match &expr.kind {
            ExprKind::Selector(_) => of(expr),
            ExprKind::Call(c) => {
                let reads_times = matches!(c.function.kind, Kind::Timestamp | Kind::StartTimestamp);
                let reads = |e: &&Expr| match &e.unwrapped().kind {
                    ExprKind::Range(_) => true,
                    ExprKind::Selector(_) => reads_times,
                    _ => false,
                };
                c.args.iter().find(reads).map_or(Ok(None), of)
            }
            _ => Ok(None),
        }
    }

    /// So many of the first times of an expression are read at another resolution than the next ones; `None` when all are read alike.
    pub(super) fn differs_from(&self, expr: &Expr, grid: Grid) -> Result<Option<usize>> {
        let Some(reading) = self.reading(expr, grid)? else { return Ok(None) };
        let resolution = |i: usize| self.resolution_at(reading.times.at(i) - reading.back_ms + 1);
        let first = resolution(0);
        if let Some(resolution) = first {
            self.note_rolled(reading.span, resolution);
        }
        // Later times are never read in longer stretches, so that the end of the first ones can be searched for.
        let (mut low, mut high) = (0, grid.steps);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if resolution(middle) == first { low = middle } else { high = middle }
        }
        Ok((high < grid.steps).then_some(high))
    }

    pub(super) fn note_rolled(&self, span: Span, resolution_ms: i64) {
        let length = if resolution_ms % 3_600_000 == 0 {
            format!("{}h", resolution_ms / 3_600_000)
        } else {
            format!("{}m", resolution_ms / 60_000)
        };
        self.info(span, format!("read roll-ups of {length}: samples of that age are not kept themselves"));
    }

    /// Says so when a range reads roll-ups.
    pub(super) fn note_range(&self, r: &RangeSelector, span: Span, grid: Grid) -> Result<()> {
        let start = self.shifted(&r.selector.shift, grid)?.start - self.positive_ms(&r.range)? + 1;
        if let Some(resolution) = self.resolution_at(start) {
            self.note_rolled(span, resolution);
        }
        Ok(())
    }

    /// The lines of an expression of which the first times are read otherwise than the next ones.
    pub(super) fn parted_lines(&self, expr: &Expr, grid: Grid, at: usize, sink: Sink<'_>) -> Result<()> {
        let (first, next) = (Grid { steps: at, ..grid }, Grid { start: grid.at(at), steps: grid.steps - at, ..grid });
        let mut before: IndexMap<Labels, Option<Line>> = IndexMap::new();
        self.lines_of(expr, first, &mut |line| {
            self.hold(grid.steps)?;
            before.insert(line.labels.clone(), Some(line));
            Ok(())
        })?;
        self.lines_of(expr, next, &mut |line| {
            let known = before.get_mut(&line.labels).and_then(Option::take);
            let known = known.unwrap_or_else(|| Line::absent(line.labels.clone(), line.drop_name, at));
            sink(joined(known, line))
        })?;
        for line in before.into_values().flatten() {
            let rest = Line::absent(line.labels.clone(), line.drop_name, next.steps);
            sink(joined(line, rest))?;
        }
        Ok(())
    }

    /// A call over a range that reads roll-ups, where it needs something else than last samples; `false` where it does not.
    pub(super) fn rolled_call(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<bool> {
        let range = c.args.iter().find_map(|a| match &a.unwrapped().kind {
            ExprKind::Range(r) if r.selector.extend.is_none() => Some((r, a.span)),
            _ => None,
        });
        let Some((r, span)) = range else { return Ok(false) };
        let (ends, range_ms) = (self.shifted(&r.selector.shift, grid)?, self.positive_ms(&r.range)?);
        let Some(resolution) = self.resolution_at(ends.start - range_ms + 1) else { return Ok(false) };
        if let Some(fold) = Fold::of(c.function.name) {
            // A stretch at least, so that there is something in it; totals are for the range that was asked for.
            let widened = range_ms.max(resolution);
            let window = RolledWindow { ends, range_ms: widened, share: range_ms as f64 / widened as f64 };
            self.fold_lines(fold, (r, span), window, sink)?;
            return Ok(true);
        }
        let widened = self.range_at(ends.start, range_ms);
        match c.function.kind {
            Kind::Rate(rate @ (Rate::Increase | Rate::Delta)) if widened > range_ms => {
                let share = range_ms as f64 / widened as f64;
                self.rate_lines(c, rate, grid, &mut |mut line| {
                    scale(&mut line, share);
                    sink(line)
                })?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn fold_lines(&self, fold: Fold, range: Range<'_>, window: RolledWindow, sink: Sink<'_>) -> Result<()> {
        match fold {
            Fold::Extreme(figure) => self.figure_lines(figure, range, window, sink),
            Fold::Total(figure) => self.figure_lines(figure, range, window, &mut |mut line| {
                scale(&mut line, window.share);
                sink(line)
            }),
            Fold::Mean => {
                let mut sums: IndexMap<Labels, Line> = IndexMap::new();
                self.figure_lines(Rolled::Sum, range, window, &mut |line| {
                    self.hold(line.weight())?;
                    sums.insert(line.labels.clone(), line);
                    Ok(())
                })?;
                let mut counts: IndexMap<Labels, Line> = IndexMap::new();
                self.figure_lines(Rolled::Count, range, window, &mut |line| {
                    if sums.contains_key(&line.labels) {
                        self.hold(line.values.len())?;
                        counts.insert(line.labels.clone(), line);
                    }
                    Ok(())
                })?;
                for (labels, mut line) in sums {
                    let Some(count) = counts.get(&labels) else { continue };
                    (0..line.values.len()).for_each(|s| {
                        let mean = line.point(s).zip(count.float(s)).map(|(sum, n)| divided(sum, n));
                        line.set(s, mean);
                    });
                    sink(line)?;
                }
                Ok(())
            }
        }
    }

    /// One figure put together over the windows.
    fn figure_lines(&self, figure: Rolled, (r, span): Range<'_>, window: RolledWindow, sink: Sink<'_>) -> Result<()> {
        let function: fn(&Window<'_>, &[f64]) -> Option<f64> = match figure {
            Rolled::Min => over_time::min,
            Rolled::Max => over_time::max,
            Rolled::Sum | Rolled::Count => over_time::sum,
            Rolled::Last => over_time::last,
        };
        let RolledWindow { ends, range_ms, .. } = window;
        let mut shared = PerColumn::default();
        let read = (ends.start - range_ms + 1, ends.last());
        self.visit_figure(&r.selector.matchers, read, figure, &mut |series| {
            let columns = Columns::of(&series);
            let own;
            let places = if columns.shared {
                shared.get(&series.timestamps, |times| bounds(times, ends, range_ms))
            } else {
                own = bounds(&columns.times, ends, range_ms);
                &own
            };
            let mut line = Line::absent(series.labels.clone(), true, ends.steps);
            for (value, (from, to)) in line.values.iter_mut().zip(places) {
                let part = *from as usize..*to as usize;
                let (times, values) = (&columns.times[part.clone()], &columns.values[part]);
                let of = Window { times, values, starts: &[], histograms: Histograms::default(), now_ms: 0 };
                *value = function(&of, &[]).unwrap_or(ABSENT);
            }
            if let Some(histograms) = columns.histograms.as_ref().filter(|_| figure == Rolled::Sum) {
                self.sum_histograms(histograms, window, span, &mut line);
            }
            self.check_cancelled()?;
            if line.is_empty() { Ok(()) } else { sink(line) }
        })
    }

    /// Puts sums of histograms together. Numbers beside them in a window leave it without a sum, as they do among samples.
    fn sum_histograms(&self, of: &HistogramColumn, window: RolledWindow, span: Span, line: &mut Line) {
        let labels = line.labels.clone();
        let mut note = |n| self.note(span, n, labels.name());
        for (s, (from, to)) in
            bounds(&of.times, window.ends, window.range_ms).iter().enumerate().filter(|(_, w)| w.0 < w.1)
        {
            let sum = if line.has(s) {
                note(Note::FloatsAndHistograms);
                None
            } else {
                native::fold(&of.values[*from as usize..*to as usize], false, &mut note)
            };
            line.set(s, sum.map(|h| Point::Histogram(Arc::new(h))));
        }
    }
}

/// A range, and where it stands in the query.
type Range<'r> = (&'r RangeSelector, Span);

fn divided(sum: Point, by: f64) -> Point {
    match sum {
        Point::Float(v) => Point::Float(v / by),
        Point::Histogram(mut h) => {
            Arc::make_mut(&mut h).divide(by);
            Point::Histogram(h)
        }
    }
}

/// Windows that are read in figures.
#[derive(Clone, Copy)]
struct RolledWindow {
    ends: Grid,
    range_ms: i64,
    /// The range that was asked for, as a share of the one that is read.
    share: f64,
}

fn scale(line: &mut Line, by: f64) {
    if by == 1.0 {
        return;
    }
    line.values.iter_mut().filter(|v| !is_absent(**v)).for_each(|v| *v *= by);
    for h in line.histograms.iter_mut().flatten().flatten() {
        Arc::make_mut(h).scale(by);
    }
}

/// Two lines of a series, one behind the other.
fn joined(mut first: Line, next: Line) -> Line {
    let before = first.values.len();
    if first.histograms.is_some() || next.histograms.is_some() {
        let mut all = first.histograms.take().unwrap_or_else(|| vec![None; before]);
        all.extend(next.histograms.unwrap_or_else(|| vec![None; next.values.len()]));
        first.histograms = Some(all);
    }
    first.values.extend(next.values);
    first
}
