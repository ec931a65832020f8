//! Vector selectors. Pure.

use kernel::labels::METRIC_NAME;
use kernel::series::{MatchOp, Matcher};

use super::{Parsed, Parser};
use crate::syntax::ast::{Expr, ExprKind, Selector, Shift};
use crate::syntax::error::ParseError;
use crate::syntax::literal::unquote;
use crate::syntax::token::{Kind, Token};

const CONTEXT: &str = "label matching";

impl Parser<'_> {
    /// `name`, `name{…}` or `{…}`; the name is the next word when there is one.
    pub(super) fn selector(&mut self, name: Option<Token>) -> Parsed<Expr> {
        let start = self.here();
        let mut selector = Selector { name: None, matchers: Vec::new(), shift: Shift::default(), extend: None };
        if let Some(token) = name {
            selector.name = Some(self.text(token).to_owned());
            self.bump();
        }
        if self.take(Kind::LeftBrace) {
            self.matchers(&mut selector)?;
        }
        let span = start.to(self.previous().span);
        if let (Some(name), true) = (&selector.name, name.is_some()) {
            if let Some(twice) = selector.matchers.iter().find(|m| &*m.name == METRIC_NAME) {
                let message = format!("metric name must not be set twice: {name:?} or {:?}", twice.value);
                return Err(ParseError::new(span, message));
            }
            selector.matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        self.node(ExprKind::Selector(selector), span)
    }

    fn matchers(&mut self, selector: &mut Selector) -> Parsed<()> {
        loop {
            if self.take(Kind::RightBrace) {
                return Ok(());
            }
            self.matcher(selector)?;
            if self.peek().kind != Kind::RightBrace {
                self.expect(Kind::Comma, CONTEXT, "\",\" or \"}\"")?;
            }
        }
    }

    fn matcher(&mut self, selector: &mut Selector) -> Parsed<()> {
        let token = self.peek();
        let name = match token.kind {
            Kind::Name => self.text(token).to_owned(),
            Kind::Text => self.utf8(token)?,
            _ => return Err(self.unexpected(CONTEXT, &["identifier", "string", "\"}\""])),
        };
        self.bump();
        let op = match self.peek().kind {
            Kind::Assign => MatchOp::Equal,
            Kind::NotEqual => MatchOp::NotEqual,
            Kind::MatchRegex => MatchOp::Regex,
            Kind::NotRegex => MatchOp::NotRegex,
            Kind::Comma | Kind::RightBrace if token.kind == Kind::Text => {
                // A name in quotes is one more condition on the name.
                selector.matchers.push(Matcher::equal(METRIC_NAME, &name));
                selector.name = selector.name.take().or(Some(name).filter(|name| !name.is_empty()));
                return Ok(());
            }
            _ => return Err(self.unexpected(CONTEXT, &["\"=\"", "\"!=\"", "\"=~\"", "\"!~\""])),
        };
        self.bump();
        let value_token = self.expect(Kind::Text, CONTEXT, "a string")?;
        let value = self.utf8(value_token)?;
        let matcher = Matcher::new(&name, op, &value)
            .map_err(|e| ParseError::new(value_token.span, format!("error parsing regexp: {e}")))?;
        selector.matchers.push(matcher);
        Ok(())
    }

    fn utf8(&self, token: Token) -> Parsed<String> {
        let bytes = unquote(self.text(token)).map_err(|m| ParseError::new(token.span, m))?;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            // No label holds such a value, so a text that no label holds stands in for it.
            Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
        })
    }
}
