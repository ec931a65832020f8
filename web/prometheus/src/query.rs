//! Expressions: evaluated, formatted, taken apart. I/O: CPU pool, series.

use std::time::{Duration, Instant};

use axum::response::Response;
use bytes::Bytes;
use decide_promql::{
    Annotation, AnnotationKind, Control, EvalError, Evaluated, Expr, ExprKind, Limits, Query, Value,
    evaluate_cancellable, evaluate_explained, pretty, to_json,
};
use kernel::series::{Select, SeriesReader};

use crate::answer::{Answer, Api, TRUNCATED, json, success, too_large};
use crate::error::{ApiError, ErrorKind};
use crate::gate::Turn;
use crate::json::{Answered, Stats, size, write_answer};
use crate::limits::{ANSWER_BYTES, HELD_POINTS, QUERY_STEPS, REMARKS, SMALL_SAMPLES, SMALL_SERIES, SMALL_STEPS};
use crate::params::{Params, duration_of, parse_duration};
use crate::selectors::expression;

/// When to evaluate, milliseconds.
#[derive(Clone, Copy)]
enum When {
    /// Once.
    At(i64),
    /// From start to end.
    Range { start: i64, end: i64, step: i64 },
}

/// `GET|POST /api/v1/query`
pub(crate) async fn query(api: Api, params: Params) -> Answer {
    let limit = params.limit()?;
    let at = params.time_or("time", api.now().as_millis())?;
    evaluate(&api, &params, When::At(at), limit).await
}

/// `GET|POST /api/v1/query_range`
pub(crate) async fn query_range(api: Api, params: Params) -> Answer {
    let limit = params.limit()?;
    let (start, end) = (params.time("start")?, params.time("end")?);
    if end < start {
        return Err(ApiError::parameter("end", "end timestamp must not be before start time"));
    }
    let step = parse_duration(params.text("step")).map_err(|e| ApiError::parameter("step", e))?;
    if step <= 0 {
        let why = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(ApiError::parameter("step", why));
    }
    let steps = i128::from(end - start) * 1_000_000 / i128::from(step);
    if steps > i128::from(QUERY_STEPS) {
        return Err(ApiError::bad(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ));
    }
    // Times are whole milliseconds, so steps are.
    let when = When::Range { start, end, step: (step / 1_000_000).max(1) };
    evaluate(&api, &params, when, limit).await
}

async fn evaluate(api: &Api, params: &Params, when: When, limit: Option<usize>) -> Answer {
    let settings = api.settings();
    let asked = params.duration("timeout")?.map(duration_of);
    if asked.is_some_and(|timeout| timeout.is_zero()) {
        return Err(ApiError::new(ErrorKind::Timeout, "query timed out in expression evaluation"));
    }
    let timeout = asked.map_or(settings.timeout, |t| t.min(settings.timeout));
    let lookback = match params.get("lookback_delta") {
        Some(text) => {
            parse_duration(text).map_err(|e| ApiError::bad(format!("error parsing lookback delta duration: {e}")))?
        }
        None => 0,
    };
    // Zero asks for the usual one.
    let lookback_ms =
        if lookback > 0 { lookback / 1_000_000 } else { i64::try_from(settings.lookback.as_millis()).unwrap_or(0) };
    let began = Instant::now();
    let expr = expression(params.text("query")).map_err(|e| ApiError::parameter("query", e))?;
    let prepared = began.elapsed();
    // 11,000 steps are 11,001 points, and up to twice as many where a step is cut to whole milliseconds.
    let most = QUERY_STEPS.unsigned_abs() * 2 + 1;
    let limits = Limits { max_steps: settings.limits.max_steps.max(most), ..settings.limits };
    let (stats, explains) = (params.text("stats").to_owned(), params.text("explain") == "true");
    let asked = Asked { expr, when, lookback_ms, limits, limit, stats, explains, prepared };
    let reader = api.reader()?;
    if is_small(&asked.expr, when, lookback_ms, &*reader) {
        let small = Limits {
            max_samples: SMALL_SAMPLES.min(limits.max_samples),
            max_points: SMALL_SAMPLES.min(limits.max_points),
            max_series: SMALL_SERIES.min(limits.max_series),
            ..limits
        };
        let answer = api.gate().small(|going| match asked.evaluate(&*reader, &small, going, Duration::ZERO) {
            Err(EvalError::Limit { .. }) => None,
            other => Some(other),
        });
        if let Some(answer) = answer {
            return Ok(json(answer.map_err(failed)?.ok_or_else(too_large)?));
        }
    }
    let work = move |turn: &Turn| -> Result<Bytes, ApiError> {
        let answer = asked.evaluate(&*reader, &asked.limits, turn, turn.waited);
        Ok(turn.sent(answer.map_err(failed)?.ok_or_else(too_large)?))
    };
    Ok(json(api.gate().run(timeout, work).await?))
}

/// What somebody asked.
struct Asked {
    expr: Expr,
    when: When,
    lookback_ms: i64,
    limits: Limits,
    /// Most series of the answer.
    limit: Option<usize>,
    stats: String,
    explains: bool,
    /// How long reading the expression took.
    prepared: Duration,
}

