//! The language: words, tree, types, and the way back to text. Pure.

pub mod ast;
pub(crate) mod check;
mod display;
pub(crate) mod duration;
pub(crate) mod error;
pub(crate) mod json;
mod lexer;
pub(crate) mod literal;
mod operators;
pub(crate) mod parser;
pub(crate) mod pretty;
pub(crate) mod span;
mod token;
