//! PromQL as rules use it: one expression, asked at one time, answered by samples. Pure.
//!
//! The only place of this room that knows the engine's interface.

use decide_promql::{Expr, Limits, ParseError, Value, ValueType, evaluate, parse};
use kernel::series::{Matcher, Select, Series, SeriesError, SeriesReader};
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
    pub samples: Vec<(Labels, f64)>,
    /// Remarks of the engine.
    pub remarks: Vec<String>,
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

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression as a tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Asks at one time.
    ///
    /// # Errors
    /// Why there is no answer, in the engine's words.
    pub fn ask(&self, at: Timestamp, reader: &dyn SeriesReader, limits: &Limits) -> Result<Answer, String> {
        let query = decide_promql::Query::instant(&self.expr, at.as_millis());
        let found = evaluate(&query, reader, limits).map_err(|e| e.to_string())?;
        let samples = match found.value {
            // A rule decides by numbers: histograms are left out.
            Value::Vector(vector) => vector.into_iter().filter_map(|s| Some((s.labels.clone(), s.float()?))).collect(),
            Value::Scalar(sample) => vec![(Labels::default(), sample.value)],
            _ => return Err("the expression gave neither samples nor a number".to_owned()),
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

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.all.label_names(&self.narrowed(select))
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.all.label_values(name, &self.narrowed(select))
    }
}
