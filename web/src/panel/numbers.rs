//! What a panel says, as numbers and texts: for programs that show it themselves (DSH-08). Pure.

use kernel::Labels;

use super::answers::named;
use super::thresholds::in_values;
use super::value::Measure;
use super::{Answers, Canvas};

/// Series that one answer holds; the engine gives no more points than its own limits let through.
pub(crate) const MOST_SERIES: usize = 1_000;

/// A series of a panel.
pub(crate) struct Number {
    /// How the panel calls it.
    pub(crate) name: String,
    pub(crate) labels: Labels,
    /// Times in milliseconds since 1970 and values.
    pub(crate) points: Vec<(i64, f64)>,
    /// One number for the whole, as the panel takes it.
    pub(crate) value: Option<f64>,
    /// That number as people read it, with its unit.
    pub(crate) text: String,
    /// The word of its colour.
    pub(crate) colour: Option<&'static str>,
    /// The word of its unit.
    pub(crate) unit: String,
}

/// The series of a panel, and how many there are beyond those.
pub(crate) fn numbers(canvas: &Canvas<'_>, answers: &Answers) -> (Vec<Number>, usize) {
    let turned = in_values(canvas.panel, answers);
    let panel = turned.as_ref().unwrap_or(canvas.panel);
    let all = named(panel, answers);
    let left_out = all.len().saturating_sub(MOST_SERIES);
    let one = |series: super::answers::Named| {
        let measure = Measure::of_series(panel, &series);
        let value = series.reduced(panel.reduce.unwrap_or_default());
        let shown = canvas.shown(value, &measure);
        Number {
            value,
            text: shown.text,
            colour: shown.colour.map(|c| c.as_str()),
            unit: measure.unit.as_text().into_owned(),
            name: series.name,
            labels: series.labels,
            points: series.points,
        }
    };
    (all.into_iter().take(MOST_SERIES).map(one).collect(), left_out)
}
