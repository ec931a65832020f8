//! Evaluation: a query, a reader and limits in, a value and remarks out. Pure.
//!
//! Series stream through the tree one by one, each as one column over all times of the query ([`line::Line`]);
//! only operators that need several series at once (matching, ranking, histograms) hold them. A series is read once
//! per selector, never per step; window bounds are computed once per shared timestamp column.
//!
//! Metric names are dropped when the query ends, not on the way (Prometheus's "delayed name removal"), so that
//! `sum(rate({job="a"}[5m]))` may sum over metrics that differ in their name only.

mod absent;
mod aggregate;
mod bare;
mod binary;
mod call;
mod columns;
mod dates;
mod element;
mod engine;
mod explain;
mod extended;
mod forced;
mod groups;
mod histograms;
mod info;
mod invariant;
mod label_functions;
mod line;
mod matching;
mod mixed;
mod ranked;
mod result;
mod rolled;
mod scalar;
mod select;
mod sets;
mod sorting;
mod states;
mod windows;

use std::sync::atomic::AtomicBool;

use kernel::series::{SeriesError, SeriesReader};

use crate::query::{Control, Limits, Query};
use crate::syntax::span::Span;
use crate::value::{Evaluated, Explained};

/// Why a query has no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// It would cost more than is allowed.
    #[error("query {what}, the limit is {limit}: {advice}")]
    Limit {
        /// What was reached.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What to do next.
        advice: &'static str,
    },
    /// The series could not be read.
    #[error("{0}")]
    Read(#[from] SeriesError),
    /// Whoever asked does not wait any more.
    #[error("query was canceled")]
    Cancelled,
    /// The values do not allow it: duplicates, a bad parameter.
    #[error("{message}")]
    Invalid {
        /// What is wrong, in Prometheus's words.
        message: String,
        /// The part of the expression.
        span: Span,
    },
}

impl EvalError {
    pub(crate) fn invalid(span: Span, message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), span }
    }
}

/// Evaluates a query.
///
/// # Errors
/// A limit is reached, the reader fails, or the values do not allow it (see [`EvalError`]).
pub fn evaluate(query: &Query<'_>, reader: &dyn SeriesReader, limits: &Limits) -> Result<Evaluated, EvalError> {
    evaluate_cancellable(query, reader, limits, &AtomicBool::new(false))
}

/// Evaluates a query that goes on as long as `control` says so.
///
/// # Errors
/// As [`evaluate`], and [`EvalError::Cancelled`].
pub fn evaluate_cancellable(
    query: &Query<'_>,
    reader: &dyn SeriesReader,
    limits: &Limits,
    control: &dyn Control,
) -> Result<Evaluated, EvalError> {
    engine::Engine::new(query, reader, limits, control)?.run()
}

/// Evaluates a query and says what each part of it cost. `clock` gives nanoseconds since any fixed time.
///
/// # Errors
/// As [`evaluate_cancellable`].
pub fn evaluate_explained(
    query: &Query<'_>,
    reader: &dyn SeriesReader,
    limits: &Limits,
    control: &dyn Control,
    clock: &dyn Fn() -> u64,
) -> Result<(Evaluated, Explained), EvalError> {
    let mut engine = engine::Engine::new(query, reader, limits, control)?;
    engine.explainer = Some(explain::Explainer::new(clock));
    let found = engine.run()?;
    let tree = engine.explainer.as_ref().map(|e| e.tree(query.expr));
    tree.map(|tree| (found, tree)).ok_or(EvalError::Cancelled)
}
