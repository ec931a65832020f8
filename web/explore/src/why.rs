//! Why an alert fires: the comparisons of its expression with the values on both sides at the time of the evaluation. I/O: series.

use decide_promql::ast::{Binary, BinaryOp};
use decide_promql::{Expr, ExprKind, Value, ValueType, format_number};
use kernel::Labels;
use kernel::series::Point;
use web_prometheus::{Asking, When};

use crate::chart::Unit;
use crate::{Site, unit};

/// Comparisons of one expression that are evaluated: more would not be read.
const CONDITIONS: usize = 6;

/// One side of a comparison, evaluated.
#[derive(Clone, Debug, PartialEq)]
enum Side {
    /// The same for all series.
    Number(f64),
    /// A value for each series.
    Series(Vec<(Labels, f64)>),
}

impl Side {
    /// The value that an alert was made from: that of the series whose labels the alert has.
    fn of(&self, alert: &Labels) -> Option<f64> {
        match self {
            Self::Number(v) => Some(*v),
            Self::Series(all) => {
                let fits = |l: &&(Labels, f64)| l.0.iter().all(|(n, v)| alert.get(n) == Some(v));
                all.iter().filter(fits).max_by_key(|l| l.0.len()).map(|l| l.1)
            }
        }
    }
}

/// A comparison with both its sides evaluated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    left: Side,
    op: &'static str,
    right: Side,
    /// The left side as it is written, the right one unless it is a number.
    left_text: String,
    right_text: Option<String>,
    unit: Unit,
}

/// What a reader sees of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// `0.93 > 0.9`
    pub(crate) values: String,
    /// `93% > 90%`, where that reads otherwise.
    pub(crate) readable: Option<String>,
    /// `max(disk_usage_ratio) > limit`
    pub(crate) expression: String,
}

impl Condition {
    /// For one alert; `None` when it has no such series, as with the other side of an `or`.
    pub(crate) fn of(&self, site: &Site, alert: &Labels) -> Option<Shown> {
        let (left, right) = (self.left.of(alert)?, self.right.of(alert)?);
        let exact = format!("{} {} {}", short(left, right), self.op, short(right, left));
        let read = |v: f64| self.unit.format(site.language, v);
        let readable = format!("{} {} {}", read(left), self.op, read(right));
        let right_text = self.right_text.clone().unwrap_or_else(|| format_number(right));
        Some(Shown {
            readable: (readable != exact && self.unit != Unit::Short).then_some(readable),
            values: exact,
            expression: format!("{} {} {right_text}", self.left_text, self.op),
        })
    }
}

/// A number to six digits, to the last one where these would not tell it from the other.
fn short(v: f64, other: f64) -> String {
    let rounded = |v: f64| format!("{v:.5e}").parse().unwrap_or(v);
    let alike = v != other && rounded(v) == rounded(other);
    format_number(if v.is_finite() && !alike { rounded(v) } else { v })
}

/// The comparisons of an expression, evaluated at a time; none where it compares nothing. What cannot be evaluated is left out.
pub(crate) fn conditions(asking: &Asking, expr: &Expr, at_ms: i64) -> Vec<Condition> {
    let mut found = Vec::new();
    comparisons(expr, &mut found);
    let evaluated = found.into_iter().take(CONDITIONS).filter_map(|b| {
        Some(Condition {
            left: side(asking, &b.left, at_ms)?,
            op: b.op.symbol(),
            right: side(asking, &b.right, at_ms)?,
            left_text: b.left.unwrapped().to_string(),
            right_text: (!matches!(b.right.unwrapped().kind, ExprKind::Number(_))).then(|| b.right.to_string()),
            unit: unit::of(&b.left),
        })
    });
    evaluated.collect()
}

/// The comparisons that decide: those joined by `and`, `or`, and what `unless` lets through.
fn comparisons<'e>(expr: &'e Expr, found: &mut Vec<&'e Binary>) {
    match &expr.kind {
        ExprKind::Paren(inner) => comparisons(inner, found),
        ExprKind::Binary(b) if b.op.is_comparison() => found.push(b),
        ExprKind::Binary(b) if matches!(b.op, BinaryOp::And | BinaryOp::Or) => {
            comparisons(&b.left, found);
            comparisons(&b.right, found);
        }
        ExprKind::Binary(b) if b.op == BinaryOp::Unless => comparisons(&b.left, found),
        ExprKind::Aggregate(a) => comparisons(&a.expr, found),
        _ => {}
    }
}

fn side(asking: &Asking, expr: &Expr, at_ms: i64) -> Option<Side> {
    if !matches!(expr.value_type(), ValueType::Scalar | ValueType::Vector) {
        return None;
    }
    match asking.evaluate(expr, When::At(at_ms)).ok()?.value {
        Value::Scalar(sample) => Some(Side::Number(sample.value)),
        Value::Vector(all) => {
            let plain = |labels: Labels| labels.without(|n| n == kernel::labels::METRIC_NAME);
            let number = |s: decide_promql::VectorSample| match s.value {
                Point::Float(v) => Some((plain(s.labels), v)),
                Point::Histogram(_) => None,
            };
            Some(Side::Series(all.into_iter().filter_map(number).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::test_site as site;

    fn found(text: &str) -> Vec<String> {
        let expr = decide_promql::parse(text).unwrap();
        let mut all = Vec::new();
        comparisons(&expr, &mut all);
        all.into_iter().map(|b| format!("{} {} {}", b.left, b.op.symbol(), b.right)).collect()
    }

    #[test]
    fn what_decides_is_found() {
        assert_eq!(found("a > 0.9"), ["a > 0.9"]);
        assert_eq!(found("(a > 1 and on (job) b < c) or d == 0"), ["a > 1", "b < c", "d == 0"]);
        assert_eq!(found("a > 1 unless b > 2"), ["a > 1"]);
        assert_eq!(found("count(a > 1)"), ["a > 1"]);
        assert!(found("absent(up)").is_empty());
    }

    #[test]
    fn numbers_are_as_short_as_tells_them_apart() {
        assert_eq!(
            (short(0.949_928_571_4, 0.9), short(0.900_000_000_1, 0.9)),
            ("0.949929".into(), "0.9000000001".into())
        );
        assert_eq!((short(f64::NAN, 1.0), short(1e9, 1.0)), ("NaN".into(), "1000000000".into()));
    }

    #[test]
    fn a_reader_sees_both_sides() {
        let condition = Condition {
            left: Side::Series(vec![(Labels::new([("host", "a")]), 0.93), (Labels::new([("host", "b")]), 0.95)]),
            op: ">",
            right: Side::Number(0.9),
            left_text: "disk_usage_ratio".into(),
            right_text: None,
            unit: Unit::Ratio,
        };
        let alert = Labels::new([("alertname", "Disk"), ("host", "a"), ("severity", "high")]);
        let shown = condition.of(&site(), &alert).unwrap();
        assert_eq!(shown.values, "0.93 > 0.9");
        assert_eq!(shown.readable.as_deref(), Some("93% > 90%"));
        assert_eq!(shown.expression, "disk_usage_ratio > 0.9");
        assert_eq!(condition.of(&site(), &Labels::new([("host", "c")])), None);
    }
}
