//! Thresholds in percent of the scale, turned into values once the scale is known. Pure.

use plan_model::dashboard::{Panel, ThresholdStep, ThresholdsIn};

use super::Answers;
use super::answers::named;

/// The ends of a panel's scale: the plan's, or what the unit or the values suggest.
pub(super) fn ends(panel: &Panel, most: f64) -> (f64, f64) {
    let usual = match panel.unit.as_ref().map(|u| u.as_text().into_owned()).as_deref() {
        Some("ratio") => 1.0,
        Some("percent") | None if panel.max.is_none() && most <= 100.0 => 100.0,
        _ => most,
    };
    let low = panel.min.unwrap_or(0.0);
    let high = panel.max.unwrap_or(usual);
    (low, if high > low { high } else { low + 1.0 })
}

/// The panel with its thresholds as values; `None` where they are already.
pub(super) fn in_values(panel: &Panel, answers: &Answers) -> Option<Panel> {
    if panel.thresholds_in == ThresholdsIn::Values {
        return None;
    }
    let series = named(panel, answers);
    let values = series.iter().flat_map(|s| s.points.iter().map(|p| p.1)).filter(|v| v.is_finite());
    let (low, high) = ends(panel, values.fold(0.0, f64::max));
    let turned = |steps: &[ThresholdStep]| {
        let of = |s: &ThresholdStep| ThresholdStep { from: s.from.map(|p| low + (high - low) * p / 100.0), ..*s };
        steps.iter().map(of).collect::<Vec<_>>()
    };
    let mut out = Panel { thresholds: turned(&panel.thresholds), thresholds_in: ThresholdsIn::Values, ..panel.clone() };
    for column in out.columns.values_mut() {
        column.thresholds = turned(&column.thresholds);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::Part;
    use super::*;
    use decide_promql::Value;
    use kernel::series::Sample;
    use plan_model::dashboard::{Colour, Unit};

    fn check(panel: Panel, value: f64, expect: &[Option<f64>]) {
        let thresholds =
            [None, Some(50.0), Some(80.0)].map(|from| ThresholdStep { from, colour: Colour::Red }).to_vec();
        let panel = Panel { thresholds, thresholds_in: ThresholdsIn::Percent, ..panel };
        let value = Value::Scalar(Sample { t_ms: 0, value });
        let part = Part { legend: None, expression: "x".into(), value, at_ms: 0 };
        let answers = Answers { parts: vec![part], ..Answers::default() };
        let got = in_values(&panel, &answers).unwrap();
        assert_eq!(got.thresholds.iter().map(|s| s.from).collect::<Vec<_>>(), expect);
        assert_eq!(in_values(&got, &answers).map(|_| ()), None, "once");
    }

    #[test]
    fn percent_are_of_the_scale() {
        let scale = |min, max| Panel { min, max, ..Panel::default() };
        check(scale(Some(100.0), Some(300.0)), 1.0, &[None, Some(200.0), Some(260.0)]);
        check(scale(None, Some(10.0)), 1.0, &[None, Some(5.0), Some(8.0)]);
        check(scale(None, None), 1_000.0, &[None, Some(500.0), Some(800.0)]);
        check(Panel { unit: Some(Unit::known("ratio")), ..Panel::default() }, 0.2, &[None, Some(0.5), Some(0.8)]);
    }
}
