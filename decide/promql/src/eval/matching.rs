//! Arithmetic and comparisons between two vectors: which series meet, and what labels the result has. Pure.

use std::cell::RefCell;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::series::Point;

use super::EvalError;
use super::binary::is_trim;
use super::element::{Outcome, Remark, arithmetic, compare, element, scalar_operation};
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, Merged, is_absent, is_metadata};
use crate::syntax::ast::{Binary, BinaryOp, Group, Matching};
use crate::syntax::span::Span;

/// The labels that series of both sides must have in common.
pub(super) fn signature(labels: &Labels, matching: &Matching) -> Labels {
    let named = matching.labels.as_deref().unwrap_or_default();
    if matching.on {
        labels.without(|n| !named.iter().any(|l| l == n))
    } else {
        labels.without(|n| is_metadata(n) || named.iter().any(|l| l == n))
    }
}

/// The lines of both sides with one signature; `many` is the left side of one-to-one matches.
#[derive(Default)]
struct Pair {
    many: Vec<Line>,
    one: Vec<Line>,
}

/// What was found of one signature.
struct Found {
    /// At which times there was a match: one that a comparison filters too, none where the operator has no meaning.
    matched: Vec<bool>,
    /// In many-to-one matches, at which times each label set came out.
    outputs: IndexMap<Labels, Vec<bool>>,
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
        for (signature, pair) in &pairs {
            matched.check_one_side(signature, &pair.one)?;
        }
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
        let mut found = Found { matched: vec![false; self.steps], outputs: IndexMap::new() };
        let real = pair.one.len();
        let partners = self.partners(pair.one, signature);
        for left in &pair.many {
            for right in &partners {
                merged.add(self.combine(left, right, &mut found)?, self.span)?;
            }
        }
        for right in &partners[..real] {
            if let Some(left) = self.filled_many(signature, right, &found.matched) {
                merged.add(self.combine(&left, right, &mut found)?, self.span)?;
            }
        }
        Ok(())
    }

    /// An error when two lines of the one side have a point at the same time.
    fn check_one_side(&self, signature: &Labels, lines: &[Line]) -> Result<()> {
        for (i, line) in lines.iter().enumerate() {
            for other in &lines[..i] {
                let clash = |s: &usize| self.active[*s] && line.has(*s) && other.has(*s);
                if (0..self.steps).any(|s| clash(&s)) {
                    return Err(self.many_to_many(signature, &other.labels, &line.labels));
                }
            }
        }
        Ok(())
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

    /// With a fill value for it, the many side gets a series wherever nothing of it was matched and the one side has a point: also where
    /// the operator had no meaning for what it has.
    fn filled_many(&self, signature: &Labels, one: &Line, matched: &[bool]) -> Option<Line> {
        let fill = self.fill_many?;
        let value = |s: usize| if one.has(s) && !matched[s] { fill } else { ABSENT };
        let line = Line::floats(signature.clone(), false, (0..self.steps).map(value).collect());
        (!line.is_empty()).then_some(line)
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

    /// A match: in one-to-one matches there is only one of each signature, and in many-to-one matches two series must not come to the same labels,
    /// even where a comparison filters them.
    fn check_unique(&self, matched: &mut bool, seen: Option<&mut Vec<bool>>, step: usize) -> Result<()> {
        let before = std::mem::replace(matched, true);
        let (again, message) = match seen {
            None => {
                (before, "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
            }
            Some(seen) => {
                let again = std::mem::replace(&mut seen[step], true);
                (again, "multiple matches for labels: grouping labels must ensure unique matches")
            }
        };
        if !again {
            return Ok(());
        }
        Err(EvalError::invalid(self.span, message))
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

    fn combine(&self, many: &Line, one: &Line, found: &mut Found) -> Result<Line> {
        let (b, labels) = (self.binary, self.result_labels(&many.labels, &one.labels));
        let Found { matched, outputs } = found;
        let drop_name = b.bool_modifier || many.drop_name || !keeps_name(b.op);
        let new = || vec![false; self.steps];
        let grouped = b.matching.group != Group::None;
        let mut seen = grouped.then(|| outputs.entry(labels.clone()).or_insert_with(new));
        let mut line = Line::absent(labels, drop_name, self.steps);
        let floats = many.histograms.is_none() && one.histograms.is_none() && !is_trim(b.op);
        for step in (0..self.steps).filter(|s| many.has(*s) && one.has(*s)) {
            if floats {
                self.check_unique(&mut matched[step], seen.as_deref_mut(), step)?;
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
            self.check_unique(&mut matched[step], seen.as_deref_mut(), step)?;
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
