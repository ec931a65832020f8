//! Arithmetic and comparisons with at least one scalar. Pure.

use kernel::series::Point;

use super::element::{Outcome, Remark, compare, element, scalar_operation};
use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Cell, Line, is_absent};
use super::scalar::Scalars;
use crate::syntax::ast::{Binary, BinaryOp, ValueType};
use crate::syntax::span::Span;

/// Whether an operator is defined on native histograms only.
pub(super) fn is_trim(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::TrimUpper | BinaryOp::TrimLower)
}

impl Engine<'_> {
    pub(super) fn binary_lines(&self, b: &Binary, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let scalar_left = b.left.value_type() == ValueType::Scalar;
        if !scalar_left && b.right.value_type() != ValueType::Scalar {
            return if b.op.is_set() { self.set_lines(b, grid, sink) } else { self.matched_lines(b, span, grid, sink) };
        }
        let (vector, scalar) = if scalar_left { (&b.right, &b.left) } else { (&b.left, &b.right) };
        let scalars = self.scalars(scalar, grid)?;
        let filters = b.op.is_comparison() && !b.bool_modifier;
        let keeps_name = filters || is_trim(b.op);
        self.lines(vector, grid, &mut |mut line| {
            if line.histograms.is_none() && !is_trim(b.op) {
                apply(b.op, &mut line.values, &scalars, scalar_left, filters);
            } else {
                let mut remark = |(kind, text): Remark| self.annotate(kind, span, text);
                apply_to_cells(b, &mut line, &scalars, scalar_left, &mut remark);
            }
            line.drop_name |= !keeps_name;
            if line.is_empty() { Ok(()) } else { sink(line) }
        })
    }
}

fn apply(op: BinaryOp, values: &mut [f64], scalars: &Scalars, scalar_left: bool, filters: bool) {
    for (i, v) in values.iter_mut().enumerate() {
        if is_absent(*v) {
            continue;
        }
        let s = scalars.at(i);
        let (l, r) = if scalar_left { (s, *v) } else { (*v, s) };
        if !filters {
            *v = scalar_operation(op, l, r);
        } else if !compare(op, l, r) {
            *v = ABSENT;
        }
    }
}

/// As [`apply`], where there may be histograms.
fn apply_to_cells(b: &Binary, line: &mut Line, scalars: &Scalars, scalar_left: bool, remark: &mut dyn FnMut(Remark)) {
    for step in 0..line.values.len() {
        if !line.has(step) {
            continue;
        }
        let (cell, scalar) = (line.at(step), Cell::Float(scalars.at(step)));
        let (l, r) = if scalar_left { (scalar, cell) } else { (cell, scalar) };
        let found = match element(b.op, l, r, remark) {
            // A comparison keeps the value of the vector, on whichever side that is.
            Outcome::Value(_) if b.op.is_comparison() && !b.bool_modifier => line.point(step),
            Outcome::Value(_) if b.bool_modifier => Some(Point::Float(1.0)),
            Outcome::Value(point) => Some(point),
            Outcome::False if b.bool_modifier => Some(Point::Float(0.0)),
            Outcome::False | Outcome::Nothing => None,
        };
        line.set(step, found);
    }
}
