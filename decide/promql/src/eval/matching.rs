//! Arithmetic and comparisons between two vectors: which series meet, and what labels the result has. Pure.

use std::cell::RefCell;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::Point;

use super::EvalError;
use super::binary::is_trim;
use super::element::{Outcome, Remark, arithmetic, compare, element, scalar_operation};
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, Merged, is_absent};
use crate::syntax::ast::{Binary, BinaryOp, Group, Matching};
use crate::syntax::span::Span;

/// The labels that series of both sides must have in common.
pub(super) fn signature(labels: &Labels, matching: &Matching) -> Labels {
    let named = matching.labels.as_deref().unwrap_or_default();
    if matching.on {
        labels.without(|n| !named.iter().any(|l| l == n))
    } else {
        labels.without(|n| n == METRIC_NAME || named.iter().any(|l| l == n))
    }
}

/// The lines of both sides with one signature; `many` is the left side of one-to-one matches.
#[derive(Default)]
struct Pair {
    many: Vec<Line>,
    one: Vec<Line>,
}

/// How a match is made: the sides already swapped so that `one` is the side with at most one series.
struct Match<'b> {
    binary: &'b Binary,
    span: Span,
    swapped: bool,
    steps: usize,
    /// Times at which both sides have any point (or one, where the other is filled in): elsewhere nothing matches, and
    /// nothing can be wrong.
    active: Vec<bool>,
    fill_many: Option<f64>,
    fill_one: Option<f64>,
    /// What was noticed at each time; of several things the last one is said.
    remarks: RefCell<Vec<Option<Remark>>>,
}

impl Engine<'_> {
    pub(super) fn matched_lines(&self, b: &Binary, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let swapped = b.matching.group == Group::Right;
        let (many, one) = if swapped { (&b.right, &b.left) } else { (&b.left, &b.right) };
        let mut pairs: IndexMap<Labels, Pair> = IndexMap::new();
        let mut any = [vec![false; grid.steps], vec![false; grid.steps]];
        for (side, expr) in [many, one].into_iter().enumerate() {
            let present = &mut any[side];
            self.lines(expr, grid, &mut |line| {
                self.hold_line(&line)?;
                present.iter_mut().zip(&line.values).for_each(|(p, v)| *p |= !is_absent(*v));
                let pair = pairs.entry(signature(&line.labels, &b.matching)).or_default();
                if side == 0 {
                    pair.many.push(line)
                } else {
                    pair.one.push(line)
                }
                Ok(())
            })?;
        }
        let (left, right) = (b.matching.fill_left, b.matching.fill_right);
        let (fill_many, fill_one) = if swapped { (right, left) } else { (left, right) };
        let filled = fill_many.is_some() || fill_one.is_some();
        let matters = |i: usize| if filled { any[0][i] || any[1][i] } else { any[0][i] && any[1][i] };
        let active = (0..grid.steps).map(matters).collect();
        let remarks = RefCell::default();
        let matched = Match { binary: b, span, swapped, steps: grid.steps, active, fill_many, fill_one, remarks };
        let mut merged = Merged::default();
        for (signature, pair) in pairs {
            self.check_cancelled()?;
            matched.pair(&signature, pair, &mut merged)?;
        }
        for (kind, text) in matched.remarks.take().into_iter().flatten() {
            self.annotate(kind, span, text);
        }
        merged.into_lines().filter(|line| !line.is_empty()).try_for_each(sink)
    }
}

