//! The engine: what one evaluation knows, spends and remarks. Pure.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use indexmap::IndexMap;
use indexmap::map::Entry;
use kernel::series::{Matcher, Rolled, RolledUp, Select, Series, SeriesError, SeriesReader, Visit};

use super::EvalError;
use super::bare::Bare;
use super::explain::Explainer;
use super::forced::Forced;
use super::line::Line;
use crate::annotations::{Annotation, AnnotationKind, Note};
use crate::query::{Control, Limits, Query};
use crate::syntax::ast::{At, Duration, Expr, ExprKind, Shift, Sign};
use crate::syntax::duration::QueryTimes;
use crate::syntax::span::Span;
use crate::value::Stats;

pub(super) type Result<T> = std::result::Result<T, EvalError>;
/// Takes lines one by one.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Line) -> Result<()>;

/// Remarks beyond this many are left out: a query over a thousand wrong series needs no thousand remarks.
const MAX_ANNOTATIONS: usize = 100;

/// Times are kept this near to the epoch (36 million years), so that adding ranges and offsets cannot overflow.
const FARTHEST_MS: i64 = 1 << 60;

/// Evenly spaced times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) start: i64,
    /// Zero when all times are the same.
    pub(crate) step: i64,
    pub(crate) steps: usize,
}

impl Grid {
    pub(crate) fn at(self, i: usize) -> i64 {
        self.start + self.step * i as i64
    }

    pub(crate) fn last(self) -> i64 {
        self.at(self.steps.saturating_sub(1))
    }

    pub(crate) fn times(self) -> impl Iterator<Item = i64> {
        (0..self.steps).map(move |i| self.at(i))
    }

    pub(crate) fn single(self) -> Self {
        Self { steps: 1, ..self }
    }
}

/// The time that a selector refers to: fixed by `@`, or that of the query, and moved by `offset`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub(super) at_ms: Option<i64>,
    pub(super) offset_ms: i64,
}

impl Reference {
    pub(super) fn of(self, grid: Grid) -> Grid {
        match self.at_ms {
            None => Grid { start: grid.start - self.offset_ms, ..grid },
            Some(at) => Grid { start: at - self.offset_ms, step: 0, ..grid },
        }
    }
}

