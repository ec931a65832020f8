//! Asking the engine, off the async threads, few at once, stopped when nobody waits any more. I/O: CPU pool, series.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use decide_promql::{EvalError, Evaluated, ExprKind, Limits, Query, evaluate_cancellable, parse};
use kernel::series::Matcher;

use super::ApiError;
use crate::app::App;
use crate::auth::Access;
use crate::limits::REQUEST_TIME;
use crate::live::SeenSeries;

/// When to evaluate.
#[derive(Clone, Copy)]
pub(super) enum When {
    /// Once, in milliseconds.
    At(i64),
    /// From start to end, in milliseconds.
    Range { start: i64, end: i64, step: i64 },
}

/// Tells the evaluation to stop once the request is dropped or has run out of time.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs something on the CPU pool once it is its turn.
pub(super) async fn in_turn<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let permit = app.gates.queries.clone().acquire_owned().await;
    let permit = permit.map_err(|_| ApiError::busy("unavailable", "Farero is shutting down"))?;
    let run = tokio::task::spawn_blocking(move || {
        // Held until the work really ends: a dropped request does not make room for another one before that.
        let _permit = permit;
        work()
    });
    run.await.map_err(|e| ApiError::busy("internal", e.to_string()))?
}

/// Evaluates an expression.
pub(super) async fn evaluate(
    app: &App,
    access: &Access,
    text: &str,
    when: When,
    timeout: Option<Duration>,
) -> Result<Evaluated, ApiError> {
    let expr = parse(text).map_err(|e| ApiError::bad(format!("invalid parameter \"query\": {e}")))?;
    let cancelled = Arc::new(AtomicBool::new(false));
    let (_stop, told, reader) = (StopOnDrop(cancelled.clone()), cancelled, seen_series(app, access)?);
    let work = in_turn(app, move || {
        let query = match when {
            When::At(at) => Query::instant(&expr, at),
            When::Range { start, end, step } => Query::range(&expr, start, end, step),
        };
        evaluate_cancellable(&query, &reader, &Limits::default(), &told).map_err(|e| match e {
            EvalError::Cancelled => ApiError::busy("canceled", "query was canceled"),
            other => ApiError::execution(other.to_string()),
        })
    });
    let limit = timeout.unwrap_or(REQUEST_TIME).min(REQUEST_TIME);
    let late = |_| ApiError::busy("timeout", format!("query timed out after {} s", limit.as_secs_f64()));
    tokio::time::timeout(limit, work).await.map_err(late)?
}

/// The series as whoever asks sees them.
pub(super) fn seen_series(app: &App, access: &Access) -> Result<SeenSeries, ApiError> {
    SeenSeries::new(app.series.clone(), &app.live, access).map_err(|e| ApiError::execution(e.to_string()))
}

/// The matchers of a series selector.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, ApiError> {
    let expr = parse(text).map_err(|e| ApiError::bad(format!("invalid parameter \"match[]\": {e}")))?;
    match expr.kind {
        ExprKind::Selector(selector) => Ok(selector.matchers),
        _ => Err(ApiError::bad(format!("invalid parameter \"match[]\": `{text}` is no series selector"))),
    }
}
