//! A series as a chart takes it. Pure.

use std::sync::Arc;

use decide_promql::MatrixSeries;
use kernel::series::Histogram;

use super::thin::{At, is_drawn};

/// A line of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// How the legend calls it; any text.
    pub name: String,
    /// Times in milliseconds since the epoch, rising, and values.
    pub points: Vec<(i64, f64)>,
    /// Its colour, 0 to 7; `None`: by its place.
    pub colour: Option<u8>,
    /// Whether it is read on the axis at the right, where there is one.
    pub right: bool,
}

/// One number of a whole line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// The newest value.
    Last,
    /// The oldest value.
    First,
    /// The least.
    Min,
    /// The most.
    Max,
    /// The mean of all points.
    Mean,
    /// The sum of all points.
    Sum,
    /// How many points there are.
    Count,
    /// The most less the least.
    Range,
    /// The newest less the oldest.
    Difference,
}

/// A line in four numbers; `None` where it has no number at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The newest.
    pub last: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// The mean of all points.
    pub mean: f64,
}

impl Line {
    /// Of points.
    pub fn new(name: impl Into<String>, points: Vec<(i64, f64)>) -> Self {
        Self { name: name.into(), points, colour: None, right: false }
    }

    /// Of a result's series; of histograms what `figure` makes of each.
    pub fn of(name: impl Into<String>, series: &MatrixSeries, figure: impl Fn(&Histogram) -> f64) -> Self {
        let floats = series.samples.iter().map(|s| (s.t_ms, s.value));
        let histograms = series.histograms.iter().map(|(t, h): &(i64, Arc<Histogram>)| (*t, figure(h)));
        let mut points: Vec<At> = floats.chain(histograms).collect();
        points.sort_by_key(|p| p.0);
        Self::new(name, points)
    }

    /// In four numbers, of what can be drawn.
    pub fn summary(&self) -> Option<Summary> {
        let drawn = || self.points.iter().map(|p| p.1).filter(|v| is_drawn(*v));
        let last = drawn().next_back()?;
        let (mut min, mut max, mut mean) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for (i, v) in drawn().enumerate() {
            (min, max) = (min.min(v), max.max(v));
            // As it goes on, so that no sum can overflow.
            mean += (v - mean) / (i + 1) as f64;
        }
        Some(Summary { last, min, max, mean })
    }

    /// One number, of what can be drawn.
    pub fn figure(&self, figure: Figure) -> Option<f64> {
        let summary = self.summary()?;
        let drawn = || self.points.iter().map(|p| p.1).filter(|v| is_drawn(*v));
        Some(match figure {
            Figure::Last => summary.last,
            Figure::First => drawn().next()?,
            Figure::Min => summary.min,
            Figure::Max => summary.max,
            Figure::Mean => summary.mean,
            Figure::Sum => drawn().sum(),
            Figure::Count => drawn().count() as f64,
            Figure::Range => summary.max - summary.min,
            Figure::Difference => summary.last - drawn().next()?,
        })
    }

    /// Class of its colour and, from the ninth line on, its dashes.
    pub(super) fn class(&self, place: usize) -> String {
        match (self.colour, place / 8 % 3) {
            (Some(colour), _) => format!("c{}", colour % 8),
            (None, 0) => format!("c{}", place % 8),
            (None, dashes) => format!("c{} k{dashes}", place % 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_numbers_say_what_a_line_did() {
        let line = Line::new("a", vec![(0, 4.0), (1, f64::NAN), (2, 1.0), (3, f64::INFINITY), (4, 1.0)]);
        assert_eq!(line.summary(), Some(Summary { last: 1.0, min: 1.0, max: 4.0, mean: 2.0 }));
        let check = |figure: Figure, expect: f64| assert_eq!(line.figure(figure), Some(expect), "{figure:?}");
        check(Figure::First, 4.0);
        check(Figure::Sum, 6.0);
        check(Figure::Count, 3.0);
        check(Figure::Range, 3.0);
        check(Figure::Difference, -3.0);
        assert_eq!(Line::new("a", vec![(0, f64::NAN)]).summary(), None);
        assert_eq!((line.class(0), line.class(9), line.class(17)), ("c0".into(), "c1 k1".into(), "c1 k2".into()));
    }
}
