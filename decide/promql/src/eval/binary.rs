//! Arithmetic and comparisons with at least one scalar. Pure.

use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, is_absent};
use super::scalar::Scalars;
use crate::syntax::ast::{Binary, BinaryOp, ValueType};
use crate::syntax::span::Span;

/// The value of an arithmetic operator.
pub(super) fn arithmetic(op: BinaryOp, l: f64, r: f64) -> f64 {
    match op {
        BinaryOp::Add => l + r,
        BinaryOp::Sub => l - r,
        BinaryOp::Mul => l * r,
        BinaryOp::Div => l / r,
        BinaryOp::Mod => l % r,
        BinaryOp::Pow => l.powf(r),
        BinaryOp::Atan2 => l.atan2(r),
        _ => f64::NAN,
    }
}

pub(super) fn compare(op: BinaryOp, l: f64, r: f64) -> bool {
    match op {
        BinaryOp::Equal => l == r,
        BinaryOp::NotEqual => l != r,
        BinaryOp::Less => l < r,
        BinaryOp::LessEqual => l <= r,
        BinaryOp::Greater => l > r,
        BinaryOp::GreaterEqual => l >= r,
        _ => false,
    }
}

/// Between two scalars comparisons give 0 or 1.
pub(super) fn scalar_operation(op: BinaryOp, l: f64, r: f64) -> f64 {
    if op.is_comparison() { f64::from(u8::from(compare(op, l, r))) } else { arithmetic(op, l, r) }
}

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
        self.lines(vector, grid, &mut |mut line| {
            if is_trim(b.op) {
                self.trim_on_floats(b.op, scalar_left, span);
                return Ok(());
            }
            apply(b.op, &mut line.values, &scalars, scalar_left, filters);
            line.drop_name |= !filters;
            if filters && line.is_empty() { Ok(()) } else { sink(line) }
        })
    }

    /// Trimming floats gives nothing but a remark.
    pub(super) fn trim_on_floats(&self, op: BinaryOp, scalar_left: bool, span: Span) {
        let (_, symbol) = (scalar_left, op.symbol());
        self.info(
            span,
            format!("incompatible sample types encountered for binary operator {symbol:?}: float {symbol} float"),
        );
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
