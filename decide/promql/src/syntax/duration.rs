//! The value of a duration. Pure.

use super::ast::{BinaryOp, Duration, DurationKind, Sign};

/// What durations are computed from that only the query knows, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct QueryTimes {
    pub(crate) step: f64,
    pub(crate) range: f64,
}

/// Why a duration has no value, and which part of it.
type Failed<'d> = (&'d Duration, &'static str);

impl Duration {
    /// Its seconds, when it is written as a number.
    pub(crate) fn literal(&self) -> Option<f64> {
        match &self.kind {
            DurationKind::Literal(n) => Some(n.value),
            DurationKind::Signed(Sign::Plus, d) => d.literal(),
            DurationKind::Signed(Sign::Minus, d) => d.literal().map(|v| -v),
            _ => None,
        }
    }

    /// The bytes of the text that it takes, as Prometheus counts them: without parentheses at its ends.
    pub(crate) fn bytes(&self) -> (u32, u32) {
        match &self.kind {
            DurationKind::Paren(inner) => inner.bytes(),
            DurationKind::Signed(_, inner) => (self.span.start, inner.bytes().1),
            DurationKind::Binary(_, a, b) => (a.bytes().0, b.bytes().1),
            _ => (self.span.start, self.span.end),
        }
    }

    /// Its seconds in a query.
    pub(crate) fn seconds(&self, query: QueryTimes) -> Result<f64, Failed<'_>> {
        Ok(match &self.kind {
            DurationKind::Literal(n) => n.value,
            DurationKind::Step => query.step,
            DurationKind::Range => query.range,
            DurationKind::Signed(Sign::Plus, d) | DurationKind::Paren(d) => d.seconds(query)?,
            DurationKind::Signed(Sign::Minus, d) => -d.seconds(query)?,
            DurationKind::Min(a, b) => a.seconds(query)?.min(b.seconds(query)?),
            DurationKind::Max(a, b) => a.seconds(query)?.max(b.seconds(query)?),
            DurationKind::Binary(op, a, b) => {
                let (a, b) = (a.seconds(query)?, b.seconds(query)?);
                match op {
                    BinaryOp::Add => a + b,
                    BinaryOp::Sub => a - b,
                    BinaryOp::Mul => a * b,
                    BinaryOp::Div if b == 0.0 => return Err((self, "division by zero")),
                    BinaryOp::Div => a / b,
                    BinaryOp::Mod if b == 0.0 => return Err((self, "modulo by zero")),
                    BinaryOp::Mod => a % b,
                    BinaryOp::Pow => a.powf(b),
                    _ => f64::NAN,
                }
            }
        })
    }
}
