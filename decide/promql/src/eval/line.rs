//! One series over all times of a query. Pure.

use indexmap::IndexMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::{is_stale, stale_nan};

use super::EvalError;
use crate::syntax::span::Span;

/// Stands for "no point at this time". Values of series are never the staleness marker: selectors leave it out,
/// and arithmetic cannot make this signalling NaN.
pub(crate) const ABSENT: f64 = stale_nan();

pub(crate) const fn is_absent(v: f64) -> bool {
    is_stale(v)
}

/// A series and its points at the times of the query; [`ABSENT`] where it has none.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) labels: Labels,
    /// The metric's name is to be dropped from the result.
    pub(crate) drop_name: bool,
    pub(crate) values: Vec<f64>,
}

impl Line {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(|v| is_absent(*v))
    }

    /// Every present value replaced.
    pub(crate) fn map(&mut self, f: impl Fn(f64) -> f64) {
        for v in &mut self.values {
            if !is_absent(*v) {
                *v = f(*v);
            }
        }
    }
}

/// Whether a label says what the metric is: its name, type and unit, which a computed value has no more.
pub(crate) fn is_metadata(name: &str) -> bool {
    matches!(name, METRIC_NAME | "__type__" | "__unit__")
}

/// The labels without the metric's name, type and unit.
pub(crate) fn unnamed(labels: &Labels) -> Labels {
    if labels.iter().any(|(n, _)| is_metadata(n)) { labels.without(is_metadata) } else { labels.clone() }
}

/// Lines with the same labels made one, as long as they never have a point at the same time.
#[derive(Default)]
pub(crate) struct Merged {
    lines: IndexMap<Labels, Line>,
}

impl Merged {
    pub(crate) fn add(&mut self, line: Line, span: Span) -> Result<(), EvalError> {
        match self.lines.entry(line.labels.clone()) {
            indexmap::map::Entry::Vacant(entry) => {
                entry.insert(line);
            }
            indexmap::map::Entry::Occupied(mut entry) => {
                for (to, from) in entry.get_mut().values.iter_mut().zip(line.values) {
                    if is_absent(from) {
                        continue;
                    }
                    if !is_absent(*to) {
                        let message = "vector cannot contain metrics with the same labelset";
                        return Err(EvalError::invalid(span, message));
                    }
                    *to = from;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn into_lines(self) -> impl Iterator<Item = Line> {
        self.lines.into_values()
    }
}