impl Asked {
    /// The answer as JSON; `None` when it would be too large.
    fn evaluate(
        &self,
        reader: &dyn SeriesReader,
        limits: &Limits,
        control: &dyn Control,
        queued: Duration,
    ) -> Result<Option<Vec<u8>>, EvalError> {
        let (query, at_ms) = match self.when {
            When::At(at) => (Query::instant(&self.expr, at), at),
            When::Range { start, end, step } => (Query::range(&self.expr, start, end, step), start),
        };
        let (query, began) = (query.lookback(self.lookback_ms), Instant::now());
        let (mut found, explained) = if self.explains {
            let clock = || u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let (found, explained) = evaluate_explained(&query, reader, limits, control, &clock)?;
            (found, Some(explained))
        } else {
            (evaluate_cancellable(&query, reader, limits, control)?, None)
        };
        let cost = Stats {
            queued,
            prepared: self.prepared,
            evaluated: began.elapsed(),
            samples: found.stats.samples,
            peak: found.stats.samples,
        };
        let (mut warnings, infos) = remarks(&found.annotations);
        warnings.extend(cut(&mut found, self.limit));
        warnings.extend(deprecated(&self.stats));
        let size = size(&found.value);
        if size.least > ANSWER_BYTES {
            return Ok(None);
        }
        // The result and its text are in memory together.
        if !control.holds((size.about.min(ANSWER_BYTES) / size_of::<f64>()) as u64) {
            let (what, limit) = ("would, beside other queries, hold too large an answer in memory", HELD_POINTS);
            return Err(EvalError::Limit { what, limit, advice: "ask again later" });
        }
        let (stats, value) = ((!self.stats.is_empty()).then_some(cost), &found.value);
        let (warnings, infos, explained) = (&warnings[..], &infos[..], explained.as_ref());
        Ok(write_answer(&Answered { value, stats, explained, warnings, infos, at_ms }))
    }
}

/// Whether a query surely reads little: few series, few steps, nothing that multiplies them.
fn is_small(expr: &Expr, when: When, lookback_ms: i64, reader: &dyn SeriesReader) -> bool {
    let (start_ms, end_ms, steps) = match when {
        When::At(at) => (at, at, 1),
        When::Range { start, end, step } => (start, end, start.abs_diff(end) / step.unsigned_abs().max(1) + 1),
    };
    let (mut series, mut is_small) = (0u64, steps <= SMALL_STEPS);
    expr.walk(&mut |part| {
        let matchers = match &part.kind {
            ExprKind::Selector(s) => &s.matchers,
            ExprKind::Range(r) => &r.selector.matchers,
            // Asks for series that it does not name.
            ExprKind::Call(c) if c.function.name == "info" => {
                is_small = false;
                return;
            }
            _ => return,
        };
        // Ranges reach back further; this counts series, and those come and go slowly.
        let select = Select { matchers: matchers.clone(), start_ms: start_ms - lookback_ms, end_ms };
        let most = if is_small { reader.at_most(&select) } else { None };
        series = series.saturating_add(most.unwrap_or(u64::MAX));
        is_small &= series <= SMALL_SERIES && series.saturating_mul(steps) <= SMALL_SAMPLES;
    });
    is_small
}

/// Cuts a result; says so when it did.
fn cut(found: &mut Evaluated, limit: Option<usize>) -> Option<String> {
    let limit = limit?;
    let len = match &mut found.value {
        Value::Vector(all) => {
            let len = all.len();
            all.truncate(limit);
            len
        }
        Value::Matrix(all) => {
            let len = all.len();
            all.truncate(limit);
            len
        }
        _ => 0,
    };
    (len > limit).then(|| TRUNCATED.to_owned())
}

/// Any text asks for statistics, but only two are meant to.
fn deprecated(stats: &str) -> Option<String> {
    let is_known = matches!(stats, "" | "true" | "all");
    (!is_known).then(|| {
        format!(
            "value {stats:?} for parameter \"stats\" is deprecated and will be rejected in the next major release, \
             use \"true\" or \"all\""
        )
    })
}

/// Remarks as texts: warnings, infos.
fn remarks(all: &[Annotation]) -> (Vec<String>, Vec<String>) {
    let of = |kind: AnnotationKind, word: &str| {
        let texts = all.iter().filter(|a| a.kind == kind).map(ToString::to_string);
        let mut texts: Vec<String> = texts.collect();
        if texts.len() > REMARKS {
            let rest = texts.len() - REMARKS;
            texts.truncate(REMARKS);
            texts.push(format!("{rest} more {word} annotations omitted"));
        }
        texts
    };
    (of(AnnotationKind::Warning, "warning"), of(AnnotationKind::Info, "info"))
}

/// A failed evaluation in Prometheus's words.
pub(crate) fn failed(error: EvalError) -> ApiError {
    match error {
        EvalError::Cancelled => ApiError::canceled(),
        EvalError::Limit { what, .. } if what.contains("beside other queries") => ApiError::execution(
            "query processing would load too many samples into memory in query execution: \
             the queries that are going on hold too much together, ask again later",
        ),
        // Whatever would fill memory has one text in Prometheus.
        EvalError::Limit { what, .. } if what.ends_with("memory") || what.contains("subquery") => {
            ApiError::execution("query processing would load too many samples into memory in query execution")
        }
        // Prometheus finds this out before it evaluates anything.
        EvalError::Invalid { message, .. } if message.starts_with("invalid expression type") => {
            ApiError::parameter("query", message)
        }
        EvalError::Read(error) => ApiError::execution(format!("expanding series: {error}")),
        other => ApiError::execution(other.to_string()),
    }
}

/// `GET|POST /api/v1/format_query`
pub(crate) async fn format_query(_: Api, params: Params) -> Answer {
    let expr = expression(params.text("query")).map_err(|e| ApiError::parameter("query", e))?;
    success(&pretty(&expr))
}

/// `GET|POST /api/v1/parse_query`
pub(crate) async fn parse_query(_: Api, params: Params) -> Answer {
    let expr = expression(params.text("query")).map_err(|e| ApiError::parameter("query", e))?;
    success(&to_json(&expr))
}

/// `GET|POST /api/v1/query_exemplars`
pub(crate) async fn query_exemplars(api: Api, params: Params) -> Result<Response, ApiError> {
    crate::series::exemplars(api, params).await
}
