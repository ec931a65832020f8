//! Aggregations that need all values of a group at once: `topk`, `quantile`, `count_values`, `limitk` and the like. Pure.

use std::cmp::Ordering;

use indexmap::IndexMap;
use kernel::Labels;

use super::EvalError;
use super::aggregate::group_labels;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent};
use super::scalar::Scalars;
use crate::functions::quantile::quantile;
use crate::syntax::ast::{Aggregate, AggregateOp, Expr};
use crate::syntax::literal::{format_number, quote, short_number};
use crate::syntax::span::Span;

/// The indexes of the lines of each group.
type Groups = IndexMap<Labels, Vec<usize>>;

impl Engine<'_> {
    /// Remarks on quantiles that are none.
    pub(super) fn check_quantiles(&self, scalars: &Scalars, steps: usize, span: Span) {
        for q in (0..steps).map(|i| scalars.at(i)) {
            if !(0.0..=1.0).contains(&q) {
                let q = short_number(q);
                self.warn(span, format!("quantile value should be between 0 and 1, got {q}"));
            }
        }
    }

    fn param<'e>(&self, a: &'e Aggregate, span: Span) -> Result<&'e Expr> {
        a.param.as_ref().ok_or_else(|| EvalError::invalid(span, "aggregation without its parameter"))
    }

    fn grouped(&self, a: &Aggregate, grid: Grid) -> Result<(Vec<Line>, Groups)> {
        let lines = self.collect(&a.expr, grid)?;
        let mut groups = Groups::new();
        for (i, line) in lines.iter().enumerate() {
            groups.entry(group_labels(&line.labels, &a.grouping)).or_default().push(i);
        }
        Ok((lines, groups))
    }

    pub(super) fn quantile_lines(&self, a: &Aggregate, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let param = self.param(a, a.expr.span)?;
        let q = self.scalars(param, grid)?;
        self.check_quantiles(&q, grid.steps, param.span);
        let (lines, groups) = self.grouped(a, grid)?;
        for (labels, members) in groups {
            let value = |s: usize| {
                let present = members.iter().map(|m| lines[*m].values[s]).filter(|v| !is_absent(*v));
                let mut values: Vec<f64> = present.collect();
                if values.is_empty() { ABSENT } else { quantile(q.at(s), &mut values) }
            };
            let values = (0..grid.steps).map(value).collect();
            sink(Line { labels, drop_name: lines[members[0]].drop_name, values })?;
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
        let mut counts: IndexMap<Labels, Line> = IndexMap::new();
        self.lines(&a.expr, grid, &mut |line| {
            let group = group_labels(&line.labels, &a.grouping);
            for (s, v) in line.values.iter().enumerate().filter(|(_, v)| !is_absent(**v)) {
                let labels = group.with(&text.value, &format_number(*v));
                let new = || Line { labels: labels.clone(), drop_name: false, values: vec![ABSENT; grid.steps] };
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
        let wanted = self.checked_counts(a.op, &k, grid, param.span)?;
        let (mut lines, groups) = self.grouped(a, grid)?;
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
            let empty = Line { labels: Labels::default(), drop_name: false, values: Vec::new() };
            let line = std::mem::replace(&mut lines[i], empty);
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }

    fn checked_counts(&self, op: AggregateOp, k: &Scalars, grid: Grid, span: Span) -> Result<Vec<f64>> {
        let ratio = op == AggregateOp::LimitRatio;
        (0..grid.steps)
            .map(|s| {
                let v = k.at(s);
                if v.is_nan() {
                    let message = if ratio { "Ratio value is NaN" } else { "Parameter value is NaN" };
                    return Err(EvalError::invalid(span, message));
                }
                if ratio && v.abs() > 1.0 {
                    let capped = v.clamp(-1.0, 1.0);
                    let (from, to) = (short_number(v), short_number(capped));
                    self.warn(span, format!("ratio value should be between -1 and 1, got {from}, capping to {to}"));
                    return Ok(capped);
                }
                if !ratio && v >= 9_223_372_036_854_775_807.0 {
                    return Err(EvalError::invalid(span, format!("Scalar value {} overflows int64", short_number(v))));
                }
                if !ratio && v <= -9_223_372_036_854_775_808.0 {
                    return Err(EvalError::invalid(span, format!("Scalar value {} underflows int64", short_number(v))));
                }
                Ok(v)
            })
            .collect()
    }
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