impl Match<'_> {
    fn pair(&self, signature: &Labels, pair: Pair, merged: &mut Merged) -> Result<()> {
        let one = self.only_one(signature, pair.one)?;
        let many = self.filled_many(signature, pair.many, &one);
        if self.binary.matching.group == Group::None {
            self.check_one_to_one(&many, &one)?;
        }
        let mut outputs: IndexMap<Labels, Vec<bool>> = IndexMap::new();
        let partners = self.partners(one, signature);
        for left in &many {
            for right in &partners {
                let labels = self.result_labels(&left.labels, &right.labels);
                let line = self.combine(labels, left, right, &mut outputs)?;
                merged.add(line, self.span)?;
            }
        }
        Ok(())
    }

    /// The lines of the one side; an error when two have a point at the same time.
    fn only_one(&self, signature: &Labels, lines: Vec<Line>) -> Result<Vec<Line>> {
        for (i, line) in lines.iter().enumerate() {
            for other in &lines[..i] {
                let clash = |s: &usize| self.active[*s] && !is_absent(line.values[*s]) && !is_absent(other.values[*s]);
                if (0..self.steps).any(|s| clash(&s)) {
                    return Err(self.many_to_many(signature, &other.labels, &line.labels));
                }
            }
        }
        Ok(lines)
    }

    fn many_to_many(&self, signature: &Labels, a: &Labels, b: &Labels) -> EvalError {
        let side = if self.swapped { "left" } else { "right" };
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        let message = format!(
            "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];\
             many-to-many matching not allowed: matching labels must be unique on one side",
            braced(signature),
            braced(first),
            braced(second)
        );
        EvalError::invalid(self.span, message)
    }

    /// With a fill value for it, the many side gets a series wherever it has none but the one side has.
    fn filled_many(&self, signature: &Labels, mut many: Vec<Line>, one: &[Line]) -> Vec<Line> {
        let Some(fill) = self.fill_many else { return many };
        let has = |lines: &[Line], s: usize| lines.iter().any(|l| !is_absent(l.values[s]));
        let value = |s| if has(one, s) && !has(&many, s) { fill } else { ABSENT };
        let values: Vec<f64> = (0..self.steps).map(value).collect();
        let line = Line::floats(signature.clone(), false, values);
        if !line.is_empty() {
            many.push(line);
        }
        many
    }

    /// The lines of the one side, and a filled one for the times when there is none.
    fn partners(&self, mut one: Vec<Line>, signature: &Labels) -> Vec<Line> {
        if let Some(fill) = self.fill_one {
            let value = |s: usize| if one.iter().any(|l| l.has(s)) { ABSENT } else { fill };
            let values = (0..self.steps).map(value).collect();
            one.push(Line::floats(signature.clone(), false, values));
        }
        one
    }

    fn check_one_to_one(&self, many: &[Line], one: &[Line]) -> Result<()> {
        for s in 0..self.steps {
            let present = many.iter().filter(|l| !is_absent(l.values[s])).count();
            let partner = self.fill_one.is_some() || one.iter().any(|l| !is_absent(l.values[s]));
            if present > 1 && partner {
                let message =
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
                return Err(EvalError::invalid(self.span, message));
            }
        }
        Ok(())
    }

    /// In many-to-one matches two series must not come to the same labels, even where a comparison filters them.
    fn check_unique(&self, seen: Option<&mut Vec<bool>>, step: usize) -> Result<()> {
        let Some(seen) = seen else { return Ok(()) };
        if std::mem::replace(&mut seen[step], true) {
            let message = "multiple matches for labels: grouping labels must ensure unique matches";
            return Err(EvalError::invalid(self.span, message));
        }
        Ok(())
    }

    fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let b = self.binary;
        let mut labels = many.clone();
        if !keeps_name(b.op) {
            labels = super::line::unnamed(&labels);
        }
        let named = b.matching.labels.as_deref().unwrap_or_default();
        if b.matching.group == Group::None {
            labels = if b.matching.on {
                labels.without(|n| !named.iter().any(|l| l == n))
            } else if named.is_empty() {
                labels
            } else {
                labels.without(|n| named.iter().any(|l| l == n))
            };
        }
        for name in &b.matching.include {
            labels = labels.with(name, one.get(name).unwrap_or_default());
        }
        labels
    }

    fn combine(
        &self,
        labels: Labels,
        many: &Line,
        one: &Line,
        outputs: &mut IndexMap<Labels, Vec<bool>>,
    ) -> Result<Line> {
        let b = self.binary;
        let drop_name = b.bool_modifier || many.drop_name || !keeps_name(b.op);
        let new = || vec![false; self.steps];
        let grouped = b.matching.group != Group::None;
        let mut seen = grouped.then(|| outputs.entry(labels.clone()).or_insert_with(new));
        let mut line = Line::absent(labels, drop_name, self.steps);
        let floats = many.histograms.is_none() && one.histograms.is_none() && !is_trim(b.op);
        for step in (0..self.steps).filter(|s| many.has(*s) && one.has(*s)) {
            if floats {
                self.check_unique(seen.as_deref_mut(), step)?;
                line.values[step] = self.combine_floats(many.values[step], one.values[step]);
                continue;
            }
            let (m, o) = (many.at(step), one.at(step));
            let (l, r) = if self.swapped { (o, m) } else { (m, o) };
            let mut remark = |remark: Remark| self.remark(step, remark);
            let found = match element(b.op, l, r, &mut remark) {
                Outcome::Nothing => continue,
                Outcome::Value(_) if b.bool_modifier => Some(Point::Float(1.0)),
                Outcome::False if b.bool_modifier => Some(Point::Float(0.0)),
                Outcome::Value(point) => Some(point),
                Outcome::False => None,
            };
            self.check_unique(seen.as_deref_mut(), step)?;
            line.set(step, found);
        }
        Ok(line)
    }

    fn combine_floats(&self, many: f64, one: f64) -> f64 {
        let (b, (l, r)) = (self.binary, if self.swapped { (one, many) } else { (many, one) });
        if !b.op.is_comparison() {
            arithmetic(b.op, l, r)
        } else if b.bool_modifier {
            scalar_operation(b.op, l, r)
        } else if compare(b.op, l, r) {
            // A comparison keeps the left value, on whichever side the many are.
            l
        } else {
            ABSENT
        }
    }

    fn remark(&self, step: usize, remark: Remark) {
        let mut all = self.remarks.borrow_mut();
        all.resize(self.steps, None);
        all[step] = Some(remark);
    }
}

/// Whether what an operator gives is still the same metric.
fn keeps_name(op: BinaryOp) -> bool {
    op.is_comparison() || is_trim(op)
}

/// All labels in braces, the name among them, as Prometheus prints label sets in errors.
pub(super) fn braced(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
