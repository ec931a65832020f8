//! Type checking, with Prometheus's words. Pure.

use kernel::series::Matcher;

use super::ast::{Aggregate, Binary, Call, Expr, ExprKind, Group, Selector, ValueType};
use super::error::ParseError;
use crate::functions::Kind;

type Checked = Result<(), ParseError>;

/// Checks the types of an expression and of everything in it.
pub(crate) fn check(expr: &Expr) -> Checked {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => Ok(()),
        ExprKind::Paren(inner) => check(inner),
        ExprKind::Selector(s) => check_selector(s, expr),
        ExprKind::Range(r) => check_selector(&r.selector, expr),
        ExprKind::Subquery(s) => check(&s.expr),
        ExprKind::Unary(_, inner) => {
            check(inner)?;
            match inner.value_type() {
                ValueType::Scalar | ValueType::Vector => Ok(()),
                other => {
                    let text = other.describe();
                    fail(
                        expr,
                        format!(
                            "unary expression only allowed on expressions of type scalar or instant vector, got {text:?}"
                        ),
                    )
                }
            }
        }
        ExprKind::Binary(b) => check_binary(b, expr),
        ExprKind::Aggregate(a) => check_aggregate(a),
        ExprKind::Call(c) => check_call(c, expr),
    }
}

fn fail(expr: &Expr, message: impl Into<String>) -> Checked {
    Err(ParseError::new(expr.span, message))
}

fn matches_empty(m: &Matcher) -> bool {
    m.matches("")
}

fn check_selector(selector: &Selector, expr: &Expr) -> Checked {
    if selector.matchers.iter().all(matches_empty) {
        return fail(expr, "vector selector must contain at least one non-empty matcher");
    }
    Ok(())
}

fn expect(expr: &Expr, wanted: ValueType, context: &str) -> Checked {
    check(expr)?;
    let found = expr.value_type();
    if found == wanted {
        return Ok(());
    }
    fail(expr, format!("expected type {} in {context}, got {}", wanted.describe(), found.describe()))
}

fn check_aggregate(a: &Aggregate) -> Checked {
    expect(&a.expr, ValueType::Vector, "aggregation expression")?;
    match (&a.param, a.op.param()) {
        (Some(param), Some(ValueType::String)) => expect(param, ValueType::String, "aggregation parameter"),
        (Some(param), Some(_)) => expect(param, ValueType::Scalar, "aggregation parameter"),
        _ => Ok(()),
    }
}

fn check_call(c: &Call, expr: &Expr) -> Checked {
    let f = c.function;
    let (least, most) = f.arity();
    let found = c.args.len();
    let wrong = match most {
        Some(most) if most == least && found != least => Some(format!("expected {least}")),
        _ if found < least => Some(format!("expected at least {least}")),
        Some(most) if found > most => Some(format!("expected at most {most}")),
        _ => None,
    };
    if let Some(expected) = wrong {
        return fail(expr, format!("{expected} argument(s) in call to {:?}, got {found}", f.name));
    }
    let context = format!("call to function {:?}", f.name);
    for (i, arg) in c.args.iter().enumerate() {
        if matches!(f.kind, Kind::Info) && i == 1 {
            check_info_selector(arg)?;
            continue;
        }
        expect(arg, f.param(i), &context)?;
    }
    Ok(())
}

fn check_info_selector(arg: &Expr) -> Checked {
    match &arg.kind {
        ExprKind::Selector(s) if s.name.is_none() => Ok(()),
        ExprKind::Selector(_) => fail(arg, "expected label selectors only, got vector selector instead"),
        _ => fail(arg, "expected label selectors only"),
    }
}

fn check_binary(b: &Binary, expr: &Expr) -> Checked {
    check(&b.left)?;
    check(&b.right)?;
    let (left, right) = (b.left.value_type(), b.right.value_type());
    for (side, ty) in [(&b.left, left), (&b.right, right)] {
        if !matches!(ty, ValueType::Scalar | ValueType::Vector) {
            return fail(side, "binary expression must contain only scalar and instant vector types");
        }
    }
    let scalars = left == ValueType::Scalar && right == ValueType::Scalar;
    if b.op.is_comparison() && scalars && !b.bool_modifier {
        return fail(expr, "comparisons between scalars must use BOOL modifier");
    }
    if b.op.is_set() && b.matching.group != Group::None {
        return fail(expr, format!("no grouping allowed for {:?} operation", b.op.symbol()));
    }
    if left != ValueType::Vector || right != ValueType::Vector {
        if b.matching.labels.is_some() {
            return fail(expr, "vector matching only allowed between instant vectors");
        }
        if b.matching.fill_left.is_some() || b.matching.fill_right.is_some() {
            return fail(expr, "filling in missing series only allowed between instant vectors");
        }
        if b.op.is_set() {
            return fail(expr, format!("set operator {:?} not allowed in binary scalar expression", b.op.symbol()));
        }
    }
    Ok(())
}
