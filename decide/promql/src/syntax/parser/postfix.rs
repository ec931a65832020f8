//! What follows an expression: ranges, subqueries, `offset`, `@`, `anchored`, `smoothed`. Pure.

use super::{Parsed, Parser};
use crate::syntax::ast::{At, Expr, ExprKind, Extend, RangeSelector, Selector, Shift, Subquery};
use crate::syntax::error::ParseError;
use crate::syntax::token::Kind;

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            let token = self.peek();
            if token.kind == Kind::LeftBracket {
                expr = self.brackets(expr)?;
            } else if token.kind == Kind::At {
                self.at_modifier(&mut expr)?;
            } else if self.is_word(token, "offset") {
                self.offset(&mut expr)?;
            } else if self.is_word(token, "anchored") {
                self.extend(&mut expr, Extend::Anchored)?;
            } else if self.is_word(token, "smoothed") {
                self.extend(&mut expr, Extend::Smoothed)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn brackets(&mut self, expr: Expr) -> Parsed<Expr> {
        let open = self.bump();
        let range = self.duration()?;
        let range = self.positive(range)?;
        if !self.take(Kind::Colon) {
            let close = self.expect(Kind::RightBracket, "range or subquery selector", "\":\" or \"]\"")?;
            return self.range(expr, range, close.span.to(close.span));
        }
        let step = if self.peek().kind == Kind::RightBracket {
            None
        } else {
            let step = self.duration()?;
            Some(self.positive(step)?)
        };
        let close = self.expect(Kind::RightBracket, "subquery selector", "\"]\"")?;
        if expr.value_type() != crate::syntax::ast::ValueType::Vector {
            let message = format!("subquery is only allowed on instant vector, got {}", Self::describe_type(&expr));
            return Err(ParseError::new(open.span.to(close.span), message));
        }
        let span = expr.span.to(close.span);
        self.node(ExprKind::Subquery(Box::new(Subquery { expr, range, step, shift: Shift::default() })), span)
    }

    fn range(&self, expr: Expr, range: crate::syntax::ast::Duration, close: crate::syntax::span::Span) -> Parsed<Expr> {
        let span = expr.span.to(close);
        let ExprKind::Selector(selector) = expr.kind else {
            return Err(ParseError::new(span, "ranges only allowed for vector selectors"));
        };
        if selector.shift.offset.is_some() {
            return Err(ParseError::new(span, "no offset modifiers allowed before range"));
        }
        if selector.shift.at.is_some() {
            return Err(ParseError::new(span, "no @ modifiers allowed before range"));
        }
        if selector.extend.is_some() {
            return Err(ParseError::new(span, "no anchored or smoothed modifiers allowed before range"));
        }
        self.node(ExprKind::Range(RangeSelector { selector, range }), span)
    }

    fn offset(&mut self, expr: &mut Expr) -> Parsed<()> {
        let token = self.bump();
        let offset = self.offset_duration()?;
        let offset = self.bounded(offset)?;
        let end = self.previous().span;
        let Some(shift) = shift_of(expr) else {
            let message =
                "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery";
            return Err(ParseError::new(token.span.to(end), message));
        };
        if shift.offset.is_some() {
            return Err(ParseError::new(token.span.to(end), "offset may not be set multiple times"));
        }
        shift.offset = Some(offset);
        expr.span = expr.span.to(end);
        Ok(())
    }

    fn at_modifier(&mut self, expr: &mut Expr) -> Parsed<()> {
        let token = self.bump();
        let word = self.peek();
        let (start, end) = (self.is_word(word, "start"), self.is_word(word, "end"));
        let at = if start || end {
            self.bump();
            self.expect(Kind::LeftParen, "@", "\"(\"")?;
            self.expect(Kind::RightParen, "@", "\")\"")?;
            if start { At::Start } else { At::End }
        } else {
            let seconds = self.signed_number("@ modifier, a timestamp or start() or end()")?;
            let ms = (seconds * 1000.0).round();
            if ms.is_nan() || ms.abs() >= 9.2e18 {
                let message = format!("timestamp out of bounds for @ modifier: {seconds}");
                return Err(ParseError::new(word.span, message));
            }
            At::Time(ms as i64)
        };
        let end = self.previous().span;
        let Some(shift) = shift_of(expr) else {
            let message =
                "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery";
            return Err(ParseError::new(token.span.to(end), message));
        };
        if shift.at.is_some() {
            return Err(ParseError::new(token.span.to(end), "@ <timestamp> may not be set multiple times"));
        }
        shift.at = Some(at);
        expr.span = expr.span.to(end);
        Ok(())
    }

    fn extend(&mut self, expr: &mut Expr, extend: Extend) -> Parsed<()> {
        let token = self.bump();
        let name = if extend == Extend::Anchored { "anchored" } else { "smoothed" };
        let selector: &mut Selector = match &mut expr.kind {
            ExprKind::Selector(s) => s,
            ExprKind::Range(r) => &mut r.selector,
            _ => {
                let message = format!("{name} modifier must be preceded by a range vector selector");
                return Err(ParseError::new(token.span, message));
            }
        };
        if selector.extend.is_some() {
            return Err(ParseError::new(token.span, "anchored and smoothed may be set only once"));
        }
        selector.extend = Some(extend);
        expr.span = expr.span.to(token.span);
        Ok(())
    }
}

fn shift_of(expr: &mut Expr) -> Option<&mut Shift> {
    match &mut expr.kind {
        ExprKind::Selector(s) => Some(&mut s.shift),
        ExprKind::Range(r) => Some(&mut r.selector.shift),
        ExprKind::Subquery(s) => Some(&mut s.shift),
        _ => None,
    }
}