pub(crate) struct Engine<'a> {
    pub(super) query: &'a Query<'a>,
    pub(super) grid: Grid,
    reader: &'a dyn SeriesReader,
    /// Before which times only roll-ups are kept: none, usually.
    pub(super) rolled: Vec<RolledUp>,
    pub(super) limits: &'a Limits,
    control: &'a dyn Control,
    /// Each text once, and where.
    annotations: RefCell<IndexMap<(AnnotationKind, String), Span>>,
    /// Classic histograms that had to be made monotonic, by metric name, and where.
    forced: RefCell<IndexMap<String, (Span, Forced)>>,
    /// By metric name: in how many windows start times overlapped, and where.
    overlaps: RefCell<IndexMap<String, (Span, u64)>>,
    pub(super) explainer: Option<Explainer<'a>>,
    pub(super) bare: Bare,
    stats: Cell<Stats>,
    /// Samples read so far.
    spent: Cell<u64>,
    /// Points of lines that operators had to keep so far.
    held: Cell<u64>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        query: &'a Query<'a>,
        reader: &'a dyn SeriesReader,
        limits: &'a Limits,
        control: &'a dyn Control,
    ) -> Result<Self> {
        let grid = grid_of(query, limits)?;
        Ok(Self {
            query,
            grid,
            reader,
            rolled: reader.rolled_up(),
            limits,
            control,
            annotations: RefCell::default(),
            forced: RefCell::default(),
            overlaps: RefCell::default(),
            explainer: None,
            bare: Bare::of(query.expr),
            stats: Cell::default(),
            spent: Cell::default(),
            held: Cell::default(),
        })
    }

    pub(super) fn stats(&self) -> Stats {
        self.stats.get()
    }

    pub(super) fn take_annotations(&self) -> Vec<Annotation> {
        for (name, (span, forced)) in self.forced.take() {
            self.info(span, forced.message(&name));
        }
        for (name, (span, windows)) in self.overlaps.take() {
            let times = if windows > 1 { format!(" ({windows} occurrences)") } else { String::new() };
            self.warn(span, Note::StartsOverlap.message(&name) + &times);
        }
        let all = self.annotations.take().into_iter();
        all.map(|((kind, message), span)| Annotation { kind, message, span }).collect()
    }

    /// Says what was noticed of a metric.
    pub(super) fn note(&self, span: Span, note: Note, metric: &str) {
        if note == Note::StartsOverlap {
            let mut overlaps = self.overlaps.borrow_mut();
            let (place, windows) = overlaps.entry(metric.to_owned()).or_insert((span, 0));
            *place = later(*place, span);
            *windows += 1;
            return;
        }
        self.annotate(note.kind(), span, note.message(metric));
    }

    /// Counts what had to be made monotonic of the classic histograms of a metric.
    pub(super) fn note_forced(&self, span: Span, metric: &str, forced: Forced) {
        match self.forced.borrow_mut().entry(metric.to_owned()) {
            Entry::Occupied(mut known) => {
                let (place, all) = known.get_mut();
                *place = later(*place, span);
                all.merge(forced);
            }
            Entry::Vacant(new) => {
                new.insert((span, forced));
            }
        }
    }

    pub(super) fn warn(&self, span: Span, message: impl Into<String>) {
        self.annotate(AnnotationKind::Warning, span, message.into());
    }

    pub(super) fn info(&self, span: Span, message: impl Into<String>) {
        self.annotate(AnnotationKind::Info, span, message.into());
    }

    pub(super) fn annotate(&self, kind: AnnotationKind, span: Span, message: String) {
        let mut all = self.annotations.borrow_mut();
        let full = all.len() >= MAX_ANNOTATIONS;
        match all.entry((kind, message)) {
            Entry::Occupied(mut known) => *known.get_mut() = later(*known.get(), span),
            Entry::Vacant(new) if !full => {
                new.insert(span);
            }
            Entry::Vacant(_) => {}
        }
    }

    pub(super) fn check_cancelled(&self) -> Result<()> {
        if self.control.goes_on() { Ok(()) } else { Err(EvalError::Cancelled) }
    }

    /// Counts samples against the limit.
    fn spend(&self, samples: u64) -> Result<()> {
        self.check_cancelled()?;
        let spent = self.spent.get().saturating_add(samples);
        self.spent.set(spent);
        let limit = self.limits.max_samples;
        if spent <= limit {
            return Ok(());
        }
        let (what, advice) = ("would load too many samples into memory", "narrow its selectors or its time range");
        Err(EvalError::Limit { what, limit, advice })
    }

    /// Counts the points of a line that is kept, rather than passed on, against the limit.
    pub(super) fn hold(&self, points: usize) -> Result<()> {
        self.check_cancelled()?;
        let held = self.held.get().saturating_add(points as u64);
        self.held.set(held);
        let limit = self.limits.max_points;
        if !self.control.holds(points as u64) {
            let (what, advice) = ("would, beside other queries, hold too many points in memory", "ask again later");
            return Err(EvalError::Limit { what, limit, advice });
        }
        if held <= limit {
            return Ok(());
        }
        let (what, advice) = ("would hold too many points in memory", "aggregate earlier, or take a longer step");
        Err(EvalError::Limit { what, limit, advice })
    }

    /// Counts a line that is kept: its points, its labels and what is around them.
    pub(super) fn hold_line(&self, line: &Line) -> Result<()> {
        self.hold(line.weight())
    }

    /// Streams series, once for all times asked.
    pub(super) fn visit(
        &self,
        matchers: &[Matcher],
        range: (i64, i64),
        each: &mut dyn FnMut(Series) -> Result<()>,
    ) -> Result<()> {
        self.visit_by(&|select, visit| self.reader.visit(select, visit), matchers, range, each)
    }

    /// Streams series of which the newest sample in the range is enough.
    pub(super) fn visit_newest(
        &self,
        matchers: &[Matcher],
        range: (i64, i64),
        each: &mut dyn FnMut(Series) -> Result<()>,
    ) -> Result<()> {
        self.visit_by(&|select, visit| self.reader.visit_newest(select, visit), matchers, range, each)
    }

    /// Streams one figure of series where they are rolled up.
    pub(super) fn visit_figure(
        &self,
        matchers: &[Matcher],
        range: (i64, i64),
        figure: Rolled,
        each: &mut dyn FnMut(Series) -> Result<()>,
    ) -> Result<()> {
        self.visit_by(&|select, visit| self.reader.visit_rolled(select, figure, visit), matchers, range, each)
    }

    fn visit_by(
        &self,
        read: &dyn Fn(&Select, Visit<'_>) -> std::result::Result<(), SeriesError>,
        matchers: &[Matcher],
        (start_ms, end_ms): (i64, i64),
        each: &mut dyn FnMut(Series) -> Result<()>,
    ) -> Result<()> {
        self.check_cancelled()?;
        if start_ms > end_ms {
            return Ok(());
        }
        let mut failed = Ok(());
        let select = Select { matchers: matchers.to_vec(), start_ms, end_ms };
        read(&select, &mut |series| match self.count(&series).and_then(|()| each(series)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                failed = Err(e);
                ControlFlow::Break(())
            }
        })?;
        failed
    }

    /// Counts a series that was read against the limits.
    fn count(&self, series: &Series) -> Result<()> {
        let samples = series.timestamps.len() as u64;
        let mut stats = self.stats.get();
        stats.series += 1;
        stats.samples += samples;
        self.stats.set(stats);
        if let Some(explainer) = &self.explainer {
            explainer.count(samples);
        }
        let limit = self.limits.max_series;
        if stats.series > limit {
            let (what, advice) = ("would read too many series", "add label matchers to its selectors");
            return Err(EvalError::Limit { what, limit, advice });
        }
        self.spend(samples)
    }

    fn query_times(&self) -> QueryTimes {
        let range = (self.query.end_ms - self.query.start_ms) as f64 / 1000.0;
        QueryTimes { step: self.query.step_ms.unwrap_or(0) as f64 / 1000.0, range }
    }

    /// A duration in milliseconds, cut off as Prometheus does it: a number is first rounded to nanoseconds.
    pub(super) fn duration_ms(&self, d: &Duration) -> Result<i64> {
        let ms = match d.literal() {
            Some(seconds) => (seconds * 1e9).round() / 1e6,
            None => self.seconds(d)? * 1000.0,
        };
        if ms.is_nan() || ms.abs() >= 9.2e15 {
            return Err(bad_duration(d, "duration is out of range"));
        }
        Ok(ms as i64)
    }

    pub(super) fn positive_ms(&self, d: &Duration) -> Result<i64> {
        match self.duration_ms(d)? {
            ms if ms > 0 => Ok(ms),
            _ => Err(bad_duration(d, "duration must be greater than 0")),
        }
    }

    fn seconds(&self, d: &Duration) -> Result<f64> {
        d.seconds(self.query_times()).map_err(|(place, message)| bad_duration(place, message))
    }

    /// What a selector or subquery refers to.
    pub(super) fn reference(&self, shift: &Shift) -> Result<Reference> {
        let offset_ms = shift.offset.as_ref().map_or(Ok(0), |d| self.duration_ms(d))?;
        let at_ms = shift.at.map(|at| match at {
            At::Start => self.query.start_ms,
            At::End => self.query.end_ms,
            At::Time(ms) => ms,
        });
        Ok(Reference { at_ms: at_ms.map(|ms| ms.clamp(-FARTHEST_MS, FARTHEST_MS)), offset_ms })
    }

    /// The times a selector or subquery refers to.
    pub(super) fn shifted(&self, shift: &Shift, grid: Grid) -> Result<Grid> {
        Ok(self.reference(shift)?.of(grid))
    }

    /// Streams the lines of an instant vector.
    pub(super) fn lines(&self, expr: &Expr, grid: Grid, sink: Sink<'_>) -> Result<()> {
        self.explained_lines(expr, sink, &mut |sink| self.lines_of(expr, grid, sink))
    }

    pub(super) fn lines_of(&self, expr: &Expr, grid: Grid, sink: Sink<'_>) -> Result<()> {
        if grid.steps > 1 && super::invariant::is_worth_it(expr) {
            return self.lines_of(expr, grid.single(), &mut |mut line| {
                line.repeat(grid.steps);
                sink(line)
            });
        }
        if !self.rolled.is_empty()
            && let Some(at) = self.differs_from(expr, grid)?
        {
            return self.parted_lines(expr, grid, at, sink);
        }
        match &expr.kind {
            ExprKind::Paren(inner) => self.lines(inner, grid, sink),
            ExprKind::Selector(s) => self.select_lines(s, expr.span, grid, sink),
            ExprKind::Unary(Sign::Plus, inner) => self.lines(inner, grid, sink),
            ExprKind::Unary(Sign::Minus, inner) => self.lines(inner, grid, &mut |mut line| {
                line.negate();
                line.drop_name = true;
                sink(line)
            }),
            ExprKind::Binary(b) => self.binary_lines(b, expr.span, grid, sink),
            ExprKind::Aggregate(a) => self.aggregate_lines(a, expr.span, grid, sink),
            ExprKind::Call(c) => self.call_lines(c, expr.span, grid, sink),
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Range(_) | ExprKind::Subquery(_) => {
                Err(EvalError::invalid(expr.span, "expected an instant vector"))
            }
        }
    }

    /// All lines of an instant vector at once, for operators that need to see them together.
    pub(super) fn collect(&self, expr: &Expr, grid: Grid) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        self.lines(expr, grid, &mut |line| {
            self.hold_line(&line)?;
            lines.push(line);
            Ok(())
        })?;
        Ok(lines)
    }
}

