//! An expression with `@ t` on all that has no fixed time yet: at one time that changes nothing.

use decide_promql::Expr;
use decide_promql::ast::{At, ExprKind, Shift};

/// What these give depends on when they are evaluated, not only on their arguments.
const UNPINNABLE: &[&str] = &[
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "end",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "timestamp",
    "start_timestamp",
    "year",
];

/// `None` where that would change the meaning.
pub(crate) fn pinned(expr: &Expr, t_ms: i64) -> Option<Expr> {
    let mut out = expr.clone();
    pin(&mut out, t_ms).then_some(out)
}

fn fix(shift: &mut Shift, t_ms: i64) {
    if !matches!(shift.at, Some(At::Time(_))) {
        shift.at = Some(At::Time(t_ms));
    }
}

fn pin(expr: &mut Expr, t: i64) -> bool {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => true,
        ExprKind::Selector(s) => {
            fix(&mut s.shift, t);
            true
        }
        ExprKind::Range(r) => {
            fix(&mut r.selector.shift, t);
            true
        }
        ExprKind::Subquery(s) => {
            fix(&mut s.shift, t);
            true
        }
        ExprKind::Unary(_, e) | ExprKind::Paren(e) => pin(e, t),
        ExprKind::Binary(b) => pin(&mut b.left, t) && pin(&mut b.right, t),
        ExprKind::Aggregate(a) => pin(&mut a.expr, t) && a.param.as_mut().is_none_or(|p| pin(p, t)),
        ExprKind::Call(c) => {
            // The second argument of `info` is no selector of its own.
            let selectors = if c.function.name == "info" { 1 } else { c.args.len() };
            !UNPINNABLE.contains(&c.function.name) && c.args.iter_mut().take(selectors).all(|a| pin(a, t))
        }
        _ => false,
    }
}
