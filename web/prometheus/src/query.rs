//! Expressions: evaluated, formatted, taken apart. I/O: CPU pool, series.

use std::time::Instant;

use axum::response::Response;
use decide_promql::{
    Annotation, AnnotationKind, EvalError, Evaluated, Limits, Query, Value, evaluate_cancellable, pretty, to_json,
};

use crate::answer::{Answer, Api, TRUNCATED, json, success};
use crate::error::{ApiError, ErrorKind};
use crate::gate::Turn;
use crate::json::{Answered, Stats, write_answer};
use crate::limits::{QUERY_STEPS, REMARKS};
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
    // A step more than the distance has: 11,000 steps are 11,001 points.
    let limits = Limits { max_steps: settings.limits.max_steps.max(QUERY_STEPS.unsigned_abs() + 1), ..settings.limits };
    let (reader, stats) = (api.reader()?, params.text("stats").to_owned());
    let work = move |turn: Turn| -> Result<Vec<u8>, ApiError> {
        let (query, at_ms) = match when {
            When::At(at) => (Query::instant(&expr, at), at),
            When::Range { start, end, step } => (Query::range(&expr, start, end, step), start),
        };
        let began = Instant::now();
        let found = evaluate_cancellable(&query.lookback(lookback_ms), &*reader, &limits, &turn.cancelled);
        let mut found = found.map_err(failed)?;
        let cost = Stats {
            queued: turn.waited,
            prepared,
            evaluated: began.elapsed(),
            samples: found.stats.samples,
            peak: found.stats.samples,
        };
        let (mut warnings, infos) = remarks(&found.annotations);
        warnings.extend(cut(&mut found, limit));
        warnings.extend(deprecated(&stats));
        let (stats, value) = ((!stats.is_empty()).then_some(cost), &found.value);
        Ok(write_answer(&Answered { value, stats, warnings: &warnings, infos: &infos, at_ms }))
    };
    Ok(json(api.gate().run(timeout, work).await?))
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
        EvalError::Cancelled => ApiError::new(ErrorKind::Canceled, "query was canceled in expression evaluation"),
        // Whatever would fill memory has one text in Prometheus.
        EvalError::Limit { what, .. } if what.ends_with("memory") || what.contains("subquery") => {
            ApiError::execution("query processing would load too many samples into memory in query execution")
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
