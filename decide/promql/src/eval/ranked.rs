//! Aggregations that need all values of a group at once: `topk`, `quantile`, `count_values`, `limitk` and the like. Pure.

use std::cmp::Ordering;

use indexmap::IndexMap;
use kernel::Labels;

use super::EvalError;
use super::aggregate::{Members, group_labels};
use super::engine::{Engine, Grid, Result, Sink};
use super::groups::Groups;
use super::line::{ABSENT, Cell, Line, is_absent};
use super::scalar::Scalars;
use crate::functions::quantile::quantile;
use crate::syntax::ast::{Aggregate, AggregateOp, Expr};
use crate::syntax::literal::{format_number, quote, short_number};
use crate::syntax::span::Span;

/// What is said of a quantile that is none.
pub(super) const QUANTILE_RULE: &str = "quantile value should be between 0 and 1";

impl Engine<'_> {
    /// Remarks on quantiles that are none.
    pub(super) fn check_quantiles(&self, scalars: &Scalars, steps: usize, span: Span) {
        for q in (0..steps).map(|i| scalars.at(i)) {
            if !(0.0..=1.0).contains(&q) {
                let q = short_number(q);
                self.warn(span, format!("{QUANTILE_RULE}, got {q}"));
            }
        }
    }

    fn param<'e>(&self, a: &'e Aggregate, span: Span) -> Result<&'e Expr> {
        a.param.as_ref().ok_or_else(|| EvalError::invalid(span, "aggregation without its parameter"))
    }

    /// The lines and which of them belong to each group.
    fn grouped(&self, a: &Aggregate, grid: Grid) -> Result<(Vec<Line>, Members)> {
        let lines = self.collect(&a.expr, grid)?;
        let mut groups = Groups::new(&a.grouping);
        let places: Vec<usize> = lines.iter().map(|line| groups.of(&line.labels)).collect();
        let mut members: Members = groups.into_labels().into_iter().map(|labels| (labels, Vec::new())).collect();
        for (i, place) in places.into_iter().enumerate() {
            members[place].push(i);
        }
        Ok((lines, members))
    }

    /// Leaves histograms out of lines, and says so where others are looked at.
    fn leave_histograms_out(&self, lines: &mut [Line], op: AggregateOp, span: Span, looks: impl Fn(usize) -> bool) {
        for line in lines.iter_mut().filter(|l| l.histograms.is_some()) {
            if (0..line.values.len()).any(|s| looks(s) && line.histogram(s).is_some()) {
                self.ignored_histogram(op, span);
            }
            line.only_floats();
        }
    }

    pub(super) fn quantile_lines(&self, a: &Aggregate, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let param = self.param(a, a.expr.span)?;
        let q = self.scalars(param, grid)?;
        for wrong in extremes(&q, grid.steps).into_iter().filter(|q| !(0.0..=1.0).contains(q)) {
            self.warn(param.place(), format!("{QUANTILE_RULE}, got {}", short_number(wrong)));
        }
        let (mut lines, groups) = self.grouped(a, grid)?;
        self.leave_histograms_out(&mut lines, a.op, a.expr.place(), |_| true);
        let mut values = Vec::new();
        for (labels, members) in groups {
            let mut value = |s: usize| {
                values.clear();
                values.extend(members.iter().map(|m| lines[*m].values[s]).filter(|v| !is_absent(*v)));
                if values.is_empty() { ABSENT } else { quantile(q.at(s), &mut values) }
            };
            let found = (0..grid.steps).map(&mut value).collect();
            let drop_name = members.iter().any(|m| lines[*m].drop_name);
            let line = Line::floats(labels, drop_name, found);
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }

    pub(super) fn count_values_lines(&self, a: &Aggregate, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let param = self.param(a, a.expr.span)?;
        let text = self.string(param)?;
        if text.bytes.is_some() || text.value.is_empty() {
            let name = quote(text.bytes.as_deref().unwrap_or(text.value.as_bytes()));
            return Err(EvalError::invalid(param.span, format!("invalid label name {name}")));
        }
        // The value's label is one of the group's, unless it is said to be none of them.
        let mut grouping = a.grouping.clone();
        if !grouping.without {
            grouping.labels.push(text.value.clone());
        }
        let mut counts: IndexMap<Labels, Line> = IndexMap::new();
        self.lines(&a.expr, grid, &mut |line| {
            for s in 0..grid.steps {
                let value = match line.at(s) {
                    Cell::Absent => continue,
                    Cell::Float(v) => format_number(v),
                    Cell::Histogram(h) => h.to_string(),
                };
                let labels = group_labels(&line.labels.with(&text.value, &value), &grouping);
                let new = || Line::absent(labels.clone(), false, grid.steps);
                let slot = &mut counts.entry(labels.clone()).or_insert_with(new).values[s];
                *slot = if is_absent(*slot) { 1.0 } else { *slot + 1.0 };
            }
            Ok(())
        })?;
        counts.into_values().try_for_each(sink)
    }

    pub(super) fn ranked_lines(&self, a: &Aggregate, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let param = self.param(a, span)?;
        let k = self.scalars(param, grid)?;
        let (mut lines, groups) = self.grouped(a, grid)?;
        if nothing_is_wanted(a.op, &k, grid.steps) {
            return Ok(());
        }
        let wanted = self.checked_counts(a.op, &k, grid, param.place())?;
        if matches!(a.op, AggregateOp::Topk | AggregateOp::Bottomk) {
            self.leave_histograms_out(&mut lines, a.op, span, |s| wanted[s] >= 1.0);
        }
        let mut kept = vec![vec![false; grid.steps]; lines.len()];
        let mut order: Vec<usize> = (0..lines.len()).collect();
        if grid.steps == 1 {
            order.clear();
        }
        for members in groups.values() {
            for (s, wanted) in wanted.iter().enumerate() {
                let chosen = choose(a.op, *wanted, members, &lines, s);
                chosen.iter().for_each(|i| kept[*i][s] = true);
                if grid.steps == 1 {
                    order.extend(chosen);
                }
            }
        }
        for (line, kept) in lines.iter_mut().zip(&kept) {
            line.values.iter_mut().zip(kept).filter(|(_, kept)| !**kept).for_each(|(v, _)| *v = ABSENT);
        }
        for i in order {
            let line = std::mem::replace(&mut lines[i], Line::absent(Labels::default(), false, 0));
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }

    fn checked_counts(&self, op: AggregateOp, k: &Scalars, grid: Grid, span: Span) -> Result<Vec<f64>> {
        let ratio = op == AggregateOp::LimitRatio;
        for v in extremes(k, grid.steps) {
            if v.is_nan() {
                let message = if ratio { "Ratio value is NaN" } else { "Parameter value is NaN" };
                return Err(EvalError::invalid(span, message));
            }
            let text = short_number(v);
            if ratio && v.abs() > 1.0 {
                let to = short_number(v.clamp(-1.0, 1.0));
                self.warn(span, format!("ratio value should be between -1 and 1, got {text}, capping to {to}"));
            } else if !ratio && v >= 9_223_372_036_854_775_807.0 {
                return Err(EvalError::invalid(span, format!("Scalar value {text} overflows int64")));
            } else if !ratio && v <= -9_223_372_036_854_775_808.0 {
                return Err(EvalError::invalid(span, format!("Scalar value {text} underflows int64")));
            }
        }
        Ok((0..grid.steps).map(|s| if ratio { k.at(s).clamp(-1.0, 1.0) } else { k.at(s) }).collect())
    }
}

/// Whether no series is asked for at any time: then it does not matter what else may be wrong.
fn nothing_is_wanted(op: AggregateOp, k: &Scalars, steps: usize) -> bool {
    let mut all = (0..steps).map(|s| k.at(s));
    if op == AggregateOp::LimitRatio { all.all(|v| v == 0.0) } else { all.all(|v| v < 1.0) }
}

/// The largest and the smallest value over all times, or NaN if there is any.
fn extremes(scalars: &Scalars, steps: usize) -> Vec<f64> {
    let mut all = (0..steps).map(|s| scalars.at(s));
    if all.clone().any(f64::is_nan) {
        return vec![f64::NAN];
    }
    let Some(first) = all.next() else { return Vec::new() };
    let (least, most) = all.fold((first, first), |(least, most), v| (least.min(v), most.max(v)));
    if least == most { vec![most] } else { vec![most, least] }
}

/// The members of a group that are kept at a time, in the order of the result.
fn choose(op: AggregateOp, wanted: f64, members: &[usize], lines: &[Line], s: usize) -> Vec<usize> {
    let value = |i: usize| lines[i].values[s];
    let mut present: Vec<usize> = members.iter().copied().filter(|i| !is_absent(value(*i))).collect();
    if op == AggregateOp::LimitRatio {
        present.retain(|i| in_ratio(wanted, &lines[*i].labels));
        return present;
    }
    match op {
        AggregateOp::Topk => present.sort_by(|a, b| nan_last(value(*b), value(*a), value(*a), value(*b))),
        AggregateOp::Bottomk => present.sort_by(|a, b| nan_last(value(*a), value(*b), value(*a), value(*b))),
        _ => {}
    }
    present.truncate(if wanted < 1.0 { 0 } else { wanted as usize });
    present
}

/// The order of `x` and `y`, but whichever of `a` and `b` is NaN goes last.
fn nan_last(x: f64, y: f64, a: f64, b: f64) -> Ordering {
    a.is_nan().cmp(&b.is_nan()).then(x.partial_cmp(&y).unwrap_or(Ordering::Equal))
}

/// Whether a series is among the share that a ratio keeps: by its hash, so that `r` and `r - 1` never keep the same.
fn in_ratio(ratio: f64, labels: &Labels) -> bool {
    let share = super::sorting::stable_hash(labels) as f64 / u64::MAX as f64;
    if ratio >= 0.0 { share < ratio } else { share >= 1.0 + ratio }
}
