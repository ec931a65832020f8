//! Aggregations that fold values as they come: `sum`, `avg`, `count` and the like. Pure.

use std::sync::Arc;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::series::{Incompatible, Point};

use super::engine::{Engine, Grid, Result, Sink};
use super::groups::Groups;
use super::line::{ABSENT, Line, is_absent, is_metadata, weight};
use super::states::{Average, Count, Group, Maximum, Minimum, Spread, State, Sum};
use crate::annotations::{Note, Operation};
use crate::functions::native::Fold;
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

/// What a group remembers.
struct Folded<S> {
    drop_name: bool,
    states: Vec<S>,
    /// Of the histograms, where there are any.
    native: Option<Vec<NativeState>>,
}

/// What a group remembers of histograms at one time.
#[derive(Default)]
struct NativeState {
    seen: bool,
    /// Some do not go together with others.
    incompatible: bool,
    fold: Option<Box<Fold>>,
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

    /// Says that an aggregation left a histogram out.
    pub(super) fn ignored_histogram(&self, op: AggregateOp, span: Span) {
        self.info(span, format!("ignored histogram in {} aggregation", op.name()));
    }

    fn fold<S: State>(&self, a: &Aggregate, grid: Grid, value: fn(&S) -> f64, sink: Sink<'_>) -> Result<()> {
        let mut places = Groups::new(&a.grouping);
        let mut groups: Vec<Folded<S>> = Vec::new();
        self.lines(&a.expr, grid, &mut |mut line| {
            self.check_cancelled()?;
            let place = places.of(&line.labels);
            if place == groups.len() {
                let words = size_of::<S>().div_ceil(size_of::<f64>());
                self.hold(weight(&line.labels, grid.steps * words))?;
                groups.push(Folded { drop_name: line.drop_name, states: vec![S::default(); grid.steps], native: None });
            }
            let group = &mut groups[place];
            group.drop_name |= line.drop_name;
            if line.histograms.is_some() {
                self.fold_histograms(a, &mut line, group);
            }
            for (state, v) in group.states.iter_mut().zip(&line.values) {
                if !is_absent(*v) {
                    state.add(*v);
                }
            }
            Ok(())
        })?;
        for (labels, group) in places.into_labels().into_iter().zip(groups) {
            let values = group.states.iter().map(|s| if s.is_empty() { ABSENT } else { value(s) }).collect();
            let mut line = Line::floats(labels, group.drop_name, values);
            if let Some(native) = group.native {
                self.with_histograms(a, native, &mut line);
            }
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }

    /// Takes the histograms out of a line into a group; those that count as a point like any other stay.
    fn fold_histograms<S: State>(&self, a: &Aggregate, line: &mut Line, group: &mut Folded<S>) {
        let span = a.expr.place();
        match a.op {
            AggregateOp::Count | AggregateOp::Group => return,
            AggregateOp::Sum | AggregateOp::Avg => {
                let steps = group.states.len();
                let new = || (0..steps).map(|_| NativeState::default()).collect();
                let native = group.native.get_or_insert_with(new);
                for (step, (state, floats)) in native.iter_mut().zip(&group.states).enumerate() {
                    let Some(h) = line.histogram(step) else { continue };
                    let first = !state.seen;
                    state.seen = true;
                    if state.incompatible || (first && !floats.is_empty()) {
                        continue;
                    }
                    let Some(fold) = &mut state.fold else {
                        if first {
                            state.fold = Some(Box::new(Fold::new(h)));
                        }
                        continue;
                    };
                    match if a.op == AggregateOp::Avg { fold.add_to_mean(h) } else { fold.add(h) } {
                        Ok(false) => {}
                        Ok(true) => self.note(span, Note::BoundsReconciled(Operation::Aggregation), ""),
                        Err(Incompatible) => {
                            self.note(span, Note::ExponentialAndCustom, line.labels.name());
                            state.incompatible = true;
                        }
                    }
                }
            }
            _ => {
                if (0..line.values.len()).any(|s| line.histogram(s).is_some()) {
                    self.ignored_histogram(a.op, span);
                }
            }
        }
        line.only_floats();
    }

    /// Adds what became of a group's histograms to its line.
    fn with_histograms(&self, a: &Aggregate, native: Vec<NativeState>, line: &mut Line) {
        let span = a.expr.place();
        for (step, state) in native.into_iter().enumerate().filter(|(_, s)| s.seen) {
            if line.has(step) {
                self.note(span, Note::FloatsAndHistogramsAggregated, "");
                line.set(step, None);
                continue;
            }
            let Some(fold) = state.fold.filter(|_| !state.incompatible) else { continue };
            if fold.resets_contradict() {
                self.note(span, Note::ResetsContradict(Operation::Aggregation), "");
            }
            let whole = if a.op == AggregateOp::Avg { fold.mean() } else { fold.total() };
            line.set(step, Some(Point::Histogram(Arc::new(whole))));
        }
    }
}

/// Lines by their group.
pub(super) type Members = IndexMap<Labels, Vec<usize>>;
