//! Marks on the time axis of a dashboard: what an annotation's query gave, as moments and spans with texts. Pure.

use decide_promql::Value;
use kernel::Labels;
use kernel::series::Point;
use plan_model::dashboard::{Annotation, Colour};

use super::legend;

/// Marks of one panel: more stand so close that none is told from the next, and each adds to the page.
pub const MOST_MARKS: usize = 200;

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its moment, or the first of its span, milliseconds since 1970.
    pub from_ms: i64,
    /// The last moment of its span; the same as the first where it is a moment.
    pub to_ms: i64,
    /// What it is called.
    pub title: String,
    /// More about it; may be empty.
    pub text: String,
    /// Its colour.
    pub colour: Colour,
}

/// The marks of an annotation, within a range, the oldest first. Points no further apart than one and a half steps are one span.
pub fn marks(annotation: &Annotation, value: &Value, step_ms: i64, range: (i64, i64)) -> Vec<Mark> {
    let series: Vec<(Labels, Vec<(i64, f64)>)> = match value {
        Value::Matrix(all) => {
            all.iter().map(|s| (s.labels.clone(), s.samples.iter().map(|p| (p.t_ms, p.value)).collect())).collect()
        }
        Value::Vector(all) => all
            .iter()
            .filter_map(|s| match &s.value {
                Point::Float(v) => Some((s.labels.clone(), vec![(range.1, *v)])),
                Point::Histogram(_) => None,
            })
            .collect(),
        Value::Scalar(one) => vec![(Labels::default(), vec![(one.t_ms, one.value)])],
        _ => Vec::new(),
    };
    let mut out = Vec::new();
    for (labels, points) in series {
        let spans = match annotation.value_is_time {
            true => moments(&points),
            false => spans(&points, step_ms + step_ms / 2),
        };
        let inside = spans.into_iter().filter(|(from, to)| *to >= range.0 && *from <= range.1);
        out.extend(inside.map(|(from_ms, to_ms)| Mark {
            from_ms,
            to_ms,
            title: legend(&annotation.title, &labels),
            text: annotation.text.as_deref().map_or_else(String::new, |t| legend(t, &labels)),
            colour: annotation.colour.unwrap_or(Colour::Blue),
        }));
    }
    newest(out)
}

/// As many as are shown, the newest of them, the oldest first.
pub fn newest(mut all: Vec<Mark>) -> Vec<Mark> {
    all.sort_by(|a, b| (a.from_ms, a.to_ms, &a.title).cmp(&(b.from_ms, b.to_ms, &b.title)));
    all.drain(..all.len().saturating_sub(MOST_MARKS));
    all
}

/// Where values are not zero, from the first to the last of each run.
fn spans(points: &[(i64, f64)], gap_ms: i64) -> Vec<(i64, i64)> {
    let mut out: Vec<(i64, i64)> = Vec::new();
    for (t, _) in points.iter().filter(|(_, v)| *v != 0.0 && !v.is_nan()) {
        match out.last_mut().filter(|(_, to)| t - *to <= gap_ms) {
            Some(last) => last.1 = *t,
            None => out.push((*t, *t)),
        }
    }
    out
}

/// Values that are times, once each.
fn moments(points: &[(i64, f64)]) -> Vec<(i64, i64)> {
    // Beyond the calendar there is no time.
    let good = points.iter().map(|(_, v)| *v).filter(|v| v.is_finite() && (0.0..2.5e14).contains(v));
    let mut out: Vec<(i64, i64)> = good.map(|v| (v as i64, v as i64)).collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use decide_promql::MatrixSeries;
    use kernel::series::Sample;

    fn found(points: &[(i64, f64)], value_is_time: bool) -> Vec<(i64, i64)> {
        let samples = points.iter().map(|(t_ms, value)| Sample { t_ms: *t_ms, value: *value }).collect();
        let labels = Labels::new([("version", "1.2")]);
        let series = MatrixSeries { labels, samples, histograms: Vec::new() };
        let annotation = Annotation { title: "v{{version}}".into(), value_is_time, ..Annotation::default() };
        let all = marks(&annotation, &Value::Matrix(vec![series]), 10, (0, 100));
        assert!(all.iter().all(|m| m.title == "v1.2" && m.colour == Colour::Blue), "{all:?}");
        all.iter().map(|m| (m.from_ms, m.to_ms)).collect()
    }

    #[test]
    fn runs_of_points_are_spans_and_single_ones_are_moments() {
        let points = [(0, 0.0), (10, 1.0), (20, 2.0), (30, f64::NAN), (40, 1.0), (80, 1.0), (90, 1.0), (100, 0.0)];
        assert_eq!(found(&points, false), [(10, 20), (40, 40), (80, 90)]);
        assert_eq!(found(&[], false), []);
    }

    #[test]
    fn values_that_are_times_say_when() {
        let points = [(0, 5.0), (10, 5.0), (20, 70.0), (30, f64::NAN), (40, -3.0), (50, 1e300), (60, 700.0)];
        assert_eq!(found(&points, true), [(5, 5), (70, 70)]);
    }

    #[test]
    fn of_too_many_the_newest_stay() {
        let points: Vec<_> = (0..1_000).map(|i| (i, i as f64 / 10.0)).collect();
        let all = found(&points, true);
        assert_eq!((all.len(), all.last()), (100.min(MOST_MARKS), Some(&(99, 99))));
        let one = Mark { from_ms: 0, to_ms: 0, title: String::new(), text: String::new(), colour: Colour::Red };
        let many = (0..500).map(|i| Mark { from_ms: i, to_ms: i, ..one.clone() }).collect();
        let kept = newest(many);
        assert_eq!((kept.len(), kept[0].from_ms), (MOST_MARKS, 300));
    }
}
