//! Files into trees with positions, trees checked against shapes, errors that show the place. Pure.
//!
//! This room knows YAML, JSON Schema and serde; it knows nothing of services, checks or channels. Nothing here stops at
//! the first error: readers give a value *and* all diagnostics.

pub mod check;
pub mod de;
pub mod diagnostic;
pub mod join;
pub mod read;
pub mod render;
pub mod scalar;
pub mod shape;
pub mod source;
pub mod suggest;
pub mod tree;
mod within;

pub use check::{Checker, Format};
pub use diagnostic::{Diagnostic, Level, Related};
pub use join::join;
pub use read::{Reading, read};
pub use render::{Style, render};
pub use shape::Shapes;
pub use source::{Place, SourceFile, Sources, Span};
pub use tree::{Entry, Map, Node, Value};
pub use within::within;
