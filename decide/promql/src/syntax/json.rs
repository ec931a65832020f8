//! The tree as JSON, as Prometheus's `/api/v1/parse_query` gives it. Pure.

use kernel::series::{MatchOp, Matcher};
use serde_json::{Value, json};

use super::ast::{
    At, Binary, BinaryOp, Duration, DurationKind, Expr, ExprKind, Extend, Group, Selector, Shift, Sign, ValueType,
};
use super::literal::format_number;
use crate::functions::Function;

/// The tree of an expression, with Prometheus's names of types and fields.
pub fn to_json(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Number(n) => json!({"type": "numberLiteral", "val": format_number(n.value)}),
        ExprKind::String(text) => json!({"type": "stringLiteral", "val": text.value}),
        ExprKind::Selector(s) => {
            let mut out = selector(s);
            out["type"] = json!("vectorSelector");
            out
        }
        ExprKind::Range(r) => {
            let mut out = selector(&r.selector);
            out["type"] = json!("matrixSelector");
            out["range"] = milliseconds(Some(&r.range));
            out["rangeExpr"] = computed(Some(&r.range));
            out
        }
        ExprKind::Subquery(s) => {
            let mut out = shift(&s.shift);
            out["type"] = json!("subquery");
            out["expr"] = to_json(&s.expr);
            out["range"] = milliseconds(Some(&s.range));
            out["rangeExpr"] = computed(Some(&s.range));
            out["step"] = milliseconds(s.step.as_ref());
            out["stepExpr"] = computed(s.step.as_ref());
            out
        }
        ExprKind::Unary(sign, inner) => json!({"type": "unaryExpr", "op": symbol(*sign), "expr": to_json(inner)}),
        ExprKind::Paren(inner) => json!({"type": "parenExpr", "expr": to_json(inner)}),
        ExprKind::Binary(b) => json!({
            "type": "binaryExpr",
            "op": b.op.symbol(),
            "lhs": to_json(&b.left),
            "rhs": to_json(&b.right),
            "matching": matching(b),
            "bool": b.bool_modifier,
        }),
        ExprKind::Aggregate(a) => json!({
            "type": "aggregation",
            "op": a.op.name(),
            "expr": to_json(&a.expr),
            "param": a.param.as_ref().map(to_json),
            "grouping": a.grouping.labels,
            "without": a.grouping.without,
        }),
        ExprKind::Call(c) => json!({
            "type": "call",
            "func": function(c.function),
            "args": c.args.iter().map(to_json).collect::<Vec<_>>(),
        }),
    }
}

fn symbol(sign: Sign) -> &'static str {
    if sign == Sign::Plus { "+" } else { "-" }
}

fn type_name(ty: ValueType) -> &'static str {
    match ty {
        ValueType::Scalar => "scalar",
        ValueType::Vector => "vector",
        ValueType::Matrix => "matrix",
        ValueType::String => "string",
    }
}

fn function(f: &Function) -> Value {
    let variadic = if f.repeats { -1 } else { f.optional as i64 };
    let types: Vec<&str> = f.params.iter().map(|ty| type_name(*ty)).collect();
    json!({"name": f.name, "argTypes": types, "variadic": variadic, "returnType": type_name(f.returns)})
}

/// Two vectors are matched; with a scalar nothing is.
fn matching(b: &Binary) -> Value {
    if b.left.value_type() != ValueType::Vector || b.right.value_type() != ValueType::Vector {
        return Value::Null;
    }
    let m = &b.matching;
    let card = match m.group {
        _ if b.op.is_set() => "many-to-many",
        Group::None => "one-to-one",
        Group::Left => "many-to-one",
        Group::Right => "one-to-many",
    };
    json!({
        "card": card,
        "labels": m.labels.clone().unwrap_or_default(),
        "on": m.on,
        "include": m.include,
        "fillValues": {"lhs": m.fill_left, "rhs": m.fill_right},
    })
}

fn shift(shift: &Shift) -> Value {
    let (timestamp, start_or_end) = match shift.at {
        None => (None, None),
        Some(At::Start) => (None, Some("start")),
        Some(At::End) => (None, Some("end")),
        Some(At::Time(ms)) => (Some(ms), None),
    };
    json!({
        "offset": milliseconds(shift.offset.as_ref()),
        "offsetExpr": computed(shift.offset.as_ref()),
        "timestamp": timestamp,
        "startOrEnd": start_or_end,
    })
}

