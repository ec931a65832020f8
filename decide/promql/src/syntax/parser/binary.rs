//! Binary operators and their modifiers. Pure.

use super::{Parsed, Parser};
use crate::syntax::ast::{Binary, BinaryOp, Expr, ExprKind, Group, Matching};
use crate::syntax::error::ParseError;
use crate::syntax::token::Kind;

/// A sign binds its operand as tightly as `*`: only `^` is tighter.
pub(super) const UNARY_POWER: u8 = 6;
const POW_POWER: u8 = 6;

impl Parser<'_> {
    /// The operator that comes next, with its binding power.
    pub(super) fn operator(&self) -> Option<(BinaryOp, u8)> {
        let token = self.peek();
        Some(match token.kind {
            Kind::Add => (BinaryOp::Add, 4),
            Kind::Sub => (BinaryOp::Sub, 4),
            Kind::Mul => (BinaryOp::Mul, 5),
            Kind::Div => (BinaryOp::Div, 5),
            Kind::Mod => (BinaryOp::Mod, 5),
            Kind::Pow => (BinaryOp::Pow, POW_POWER),
            Kind::Equal => (BinaryOp::Equal, 3),
            Kind::NotEqual => (BinaryOp::NotEqual, 3),
            Kind::Less => (BinaryOp::Less, 3),
            Kind::LessEqual => (BinaryOp::LessEqual, 3),
            Kind::Greater => (BinaryOp::Greater, 3),
            Kind::GreaterEqual => (BinaryOp::GreaterEqual, 3),
            Kind::TrimUpper => (BinaryOp::TrimUpper, 3),
            Kind::TrimLower => (BinaryOp::TrimLower, 3),
            Kind::Name => match self.text(token).to_ascii_lowercase().as_str() {
                "atan2" => (BinaryOp::Atan2, 5),
                "and" => (BinaryOp::And, 2),
                "unless" => (BinaryOp::Unless, 2),
                "or" => (BinaryOp::Or, 1),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The operator, its modifiers and the right side.
    pub(super) fn binary(&mut self, left: Expr, op: BinaryOp, power: u8) -> Parsed<Expr> {
        let op_token = self.bump();
        let bool_modifier = self.is_word(self.peek(), "bool");
        if bool_modifier {
            let token = self.bump();
            if !op.is_comparison() {
                let message = "bool modifier can only be used on comparison operators";
                return Err(ParseError::new(token.span, message));
            }
        }
        let matching = self.matching()?;
        if op.is_set() && (matching.fill_left.is_some() || matching.fill_right.is_some()) {
            let message = format!("filling in missing series not allowed for set operators, here {:?}", op.symbol());
            return Err(ParseError::new(op_token.span, message));
        }
        // `^` is right-associative, all others left-associative.
        let right = self.expression(if op == BinaryOp::Pow { power } else { power + 1 })?;
        let span = left.span.to(right.span);
        self.node(ExprKind::Binary(Box::new(Binary { op, left, right, bool_modifier, matching })), span)
    }

    fn matching(&mut self) -> Parsed<Matching> {
        let mut matching = Matching::default();
        let token = self.peek();
        let on = self.is_word(token, "on");
        if on || self.is_word(token, "ignoring") {
            self.bump();
            matching.on = on;
            matching.labels = Some(self.label_list()?);
            self.group(&mut matching)?;
        }
        self.fill(&mut matching)?;
        Ok(matching)
    }

    fn group(&mut self, matching: &mut Matching) -> Parsed<()> {
        let token = self.peek();
        matching.group = if self.is_word(token, "group_left") {
            Group::Left
        } else if self.is_word(token, "group_right") {
            Group::Right
        } else {
            return Ok(());
        };
        self.bump();
        if self.peek().kind != Kind::LeftParen {
            return Ok(());
        }
        matching.include = self.label_list()?;
        let named = matching.labels.iter().flatten();
        if let Some(twice) = named.filter(|_| matching.on).find(|l| matching.include.contains(l)) {
            let message = format!("label {twice:?} must not occur in ON and GROUP clause at once");
            return Err(ParseError::new(self.previous().span, message));
        }
        Ok(())
    }

    fn fill(&mut self, matching: &mut Matching) -> Parsed<()> {
        loop {
            let token = self.peek();
            let (left, right) = if self.is_word(token, "fill") {
                (true, true)
            } else {
                (self.is_word(token, "fill_left"), self.is_word(token, "fill_right"))
            };
            // `a + fill` adds the metric `fill`: the modifier has its value in parentheses.
            if !(left || right) || self.ahead(1).kind != Kind::LeftParen {
                return Ok(());
            }
            self.bump();
            self.bump();
            let value = self.signed_number("fill modifier")?;
            self.expect(Kind::RightParen, "fill modifier", "\")\"")?;
            let again = (left && matching.fill_left.is_some()) || (right && matching.fill_right.is_some());
            if again {
                return Err(ParseError::new(token.span, "fill may not be set multiple times"));
            }
            if left {
                matching.fill_left = Some(value);
            }
            if right {
                matching.fill_right = Some(value);
            }
        }
    }
}
