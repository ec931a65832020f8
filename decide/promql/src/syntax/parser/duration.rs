//! Durations in ranges and offsets: literals, signs, arithmetic, `step()` and the like. Pure.

use super::{Parsed, Parser};
use crate::syntax::ast::{BinaryOp, Duration, DurationKind, Sign};
use crate::syntax::error::ParseError;
use crate::syntax::span::Span;
use crate::syntax::token::Kind;

const CONTEXT: &str = "duration expression";
const EXPECTED: &[&str] = &["a number", "duration", "step()", "range()", "min_of()", "max_of()", "\"(\""];
const UNARY_POWER: u8 = 3;
/// Operators in all durations of an expression together: real ones have one or two.
const MAX_OPERATORS: u16 = 500;

impl Parser<'_> {
    /// A duration with operators, as in `[5m + step()]`.
    pub(super) fn duration(&mut self) -> Parsed<Duration> {
        self.duration_from(0)
    }

    fn duration_from(&mut self, least: u8) -> Parsed<Duration> {
        self.nested(|p| {
            let mut left = p.signed_duration()?;
            loop {
                let (op, power) = match p.peek().kind {
                    Kind::Add => (BinaryOp::Add, 1),
                    Kind::Sub => (BinaryOp::Sub, 1),
                    Kind::Mul => (BinaryOp::Mul, 2),
                    Kind::Div => (BinaryOp::Div, 2),
                    Kind::Mod => (BinaryOp::Mod, 2),
                    Kind::Pow => (BinaryOp::Pow, 3),
                    _ => return Ok(left),
                };
                if power < least {
                    return Ok(left);
                }
                p.bump();
                let right = p.duration_from(if op == BinaryOp::Pow { power } else { power + 1 })?;
                let span = left.span.to(right.span);
                left = Duration { kind: DurationKind::Binary(op, Box::new(left), Box::new(right)), span };
                p.duration_depth(&left)?;
            }
        })
    }

    /// After `offset` come signs and one operand: `foo offset -2 ^ 2` is `(foo offset -2) ^ 2`.
    pub(super) fn offset_duration(&mut self) -> Parsed<Duration> {
        let token = self.peek();
        let sign = match token.kind {
            Kind::Add => Sign::Plus,
            Kind::Sub => Sign::Minus,
            _ => return self.primary_duration(),
        };
        self.bump();
        let inner = self.nested(Self::offset_duration)?;
        let span = token.span.to(inner.span);
        Ok(Duration { kind: DurationKind::Signed(sign, Box::new(inner)), span })
    }

    fn signed_duration(&mut self) -> Parsed<Duration> {
        let token = self.peek();
        let sign = match token.kind {
            Kind::Add => Sign::Plus,
            Kind::Sub => Sign::Minus,
            _ => return self.primary_duration(),
        };
        self.bump();
        let inner = self.duration_from(UNARY_POWER)?;
        let span = token.span.to(inner.span);
        Ok(Duration { kind: DurationKind::Signed(sign, Box::new(inner)), span })
    }

    fn primary_duration(&mut self) -> Parsed<Duration> {
        let token = self.peek();
        let kind = match token.kind {
            Kind::Number | Kind::Duration => DurationKind::Literal(self.number()?),
            Kind::LeftParen => {
                self.bump();
                let inner = self.duration()?;
                self.expect(Kind::RightParen, CONTEXT, "\")\"")?;
                DurationKind::Paren(Box::new(inner))
            }
            Kind::Name => self.duration_function()?,
            _ => return Err(self.unexpected(CONTEXT, EXPECTED)),
        };
        Ok(Duration { kind, span: token.span.to(self.previous().span) })
    }

    fn duration_function(&mut self) -> Parsed<DurationKind> {
        let name = self.text(self.peek()).to_ascii_lowercase();
        if !matches!(name.as_str(), "step" | "range" | "min" | "max" | "min_of" | "max_of") {
            return Err(self.unexpected(CONTEXT, EXPECTED));
        }
        self.bump();
        self.expect(Kind::LeftParen, CONTEXT, "\"(\"")?;
        let kind = match name.as_str() {
            "step" => DurationKind::Step,
            "range" => DurationKind::Range,
            _ => {
                let a = Box::new(self.duration()?);
                self.expect(Kind::Comma, CONTEXT, "\",\"")?;
                let b = Box::new(self.duration()?);
                if name.starts_with("min") { DurationKind::Min(a, b) } else { DurationKind::Max(a, b) }
            }
        };
        self.expect(Kind::RightParen, CONTEXT, "\")\"")?;
        Ok(kind)
    }

    /// Counts the operators of all durations, so that their trees stay shallow.
    fn duration_depth(&mut self, d: &Duration) -> Parsed<()> {
        self.duration_operators += 1;
        if self.duration_operators > MAX_OPERATORS { Err(Self::too_deep(d.span)) } else { Ok(()) }
    }

    /// A range or step must be positive; what is known only when the query runs is checked then.
    pub(super) fn positive(&self, d: Duration) -> Parsed<Duration> {
        match d.literal() {
            Some(v) if v <= 0.0 || v.is_nan() => Err(ParseError::new(d.span, "duration must be greater than 0")),
            Some(v) if v > MAX_SECONDS => Err(ParseError::new(d.span, "duration out of range")),
            _ => Ok(d),
        }
    }

    /// An offset may be negative.
    pub(super) fn bounded(&self, d: Duration) -> Parsed<Duration> {
        match d.literal() {
            Some(v) if v.is_nan() || v.abs() > MAX_SECONDS => Err(ParseError::new(d.span, "duration out of range")),
            _ => Ok(d),
        }
    }

    pub(super) fn signed_number(&mut self, context: &str) -> Parsed<f64> {
        let negative = self.peek().kind == Kind::Sub;
        if negative || self.peek().kind == Kind::Add {
            self.bump();
        }
        let word = self.is_word(self.peek(), "inf") || self.is_word(self.peek(), "nan");
        if self.peek().kind != Kind::Number && !word {
            return Err(self.unexpected(context, &["a number"]));
        }
        let value = self.number()?.value;
        Ok(if negative { -value } else { value })
    }

    pub(super) fn here(&self) -> Span {
        self.peek().span
    }
}

/// Go's durations end at about 292 years.
pub(crate) const MAX_SECONDS: f64 = 9.2e9;
