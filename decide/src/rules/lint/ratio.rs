//! Rates taken for fractions, and shares printed as percent. Pure.

use decide_promql::ast::{Binary, BinaryOp, Selector};
use decide_promql::{Expr, ExprKind};
use kernel::series::MatchOp;
use plan_syntax::Level;

use super::Lint;

/// Labels that tell one outcome of a request from another.
const OUTCOME_LABELS: [&str; 8] =
    ["status", "code", "status_code", "http_status", "response_code", "grpc_code", "result", "outcome"];

pub(super) fn lint(one: &mut Lint<'_>) {
    let rule = one.rule;
    let mut comparisons: Vec<(&Expr, &Binary)> = Vec::new();
    rule.query.expr().walk(&mut |e| {
        if let ExprKind::Binary(b) = &e.kind
            && b.op.is_comparison()
        {
            comparisons.push((e, b));
        }
    });
    for (expr, comparison) in &comparisons {
        if let Some((side, bound)) = with_bound(comparison) {
            rate_as_fraction(one, expr, comparison, side, bound);
        }
    }
    let share =
        comparisons.iter().filter_map(|(_, c)| with_bound(c)).find(|(side, bound)| *bound <= 1.0 && is_share(side));
    if let Some((_, bound)) = share {
        ratio_as_percent(one, bound);
    }
}

/// The side that is not a number, and the number, where it lies between 0 and 1.
fn with_bound(c: &Binary) -> Option<(&Expr, f64)> {
    let number = |e: &Expr| match &e.unwrapped().kind {
        ExprKind::Number(n) if n.value > 0.0 && n.value <= 1.0 && !n.duration => Some(n.value),
        _ => None,
    };
    number(&c.right).map(|n| (&c.left, n)).or_else(|| number(&c.left).map(|n| (&c.right, n)))
}

/// A rate per second, perhaps summed: the call, and its selector.
fn rate_of(e: &Expr) -> Option<(&Expr, &Selector)> {
    match &e.unwrapped().kind {
        ExprKind::Call(c) if matches!(c.function.name, "rate" | "irate") => match &c.args.first()?.unwrapped().kind {
            ExprKind::Range(range) => Some((e.unwrapped(), &range.selector)),
            _ => None,
        },
        ExprKind::Aggregate(a) if matches!(a.op.name(), "sum" | "avg" | "max" | "min") => rate_of(&a.expr),
        _ => None,
    }
}

fn rate_as_fraction(one: &mut Lint<'_>, whole: &Expr, comparison: &Binary, side: &Expr, bound: f64) {
    let Some((rate, selector)) = rate_of(side) else { return };
    let outcome = selector.matchers.iter().find(|m| OUTCOME_LABELS.contains(&&*m.name) && !m.value.is_empty());
    let texts = one.nodes.texts.values().filter_map(|n| n.as_text());
    let says_percent =
        texts.map(str::to_lowercase).any(|t| t.contains('%') || t.contains("percent") || t.contains("por ciento"));
    if bound >= 1.0 || (outcome.is_none() && !says_percent) {
        return;
    }
    let text = one.rule.query.text();
    let percent = format!("{} %", crate::deliver::number(bound * 100.0));
    let span = one.in_expr(whole.span);
    let corrected = outcome.map(|label| corrected(text, comparison, side, rate, selector, &label.name));
    let en =
        format!("this compares a rate per second with {bound}: it fires above {bound} per second, not above {percent}");
    let es = format!(
        "esto compara una tasa por segundo con {bound}: se dispara sobre {bound} por segundo, no sobre {percent}"
    );
    let said = one.say(Level::Warning, "rate-as-fraction", span, en, es);
    said.expected = Some(format!("a ratio, where {percent} of all is meant"));
    said.help = Some(match corrected {
        Some(expr) => format!("write `{expr}`"),
        None => "divide by the rate of all of them".to_owned(),
    });
}

/// The same rate as a share of all outcomes.
fn corrected(text: &str, c: &Binary, side: &Expr, rate: &Expr, selector: &Selector, label: &str) -> String {
    let slice = |e: &Expr| text.get(e.span.range()).unwrap_or_default();
    let one_line = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
    let written = one_line(slice(rate));
    let function = written.split('(').next().unwrap_or("rate").trim().to_owned();
    let range = written.rfind('[').map_or("[5m]", |i| written[i..].trim_end_matches(')')).to_owned();
    let all = format!("{function}({}{range})", without(selector, label));
    let side_text = one_line(slice(side.unwrapped()));
    let is_summed = matches!(side.unwrapped().kind, ExprKind::Aggregate(_));
    let share = if is_summed {
        format!("{side_text} / {}", side_text.replace(&written, &all))
    } else {
        format!("sum without ({label}) ({written}) / sum without ({label}) ({all})")
    };
    let (left, right) = (slice(&c.left), slice(&c.right));
    if std::ptr::eq(side, &c.left) {
        format!("{share} {} {right}", c.op.symbol())
    } else {
        format!("{left} {} {share}", c.op.symbol())
    }
}

/// A selector without the conditions on one label.
fn without(selector: &Selector, label: &str) -> String {
    let op = |op| match op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Regex => "=~",
        MatchOp::NotRegex => "!~",
    };
    let kept = selector.matchers.iter().filter(|m| &*m.name != label && &*m.name != kernel::labels::METRIC_NAME);
    let kept: Vec<String> = kept.map(|m| format!("{}{}{:?}", m.name, op(m.op), &*m.value)).collect();
    let name = selector.name.as_deref().unwrap_or_default();
    if kept.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", kept.join(", ")) }
}

/// A share of 0 to 1: a quotient that nothing multiplies by 100.
fn is_share(e: &Expr) -> bool {
    match &e.unwrapped().kind {
        ExprKind::Binary(b) if b.op == BinaryOp::Div => true,
        ExprKind::Binary(b) if b.op == BinaryOp::Sub => {
            let is_one = matches!(&b.left.unwrapped().kind, ExprKind::Number(n) if n.value == 1.0);
            is_one && is_share(&b.right)
        }
        ExprKind::Aggregate(a) => is_share(&a.expr),
        _ => false,
    }
}

fn ratio_as_percent(one: &mut Lint<'_>, bound: f64) {
    let texts: Vec<_> = one.rule.annotations.iter().map(|(name, t)| (name.clone(), t.calls())).collect();
    for (name, printed) in texts {
        let Some(node) = one.nodes.texts.get(&name).cloned() else { continue };
        for p in printed.into_iter().filter(|p| p.value && !p.functions.iter().any(|f| f == "humanizePercentage")) {
            let by_form = p.texts.iter().any(|t| t.trim_end().ends_with("%%"));
            if !by_form && !p.next.trim_start_matches([' ', '\u{a0}']).starts_with('%') {
                continue;
            }
            let span = one.in_text(&node, p.start, p.end);
            let en = format!("this prints a share of 0 to 1 with `%` after it: {bound} would read `{bound}%`");
            let es = format!("esto imprime una proporción de 0 a 1 seguida de `%`: {bound} se leería `{bound}%`");
            let said = one.say(Level::Warning, "ratio-as-percent", span, en, es);
            said.help = Some("write `{{ $value | humanizePercentage }}` and take the `%` after it out".to_owned());
        }
    }
}
