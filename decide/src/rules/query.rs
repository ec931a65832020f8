//! PromQL as rules use it: one expression, asked at one time, answered by samples. Pure.
//!
//! The only place of this room that knows the engine's interface.

use decide_promql::{
    DEFAULT_LOOKBACK_MS, DEFAULT_SUBQUERY_STEP_MS, Expr, Limits, ParseError, Value, ValueType, evaluate, parse,
};
use kernel::series::{Matcher, Point, Rolled, RolledUp, Select, Series, SeriesError, SeriesReader, Visit};
use kernel::{Labels, Timestamp};

/// The label that names the system of a series.
pub const SYSTEM: &str = "system";

/// An expression that was read.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    expr: Expr,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Series and their values; names kept where PromQL keeps them.
    pub samples: Vec<(Labels, Point)>,
    /// Remarks of the engine.
    pub remarks: Vec<String>,
}

impl Answer {
    /// The samples that are numbers.
    pub fn numbers(&self) -> impl Iterator<Item = (&Labels, f64)> {
        self.samples.iter().filter_map(|(labels, value)| match value {
            Point::Float(v) => Some((labels, *v)),
            Point::Histogram(_) => None,
        })
    }
}

/// How an expression is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// What it may cost.
    pub limits: &'a Limits,
    /// How far back an instant selector looks, milliseconds.
    pub lookback_ms: i64,
    /// The step of subqueries that name none, milliseconds.
    pub subquery_step_ms: i64,
}

impl Query {
    /// Reads an expression that gives samples: an instant vector or a number.
    ///
    /// # Errors
    /// It is no PromQL, or gives a range or a text.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let expr = parse(text)?;
        match expr.value_type() {
            ValueType::Vector | ValueType::Scalar => Ok(Self { text: text.to_owned(), expr }),
            other => {
                let message = format!("a rule needs an instant vector or a number, this is a {}", other.describe());
                Err(ParseError { message, span: expr.span })
            }
        }
    }

    /// Reads any expression; that it gives no samples is said when it is asked, as Prometheus does.
    ///
    /// # Errors
    /// It is no PromQL.
    pub fn parse_any(text: &str) -> Result<Self, ParseError> {
        Ok(Self { text: text.to_owned(), expr: parse(text)? })
    }

    /// Of an expression that was read already.
    pub fn from_expr(expr: Expr) -> Self {
        Self { text: expr.to_string(), expr }
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression as a tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Asks at one time, with Prometheus's usual lookback and step.
    ///
    /// # Errors
    /// Why there is no answer, in the engine's words.
    pub fn ask(&self, at: Timestamp, reader: &dyn SeriesReader, limits: &Limits) -> Result<Answer, String> {
        let (lookback_ms, subquery_step_ms) = (DEFAULT_LOOKBACK_MS, DEFAULT_SUBQUERY_STEP_MS);
        self.ask_with(at, reader, &Asking { limits, lookback_ms, subquery_step_ms })
    }

    /// Asks at one time.
    ///
    /// # Errors
    /// Why there is no answer, in the engine's words.
    pub fn ask_with(&self, at: Timestamp, reader: &dyn SeriesReader, asking: &Asking<'_>) -> Result<Answer, String> {
        let mut query = decide_promql::Query::instant(&self.expr, at.as_millis()).lookback(asking.lookback_ms);
        query.subquery_step_ms = asking.subquery_step_ms;
        if !matches!(self.expr.value_type(), ValueType::Vector | ValueType::Scalar) {
            return Err("rule result is not a vector or scalar".to_owned());
        }
        let found = evaluate(&query, reader, asking.limits).map_err(|e| e.to_string())?;
        let samples = match found.value {
            Value::Vector(vector) => vector.into_iter().map(|s| (s.labels, s.value)).collect(),
            Value::Scalar(sample) => vec![(Labels::default(), Point::Float(sample.value))],
            _ => return Err("rule result is not a vector or scalar".to_owned()),
        };
        Ok(Answer { samples, remarks: found.annotations.iter().map(ToString::to_string).collect() })
    }
}

/// A reader that shows the series of one system only, so that the rules of one plan never see another's (PLN-02).
pub struct OfSystem<'a> {
    /// All series.
    pub all: &'a dyn SeriesReader,
    /// The system, as in the label `system`.
    pub system: &'a str,
}

impl OfSystem<'_> {
    fn narrowed(&self, select: &Select) -> Select {
        let mut select = select.clone();
        select.matchers.push(Matcher::equal(SYSTEM, self.system));
        select
    }
}

impl SeriesReader for OfSystem<'_> {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        self.all.select(&self.narrowed(select))
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.all.visit(&self.narrowed(select), visit)
    }

    fn visit_newest(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.all.visit_newest(&self.narrowed(select), visit)
    }

    fn rolled_up(&self) -> Vec<RolledUp> {
        self.all.rolled_up()
    }

    fn visit_rolled(&self, select: &Select, figure: Rolled, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.all.visit_rolled(&self.narrowed(select), figure, visit)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.all.label_names(&self.narrowed(select))
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.all.label_values(name, &self.narrowed(select))
    }
}
