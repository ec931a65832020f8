//! What is asked, and how much it may cost. Pure.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::syntax::ast::Expr;

/// How far back an instant selector looks for the newest sample: Prometheus's default.
pub const DEFAULT_LOOKBACK_MS: i64 = 5 * 60 * 1000;

/// The step of a subquery that names none: Prometheus's default evaluation interval.
pub const DEFAULT_SUBQUERY_STEP_MS: i64 = 60 * 1000;

/// An expression and the times it is evaluated at.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// What to evaluate.
    pub expr: &'a Expr,
    /// The first time, in milliseconds since the epoch.
    pub start_ms: i64,
    /// The last time is at most this.
    pub end_ms: i64,
    /// The distance of the times; `None` for an instant query.
    pub step_ms: Option<i64>,
    /// How far back an instant selector looks.
    pub lookback_ms: i64,
    /// The step of subqueries that name none.
    pub subquery_step_ms: i64,
}

impl<'a> Query<'a> {
    /// At one time.
    pub fn instant(expr: &'a Expr, at_ms: i64) -> Self {
        Self {
            expr,
            start_ms: at_ms,
            end_ms: at_ms,
            step_ms: None,
            lookback_ms: DEFAULT_LOOKBACK_MS,
            subquery_step_ms: DEFAULT_SUBQUERY_STEP_MS,
        }
    }

    /// At `start`, `start + step`, … up to `end`.
    pub fn range(expr: &'a Expr, start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        Self { end_ms, step_ms: Some(step_ms), ..Self::instant(expr, start_ms) }
    }

    /// With another lookback.
    #[must_use]
    pub fn lookback(self, lookback_ms: i64) -> Self {
        Self { lookback_ms, ..self }
    }
}

/// Who is asked again and again, while a query is evaluated, whether to go on. It may take its time: then the query waits.
pub trait Control {
    /// Whether to go on.
    fn goes_on(&self) -> bool;

    /// Takes note that the query holds so many more points; the answer says whether there is room. They are held until its end.
    fn holds(&self, points: u64) -> bool {
        let _ = points;
        true
    }
}

/// Becomes true when nobody waits any more.
impl Control for AtomicBool {
    fn goes_on(&self) -> bool {
        !self.load(Ordering::Relaxed)
    }
}

/// What a query may cost; reaching a limit is an error that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples read from the store in one query.
    pub max_samples: u64,
    /// Series read from the store in one query.
    pub max_series: u64,
    /// Times of a range query.
    pub max_steps: u64,
    /// Points of the result, and of what operators have to keep on the way to it.
    pub max_points: u64,
}

impl Limits {
    /// Prometheus's `query.max-samples`: 50 million, about 800 MB of columns at worst.
    pub const MAX_SAMPLES: u64 = 50_000_000;
    /// A dashboard's widest query asks for a few thousand series; a million is a mistake in a matcher.
    pub const MAX_SERIES: u64 = 1_000_000;
    /// Prometheus's limit of points per series: more than any screen has columns.
    pub const MAX_STEPS: u64 = 11_000;
    /// Half as many as samples may be read: 200 MB, and as much again when they become an answer.
    pub const MAX_POINTS: u64 = 25_000_000;
    /// A month in seconds. Each step of a subquery takes memory, whether or not anything was measured then.
    pub const MAX_SUBQUERY_STEPS: u64 = 2_678_400;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_samples: Self::MAX_SAMPLES,
            max_series: Self::MAX_SERIES,
            max_steps: Self::MAX_STEPS,
            max_points: Self::MAX_POINTS,
        }
    }
}
