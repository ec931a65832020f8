//! Series selectors in parameters, and those inside of an expression. Pure.

use decide_promql::{Expr, ExprKind, parse};
use kernel::labels::METRIC_NAME;
use kernel::series::{MatchOp, Matcher};

use crate::error::ApiError;
use crate::params::Params;

/// Reads an expression.
pub(crate) fn expression(text: &str) -> Result<Expr, String> {
    parse(text).map_err(|e| located(text, &e.to_string()))
}

/// An empty text has no positions: Prometheus says so.
fn located(text: &str, error: &str) -> String {
    match error.split_once(": parse error") {
        Some((_, rest)) if text.is_empty() => format!("unknown position: parse error{rest}"),
        _ => error.to_owned(),
    }
}

/// The matchers of a series selector. Other than in an expression they may all match what is empty: `{}` selects everything.
pub(crate) fn selector(text: &str) -> Result<Vec<Matcher>, String> {
    let expr = match expression(text) {
        Ok(expr) => expr,
        Err(why) => return selector_of_everything(text).ok_or(why),
    };
    match expr.kind {
        ExprKind::Selector(s) if s.extend.is_none() && s.shift.offset.is_none() && s.shift.at.is_none() => {
            Ok(s.matchers)
        }
        _ => Err(format!("{}: parse error: unexpected expression, expected a series selector", expr.span)),
    }
}

/// The matchers of a selector that no expression may have, read with one more that makes it one.
fn selector_of_everything(text: &str) -> Option<Vec<Matcher>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim().trim_end_matches(',');
    let expr = parse(&format!("{{{inner}{}__name__!=\"\"}}", if inner.is_empty() { "" } else { "," })).ok()?;
    let ExprKind::Selector(mut selector) = expr.kind else { return None };
    let added = selector.matchers.iter().rposition(|m| &*m.name == METRIC_NAME && m.op == MatchOp::NotEqual)?;
    selector.matchers.remove(added);
    Some(selector.matchers)
}

/// All `match[]` of a request; each must ask for something.
pub(crate) fn selectors(params: &Params) -> Result<Vec<Vec<Matcher>>, ApiError> {
    let all: Result<Vec<_>, String> = params.all("match[]").map(selector).collect();
    let all = all.map_err(ApiError::bad)?;
    if all.iter().any(|matchers| matchers.iter().all(|m| m.matches(""))) {
        return Err(ApiError::bad("match[] must contain at least one non-empty matcher"));
    }
    Ok(all)
}

/// The matchers of every selector in an expression.
pub(crate) fn inside(expr: &Expr) -> Vec<Vec<Matcher>> {
    let mut all = Vec::new();
    expr.walk(&mut |part| match &part.kind {
        ExprKind::Selector(s) => all.push(s.matchers.clone()),
        ExprKind::Range(r) => all.push(r.selector.matchers.clone()),
        _ => {}
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_selectors_and_nothing_else() {
        assert_eq!(selector("up{job=\"a\"}").unwrap().len(), 2);
        assert_eq!(selector(" { } ").unwrap().len(), 0);
        assert_eq!(selector("{job=~\".*\",}").unwrap().len(), 1);
        assert_eq!(selector("{__name__!=\"a\",job=\"\"}").unwrap().len(), 2);
        for text in ["sum(up)", "up offset 5m", "up[5m]", "1", "up @ 3", ""] {
            assert!(selector(text).is_err(), "{text}");
        }
        assert!(selector("").unwrap_err().starts_with("unknown position: parse error: "));
    }

    #[test]
    fn an_expression_has_the_selectors_of_all_its_parts() {
        let expr = expression("rate(a{x=\"1\"}[5m]) / b + sum(max_over_time(c[1h:5m]))").unwrap();
        let names: Vec<String> = inside(&expr).iter().map(|m| m.last().unwrap().value.to_string()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
    }
}
