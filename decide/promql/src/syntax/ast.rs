//! The tree of an expression; every node knows its place in the text. Pure.

use kernel::series::Matcher;
use regex::Regex;

pub use super::operators::{AggregateOp, BinaryOp};
use super::span::Span;
use crate::functions::Function;

/// What kind of value an expression has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number.
    Scalar,
    /// Series with one value each at a time.
    Vector,
    /// Series with the samples of a range each.
    Matrix,
    /// A text.
    String,
}

impl ValueType {
    /// Prometheus's words for it in messages.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::String => "string",
        }
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
    pub(crate) depth: u16,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ExprKind {
    /// A number; durations such as `5m` are numbers of seconds.
    Number(Number),
    /// A string.
    String(Text),
    /// `name{label="value"} offset 5m @ 100`
    Selector(Selector),
    /// `selector[5m]`
    Range(RangeSelector),
    /// `expr[1h:5m]`
    Subquery(Box<Subquery>),
    /// `-expr`, `+expr`
    Unary(Sign, Box<Expr>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `sum by (job) (expr)`
    Aggregate(Box<Aggregate>),
    /// `rate(expr)`
    Call(Box<Call>),
    /// `(expr)`
    Paren(Box<Expr>),
}

/// A number as it was meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// Its value; of a duration the seconds.
    pub value: f64,
    /// Whether it was written as a duration.
    pub duration: bool,
}

/// A string; PromQL's strings are bytes, usually UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text, with U+FFFD for bytes that are no UTF-8.
    pub value: String,
    /// The bytes, where they are no UTF-8.
    pub bytes: Option<Vec<u8>>,
}

/// A sign before an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// Where a selector or subquery is moved to in time.
#[derive(Clone, Debug, Default)]
pub struct Shift {
    /// `offset`, in seconds.
    pub offset: Option<Duration>,
    /// `@`
    pub at: Option<At>,
}

/// The time an `@` fixes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum At {
    /// `@ start()`: the start of the query.
    Start,
    /// `@ end()`: the end of the query.
    End,
    /// `@ 1609746000`: milliseconds since the epoch.
    Time(i64),
}

/// How a range is extended over its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extend {
    /// The sample before the range counts as its first.
    Anchored,
    /// Values at the bounds are interpolated.
    Smoothed,
}

/// Which series, and when.
#[derive(Clone, Debug)]
pub struct Selector {
    /// The metric's name as written before the braces or quoted in them.
    pub name: Option<String>,
    /// All conditions, the one on the name included.
    pub matchers: Vec<Matcher>,
    /// `offset` and `@`.
    pub shift: Shift,
    /// `anchored` or `smoothed`.
    pub extend: Option<Extend>,
}

/// A selector of all samples in a range.
#[derive(Clone, Debug)]
pub struct RangeSelector {
    /// Which series.
    pub selector: Selector,
    /// How far back, in seconds.
    pub range: Duration,
}

/// An instant expression evaluated repeatedly over a range.
#[derive(Clone, Debug)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Expr,
    /// How far back, in seconds.
    pub range: Duration,
    /// How often, in seconds; `None` for the default.
    pub step: Option<Duration>,
    /// `offset` and `@`.
    pub shift: Shift,
}

/// A span of time that may be computed from others.
#[derive(Clone, Debug)]
pub struct Duration {
    /// What it is.
    pub kind: DurationKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of durations.
#[derive(Clone, Debug)]
pub enum DurationKind {
    /// `5m` or `300`
    Literal(Number),
    /// `step()`: the step of the query.
    Step,
    /// `range()`: the end of the query minus its start.
    Range,
    /// `-d`, `+d`
    Signed(Sign, Box<Duration>),
    /// `a + b`
    Binary(BinaryOp, Box<Duration>, Box<Duration>),
    /// `min_of(a, b)`
    Min(Box<Duration>, Box<Duration>),
    /// `max_of(a, b)`
    Max(Box<Duration>, Box<Duration>),
    /// `(d)`
    Paren(Box<Duration>),
}

/// Two expressions and an operator.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Which operator.
    pub op: BinaryOp,
    /// The left side.
    pub left: Expr,
    /// The right side.
    pub right: Expr,
    /// `bool`: a comparison gives 0 or 1 instead of filtering.
    pub bool_modifier: bool,
    /// How series of both sides are paired.
    pub matching: Matching,
}

/// Which side of a match may have several series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// One to one.
    #[default]
    None,
    /// `group_left`: many on the left.
    Left,
    /// `group_right`: many on the right.
    Right,
}

/// How series of two vectors are paired.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matching {
    /// `on` (true) or `ignoring`.
    pub on: bool,
    /// The labels of `on` or `ignoring`; `None` when neither was written.
    pub labels: Option<Vec<String>>,
    /// Many-to-one.
    pub group: Group,
    /// Labels taken over from the one side.
    pub include: Vec<String>,
    /// The value for a missing left side.
    pub fill_left: Option<f64>,
    /// The value for a missing right side.
    pub fill_right: Option<f64>,
}

impl Matching {
    /// Whether nothing was written.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// An aggregation over series.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// Which one.
    pub op: AggregateOp,
    /// What is aggregated.
    pub expr: Expr,
    /// The `k`, quantile, ratio or label name.
    pub param: Option<Expr>,
    /// `by` or `without`.
    pub grouping: Grouping,
}

/// Which labels make a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouping {
    /// `without` (true) or `by`.
    pub without: bool,
    /// The labels named.
    pub labels: Vec<String>,
}

/// A function called.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which function.
    pub function: &'static Function,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// The regular expression of `label_replace`, compiled once.
    pub(crate) regex: Option<Regex>,
}

impl Expr {
    /// The kind of value it has.
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Selector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Range(_) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Unary(_, e) | ExprKind::Paren(e) => e.value_type(),
            ExprKind::Binary(b) => match (b.left.value_type(), b.right.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
            ExprKind::Call(c) => c.function.returns,
        }
    }

    /// The expression without the parentheses around it.
    pub fn unwrapped(&self) -> &Expr {
        match &self.kind {
            ExprKind::Paren(inner) => inner.unwrapped(),
            _ => self,
        }
    }

    /// The place that is named in what is said of it as an argument: without the parentheses around it, and of a subquery Prometheus names the
    /// beginning of the text.
    pub fn place(&self) -> Span {
        let inner = self.unwrapped();
        match inner.kind {
            ExprKind::Subquery(_) => Span { start: 0, end: inner.span.end, line: 1, column: 1 },
            _ => inner.span,
        }
    }

    /// Its direct parts.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Selector(_) | ExprKind::Range(_) => Vec::new(),
            ExprKind::Subquery(s) => vec![&s.expr],
            ExprKind::Unary(_, e) | ExprKind::Paren(e) => vec![e],
            ExprKind::Binary(b) => vec![&b.left, &b.right],
            ExprKind::Aggregate(a) => a.param.iter().chain([&a.expr]).collect(),
            ExprKind::Call(c) => c.args.iter().collect(),
        }
    }

    /// Calls `visit` for this expression and everything in it, outer first.
    pub fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}
