//! Why a text is no expression. Pure.

use std::fmt::{self, Write as _};

use super::span::Span;

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{span}: parse error: {message}")]
pub struct ParseError {
    /// What was found and what was expected.
    pub message: String,
    /// The part of the text that the message is about.
    pub span: Span,
}

impl ParseError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span }
    }

    /// The line of the text with the place underlined, and the message below.
    pub fn underlined(&self, text: &str) -> String {
        let start = (self.span.start as usize).min(text.len());
        let from = text[..floor(text, start)].rfind('\n').map_or(0, |i| i + 1);
        let to = text[floor(text, start)..].find('\n').map_or(text.len(), |i| floor(text, start) + i);
        let before = text[from..floor(text, start)].chars().count();
        let until = floor(text, (self.span.end as usize).clamp(start, to.max(start)));
        let marked = text[floor(text, start)..until.max(floor(text, start))].chars().count().max(1);
        let mut out = String::new();
        let _ = write!(out, "{}\n{}{} {}", &text[from..to], " ".repeat(before), "^".repeat(marked), self.message);
        out
    }
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A list of expected things for a message: `a, b or c`.
pub(crate) struct OneOf<'a>(pub(crate) &'a [&'a str]);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.0.iter().enumerate() {
            match i {
                0 => {}
                _ if i + 1 == self.0.len() => f.write_str(" or ")?,
                _ => f.write_str(", ")?,
            }
            f.write_str(item)?;
        }
        Ok(())
    }
}
