//! Selectors of whose histograms nothing but count and sum is asked: their buckets are left out as they are read. Pure.
//!
//! Whether a counter was reset is found out before, since buckets tell more of it than counts. Sums and rates of bare histograms take no
//! time for buckets, and custom bounds that differ do not matter.

use std::collections::HashSet;
use std::sync::Arc;

use kernel::series::{Column, CounterReset, Histogram, Point, Series};

use crate::syntax::ast::{AggregateOp, BinaryOp, Expr, ExprKind};
use crate::syntax::span::Span;

/// Where in the text such selectors begin.
#[derive(Debug, Default)]
pub(super) struct Bare(HashSet<u32>);

impl Bare {
    pub(super) fn of(expr: &Expr) -> Self {
        let mut out = Self::default();
        out.look(expr, None);
        out
    }

    /// Whether the selector at this place is one.
    pub(super) fn has(&self, span: Span) -> bool {
        !self.0.is_empty() && self.0.contains(&span.start)
    }

    /// What is known of everything around an expression: where anything needs buckets, they stay.
    fn look(&mut self, expr: &Expr, bare: Option<bool>) {
        if bare == Some(true) && matches!(expr.kind, ExprKind::Selector(_) | ExprKind::Range(_)) {
            self.0.insert(expr.span.start);
        }
        let within = if bare == Some(false) { bare } else { may_be_bare(expr).or(bare) };
        expr.children().into_iter().for_each(|child| self.look(child, within));
    }
}

/// Whether what is in an expression may be bare, where that does not depend on what is around it.
fn may_be_bare(expr: &Expr) -> Option<bool> {
    match &expr.kind {
        ExprKind::Call(c) => match c.function.name {
            "histogram_count" | "histogram_sum" | "histogram_avg" => Some(true),
            "histogram_quantile"
            | "histogram_quantiles"
            | "histogram_fraction"
            | "histogram_stddev"
            | "histogram_stdvar"
            | "changes" => Some(false),
            _ => None,
        },
        // Whether there was a reset between the points of a subquery is found out from buckets.
        ExprKind::Subquery(_) => Some(false),
        ExprKind::Aggregate(a) if a.op == AggregateOp::CountValues => Some(false),
        ExprKind::Binary(b) => match b.op {
            BinaryOp::TrimUpper | BinaryOp::TrimLower | BinaryOp::Equal | BinaryOp::NotEqual => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Leaves the buckets of a series' histograms out; what they say of resets is said of each.
pub(super) fn without_buckets(series: &mut Series) {
    let Column::Mixed(points) = &mut series.values else { return };
    let mut before: Option<Arc<Histogram>> = None;
    for point in points.iter_mut().filter(|p| !p.is_stale()) {
        let Point::Histogram(h) = point else { continue };
        let reset = match &before {
            Some(before) if h.reset == CounterReset::Unknown && h.is_reset_since(before) => CounterReset::Reset,
            Some(_) if h.reset == CounterReset::Unknown => CounterReset::NotReset,
            _ => h.reset,
        };
        let bare = Histogram { reset, schema: h.schema, count: h.count, sum: h.sum, ..Histogram::default() };
        before = Some(std::mem::replace(h, Arc::new(bare)));
    }
}
