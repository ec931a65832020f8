//! Aggregations that fold values as they come: `sum`, `avg`, `count` and the like. Pure.

use indexmap::IndexMap;
use kernel::Labels;

use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, is_absent, is_metadata};
use super::states::{Average, Count, Group, Maximum, Minimum, Spread, State, Sum};
use crate::syntax::ast::{Aggregate, AggregateOp, Grouping};
use crate::syntax::span::Span;

/// The labels of the group a series belongs to.
pub(super) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    let named = &grouping.labels;
    if grouping.without {
        labels.without(|n| is_metadata(n) || named.iter().any(|l| l == n))
    } else if named.is_empty() {
        Labels::default()
    } else {
        labels.without(|n| !named.iter().any(|l| l == n))
    }
}

impl Engine<'_> {
    pub(super) fn aggregate_lines(&self, a: &Aggregate, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        match a.op {
            AggregateOp::Sum => self.fold::<Sum>(a, grid, Sum::value, sink),
            AggregateOp::Avg => self.fold::<Average>(a, grid, Average::value, sink),
            AggregateOp::Count => self.fold::<Count>(a, grid, Count::value, sink),
            AggregateOp::Min => self.fold::<Minimum>(a, grid, Minimum::value, sink),
            AggregateOp::Max => self.fold::<Maximum>(a, grid, Maximum::value, sink),
            AggregateOp::Group => self.fold::<Group>(a, grid, Group::value, sink),
            AggregateOp::Stdvar => self.fold::<Spread>(a, grid, Spread::value, sink),
            AggregateOp::Stddev => self.fold::<Spread>(a, grid, |s| s.value().sqrt(), sink),
            AggregateOp::Quantile => self.quantile_lines(a, grid, sink),
            AggregateOp::CountValues => self.count_values_lines(a, grid, sink),
            AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk | AggregateOp::LimitRatio => {
                self.ranked_lines(a, span, grid, sink)
            }
        }
    }

    fn fold<S: State>(&self, a: &Aggregate, grid: Grid, value: fn(&S) -> f64, sink: Sink<'_>) -> Result<()> {
        let mut groups: IndexMap<Labels, (bool, Vec<S>)> = IndexMap::new();
        self.lines(&a.expr, grid, &mut |line| {
            self.check_cancelled()?;
            let labels = group_labels(&line.labels, &a.grouping);
            if !groups.contains_key(&labels) {
                self.hold(grid.steps)?;
            }
            let group = groups.entry(labels).or_insert_with(|| (line.drop_name, vec![S::default(); grid.steps]));
            for (state, v) in group.1.iter_mut().zip(line.values) {
                if !is_absent(v) {
                    state.add(v);
                }
            }
            Ok(())
        })?;
        for (labels, (drop_name, states)) in groups {
            let values = states.iter().map(|s| if s.is_empty() { ABSENT } else { value(s) }).collect();
            sink(Line { labels, drop_name, values })?;
        }
        Ok(())
    }
}
