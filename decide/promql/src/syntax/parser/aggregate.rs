//! Aggregations and lists of labels. Pure.

use super::{Parsed, Parser};
use crate::syntax::ast::{Aggregate, AggregateOp, Expr, ExprKind, Grouping};
use crate::syntax::error::ParseError;
use crate::syntax::literal::unquote;
use crate::syntax::token::Kind;

impl Parser<'_> {
    pub(super) fn aggregate(&mut self, op: AggregateOp) -> Parsed<Expr> {
        let start = self.bump().span;
        let before = self.grouping()?;
        self.expect(Kind::LeftParen, "aggregation", "\"(\"")?;
        let mut args = self.arguments("aggregation")?;
        let mut span = start.to(self.previous().span);
        let grouping = match before {
            Some(grouping) => grouping,
            None => match self.grouping()? {
                Some(grouping) => {
                    span = start.to(self.previous().span);
                    grouping
                }
                None => Grouping::default(),
            },
        };
        let wanted = if op.param().is_some() { 2 } else { 1 };
        if args.is_empty() {
            return Err(ParseError::new(span, "no arguments for aggregate expression provided"));
        }
        if args.len() != wanted {
            let found = args.len();
            let message =
                format!("wrong number of arguments for aggregate expression provided, expected {wanted}, got {found}");
            return Err(ParseError::new(span, message));
        }
        let expr = args.pop();
        let param = args.pop();
        let Some(expr) = expr else {
            return Err(ParseError::new(span, "no arguments for aggregate expression provided"));
        };
        self.node(ExprKind::Aggregate(Box::new(Aggregate { op, expr, param, grouping })), span)
    }

    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let without = self.is_word(self.peek(), "without");
        if !without && !self.is_word(self.peek(), "by") {
            return Ok(None);
        }
        self.bump();
        Ok(Some(Grouping { without, labels: self.label_list()? }))
    }

    /// Expressions up to the closing parenthesis; the opening one is taken already.
    pub(super) fn arguments(&mut self, context: &str) -> Parsed<Vec<Expr>> {
        let mut args = Vec::new();
        if self.take(Kind::RightParen) {
            return Ok(args);
        }
        loop {
            args.push(self.expression(0)?);
            if self.take(Kind::RightParen) {
                return Ok(args);
            }
            let comma = self.expect(Kind::Comma, context, "\",\" or \")\"")?;
            if self.peek().kind == Kind::RightParen {
                let message = "trailing commas not allowed in function call args";
                return Err(ParseError::new(comma.span, message));
            }
        }
    }

    /// `(a, b, "quoted one")`
    pub(super) fn label_list(&mut self) -> Parsed<Vec<String>> {
        const CONTEXT: &str = "grouping opts";
        self.expect(Kind::LeftParen, CONTEXT, "\"(\"")?;
        let mut labels = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::RightParen => {
                    self.bump();
                    return Ok(labels);
                }
                Kind::Name => labels.push(self.text(token).to_owned()),
                Kind::Text => {
                    let bytes = unquote(self.text(token)).map_err(|m| ParseError::new(token.span, m))?;
                    match String::from_utf8(bytes) {
                        Ok(name) if !name.is_empty() => labels.push(name),
                        _ => {
                            let message = format!("invalid label name for grouping: {}", self.text(token));
                            return Err(ParseError::new(token.span, message));
                        }
                    }
                }
                _ => return Err(self.unexpected(CONTEXT, &["label"])),
            }
            self.bump();
            if self.peek().kind != Kind::RightParen {
                self.expect(Kind::Comma, CONTEXT, "\",\" or \")\"")?;
            }
        }
    }
}
