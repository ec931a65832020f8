//! Function calls: to the family each function belongs to. Pure.

use std::cell::Cell;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Histogram, Point};

use super::EvalError;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent};
use super::mixed::mixed_value;
use super::ranked::QUANTILE_RULE;
use super::scalar::Scalars;
use super::select::Ranges;
use crate::annotations::Note;
use crate::functions::native::{self, Notes};
use crate::functions::rates::{Rate, any_overlap, extended, extrapolated, reset_indexes};
use crate::functions::window::Window;
use crate::functions::{Kind, Mixed, over_time};
use crate::syntax::ast::{Call, Expr, ExprKind, Extend, ValueType};
use crate::syntax::literal::short_number;
use crate::syntax::span::Span;

/// The most scalars a function takes beside its vector.
const MAX_SCALARS: usize = 2;

/// So many samples of windows are looked at, some milliseconds long, before somebody is asked whether to go on.
const UNCHECKED_SAMPLES: usize = 200_000;

impl Engine<'_> {
    pub(super) fn call_lines(&self, c: &Call, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        if !self.rolled.is_empty() && self.rolled_call(c, grid, sink)? {
            return Ok(());
        }
        match c.function.kind {
            Kind::Map(f) => self.lines(&c.args[0], grid, &mut |mut line| {
                line.map(f);
                line.drop_name = true;
                if line.is_empty() { Ok(()) } else { sink(line) }
            }),
            Kind::MapWith(f) => self.map_with(c, f, grid, sink),
            Kind::Window { function, mixed, keeps_name } => {
                self.window_lines(c, OfWindow { function, mixed, keeps_name }, grid, sink)
            }
            Kind::Rate(rate) => self.rate_lines(c, rate, grid, sink),
            Kind::Date(f) => self.date_lines(c, f, grid, sink),
            Kind::Absent => self.absent_lines(c, grid, sink),
            Kind::AbsentOverTime => self.absent_over_time_lines(c, grid, sink),
            Kind::Timestamp => self.timestamp_lines(c, grid, sink),
            Kind::StartTimestamp => self.start_timestamp_lines(c, grid, sink),
            Kind::Vector => {
                let values = self.scalars(&c.args[0], grid)?.into_steps(grid.steps);
                sink(Line::floats(Labels::default(), false, values))
            }
            Kind::Sort { descending } => self.sorted_lines(c, descending, span, grid, sink),
            Kind::SortByLabel { descending } => self.sorted_by_label(c, descending, span, grid, sink),
            Kind::LabelReplace => self.label_replace_lines(c, span, grid, sink),
            Kind::LabelJoin => self.label_join_lines(c, span, grid, sink),
            Kind::HistogramQuantile => self.histogram_quantile_lines(c, grid, sink),
            Kind::HistogramQuantiles => self.histogram_quantiles_lines(c, span, grid, sink),
            Kind::HistogramFraction => self.histogram_fraction_lines(c, grid, sink),
            Kind::Native(f) => self.native_lines(c, f, grid, sink),
            Kind::Info => self.info_lines(c, span, grid, sink),
            Kind::Time | Kind::Pi | Kind::MinOf | Kind::MaxOf | Kind::Scalar => Err(no_vector(span)),
            Kind::QueryStart | Kind::QueryEnd | Kind::QueryStep | Kind::QueryRange => Err(no_vector(span)),
        }
    }

    /// The scalar arguments of a function, in order.
    fn scalar_args(&self, c: &Call, grid: Grid) -> Result<Vec<Scalars>> {
        c.args.iter().filter(|a| a.value_type() == ValueType::Scalar).map(|a| self.scalars(a, grid)).collect()
    }

    fn map_with(&self, c: &Call, f: fn(f64, &[f64]) -> Option<f64>, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let scalars = self.scalar_args(c, grid)?;
        self.lines(&c.args[0], grid, &mut |mut line| {
            line.only_floats();
            for (s, v) in line.values.iter_mut().enumerate() {
                if !is_absent(*v) {
                    let (args, n) = args_at(&scalars, s);
                    *v = f(*v, &args[..n]).unwrap_or(ABSENT);
                }
            }
            line.drop_name = true;
            if line.is_empty() { Ok(()) } else { sink(line) }
        })
    }

    fn window_lines(&self, c: &Call, of: OfWindow, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let scalars = self.scalar_args(c, grid)?;
        let smoothing = c.function.params.len() == 3;
        let Some(range) = c.args.iter().find(|a| a.value_type() == ValueType::Matrix) else {
            return Err(EvalError::invalid(c.args[0].span, "expected a range vector"));
        };
        check_extended(c, range)?;
        let (argument, place) = (Argument::of(c), c.args[0].place());
        self.ranges(range, grid, &mut |series| {
            if smoothing {
                check_factors(&scalars, grid.steps, range.span)?;
            }
            let anchored = series.extend == Some(Extend::Anchored);
            let floats_only = series.histograms.is_none();
            let drop_name = series.drop_name || !of.keeps_name;
            let mut line = Line::absent(series.labels.clone(), drop_name, grid.steps);
            let mut unchecked = 0;
            for s in 0..grid.steps {
                unchecked += series.part(s).len();
                if unchecked > UNCHECKED_SAMPLES {
                    self.check_cancelled()?;
                    unchecked = 0;
                }
                let (args, n) = args_at(&scalars, s);
                let args = &args[..n];
                let window = if anchored { series.anchored(s) } else { Some(series.window(s)) };
                let Some(window) = window else { continue };
                if let (Some(argument), Some(arg)) = (&argument, args.first())
                    && !window.values.is_empty()
                {
                    argument.check(self, *arg);
                }
                if floats_only {
                    line.values[s] = (of.function)(&window, args).unwrap_or(ABSENT);
                } else {
                    let mut note = |n| self.note(place, n, series.labels.name());
                    line.set(s, mixed_value(of.mixed, of.function, &window, args, &mut note));
                }
            }
            if line.is_empty() { Ok(()) } else { sink(line) }
        })
    }

    pub(super) fn rate_lines(&self, c: &Call, rate: Rate, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (range, place) = (&c.args[0], c.args[0].place());
        check_extended(c, range)?;
        self.ranges(range, grid, &mut |series| {
            let mut line = Line::absent(series.labels.clone(), true, grid.steps);
            let mut note = |n| self.note(place, n, series.labels.name());
            match series.extend {
                Some(extend) => {
                    for s in 0..series.steps() {
                        line.set(s, series.extended_rate(s, extend, rate, &mut note));
                    }
                }
                None => self.plain_rates(series, rate, &mut line, &mut note),
            }
            if line.is_empty() {
                return Ok(());
            }
            if rate.is_counter() && (line.histograms.is_none() || (0..grid.steps).any(|s| line.float(s).is_some())) {
                self.check_counter_name(&line.labels, place);
            }
            sink(line)
        })
    }

    fn plain_rates(&self, series: &Ranges<'_>, rate: Rate, line: &mut Line, note: Notes<'_>) {
        let (times, values, starts) = (series.times, series.values, series.starts);
        let resets = if rate.is_counter() { reset_indexes(times, values, starts) } else { Vec::new() };
        if series.histograms.is_none() && starts.is_empty() {
            for (s, reach) in series.reaches(rate).iter().enumerate() {
                if let Some(reach) = *reach {
                    let values = &values[series.part(s)];
                    line.values[s] = extended(values, reach, false, rate, series.before_resets(s, &resets));
                }
            }
            return;
        }
        let may_overlap = rate.is_counter() && !starts.is_empty();
        for s in 0..series.steps() {
            let (window, bounds) = (series.window(s), series.limits(s));
            if window.histograms.is_empty() {
                let value = extrapolated(&window, bounds, rate, series.before_resets(s, &resets));
                line.values[s] = value.unwrap_or(ABSENT);
                if may_overlap && any_overlap(window.times, window.starts) {
                    note(Note::StartsOverlap);
                }
            } else if !window.values.is_empty() {
                note(Note::FloatsAndHistograms);
            } else {
                let found = native::rate(&window.histograms, bounds, rate, note);
                line.set(s, found.map(|h| Point::Histogram(Arc::new(h))));
            }
        }
    }

    /// A counter's name says that it is one.
    fn check_counter_name(&self, labels: &Labels, span: Span) {
        const ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
        let name = labels.name();
        if name.is_empty() || ENDINGS.iter().any(|e| name.ends_with(e)) {
            return;
        }
        let endings = ENDINGS.join("/");
        self.info(span, format!("metric might not be a counter, name does not end in {endings}: {name:?}"));
    }

    fn timestamp_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let mut dropped = |mut line: Line| {
            line.drop_name = true;
            sink(line)
        };
        match &c.args[0].unwrapped().kind {
            ExprKind::Selector(s) => self.select_times(s, grid, &mut dropped),
            _ => self.lines(&c.args[0], grid, &mut |mut line| {
                line.histograms = None;
                for (s, v) in line.values.iter_mut().enumerate() {
                    if !is_absent(*v) {
                        *v = grid.at(s) as f64 / 1000.0;
                    }
                }
                dropped(line)
            }),
        }
    }

    /// Only samples themselves have a start time: what is computed from them has none.
    fn start_timestamp_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        match &c.args[0].unwrapped().kind {
            ExprKind::Selector(s) => self.select_starts(s, grid, &mut |mut line| {
                line.drop_name = true;
                sink(line)
            }),
            _ => self.lines(&c.args[0], grid, &mut |_| Ok(())),
        }
    }

    /// A number read off each histogram; numbers are left out.
    fn native_lines(&self, c: &Call, f: fn(&Histogram) -> f64, grid: Grid, sink: Sink<'_>) -> Result<()> {
        self.lines(&c.args[0], grid, &mut |line| {
            if line.histograms.is_none() {
                return Ok(());
            }
            let values = (0..grid.steps).map(|s| line.histogram(s).map_or(ABSENT, |h| f(h))).collect();
            let found = Line::floats(line.labels, true, values);
            if found.is_empty() { Ok(()) } else { sink(found) }
        })
    }
}

