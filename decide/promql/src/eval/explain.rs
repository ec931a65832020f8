//! What each part of a query cost. Pure: the clock is an argument.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::engine::{Engine, Result, Sink};
use super::line::Line;
use super::select::{RangeSink, Ranges};
use crate::syntax::ast::Expr;
use crate::value::Explained;

#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    series: u64,
    samples: u64,
    nanoseconds: u64,
    rollup_ms: Option<i64>,
}

/// Counts what parts of an expression do; a part is known by its address.
pub(crate) struct Explainer<'a> {
    clock: &'a dyn Fn() -> u64,
    costs: RefCell<HashMap<usize, Cost>>,
    /// The part that is being evaluated.
    current: Cell<usize>,
}

fn key(expr: &Expr) -> usize {
    std::ptr::from_ref(expr) as usize
}

impl<'a> Explainer<'a> {
    /// `clock` gives nanoseconds since any fixed time.
    pub(crate) fn new(clock: &'a dyn Fn() -> u64) -> Self {
        Self { clock, costs: RefCell::default(), current: Cell::new(0) }
    }

    fn add(&self, place: usize, cost: Cost) {
        let mut costs = self.costs.borrow_mut();
        let sum = costs.entry(place).or_default();
        sum.series += cost.series;
        sum.samples += cost.samples;
        sum.nanoseconds += cost.nanoseconds;
        sum.rollup_ms = sum.rollup_ms.max(cost.rollup_ms);
    }

    /// Notes that the current part reads roll-ups of stretches so long.
    pub(super) fn rolled(&self, resolution_ms: i64) {
        self.add(self.current.get(), Cost { rollup_ms: Some(resolution_ms), ..Cost::default() });
    }

    /// Counts samples that the current part has read.
    pub(super) fn count(&self, samples: u64) {
        self.add(self.current.get(), Cost { samples, ..Cost::default() });
    }

    /// Runs a part; `handed` counts what it hands on, and the time that its taker needs, which is not its own.
    fn run(&self, expr: &Expr, body: impl FnOnce(&Handed) -> Result<()>) -> Result<()> {
        let before = self.current.replace(key(expr));
        let (began, handed) = ((self.clock)(), Handed::default());
        let done = body(&handed);
        let nanoseconds = (self.clock)().saturating_sub(began).saturating_sub(handed.nanoseconds.get());
        self.add(key(expr), Cost { series: handed.series.get(), nanoseconds, ..Cost::default() });
        self.current.set(before);
        done
    }

    fn outside<T>(&self, handed: &Handed, expr: &Expr, taker: impl FnOnce() -> T) -> T {
        let began = (self.clock)();
        let taken = taker();
        self.current.set(key(expr));
        handed.series.set(handed.series.get() + 1);
        handed.nanoseconds.set(handed.nanoseconds.get() + (self.clock)().saturating_sub(began));
        taken
    }

    /// The costs as a tree.
    pub(crate) fn tree(&self, expr: &Expr) -> Explained {
        let cost = self.costs.borrow().get(&key(expr)).copied().unwrap_or_default();
        Explained {
            expr: expr.to_string(),
            series: cost.series,
            samples: cost.samples,
            nanoseconds: cost.nanoseconds,
            rollup_ms: cost.rollup_ms,
            children: expr.children().into_iter().map(|child| self.tree(child)).collect(),
        }
    }
}

/// What a part handed on so far.
#[derive(Default)]
struct Handed {
    series: Cell<u64>,
    nanoseconds: Cell<u64>,
}

impl Engine<'_> {
    pub(super) fn explained_lines(
        &self,
        expr: &Expr,
        sink: Sink<'_>,
        body: &mut dyn FnMut(Sink<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(explainer) = &self.explainer else { return body(sink) };
        explainer.run(expr, |handed| body(&mut |line: Line| explainer.outside(handed, expr, || sink(line))))
    }

    pub(super) fn explained_ranges(
        &self,
        expr: &Expr,
        sink: RangeSink<'_>,
        body: &mut dyn FnMut(RangeSink<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(explainer) = &self.explainer else { return body(sink) };
        explainer.run(expr, |handed| body(&mut |ranges: &Ranges<'_>| explainer.outside(handed, expr, || sink(ranges))))
    }
}
