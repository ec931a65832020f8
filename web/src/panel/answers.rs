//! What the queries of a panel gave, as series with names. Pure.

use decide::dashboards::legend;
use decide_promql::Value;
use kernel::Labels;
use kernel::series::{Histogram, Point};
use plan_model::dashboard::panel::{Panel, Reduce, SeriesSetting};

/// The answer to one query.
#[derive(Clone, Debug)]
pub struct Part {
    /// How its series are called.
    pub legend: Option<String>,
    /// The expression that was asked.
    pub expression: String,
    /// What it gave.
    pub value: Value,
    /// When an instant one was asked, milliseconds.
    pub at_ms: i64,
}

impl Part {
    /// Whether it gave nothing.
    pub fn is_empty(&self) -> bool {
        match &self.value {
            Value::Vector(all) => all.is_empty(),
            Value::Matrix(all) => all.is_empty(),
            _ => false,
        }
    }
}

/// The answers to all queries of a panel.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One for each query that was answered.
    pub parts: Vec<Part>,
    /// Why others were not.
    pub errors: Vec<String>,
    /// What the engine remarked.
    pub remarks: Vec<String>,
}

/// A series with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// How the panel calls it.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Times in milliseconds since 1970 and values, oldest first.
    pub points: Vec<(i64, f64)>,
    /// What the plan says of it alone, as places in the panel's list.
    pub settings: Vec<usize>,
}

impl Named {
    /// One number for the whole.
    pub fn reduced(&self, how: Reduce) -> Option<f64> {
        let values = || self.points.iter().map(|(_, v)| *v).filter(|v| !v.is_nan());
        let least = || values().reduce(f64::min);
        let most = || values().reduce(f64::max);
        match how {
            Reduce::Last => self.points.last().map(|(_, v)| *v),
            Reduce::First => self.points.first().map(|(_, v)| *v),
            Reduce::Min => least(),
            Reduce::Max => most(),
            Reduce::Sum => values().reduce(|a, b| a + b),
            Reduce::Mean => values().reduce(|a, b| a + b).map(|sum| sum / values().count() as f64),
            Reduce::Count => Some(values().count() as f64),
            Reduce::Range => Some(most()? - least()?),
            Reduce::Difference => Some(values().next_back()? - values().next()?),
        }
    }

    /// The newest moment.
    pub fn newest_ms(&self) -> Option<i64> {
        self.points.last().map(|(t, _)| *t)
    }
}

/// All series of a panel with their names; hidden ones are left out.
pub fn named(panel: &Panel, answers: &Answers) -> Vec<Named> {
    let patterns: Vec<Option<regex::Regex>> = panel.series.iter().map(|s| pattern(&s.name)).collect();
    let mut out = Vec::new();
    for part in &answers.parts {
        for (labels, points) in series(part) {
            let name = name_of(&labels, part);
            let is_meant = |(i, s): (usize, &SeriesSetting)| {
                let by_pattern = patterns[i].as_ref().is_some_and(|p| p.is_match(&name));
                (by_pattern || s.name == name).then_some(i)
            };
            let settings: Vec<usize> = panel.series.iter().enumerate().filter_map(is_meant).collect();
            if settings.iter().any(|i| panel.series[*i].hidden) {
                continue;
            }
            let label = settings.iter().rev().find_map(|i| panel.series[*i].label.clone());
            out.push(Named { name: label.unwrap_or(name), labels, points, settings });
        }
    }
    out
}

/// A name between `/` is a regular expression.
fn pattern(name: &str) -> Option<regex::Regex> {
    let inner = name.strip_prefix('/')?.strip_suffix('/').filter(|n| !n.is_empty())?;
    regex::Regex::new(inner).ok()
}

/// Series of a part, whatever form they came in; of native histograms their means.
fn series(part: &Part) -> Vec<(Labels, Vec<(i64, f64)>)> {
    let figure = |h: &Histogram| if h.count > 0.0 { h.sum / h.count } else { f64::NAN };
    match &part.value {
        Value::Scalar(sample) => vec![(Labels::default(), vec![(sample.t_ms, sample.value)])],
        Value::Vector(all) => {
            let number = |point: &Point| match point {
                Point::Float(v) => *v,
                Point::Histogram(h) => figure(h),
            };
            all.iter().map(|s| (s.labels.clone(), vec![(part.at_ms, number(&s.value))])).collect()
        }
        Value::Matrix(all) => {
            let points = |s: &decide_promql::MatrixSeries| {
                let floats = s.samples.iter().map(|s| (s.t_ms, s.value));
                let mut points: Vec<_> = floats.chain(s.histograms.iter().map(|(t, h)| (*t, figure(h)))).collect();
                points.sort_by_key(|p| p.0);
                points
            };
            all.iter().map(|s| (s.labels.clone(), points(s))).collect()
        }
        _ => Vec::new(),
    }
}

fn name_of(labels: &Labels, part: &Part) -> String {
    let made = match &part.legend {
        Some(template) => legend(template, labels),
        None if labels.is_empty() => part.expression.clone(),
        None => labels.to_string(),
    };
    if made.trim().is_empty() { part.expression.clone() } else { made }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_becomes_one_number() {
        let points = vec![(0, 2.0), (1, f64::NAN), (2, 6.0), (3, 4.0)];
        let one = Named { name: String::new(), labels: Labels::default(), points, settings: Vec::new() };
        let check = |how: Reduce, expect: f64| assert_eq!(one.reduced(how), Some(expect), "{how:?}");
        check(Reduce::Last, 4.0);
        check(Reduce::First, 2.0);
        check(Reduce::Mean, 4.0);
        check(Reduce::Min, 2.0);
        check(Reduce::Max, 6.0);
        check(Reduce::Sum, 12.0);
        check(Reduce::Count, 3.0);
        check(Reduce::Range, 4.0);
        check(Reduce::Difference, 2.0);
        let none = Named { points: Vec::new(), ..one };
        assert_eq!(none.reduced(Reduce::Mean), None);
    }
}
