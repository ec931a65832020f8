//! Runs a script against the evaluator: each expression as it is written, and, as Prometheus's own runner does,
//! instant ones also as range queries and with their time fixed by `@`.

use decide_promql::memory::MemoryReader;
use decide_promql::{Evaluated, Expr, Limits, Query, Value, evaluate, parse};

use super::compare::{check, check_series, check_value, series_of};
use super::parse::{Command, Eval, parse_script};
use super::pin::pinned;

pub(crate) struct Case {
    pub(crate) line: usize,
    pub(crate) expr: String,
    pub(crate) failed: Option<String>,
}

pub(crate) fn run_script(text: &str) -> Vec<Case> {
    let mut reader = MemoryReader::default();
    let mut cases = Vec::new();
    for (line, command) in parse_script(text) {
        match command {
            Ok(Command::Clear) => reader = MemoryReader::default(),
            Ok(Command::Load(load)) => load.into(&mut reader),
            Ok(Command::Eval(eval)) => {
                let failed = judge(&eval, &reader).err();
                cases.push(Case { line: eval.line, expr: eval.expr.clone(), failed });
            }
            Err(why) => cases.push(Case { line, expr: String::new(), failed: Some(why) }),
        }
    }
    cases
}

fn judge(eval: &Eval, reader: &MemoryReader) -> Result<(), String> {
    let expr = &match parse(&eval.expr) {
        Ok(expr) => expr,
        Err(e) => return Err(format!("does not parse: {e}")),
    };
    let query = match eval.step_ms {
        Some(step) => Query::range(expr, eval.start_ms, eval.end_ms, step),
        None => Query::instant(expr, eval.start_ms),
    };
    let result = evaluate(&query, reader, &Limits::default());
    check(eval, &result)?;
    if eval.step_ms.is_none() {
        if let Ok(Evaluated { value: Value::Vector(_) | Value::Scalar(_), .. }) = &result {
            judge_as_range(eval, expr, eval.start_ms, reader)?;
        }
        if let (Some(pinned), Ok(_)) = (pinned(expr, eval.start_ms), &result) {
            judge_pinned(eval, &pinned, reader)?;
        }
    }
    let again = parse(&expr.to_string()).map_err(|e| format!("prints as {expr}, which does not parse: {e}"))?;
    let lines = decide_promql::pretty(expr);
    if parse(&lines).map_err(|e| format!("{lines} does not parse: {e}"))?.to_string() != expr.to_string() {
        return Err(format!("is cut into lines as {lines}"));
    }
    if again.to_string() == expr.to_string() { Ok(()) } else { Err(format!("prints as {expr}, then as {again}")) }
}

/// With its time fixed, an expression gives the same at any time.
fn judge_pinned(eval: &Eval, pinned: &Expr, reader: &MemoryReader) -> Result<(), String> {
    let t = eval.start_ms;
    let times = if t == 0 { vec![-1000, 0, 1000] } else { vec![-10 * t, 0, t / 5, t, 10 * t] };
    for other in times {
        let said = |why: String| format!("with @, as {pinned} at {other} ms: {why}");
        let again = evaluate(&Query::instant(pinned, other), reader, &Limits::default());
        let found = again.map_err(|e| said(e.to_string()))?;
        match &found.value {
            Value::Vector(_) => check_series(eval, series_of(&found.value), &[other]).map_err(said)?,
            value => check_value(eval, value).map_err(said)?,
        }
        judge_as_range(eval, pinned, other, reader).map_err(said)?;
    }
    Ok(())
}

/// An instant query gives what the same time of a range query gives.
fn judge_as_range(eval: &Eval, expr: &Expr, t: i64, reader: &MemoryReader) -> Result<(), String> {
    let context = ["start()", "end()", "step()", "range()"].iter().any(|f| eval.expr.contains(f));
    if context || eval.fail.is_some() || eval.range_vector.is_some() || eval.string.is_some() || eval.ordered {
        return Ok(());
    }
    let as_range = |why| format!("as a range query: {why}");
    let query = Query::range(expr, t - 60_000, t + 60_000, 60_000);
    let found = evaluate(&query, reader, &Limits::default()).map_err(|e| as_range(e.to_string()))?;
    let mut at: Vec<_> = series_of(&found.value);
    at.iter_mut().for_each(|(_, points)| points.retain(|x, _| *x == t));
    at.retain(|(_, points)| !points.is_empty());
    if let Some(v) = eval.scalar {
        let series = vec![(kernel::Labels::default(), vec![Some(kernel::series::Point::Float(v))])];
        return check_series(&Eval { series, ..Eval::default() }, at, &[t]).map_err(as_range);
    }
    let unordered = Eval { series: eval.series.clone(), ..Eval::default() };
    check_series(&unordered, at, &[t]).map_err(as_range)
}