fn selector(s: &Selector) -> Value {
    let mut out = shift(&s.shift);
    out["name"] = json!(s.name.as_deref().unwrap_or_default());
    out["matchers"] = s.matchers.iter().map(matcher).collect();
    out["anchored"] = json!(s.extend == Some(Extend::Anchored));
    out["smoothed"] = json!(s.extend == Some(Extend::Smoothed));
    out
}

fn matcher(m: &Matcher) -> Value {
    let op = match m.op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Regex => "=~",
        MatchOp::NotRegex => "!~",
    };
    json!({"name": &*m.name, "value": &*m.value, "type": op})
}

/// A duration that is written as a number, in milliseconds; 0 for one that has to be computed, or none.
fn milliseconds(d: Option<&Duration>) -> Value {
    json!(d.and_then(Duration::literal).map_or(0, |seconds| (seconds * 1000.0) as i64))
}

/// The tree of a duration that has to be computed.
fn computed(d: Option<&Duration>) -> Value {
    d.filter(|d| d.literal().is_none()).map_or(Value::Null, |d| duration(d, false))
}

fn duration(d: &Duration, wrapped: bool) -> Value {
    let node = |op: &str, lhs: Value, rhs: Value| json!({"type": "durationExpr", "op": op, "lhs": lhs, "rhs": rhs, "wrapped": wrapped});
    let inner = |d: &Duration| duration(d, false);
    match &d.kind {
        DurationKind::Literal(n) => {
            json!({"type": "numberLiteral", "val": format_number(n.value), "duration": n.duration})
        }
        DurationKind::Step => node("step", Value::Null, Value::Null),
        DurationKind::Range => node("range", Value::Null, Value::Null),
        DurationKind::Signed(sign, d) => node(symbol(*sign), Value::Null, inner(d)),
        DurationKind::Binary(op, a, b) => node(BinaryOp::symbol(*op), inner(a), inner(b)),
        DurationKind::Min(a, b) => node("min_of", inner(a), inner(b)),
        DurationKind::Max(a, b) => node("max_of", inner(a), inner(b)),
        DurationKind::Paren(d) => duration(d, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn check(text: &str, expect: Value) {
        let got = to_json(&parse(text).unwrap());
        assert_eq!(got, expect, "{text}: {got:#}");
    }

    #[test]
    fn selectors() {
        let up = json!([
            {"name": "job", "value": "a", "type": "=~"},
            {"name": "__name__", "value": "up", "type": "="},
        ]);
        check(
            r#"up{job=~"a"} offset 5m @ 1.5"#,
            json!({
                "type": "vectorSelector", "name": "up", "matchers": up, "offset": 300_000, "offsetExpr": null,
                "timestamp": 1500, "startOrEnd": null, "anchored": false, "smoothed": false,
            }),
        );
        let found = to_json(&parse("up[5m + step()] smoothed @ start()").unwrap());
        assert_eq!(
            (&found["range"], &found["startOrEnd"], &found["smoothed"]),
            (&json!(0), &json!("start"), &json!(true))
        );
        assert_eq!(
            found["rangeExpr"],
            json!({
                "type": "durationExpr", "op": "+", "wrapped": false,
                "lhs": {"type": "numberLiteral", "val": "300", "duration": true},
                "rhs": {"type": "durationExpr", "op": "step", "lhs": null, "rhs": null, "wrapped": false},
            })
        );
    }

    #[test]
    fn operators_and_calls() {
        let found = to_json(&parse("sum by (a) (x) / on (a) group_left (b) fill_right (0) y").unwrap());
        assert_eq!(found["lhs"]["grouping"], json!(["a"]));
        assert_eq!(
            found["matching"],
            json!({"card": "many-to-one", "labels": ["a"], "on": true, "include": ["b"], "fillValues": {"lhs": null, "rhs": 0.0}})
        );
        check(
            "-time() ^ 2",
            json!({
                "type": "unaryExpr", "op": "-",
                "expr": {
                    "type": "binaryExpr", "op": "^", "matching": null, "bool": false,
                    "lhs": {
                        "type": "call", "args": [],
                        "func": {"name": "time", "argTypes": [], "variadic": 0, "returnType": "scalar"},
                    },
                    "rhs": {"type": "numberLiteral", "val": "2"},
                },
            }),
        );
        let found = to_json(&parse("label_join(up, \"a\", \"-\")").unwrap());
        assert_eq!(found["func"]["variadic"], json!(-1));
    }
}
