//! What a chart carries for the script that shows values at the pointer: JSON in an attribute. Pure.

use serde::Serialize;

use super::marks::HoverMark;
use super::thin::{At, is_drawn};
use super::{HOVER_VALUES, Look, Unit};

/// Of a chart over time.
#[derive(Serialize)]
pub(super) struct Hover<'a> {
    /// First and last millisecond of the plot.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) unit: &'a Unit,
    pub(super) zone: &'a str,
    /// Values at the bottom and the top.
    pub(super) low: f64,
    pub(super) high: f64,
    /// Whether dragging may choose a range.
    pub(super) zoom: bool,
    /// Whether values stand on one another.
    pub(super) stacked: bool,
    /// Times, milliseconds since the epoch.
    pub(super) at: Vec<i64>,
    pub(super) lines: Vec<HoverLine<'a>>,
    /// What happened meanwhile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) marks: Vec<HoverMark<'a>>,
}

#[derive(Serialize)]
pub(super) struct HoverLine<'a> {
    pub(super) name: &'a str,
    pub(super) class: String,
    /// Where it is another than the chart's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<&'a Unit>,
    /// One value for each time; none where nothing was measured.
    pub(super) values: Vec<Option<f64>>,
}

/// The name of the zone that scripts know it by.
pub(super) fn zone_name(look: &Look) -> &str {
    look.zone.iana_name().unwrap_or("UTC")
}

/// Times at which values are told: those of the grid, or all there are, as many as the limit lets through.
pub(super) fn times<'a>(
    lines: impl Iterator<Item = &'a [At]> + Clone,
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
) -> Vec<i64> {
    let count = lines.clone().count().max(1);
    let mut all: Vec<i64> = match step_ms > 0 && (end_ms - start_ms) / step_ms <= HOVER_VALUES as i64 {
        true => (0..=(end_ms - start_ms) / step_ms).map(|i| start_ms + i * step_ms).collect(),
        false => lines.flat_map(|points| points.iter().map(|p| p.0)).collect(),
    };
    all.sort_unstable();
    all.dedup();
    let stride = (all.len() * count).div_ceil(HOVER_VALUES).max(1);
    all.into_iter().step_by(stride).collect()
}

/// The newest value of each slot that ends at one of the times; six digits are more than a pointer can tell apart.
pub(super) fn values(points: &[At], at: &[i64]) -> Vec<Option<f64>> {
    let (mut out, mut i, mut before) = (Vec::with_capacity(at.len()), 0, i64::MIN);
    for t in at {
        let mut value = None;
        while let Some(p) = points.get(i).filter(|p| p.0 <= *t) {
            value = Some(p.1).filter(|v| p.0 > before && is_drawn(*v)).or(value);
            i += 1;
        }
        before = *t;
        out.push(value.map(rounded));
    }
    out
}

/// To six digits.
pub(super) fn rounded(v: f64) -> f64 {
    if v == 0.0 || !v.is_finite() || (v.fract() == 0.0 && v.abs() < 1e15) {
        return v;
    }
    format!("{v:.5e}").parse().unwrap_or(v)
}

/// As a value for an attribute between single quotes.
pub(super) fn attribute(data: &impl Serialize) -> String {
    // Numbers, texts and lists: this cannot fail, and an empty text only means no pointer.
    let json = serde_json::to_string(data).unwrap_or_default();
    json.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_beside_their_times() {
        let points = [(0, 1.0), (10, 2.0), (30, 1.0 / 3.0)];
        let at = times([points.as_slice()].into_iter(), 0, 40, 10);
        assert_eq!(at, [0, 10, 20, 30, 40]);
        assert_eq!(values(&points, &at), [Some(1.0), Some(2.0), None, Some(0.333_333), None]);
        let free = times([points.as_slice(), &[(5, 0.0)]].into_iter(), 0, 40, 0);
        assert_eq!(free, [0, 5, 10, 30]);
    }

    #[test]
    fn many_values_are_fewer_times() {
        let points: Vec<At> = (0..9_000).map(|i| (i, 0.0)).collect();
        let at = times(std::iter::repeat_n(points.as_slice(), 10), 0, 8_999, 1);
        assert!(at.len() * 10 <= HOVER_VALUES, "{}", at.len());
    }

    #[test]
    fn an_attribute_cannot_be_left() {
        assert_eq!(attribute(&["<'&\""]), "[\"&lt;&#39;&amp;\\\"\"]");
    }
}
