//! PromQL: the language, and its evaluation over the read port. Pure: time, limits and cancelling are arguments.
//!
//! ```
//! use decide_promql::{Limits, Query, Value, evaluate, memory::MemoryReader, parse};
//! use kernel::Labels;
//!
//! let mut reader = MemoryReader::default();
//! reader.add(Labels::metric("up", [("job", "postgres")]), &[(0, 1.0), (15_000, 0.0)]);
//! let expr = parse(r#"up{job="postgres"} == 0"#)?;
//! let found = evaluate(&Query::instant(&expr, 20_000), &reader, &Limits::default())?;
//! let Value::Vector(samples) = found.value else { return Err("no vector".into()) };
//! assert_eq!(samples[0].labels.to_string(), r#"up{job="postgres"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod annotations;
mod eval;
mod functions;
pub mod memory;
pub mod notation;
mod query;
mod syntax;
mod value;

pub use annotations::{Annotation, AnnotationKind};
pub use eval::{EvalError, evaluate, evaluate_cancellable, evaluate_explained};
pub use functions::{Function, all as functions};
pub use query::{Control, DEFAULT_LOOKBACK_MS, DEFAULT_SUBQUERY_STEP_MS, Limits, Query};
pub use syntax::ast;
pub use syntax::ast::{Expr, ExprKind, ValueType};
pub use syntax::error::ParseError;
pub use syntax::json::to_json;
pub use syntax::literal::format_number;
pub use syntax::parser::parse;
pub use syntax::pretty::pretty;
pub use syntax::span::Span;
pub use value::{Evaluated, Explained, MatrixSeries, Stats, Value, VectorSample};
