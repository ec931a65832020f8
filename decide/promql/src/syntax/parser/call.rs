//! Function calls. Pure.

use super::{Parsed, Parser};
use crate::functions;
use crate::syntax::ast::{Call, Expr, ExprKind};
use crate::syntax::error::ParseError;

impl Parser<'_> {
    pub(super) fn call(&mut self) -> Parsed<Expr> {
        let token = self.bump();
        let name = self.text(token).to_owned();
        let Some(function) = functions::find(&name) else {
            let hint = match functions::nearest(&name) {
                Some(near) => format!("; did you mean {near:?}?"),
                None => String::new(),
            };
            return Err(ParseError::new(token.span, format!("unknown function with name {name:?}{hint}")));
        };
        self.bump();
        let args = self.arguments("function call")?;
        let span = token.span.to(self.previous().span);
        let regex = functions::compiled_regex(function, &args);
        self.node(ExprKind::Call(Box::new(Call { function, args, regex })), span)
    }
}
