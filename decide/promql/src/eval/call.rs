//! Function calls: to the family each function belongs to. Pure.

use kernel::Labels;

use super::EvalError;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent};
use super::scalar::Scalars;
use super::select::Ranges;
use crate::functions::Kind;
use crate::functions::rates::{Bounds, Rate, extrapolated, reset_indexes};
use crate::functions::window::Window;
use crate::syntax::ast::{Call, ExprKind, Extend, ValueType};
use crate::syntax::span::Span;

/// The most scalars a function takes beside its vector.
const MAX_SCALARS: usize = 2;

impl Engine<'_> {
    pub(super) fn call_lines(&self, c: &Call, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        match c.function.kind {
            Kind::Map(f) => self.lines(&c.args[0], grid, &mut |mut line| {
                line.map(f);
                line.drop_name = true;
                sink(line)
            }),
            Kind::MapWith(f) => self.map_with(c, f, grid, sink),
            Kind::Window { function, keeps_name } => self.window_lines(c, function, keeps_name, grid, sink),
            Kind::Rate(rate) => self.rate_lines(c, rate, grid, sink),
            Kind::Date(f) => self.date_lines(c, f, grid, sink),
            Kind::Absent => self.absent_lines(c, grid, sink),
            Kind::AbsentOverTime => self.absent_over_time_lines(c, grid, sink),
            Kind::Timestamp => self.timestamp_lines(c, grid, sink),
            Kind::Vector => {
                let values = self.scalars(&c.args[0], grid)?.into_steps(grid.steps);
                sink(Line { labels: Labels::default(), drop_name: false, values })
            }
            Kind::Sort { descending } => self.sorted_lines(c, descending, span, grid, sink),
            Kind::SortByLabel { descending } => self.sorted_by_label(c, descending, span, grid, sink),
            Kind::LabelReplace => self.label_replace_lines(c, span, grid, sink),
            Kind::LabelJoin => self.label_join_lines(c, span, grid, sink),
            Kind::HistogramQuantile => self.histogram_quantile_lines(c, grid, sink),
            Kind::HistogramQuantiles => self.histogram_quantiles_lines(c, span, grid, sink),
            Kind::HistogramFraction => self.histogram_fraction_lines(c, grid, sink),
            Kind::NativeOnly => self.lines(&c.args[0], grid, &mut |_| Ok(())),
            Kind::Info => self.info_lines(c, span, grid, sink),
            Kind::Time | Kind::Pi | Kind::Scalar => Err(EvalError::invalid(span, "expected an instant vector")),
            Kind::QueryStart | Kind::QueryEnd | Kind::QueryStep | Kind::QueryRange => {
                Err(EvalError::invalid(span, "expected an instant vector"))
            }
        }
    }

    /// The scalar arguments of a function, in order.
    fn scalar_args(&self, c: &Call, grid: Grid) -> Result<Vec<Scalars>> {
        c.args.iter().filter(|a| a.value_type() == ValueType::Scalar).map(|a| self.scalars(a, grid)).collect()
    }

    fn map_with(&self, c: &Call, f: fn(f64, &[f64]) -> Option<f64>, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let scalars = self.scalar_args(c, grid)?;
        self.lines(&c.args[0], grid, &mut |mut line| {
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

    fn window_lines(
        &self,
        c: &Call,
        f: fn(&Window<'_>, &[f64]) -> Option<f64>,
        keeps_name: bool,
        grid: Grid,
        sink: Sink<'_>,
    ) -> Result<()> {
        let scalars = self.scalar_args(c, grid)?;
        if c.function.name == "quantile_over_time" {
            self.check_quantiles(&scalars[0], grid.steps, c.args[0].span);
        }
        let smoothing = c.function.params.len() == 3;
        let Some(range) = c.args.iter().find(|a| a.value_type() == ValueType::Matrix) else {
            return Err(EvalError::invalid(c.args[0].span, "expected a range vector"));
        };
        self.ranges(range, grid, &mut |series| {
            if smoothing {
                check_factors(&scalars, grid.steps, range.span)?;
            }
            let anchored = series.extend == Some(Extend::Anchored);
            let value = |s: usize| {
                let (args, n) = args_at(&scalars, s);
                if anchored { series.anchored(s, |w| f(w, &args[..n])) } else { f(&series.window(s), &args[..n]) }
            };
            let line = line_of(series, value, series.drop_name || !keeps_name);
            if line.is_empty() { Ok(()) } else { sink(line) }
        })
    }

    fn rate_lines(&self, c: &Call, rate: Rate, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let range = &c.args[0];
        self.ranges(range, grid, &mut |series| {
            let resets = if rate.is_counter() { reset_indexes(series.values) } else { Vec::new() };
            let value = |s: usize| match series.extend {
                None => {
                    let end = series.ends.at(s);
                    let bounds = Bounds { start: end - series.range_ms, end };
                    extrapolated(&series.window(s), bounds, rate, series.before_resets(s, &resets))
                }
                Some(extend) => series.extended_rate(s, extend, rate),
            };
            let line = line_of(series, value, true);
            if line.is_empty() {
                return Ok(());
            }
            if rate.is_counter() {
                self.check_counter_name(&line.labels, range.span);
            }
            sink(line)
        })
    }

    /// A counter's name says that it is one.
    fn check_counter_name(&self, labels: &Labels, span: Span) {
        const ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
        let name = labels.name();
        if let Some(ty) = labels.get("__type__") {
            if !matches!(ty, "counter" | "histogram") {
                let wanted = r#"__type__ label is not set to "counter" or "histogram""#;
                self.info(span, format!("metric might not be a counter, {wanted}, got {ty:?}: {name:?}"));
            }
            return;
        }
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
                for (s, v) in line.values.iter_mut().enumerate() {
                    if !is_absent(*v) {
                        *v = grid.at(s) as f64 / 1000.0;
                    }
                }
                dropped(line)
            }),
        }
    }
}

fn line_of(series: &Ranges<'_>, value: impl Fn(usize) -> Option<f64>, drop_name: bool) -> Line {
    let values = (0..series.steps()).map(|s| value(s).unwrap_or(ABSENT)).collect();
    Line { labels: series.labels.clone(), drop_name, values }
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
