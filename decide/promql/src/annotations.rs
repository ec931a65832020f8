//! Remarks on a query that has a result all the same: warnings and infos, with Prometheus's texts. Pure.

use std::fmt;

use crate::syntax::span::Span;

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnnotationKind {
    /// The result is likely not what was meant.
    Warning,
    /// The result may not be what was meant.
    Info,
}

/// A remark on a part of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Annotation {
    /// Warning or info.
    pub kind: AnnotationKind,
    /// What was noticed.
    pub message: String,
    /// The part of the expression it is about.
    pub span: Span,
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            AnnotationKind::Warning => "warning",
            AnnotationKind::Info => "info",
        };
        write!(f, "PromQL {kind}: {} ({})", self.message, self.span)
    }
}
