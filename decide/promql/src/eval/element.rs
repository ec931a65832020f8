//! One operator applied to two points. Pure.

use std::sync::Arc;

use kernel::series::{Combined, CounterReset, Histogram, Incompatible, Keep, Point};

use super::line::Cell;
use crate::annotations::{AnnotationKind, Note, Operation};
use crate::syntax::ast::BinaryOp;

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

/// Something that was noticed of an operation.
pub(super) type Remark = (AnnotationKind, String);

/// What an operator makes of two points.
pub(super) enum Outcome {
    /// A value; of a comparison that holds the left one.
    Value(Point),
    /// A comparison that does not hold.
    False,
    /// The operator has no meaning for these points: there is no result at all, nor is there a match.
    Nothing,
}

/// Applies an operator; `remark` takes what was noticed.
pub(super) fn element(op: BinaryOp, l: Cell<'_>, r: Cell<'_>, remark: &mut dyn FnMut(Remark)) -> Outcome {
    let meaningless = |remark: &mut dyn FnMut(Remark)| {
        let (symbol, kind) = (op.symbol(), |c| if matches!(c, Cell::Histogram(_)) { "histogram" } else { "float" });
        let text = "incompatible sample types encountered for binary operator";
        remark((AnnotationKind::Info, format!("{text} {symbol:?}: {} {symbol} {}", kind(l), kind(r))));
        Outcome::Nothing
    };
    let changed = |h: &Histogram, f: &dyn Fn(&mut Histogram)| {
        let mut out = h.clone();
        f(&mut out);
        out.compact();
        Outcome::Value(Point::Histogram(Arc::new(out)))
    };
    match (op, l, r) {
        (_, Cell::Absent, _) | (_, _, Cell::Absent) => Outcome::Nothing,
        (BinaryOp::TrimUpper | BinaryOp::TrimLower, Cell::Float(_), Cell::Float(_)) => meaningless(remark),
        (_, Cell::Float(a), Cell::Float(b)) if op.is_comparison() => {
            if compare(op, a, b) {
                Outcome::Value(Point::Float(a))
            } else {
                Outcome::False
            }
        }
        (_, Cell::Float(a), Cell::Float(b)) => Outcome::Value(Point::Float(arithmetic(op, a, b))),
        (BinaryOp::Mul, Cell::Float(v), Cell::Histogram(h)) | (BinaryOp::Mul, Cell::Histogram(h), Cell::Float(v)) => {
            changed(h, &|h| h.scale(v))
        }
        (BinaryOp::Div, Cell::Histogram(h), Cell::Float(v)) => changed(h, &|h| h.divide(v)),
        (BinaryOp::TrimUpper | BinaryOp::TrimLower, Cell::Histogram(h), Cell::Float(v)) => {
            // Of one that nothing is taken from, empty buckets stay: they tell quantiles where there might be observations.
            let keep = if op == BinaryOp::TrimUpper { Keep::Below } else { Keep::Above };
            Outcome::Value(Point::Histogram(Arc::new(h.trimmed(v, keep))))
        }
        (BinaryOp::Add | BinaryOp::Sub, Cell::Histogram(a), Cell::Histogram(b)) => combined(op, a, b, remark),
        (BinaryOp::Equal | BinaryOp::NotEqual, Cell::Histogram(a), Cell::Histogram(b)) => {
            if a.same_as(b) == (op == BinaryOp::Equal) {
                Outcome::Value(Point::Histogram(a.clone()))
            } else {
                Outcome::False
            }
        }
        _ => meaningless(remark),
    }
}

fn combined(op: BinaryOp, a: &Histogram, b: &Histogram, remark: &mut dyn FnMut(Remark)) -> Outcome {
    let mut out = a.clone();
    let (done, operation) =
        if op == BinaryOp::Add { (out.add(b), Operation::Addition) } else { (out.subtract(b), Operation::Subtraction) };
    let mut note = |note: Note| remark((note.kind(), note.message("")));
    match done {
        Err(Incompatible) => {
            let text = "incompatible bucket layout encountered for binary operator";
            remark((AnnotationKind::Warning, format!("{text} {}", op.symbol())));
            return Outcome::Nothing;
        }
        Ok(Combined { reset_collision: true, .. }) => note(Note::ResetsContradict(operation)),
        Ok(_) => {}
    }
    if done.is_ok_and(|d| d.bounds_reconciled) {
        note(Note::BoundsReconciled(operation));
    }
    if op == BinaryOp::Sub {
        out.reset = CounterReset::Gauge;
    }
    out.compact();
    Outcome::Value(Point::Histogram(Arc::new(out)))
}
