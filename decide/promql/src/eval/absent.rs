//! `absent` and `absent_over_time`. Pure.

use indexmap::IndexMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::{MatchOp, Matcher};

use super::call::check_extended;
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent};
use crate::syntax::ast::{Call, Expr, ExprKind};

impl Engine<'_> {
    pub(super) fn absent_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let mut present = vec![false; grid.steps];
        self.lines(&c.args[0], grid, &mut |line| {
            present.iter_mut().zip(line.values).for_each(|(p, v)| *p |= !is_absent(v));
            Ok(())
        })?;
        finish(&c.args[0], &present, sink)
    }

    pub(super) fn absent_over_time_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        check_extended(c, &c.args[0])?;
        let mut present = vec![false; grid.steps];
        self.ranges(&c.args[0], grid, &mut |series| {
            present.iter_mut().enumerate().for_each(|(s, p)| *p |= !series.window(s).is_empty());
            Ok(())
        })?;
        finish(&c.args[0], &present, sink)
    }
}

fn finish(expr: &Expr, present: &[bool], sink: Sink<'_>) -> Result<()> {
    let values: Vec<f64> = present.iter().map(|p| if *p { ABSENT } else { 1.0 }).collect();
    let line = Line::floats(labels_of(expr), false, values);
    if line.is_empty() { Ok(()) } else { sink(line) }
}

/// What a selector says for sure of the series it would have found.
fn labels_of(expr: &Expr) -> Labels {
    let matchers: &[Matcher] = match &expr.unwrapped().kind {
        ExprKind::Selector(s) => &s.matchers,
        ExprKind::Range(r) => &r.selector.matchers,
        _ => return Labels::default(),
    };
    // A label that is named twice is not sure, unless the other conditions on it came before its first `=`.
    let mut sure: IndexMap<&str, &str> = IndexMap::new();
    let mut named: Vec<&str> = Vec::new();
    for m in matchers.iter().filter(|m| &*m.name != METRIC_NAME) {
        if m.op == MatchOp::Equal && !named.contains(&&*m.name) {
            sure.insert(&m.name, &m.value);
            named.push(&m.name);
        } else {
            sure.shift_remove(&*m.name);
        }
    }
    Labels::new(sure)
}
