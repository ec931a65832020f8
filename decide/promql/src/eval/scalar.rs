//! Scalars: one number at each time. Pure.

use super::EvalError;
use super::binary::is_trim;
use super::element::scalar_operation;
use super::engine::{Engine, Grid, Result};
use super::line::is_absent;
use crate::functions::{Kind, math};
use crate::syntax::ast::{Expr, ExprKind, Sign};

/// A number at each time.
#[derive(Clone, Debug)]
pub(super) enum Scalars {
    /// The same at all times.
    Constant(f64),
    /// One per time.
    Steps(Vec<f64>),
}

impl Scalars {
    pub(super) fn at(&self, step: usize) -> f64 {
        match self {
            Self::Constant(v) => *v,
            Self::Steps(v) => v.get(step).copied().unwrap_or(f64::NAN),
        }
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Constant(v) => Self::Constant(f(v)),
            Self::Steps(v) => Self::Steps(v.into_iter().map(f).collect()),
        }
    }

    /// One value per time.
    pub(super) fn into_steps(self, steps: usize) -> Vec<f64> {
        match self {
            Self::Constant(v) => vec![v; steps],
            Self::Steps(v) => v,
        }
    }
}

impl Engine<'_> {
    pub(super) fn scalars(&self, expr: &Expr, grid: Grid) -> Result<Scalars> {
        Ok(match &expr.kind {
            ExprKind::Number(n) => Scalars::Constant(n.value),
            ExprKind::Paren(inner) | ExprKind::Unary(Sign::Plus, inner) => self.scalars(inner, grid)?,
            ExprKind::Unary(Sign::Minus, inner) => self.scalars(inner, grid)?.map(|v| -v),
            ExprKind::Binary(b) if is_trim(b.op) => {
                let message = format!("operator {:?} not allowed for Scalar operations", b.op.symbol());
                return Err(EvalError::invalid(expr.span, message));
            }
            ExprKind::Binary(b) => {
                let (left, right) = (self.scalars(&b.left, grid)?, self.scalars(&b.right, grid)?);
                match (&left, &right) {
                    (Scalars::Constant(l), Scalars::Constant(r)) => Scalars::Constant(scalar_operation(b.op, *l, *r)),
                    _ => {
                        let steps = 0..grid.steps;
                        Scalars::Steps(steps.map(|i| scalar_operation(b.op, left.at(i), right.at(i))).collect())
                    }
                }
            }
            ExprKind::Call(c) => match c.function.kind {
                Kind::Pi => Scalars::Constant(std::f64::consts::PI),
                Kind::Time => Scalars::Steps(grid.times().map(|t| t as f64 / 1000.0).collect()),
                Kind::QueryStart => Scalars::Constant(self.query.start_ms as f64 / 1000.0),
                Kind::QueryEnd => Scalars::Constant(self.query.end_ms as f64 / 1000.0),
                Kind::QueryStep => Scalars::Constant(self.query.step_ms.unwrap_or(0) as f64 / 1000.0),
                Kind::QueryRange => Scalars::Constant((self.query.end_ms - self.query.start_ms) as f64 / 1000.0),
                Kind::Scalar => self.only_one(&c.args[0], grid)?,
                Kind::MinOf | Kind::MaxOf => {
                    let of = if matches!(c.function.kind, Kind::MinOf) { math::min } else { math::max };
                    let (a, b) = (self.scalars(&c.args[0], grid)?, self.scalars(&c.args[1], grid)?);
                    match (&a, &b) {
                        (Scalars::Constant(a), Scalars::Constant(b)) => Scalars::Constant(of(*a, *b)),
                        _ => Scalars::Steps((0..grid.steps).map(|i| of(a.at(i), b.at(i))).collect()),
                    }
                }
                _ => return Err(EvalError::invalid(expr.span, "expected a scalar")),
            },
            _ => return Err(EvalError::invalid(expr.span, "expected a scalar")),
        })
    }

    /// `scalar(v)`: the value where the vector has exactly one, NaN elsewhere.
    fn only_one(&self, expr: &Expr, grid: Grid) -> Result<Scalars> {
        let mut found = vec![(0u32, f64::NAN); grid.steps];
        self.lines(expr, grid, &mut |line| {
            let mut line = line;
            line.only_floats();
            for (slot, v) in found.iter_mut().zip(line.values) {
                if !is_absent(v) {
                    *slot = (slot.0 + 1, v);
                }
            }
            Ok(())
        })?;
        Ok(Scalars::Steps(found.into_iter().map(|(n, v)| if n == 1 { v } else { f64::NAN }).collect()))
    }

    /// The text of a string expression.
    pub(super) fn string<'e>(&self, expr: &'e Expr) -> Result<&'e crate::syntax::ast::Text> {
        match &expr.unwrapped().kind {
            ExprKind::String(text) => Ok(text),
            _ => Err(EvalError::invalid(expr.span, "expected a string")),
        }
    }
}
