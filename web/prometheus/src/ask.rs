//! Expressions evaluated for pages, through the same gate and within the same limits as the API's. I/O: CPU pool, series.

use std::sync::Arc;

use decide_promql::{Evaluated, Expr, Limits, Query, evaluate_cancellable};
use kernel::series::SeriesReader;

use crate::answer::Api;
use crate::error::ApiError;
use crate::gate::Turn;
use crate::query::failed;

/// When to evaluate, milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once.
    At(i64),
    /// From `start_ms`, each `step_ms`, up to `end_ms`.
    Range {
        /// The first time.
        start_ms: i64,
        /// The last one at the latest.
        end_ms: i64,
        /// Their distance.
        step_ms: i64,
    },
}

/// What a piece of work may read, as whoever asks sees it.
pub struct Asking<'a> {
    /// The series.
    pub reader: Arc<dyn SeriesReader>,
    limits: Limits,
    lookback_ms: i64,
    turn: &'a Turn,
}

impl Asking<'_> {
    /// Evaluates an expression; it stops once nobody waits any more.
    ///
    /// # Errors
    /// In the words of the API.
    pub fn evaluate(&self, expr: &Expr, when: When) -> Result<Evaluated, ApiError> {
        let query = match when {
            When::At(at_ms) => Query::instant(expr, at_ms),
            When::Range { start_ms, end_ms, step_ms } => Query::range(expr, start_ms, end_ms, step_ms.max(1)),
        };
        let query = query.lookback(self.lookback_ms);
        evaluate_cancellable(&query, &*self.reader, &self.limits, self.turn).map_err(failed)
    }
}

impl Api {
    /// Runs work that reads series on the CPU pool once it is its turn, as long as somebody waits.
    ///
    /// # Errors
    /// Those of the work; it waited or took too long.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Asking<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (settings, reader) = (self.settings(), self.reader()?);
        let lookback_ms = i64::try_from(settings.lookback.as_millis()).unwrap_or(0);
        let limits = settings.limits;
        let turn = move |turn: &Turn| work(&Asking { reader, limits, lookback_ms, turn });
        self.gate().run(settings.timeout, turn).await
    }
}
