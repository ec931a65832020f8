//! `and`, `or`, `unless`. Pure.

use std::collections::HashMap;

use kernel::Labels;

use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, Merged, is_absent};
use super::matching::signature;
use crate::syntax::ast::{Binary, BinaryOp, Matching};

/// At which times each match group has a point.
#[derive(Default)]
struct Presence(HashMap<Labels, Vec<bool>>);

impl Presence {
    fn add(&mut self, line: &Line, matching: &Matching) {
        let present = self.0.entry(signature(&line.labels, matching)).or_default();
        present.resize(line.values.len(), false);
        for (p, v) in present.iter_mut().zip(&line.values) {
            *p |= !is_absent(*v);
        }
    }

    /// Takes out the points at times where the group is (`keep` false) or is not (`keep` true) present.
    fn filter(&self, line: &mut Line, matching: &Matching, keep: bool) {
        let present = self.0.get(&signature(&line.labels, matching));
        for (i, v) in line.values.iter_mut().enumerate() {
            if present.is_some_and(|p| p[i]) != keep {
                *v = ABSENT;
            }
        }
    }
}

impl Engine<'_> {
    pub(super) fn set_lines(&self, b: &Binary, grid: Grid, sink: Sink<'_>) -> Result<()> {
        if b.op == BinaryOp::Or {
            return self.or_lines(b, grid, sink);
        }
        let mut presence = Presence::default();
        self.lines(&b.right, grid, &mut |line| {
            self.check_cancelled()?;
            presence.add(&line, &b.matching);
            Ok(())
        })?;
        self.lines(&b.left, grid, &mut |mut line| {
            presence.filter(&mut line, &b.matching, b.op == BinaryOp::And);
            if line.is_empty() { Ok(()) } else { sink(line) }
        })
    }

    fn or_lines(&self, b: &Binary, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let mut presence = Presence::default();
        let mut merged = Merged::default();
        self.lines(&b.left, grid, &mut |line| {
            self.hold_line(&line)?;
            presence.add(&line, &b.matching);
            merged.add(line, b.left.span)
        })?;
        self.lines(&b.right, grid, &mut |mut line| {
            presence.filter(&mut line, &b.matching, false);
            if line.is_empty() {
                return Ok(());
            }
            self.hold_line(&line)?;
            merged.add(line, b.right.span)
        })?;
        merged.into_lines().try_for_each(sink)
    }
}
