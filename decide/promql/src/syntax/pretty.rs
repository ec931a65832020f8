//! The tree as text for people: on several lines where one would be too long, as Prometheus's `format_query` does it. Pure.

use std::fmt::Write as _;

use super::ast::{Expr, ExprKind};
use super::display::{SubqueryEnd, aggregate_head, binary_head};

/// Lines are kept this short where that is possible.
const WIDTH: usize = 100;

const INDENT: &str = "  ";

/// An expression in its canonical form, cut into indented lines where a part is longer than 100 bytes.
pub fn pretty(expr: &Expr) -> String {
    let mut out = String::new();
    write(expr, 0, &mut out);
    out
}

fn indent(level: usize, out: &mut String) {
    (0..level).for_each(|_| out.push_str(INDENT));
}

/// A part in brackets of their own lines.
fn bracketed(head: &str, parts: &[&Expr], level: usize, out: &mut String) {
    indent(level, out);
    out.push_str(head);
    out.push_str("(\n");
    for (i, part) in parts.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ",\n" });
        write(part, level + 1, out);
    }
    out.push('\n');
    indent(level, out);
    out.push(')');
}

fn write(expr: &Expr, level: usize, out: &mut String) {
    let line = expr.to_string();
    match &expr.kind {
        // A sign stands directly before what it belongs to.
        ExprKind::Unary(sign, inner) => {
            indent(level, out);
            let _ = write!(out, "{sign}");
            let mut rest = String::new();
            write(inner, level, &mut rest);
            out.push_str(rest.trim());
        }
        _ if line.len() <= WIDTH => {
            // As in Prometheus, a short subquery is never indented.
            if !matches!(expr.kind, ExprKind::Subquery(_)) {
                indent(level, out);
            }
            out.push_str(&line);
        }
        ExprKind::Paren(inner) => bracketed("", &[inner], level, out),
        ExprKind::Call(c) => bracketed(c.function.name, &c.args.iter().collect::<Vec<_>>(), level, out),
        ExprKind::Aggregate(a) => {
            let parts: Vec<&Expr> = a.param.iter().chain([&a.expr]).collect();
            bracketed(&aggregate_head(a), &parts, level, out);
        }
        ExprKind::Binary(b) => {
            write(&b.left, level + 1, out);
            out.push('\n');
            indent(level, out);
            out.push_str(&binary_head(b));
            out.push('\n');
            write(&b.right, level + 1, out);
        }
        ExprKind::Subquery(s) => {
            write(&s.expr, level, out);
            let _ = write!(out, "{}", SubqueryEnd(s));
        }
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Selector(_) | ExprKind::Range(_) => {
            indent(level, out);
            out.push_str(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn short_ones_stay_on_one_line() {
        assert_eq!(pretty(&parse("sum(rate(a[5m]))by(job)").unwrap()), "sum by (job) (rate(a[5m]))");
    }

    #[test]
    fn long_ones_are_cut() {
        let text = "histogram_quantile(0.99, sum by (le, cluster, namespace) (rate(http_request_duration_seconds_bucket\
                    {code=\"500\",job=\"api\"}[5m]))) / on (cluster) group_left -sum by (cluster) (rate(requests_total[5m]))";
        let expect = "  histogram_quantile(
    0.99,
    sum by (le, cluster, namespace) (
      rate(http_request_duration_seconds_bucket{code=\"500\",job=\"api\"}[5m])
    )
  )
/ on (cluster) group_left ()
  -sum by (cluster) (rate(requests_total[5m]))";
        let formatted = pretty(&parse(text).unwrap());
        assert_eq!(formatted, expect);
        assert_eq!(pretty(&parse(&formatted).unwrap()), expect);
    }
}