/// An argument of a function over a range that may be wrong, which is said wherever there are numbers to use it on.
struct Argument {
    is_right: fn(f64) -> bool,
    /// What it should be.
    rule: &'static str,
    span: Span,
    /// The last one that was wrong: it is not said of each window.
    said: Cell<Option<u64>>,
}

impl Argument {
    fn of(c: &Call) -> Option<Self> {
        let (is_right, rule, at): (fn(f64) -> bool, _, _) = match c.function.name {
            "quantile_over_time" => (|q| (0.0..=1.0).contains(&q), QUANTILE_RULE, 0),
            "integral" => (over_time::is_strategy, "strategy should be 0, 1, or 2 (default), using 2", 1),
            _ => return None,
        };
        Some(Self { is_right, rule, span: c.args.get(at)?.place(), said: Cell::new(None) })
    }

    fn check(&self, engine: &Engine<'_>, arg: f64) {
        if (self.is_right)(arg) || self.said.replace(Some(arg.to_bits())) == Some(arg.to_bits()) {
            return;
        }
        engine.warn(self.span, format!("{}, got {}", self.rule, short_number(arg)));
    }
}

/// A function over a range.
#[derive(Clone, Copy)]
struct OfWindow {
    function: fn(&Window<'_>, &[f64]) -> Option<f64>,
    mixed: Mixed,
    keeps_name: bool,
}

fn no_vector(span: Span) -> EvalError {
    EvalError::invalid(span, "expected an instant vector")
}

/// `anchored` and `smoothed` have a meaning for few functions only.
pub(super) fn check_extended(c: &Call, range: &Expr) -> Result<()> {
    let ExprKind::Range(r) = &range.unwrapped().kind else { return Ok(()) };
    let (modifier, allowed): (_, &[&str]) = match r.selector.extend {
        None => return Ok(()),
        Some(Extend::Anchored) => ("anchored", &["changes", "delta", "increase", "rate", "resets"]),
        Some(Extend::Smoothed) => ("smoothed", &["delta", "increase", "rate"]),
    };
    let name = c.function.name;
    if allowed.contains(&name) {
        return Ok(());
    }
    let list = allowed.join(", ");
    Err(EvalError::invalid(range.span, format!("{modifier} modifier can only be used with: {list} - not with {name}")))
}

fn args_at(scalars: &[Scalars], step: usize) -> ([f64; MAX_SCALARS], usize) {
    let mut args = [0.0; MAX_SCALARS];
    args.iter_mut().zip(scalars).for_each(|(a, s)| *a = s.at(step));
    (args, scalars.len().min(MAX_SCALARS))
}

fn check_factors(scalars: &[Scalars], steps: usize, span: Span) -> Result<()> {
    for s in 0..steps {
        for (name, short, v) in [("smoothing", "sf", scalars[0].at(s)), ("trend", "tf", scalars[1].at(s))] {
            if v <= 0.0 || v >= 1.0 {
                let message = format!("invalid {name} factor. Expected: 0 < {short} < 1, got: {v:.6}");
                return Err(EvalError::invalid(span, message));
            }
        }
    }
    Ok(())
}
