//! Runs a script against the evaluator.

use decide_promql::memory::MemoryReader;
use decide_promql::{Evaluated, Expr, ExprKind, Limits, Query, Value, VectorSample, evaluate, parse};
use kernel::Labels;
use kernel::series::{Matcher, Point};

use super::compare::{check, check_value};
use super::parse::{Command, Eval, parse_script};

pub(crate) enum Outcome {
    Passed,
    Failed(String),
    /// Failed, but asks for a native histogram.
    Native(#[allow(dead_code)] String),
}

pub(crate) struct Case {
    pub(crate) line: usize,
    pub(crate) expr: String,
    pub(crate) outcome: Outcome,
}

#[derive(Default)]
struct World {
    reader: MemoryReader,
    /// Series that hold native histograms.
    native: Vec<Labels>,
}

pub(crate) fn run_script(text: &str) -> Vec<Case> {
    let mut world = World::default();
    let mut cases = Vec::new();
    for (line, command) in parse_script(text) {
        let failed = |why| Case { line, expr: String::new(), outcome: Outcome::Failed(why) };
        match command {
            Ok(Command::Clear) => world = World::default(),
            Ok(Command::Load { step_ms, series, histograms }) => world.load(step_ms, series, histograms),
            Ok(Command::Eval(eval)) => cases.push(world.case(&eval)),
            Err(why) => cases.push(failed(why)),
        }
    }
    cases
}

impl World {
    fn load(&mut self, step_ms: i64, series: Vec<(Labels, Vec<Option<Point>>)>, histograms: bool) {
        for (labels, items) in series {
            let mut samples = Vec::new();
            for (i, item) in items.iter().enumerate() {
                match item {
                    Some(Point::Float(v)) => samples.push((i as i64 * step_ms, *v)),
                    Some(Point::Histogram(_)) if !self.native.contains(&labels) => self.native.push(labels.clone()),
                    _ => {}
                }
            }
            if histograms {
                let name = labels.name().to_owned();
                let base = ["_bucket", "_count", "_sum"].iter().find_map(|s| name.strip_suffix(s));
                self.native.extend(base.map(|b| labels.with("__name__", b).with("le", "")));
            }
            if !samples.is_empty() {
                self.reader.add(labels, &samples);
            }
        }
    }

    fn case(&self, eval: &Eval) -> Case {
        let (line, text) = (eval.line, eval.expr.clone());
        let outcome = match parse(&text) {
            Ok(expr) => match self.judge(eval, &expr) {
                Ok(()) => Outcome::Passed,
                Err(why) if self.touches_native(&expr) => Outcome::Native(why),
                Err(why) => Outcome::Failed(why),
            },
            Err(e) => Outcome::Failed(format!("does not parse: {e}")),
        };
        Case { line, expr: text, outcome }
    }

    fn judge(&self, eval: &Eval, expr: &Expr) -> Result<(), String> {
        let limits = Limits::default();
        let query = match eval.step_ms {
            Some(step) => Query::range(expr, eval.start_ms, eval.end_ms, step),
            None => Query::instant(expr, eval.start_ms),
        };
        let result = evaluate(&query, &self.reader, &limits);
        check(eval, &result)?;
        if let (Ok(Evaluated { value: Value::Vector(_) | Value::Scalar(_), .. }), None) = (&result, eval.step_ms) {
            self.judge_as_range(eval, expr)?;
        }
        let again = parse(&expr.to_string()).map_err(|e| format!("prints as {expr}, which does not parse: {e}"))?;
        if again.to_string() == expr.to_string() { Ok(()) } else { Err(format!("prints as {expr}, then as {again}")) }
    }

    /// An instant query gives what the same time of a range query gives.
    fn judge_as_range(&self, eval: &Eval, expr: &Expr) -> Result<(), String> {
        let depends_on_range = ["start()", "end()", "step()", "range()", "sort"].iter().any(|f| eval.expr.contains(f));
        if depends_on_range || eval.fail.is_some() {
            return Ok(());
        }
        let (t, minute) = (eval.start_ms, 60_000);
        let query = Query::range(expr, t - minute, t + 2 * minute, minute);
        // Other times may fail where this one does not.
        let Ok(found) = evaluate(&query, &self.reader, &Limits::default()) else { return Ok(()) };
        let Value::Matrix(matrix) = found.value else { return Err("a range query gave no matrix".to_owned()) };
        let at = matrix.into_iter().filter_map(|m| {
            let sample = m.samples.into_iter().find(|s| s.t_ms == t)?;
            Some(VectorSample { labels: m.labels, sample })
        });
        let vector: Vec<VectorSample> = at.collect();
        let value = match eval.scalar {
            Some(_) => Value::Scalar(vector.first().ok_or("no point for the scalar")?.sample),
            None => Value::Vector(vector),
        };
        let unordered =
            Eval { ordered: false, scalar: eval.scalar, series: eval.series.clone(), start_ms: t, ..Eval::default() };
        check_value(&unordered, &value).map_err(|why| format!("as a range query: {why}"))
    }

    fn touches_native(&self, expr: &Expr) -> bool {
        let mut touches = false;
        expr.walk(&mut |e| {
            let matchers: &[Matcher] = match &e.kind {
                ExprKind::Selector(s) => &s.matchers,
                ExprKind::Range(r) => &r.selector.matchers,
                _ => &[],
            };
            touches |= !matchers.is_empty()
                && self.native.iter().any(|labels| matchers.iter().all(|m| m.matches_labels(labels)));
        });
        touches
    }
}
