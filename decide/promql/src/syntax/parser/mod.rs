//! Words to tree: a Pratt parser. Pure.

mod aggregate;
mod binary;
mod call;
mod duration;
mod postfix;
mod selector;

use super::ast::{AggregateOp, Expr, ExprKind, Number, Sign, Text};
use super::error::{OneOf, ParseError};
use super::lexer::{duration_seconds, read_tokens};
use super::literal::{number_value, unquote};
use super::span::Span;
use super::token::{Kind, Token, is_keyword};
use super::{check, token};

/// Expressions may nest this deep: deeper ones come from mistakes or attacks, and recursion needs a bound.
pub(crate) const MAX_DEPTH: u16 = 250;

type Parsed<T> = Result<T, ParseError>;

pub(super) struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: u16,
    duration_operators: u16,
}

/// Reads an expression and checks its types.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(source: &str) -> Result<Expr, ParseError> {
    let tokens = read_tokens(source)?;
    let mut parser = Parser { source, tokens, at: 0, depth: 0, duration_operators: 0 };
    if parser.peek().kind == Kind::End {
        return Err(ParseError::new(parser.peek().span, "no expression found in input"));
    }
    let expr = parser.expression(0)?;
    if parser.peek().kind != Kind::End {
        return Err(parser.unexpected("expression", &["an operator", "end of input"]));
    }
    check::check(&expr)?;
    Ok(expr)
}

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, n: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + n).min(last)]
    }

    fn bump(&mut self) -> Token {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn previous(&self) -> Token {
        self.tokens[self.at.saturating_sub(1)]
    }

    fn text(&self, token: Token) -> &str {
        self.source.get(token.span.range()).unwrap_or_default()
    }

    fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == Kind::Name && self.text(token).eq_ignore_ascii_case(word)
    }

    fn take(&mut self, kind: Kind) -> bool {
        let found = self.peek().kind == kind;
        if found {
            self.bump();
        }
        found
    }

    fn expect(&mut self, kind: Kind, context: &str, what: &str) -> Parsed<Token> {
        if self.peek().kind == kind { Ok(self.bump()) } else { Err(self.unexpected(context, &[what])) }
    }

    fn unexpected(&self, context: &str, expected: &[&str]) -> ParseError {
        let found = self.peek();
        let message = format!("unexpected {} in {context}, expected {}", found.describe(self.source), OneOf(expected));
        ParseError::new(found.span, message)
    }

    /// A node, refused when it is nested too deeply.
    fn node(&self, kind: ExprKind, span: Span) -> Parsed<Expr> {
        let mut expr = Expr { kind, span, depth: 0 };
        expr.depth = expr.children().iter().map(|c| c.depth).max().unwrap_or(0) + 1;
        if expr.depth > MAX_DEPTH { Err(Self::too_deep(span)) } else { Ok(expr) }
    }

    fn too_deep(span: Span) -> ParseError {
        ParseError::new(
            span,
            format!("expression is nested deeper than {MAX_DEPTH} levels; split it, e.g. by recording rules"),
        )
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Self::too_deep(self.peek().span));
        }
        self.depth += 1;
        let out = inner(self);
        self.depth -= 1;
        out
    }

    /// An expression whose operators all bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Parsed<Expr> {
        self.nested(|p| {
            let mut left = p.prefix()?;
            while let Some((op, power)) = p.operator() {
                if power < least {
                    break;
                }
                left = p.binary(left, op, power)?;
            }
            Ok(left)
        })
    }

    fn prefix(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        let sign = match token.kind {
            Kind::Add => Some(Sign::Plus),
            Kind::Sub => Some(Sign::Minus),
            _ => None,
        };
        let Some(sign) = sign else {
            let primary = self.primary()?;
            return self.postfix(primary);
        };
        self.bump();
        let inner = self.expression(binary::UNARY_POWER)?;
        let span = token.span.to(inner.span);
        if let ExprKind::Number(n) = inner.kind {
            let value = if sign == Sign::Minus { -n.value } else { n.value };
            return self.node(ExprKind::Number(Number { value, duration: n.duration }), span);
        }
        self.node(ExprKind::Unary(sign, Box::new(inner)), span)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        match token.kind {
            Kind::LeftParen => {
                self.bump();
                let inner = self.expression(0)?;
                let close = self.expect(Kind::RightParen, "parenthesised expression", "an operator or \")\"")?;
                self.node(ExprKind::Paren(Box::new(inner)), token.span.to(close.span))
            }
            Kind::Number | Kind::Duration => {
                let number = self.number()?;
                self.node(ExprKind::Number(number), token.span)
            }
            Kind::Text => {
                let text = self.string()?;
                self.node(ExprKind::String(text), token.span)
            }
            Kind::LeftBrace => self.selector(None),
            Kind::Name | Kind::MetricName => self.word(token),
            _ => {
                Err(self
                    .unexpected("expression", &["a number", "string", "selector", "function", "aggregation", "\"(\""]))
            }
        }
    }

    fn word(&mut self, token: Token) -> Parsed<Expr> {
        let text = self.text(token).to_owned();
        let next = self.ahead(1);
        let called = next.kind == Kind::LeftParen;
        if token.kind == Kind::Name {
            let grouped = self.is_word(next, "by") || self.is_word(next, "without");
            if let Some(op) = AggregateOp::named(&text).filter(|_| called || grouped) {
                return self.aggregate(op);
            }
            if matches!(text.to_ascii_lowercase().as_str(), "inf" | "nan") {
                let number = self.number()?;
                return self.node(ExprKind::Number(number), token.span);
            }
        }
        if called && !is_keyword(&text) {
            return self.call();
        }
        if !token::may_name_metric(&text) {
            return Err(self.unexpected("expression", &["a number", "string", "selector", "function", "aggregation"]));
        }
        self.selector(Some(token))
    }

    /// A number or a duration.
    fn number(&mut self) -> Parsed<Number> {
        let token = self.bump();
        let text = self.text(token);
        let duration = token.kind == Kind::Duration;
        let value = if duration { duration_seconds(text) } else { number_value(text) };
        value.map(|value| Number { value, duration }).map_err(|m| ParseError::new(token.span, m))
    }

    fn string(&mut self) -> Parsed<Text> {
        let token = self.expect(Kind::Text, "expression", "a string")?;
        let bytes = unquote(self.text(token)).map_err(|m| ParseError::new(token.span, m))?;
        Ok(match String::from_utf8(bytes) {
            Ok(value) => Text { value, bytes: None },
            Err(e) => {
                let value = String::from_utf8_lossy(e.as_bytes()).into_owned();
                Text { value, bytes: Some(e.into_bytes()) }
            }
        })
    }

    /// The value type of an expression as messages name it.
    fn describe_type(expr: &Expr) -> &'static str {
        expr.value_type().describe()
    }
}
