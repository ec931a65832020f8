//! What the values of an expression most likely are. Pure.

use decide_promql::ast::{AggregateOp, BinaryOp, Call};
use decide_promql::{Expr, ExprKind, ValueType};

use crate::chart::Unit;

/// Functions that give so much a second.
const RATES: [&str; 3] = ["rate", "irate", "deriv"];

/// Functions that keep what their argument is.
const KEEP: [&str; 19] = [
    "abs",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "delta",
    "floor",
    "idelta",
    "increase",
    "label_join",
    "label_replace",
    "predict_linear",
    "round",
    "sort",
    "sort_by_label",
    "sort_by_label_desc",
    "sort_desc",
    "double_exponential_smoothing",
    "info",
];

/// Functions over histograms that give what was observed.
const OBSERVED: [&str; 4] = ["histogram_avg", "histogram_quantile", "histogram_quantiles", "histogram_stddev"];

/// The unit of an expression's values, by the names of its metrics and what is done to them.
pub(crate) fn of(expr: &Expr) -> Unit {
    match &expr.kind {
        ExprKind::Selector(s) => s.name.as_deref().map_or(Unit::Short, |name| Unit::guess(name, false)),
        ExprKind::Range(r) => r.selector.name.as_deref().map_or(Unit::Short, |name| Unit::guess(name, false)),
        ExprKind::Subquery(s) => of(&s.expr),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => of(inner),
        ExprKind::Aggregate(a) => match a.op {
            AggregateOp::Count | AggregateOp::CountValues | AggregateOp::Group | AggregateOp::Stdvar => Unit::Short,
            _ => of(&a.expr),
        },
        ExprKind::Call(c) => of_call(c),
        ExprKind::Binary(b) => {
            let (left, right) = (of(&b.left), of(&b.right));
            match b.op {
                _ if b.bool_modifier => Unit::Short,
                op if op.is_comparison() || op.is_set() => left,
                BinaryOp::Add | BinaryOp::Sub if b.right.value_type() == ValueType::Scalar => left,
                BinaryOp::Add | BinaryOp::Sub if b.left.value_type() == ValueType::Scalar => right,
                BinaryOp::Add | BinaryOp::Sub if left == right => left,
                _ => Unit::Short,
            }
        }
        _ => Unit::Short,
    }
}

fn of_call(call: &Call) -> Unit {
    let name = call.function.name;
    let argument = call.args.iter().find(|a| matches!(a.value_type(), ValueType::Vector | ValueType::Matrix));
    let Some(argument) = argument else { return Unit::Short };
    if RATES.contains(&name) {
        return metric(argument).map_or(Unit::PerSecond, |m| Unit::guess(m, true));
    }
    if OBSERVED.contains(&name) {
        return metric(argument).map_or(Unit::Short, |m| Unit::guess(m, false));
    }
    let counts = matches!(name, "count_over_time" | "present_over_time" | "absent_over_time" | "stdvar_over_time");
    let keeps = KEEP.contains(&name) || (name.ends_with("_over_time") && !counts && !name.starts_with("ts_of_"));
    if keeps { of(argument) } else { Unit::Short }
}

/// The first metric named in an expression.
pub(crate) fn metric(expr: &Expr) -> Option<&str> {
    let mut found = None;
    expr.walk(&mut |part| {
        let name = match &part.kind {
            ExprKind::Selector(s) => s.name.as_deref(),
            ExprKind::Range(r) => r.selector.name.as_deref(),
            _ => None,
        };
        found = found.or(name);
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_what_is_done() {
        let check = |text: &str, expect: Unit| assert_eq!(of(&decide_promql::parse(text).unwrap()), expect, "{text}");
        check("node_memory_MemFree_bytes", Unit::Bytes);
        check("sum by (device) (rate(node_network_receive_bytes_total[5m]))", Unit::BytesPerSecond);
        check("rate(node_cpu_seconds_total[5m])", Unit::Short);
        check("histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", Unit::Seconds);
        check("max_over_time(disk_usage_ratio[1h]) > 0.9", Unit::Ratio);
        check("a_bytes / b_bytes", Unit::Short);
        check("a_bytes - b_bytes", Unit::Bytes);
        check("count(up)", Unit::Short);
        check("increase(http_requests_total[1h])", Unit::Short);
    }
}