/// Of two places of which the same is said, the one that Prometheus names: the one it evaluates last, which is the outer one, or the one
/// further on.
fn later(a: Span, b: Span) -> Span {
    let holds = |outer: Span, inner: Span| outer.start <= inner.start && inner.end <= outer.end;
    if holds(b, a) || (!holds(a, b) && b.start > a.start) { b } else { a }
}

/// Prometheus names the bytes of the text that a duration takes.
fn bad_duration(d: &Duration, message: &str) -> EvalError {
    let (start, end) = d.bytes();
    EvalError::invalid(d.span, format!("{start}:{end}: {message}"))
}

fn grid_of(query: &Query<'_>, limits: &Limits) -> Result<Grid> {
    let farthest = query.start_ms.unsigned_abs().max(query.end_ms.unsigned_abs());
    if farthest > FARTHEST_MS.unsigned_abs() || !(0..=FARTHEST_MS).contains(&query.lookback_ms) {
        return Err(EvalError::invalid(query.expr.span, "time of the query is out of range"));
    }
    let Some(step) = query.step_ms else {
        return Ok(Grid { start: query.start_ms, step: 0, steps: 1 });
    };
    if step <= 0 {
        let message = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(EvalError::invalid(query.expr.span, message));
    }
    if query.end_ms < query.start_ms {
        return Err(EvalError::invalid(query.expr.span, "end timestamp must not be before start time"));
    }
    let steps = query.end_ms.abs_diff(query.start_ms) / step.unsigned_abs() + 1;
    if steps > limits.max_steps {
        let (what, limit) = ("asks for too many points per series", limits.max_steps);
        return Err(EvalError::Limit { what, limit, advice: "take a longer step or a shorter time range" });
    }
    Ok(Grid { start: query.start_ms, step, steps: steps as usize })
}
