//! Expressions that `@` makes the same at all times: evaluated once. Pure.

use crate::functions::Kind;
use crate::syntax::ast::{Expr, ExprKind};

/// Whether an expression has the same value at all times, and reads series, so that once is cheaper.
pub(super) fn is_worth_it(expr: &Expr) -> bool {
    let mut reads = false;
    let selects = |e: &Expr| matches!(e.kind, ExprKind::Selector(_) | ExprKind::Range(_) | ExprKind::Subquery(_));
    expr.walk(&mut |e| reads |= selects(e));
    reads && is_invariant(expr)
}

fn is_invariant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => true,
        ExprKind::Selector(s) => s.shift.at.is_some(),
        ExprKind::Range(r) => r.selector.shift.at.is_some(),
        ExprKind::Subquery(s) => s.shift.at.is_some(),
        ExprKind::Call(c) => {
            let depends_on_now = matches!(c.function.kind, Kind::Time | Kind::Timestamp | Kind::Date(_))
                || c.function.name == "predict_linear";
            !depends_on_now && c.args.iter().all(is_invariant)
        }
        _ => expr.children().into_iter().all(is_invariant),
    }
}
