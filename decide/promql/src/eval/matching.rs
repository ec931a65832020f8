//! Arithmetic and comparisons between two vectors: which series meet, and what labels the result has. Pure.

use indexmap::IndexMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;

use super::EvalError;
use super::binary::{arithmetic, compare, is_trim, scalar_operation};
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
    /// Times at which both sides have any point: elsewhere nothing matches, and nothing can be wrong.
    active: Vec<bool>,
    fill_many: Option<f64>,
    fill_one: Option<f64>,
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
                self.hold(grid.steps)?;
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
        let both = |i: usize| (any[0][i] || fill_many.is_some()) && (any[1][i] || fill_one.is_some());
        let active = (0..grid.steps).map(both).collect();
        let matched = Match { binary: b, span, swapped, steps: grid.steps, active, fill_many, fill_one };
        if is_trim(b.op) {
            if pairs.values().any(|p| !p.many.is_empty() && !p.one.is_empty()) {
                self.trim_on_floats(b.op, false, span);
            }
            return Ok(());
        }
        let mut merged = Merged::default();
        for (signature, pair) in pairs {
            self.check_cancelled()?;
            matched.pair(&signature, pair, &mut merged)?;
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
        for left in &many {
            for right in self.partners(&one, signature) {
                let labels = self.result_labels(&left.labels, &right.labels);
                self.check_unique(&labels, left, &right, &mut outputs)?;
                merged.add(self.combine(labels, left, &right), self.span)?;
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
        let line = Line { labels: signature.clone(), drop_name: false, values };
        if !line.is_empty() {
            many.push(line);
        }
        many
    }

    /// The lines of the one side, and a filled one for the times when there is none.
    fn partners(&self, one: &[Line], signature: &Labels) -> Vec<Line> {
        let mut partners = one.to_vec();
        if let Some(fill) = self.fill_one {
            let value = |s: usize| if one.iter().any(|l| !is_absent(l.values[s])) { ABSENT } else { fill };
            let values = (0..self.steps).map(value).collect();
            partners.push(Line { labels: signature.clone(), drop_name: false, values });
        }
        partners
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
    fn check_unique(
        &self,
        labels: &Labels,
        left: &Line,
        right: &Line,
        outputs: &mut IndexMap<Labels, Vec<bool>>,
    ) -> Result<()> {
        if self.binary.matching.group == Group::None {
            return Ok(());
        }
        let seen = outputs.entry(labels.clone()).or_insert_with(|| vec![false; self.steps]);
        for (s, seen) in seen.iter_mut().enumerate() {
            if is_absent(left.values[s]) || is_absent(right.values[s]) {
                continue;
            }
            if *seen {
                let message = "multiple matches for labels: grouping labels must ensure unique matches";
                return Err(EvalError::invalid(self.span, message));
            }
            *seen = true;
        }
        Ok(())
    }

    fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let b = self.binary;
        let mut labels = many.clone();
        if !b.op.is_comparison() {
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

    fn combine(&self, labels: Labels, many: &Line, one: &Line) -> Line {
        let b = self.binary;
        let value = |(m, o): (&f64, &f64)| {
            if is_absent(*m) || is_absent(*o) {
                return ABSENT;
            }
            let (l, r) = if self.swapped { (*o, *m) } else { (*m, *o) };
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
        };
        let drop_name = b.bool_modifier || many.drop_name || !keeps_name(b.op);
        Line { labels, drop_name, values: many.values.iter().zip(&one.values).map(value).collect() }
    }
}

fn keeps_name(op: BinaryOp) -> bool {
    op.is_comparison()
}

/// All labels in braces, the name among them, as Prometheus prints label sets in errors.
pub(super) fn braced(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
