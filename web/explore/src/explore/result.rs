//! Expressions evaluated for a page. I/O: series, on the CPU pool.

use std::time::{Duration, Instant};

use decide_promql::{Annotation, AnnotationKind, Expr, MatrixSeries, Value, ValueType};
use web_prometheus::{Api, Asking, When};

use super::request::Request;
use crate::limits::QUERY_BYTES;
use crate::{Site, unit};

/// What became of one expression.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Which one.
    pub(crate) place: usize,
    /// The tree, when the text is an expression.
    pub(crate) expr: Option<Expr>,
    /// Why there is nothing, the place in the text underlined.
    pub(crate) error: Option<String>,
    /// Warnings and infos.
    pub(crate) remarks: Vec<(AnnotationKind, String)>,
    /// Over the window, where it was asked for and can be.
    pub(crate) over_time: Option<Vec<MatrixSeries>>,
    /// At the end of the window.
    pub(crate) at_end: Option<Value>,
    /// Series and samples read.
    pub(crate) samples: u64,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Outcome {
    /// How many series it gave.
    pub(crate) fn series(&self) -> usize {
        let at_end = match &self.at_end {
            Some(Value::Vector(all)) => all.len(),
            Some(Value::Matrix(all)) => all.len(),
            Some(_) => 1,
            None => 0,
        };
        self.over_time.as_ref().map_or(at_end, Vec::len)
    }
}

/// Evaluates what a request asks for.
pub(crate) async fn evaluate(site: &Site, api: &Api, request: &Request) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = request.active().map(|(place, text)| prepared(site, place, text)).collect();
    let exprs: Vec<(usize, Expr)> =
        outcomes.iter().enumerate().filter_map(|(i, o)| Some((i, o.expr.clone()?))).collect();
    if exprs.is_empty() {
        return outcomes;
    }
    let (window, step_ms, view) = (request.window.clone(), request.step(), request.view);
    let range = When::Range { start_ms: window.start_ms, end_ms: window.end_ms, step_ms };
    let work = move |asking: &Asking| {
        let mut found = Vec::new();
        for (i, expr) in exprs {
            let mut outcome = Outcome::default();
            let began = Instant::now();
            let is_drawn = matches!(expr.value_type(), ValueType::Vector | ValueType::Scalar);
            if view.has_chart() && is_drawn {
                outcome.take(asking.evaluate(&expr, range).map(|e| (e.value, e.annotations, e.stats.samples)), true);
            }
            if outcome.error.is_none() && (view.has_table() || !is_drawn) {
                let at = asking.evaluate(&expr, When::At(window.end_ms));
                outcome.take(at.map(|e| (e.value, e.annotations, e.stats.samples)), false);
            }
            outcome.took = began.elapsed();
            found.push((i, outcome));
        }
        Ok(found)
    };
    match api.work(work).await {
        Ok(found) => {
            for (i, one) in found {
                if let Some(outcome) = outcomes.get_mut(i) {
                    *outcome = Outcome { place: outcome.place, expr: outcome.expr.take(), ..one };
                }
            }
        }
        Err(error) => {
            let why = site.said(error.message()).into_owned();
            outcomes.iter_mut().filter(|o| o.error.is_none()).for_each(|o| o.error = Some(why.clone()));
        }
    }
    for outcome in &mut outcomes {
        if let Some(error) = &outcome.error {
            outcome.error = Some(site.said(error).into_owned());
        }
    }
    outcomes
}

type Answered = (Value, Vec<Annotation>, u64);

impl Outcome {
    fn take(&mut self, answer: Result<Answered, web_prometheus::ApiError>, over_time: bool) {
        match answer {
            Ok((value, annotations, samples)) => {
                self.samples += samples;
                for a in annotations {
                    let remark = (a.kind, format!("{} ({})", a.message, a.span));
                    if !self.remarks.contains(&remark) {
                        self.remarks.push(remark);
                    }
                }
                match (over_time, value) {
                    (true, Value::Matrix(all)) => self.over_time = Some(all),
                    (_, value) => self.at_end = Some(value),
                }
            }
            Err(error) => self.error = Some(error.message().to_owned()),
        }
    }
}

/// Reads an expression; what is wrong with it is shown below it.
fn prepared(site: &Site, place: usize, text: &str) -> Outcome {
    if text.len() > QUERY_BYTES {
        return Outcome { place, error: Some(site.text().explore.too_long.to_owned()), ..Outcome::default() };
    }
    match decide_promql::parse(text) {
        Ok(expr) => Outcome { place, expr: Some(expr), ..Outcome::default() },
        Err(error) => {
            let shown = format!("{}:{}\n{}", error.span.line, error.span.column, error.underlined(text));
            Outcome { place, error: Some(shown), ..Outcome::default() }
        }
    }
}

/// The unit of all of them, when they agree.
pub(crate) fn unit_of(outcomes: &[Outcome]) -> crate::chart::Unit {
    let mut units = outcomes.iter().filter_map(|o| o.expr.as_ref()).map(unit::of);
    let first = units.next().unwrap_or_default();
    if units.all(|u| u == first) { first } else { crate::chart::Unit::Short }
}
