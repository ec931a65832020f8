//! The value of a duration. Pure.

use super::ast::{BinaryOp, Duration, DurationKind, Sign};

/// What durations are computed from that only the query knows, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct QueryTimes {
    pub(crate) step: f64,
    pub(crate) range: f64,
}

impl Duration {
    /// Its seconds, when they do not depend on the query.
    pub(crate) fn constant(&self) -> Option<f64> {
        if self.depends_on_query() { None } else { Some(self.seconds(QueryTimes { step: 0.0, range: 0.0 })) }
    }

    fn depends_on_query(&self) -> bool {
        match &self.kind {
            DurationKind::Literal(_) => false,
            DurationKind::Step | DurationKind::Range => true,
            DurationKind::Signed(_, d) | DurationKind::Paren(d) => d.depends_on_query(),
            DurationKind::Binary(_, a, b) | DurationKind::Min(a, b) | DurationKind::Max(a, b) => {
                a.depends_on_query() || b.depends_on_query()
            }
        }
    }

    /// Its seconds in a query.
    pub(crate) fn seconds(&self, query: QueryTimes) -> f64 {
        match &self.kind {
            DurationKind::Literal(n) => n.value,
            DurationKind::Step => query.step,
            DurationKind::Range => query.range,
            DurationKind::Signed(Sign::Plus, d) | DurationKind::Paren(d) => d.seconds(query),
            DurationKind::Signed(Sign::Minus, d) => -d.seconds(query),
            DurationKind::Min(a, b) => a.seconds(query).min(b.seconds(query)),
            DurationKind::Max(a, b) => a.seconds(query).max(b.seconds(query)),
            DurationKind::Binary(op, a, b) => {
                let (a, b) = (a.seconds(query), b.seconds(query));
                match op {
                    BinaryOp::Add => a + b,
                    BinaryOp::Sub => a - b,
                    BinaryOp::Mul => a * b,
                    BinaryOp::Div => a / b,
                    BinaryOp::Mod => a % b,
                    BinaryOp::Pow => a.powf(b),
                    _ => f64::NAN,
                }
            }
        }
    }
}
