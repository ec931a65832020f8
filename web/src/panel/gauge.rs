//! A number on a dial. Pure.

use std::fmt::Write as _;

use kernel::html::escape;
use plan_model::dashboard::panel::Reduce;

use super::answers::named;
use super::value::{Measure, threshold};
use super::{Answers, Canvas, MOST_SHOWN};

/// The arc of a dial: half a circle of radius 80 around (100, 100).
const ARC: &str = "M20 100A80 80 0 0 1 180 100";
/// The same, further out: where the thresholds stand.
const RIM: &str = "M8 100A92 92 0 0 1 192 100";

impl Canvas<'_> {
    /// The ends of the scale: the plan's, or what the unit or the values suggest.
    pub(super) fn ends(&self, most: f64) -> (f64, f64) {
        super::thresholds::ends(self.panel, most)
    }

    pub(super) fn gauge(&self, answers: &Answers) -> String {
        let panel = self.panel;
        let series = named(panel, answers);
        let values: Vec<_> = series.iter().map(|s| s.reduced(panel.reduce.unwrap_or(Reduce::Last))).collect();
        if values.iter().all(Option::is_none) {
            return self.empty();
        }
        let most = values.iter().flatten().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
        let (low, high) = self.ends(most);
        let share = |v: f64| ((v - low) / (high - low)).clamp(0.0, 1.0) * 100.0;
        let mut out = String::from("<div class=\"dials\">");
        for (one, value) in series.iter().zip(&values).take(MOST_SHOWN) {
            let measure = Measure::of_series(panel, one);
            let shown = self.shown(*value, &measure);
            let said = escape(&format!("{}: {}", one.name, shown.text));
            let _ = write!(
                out,
                "<figure class=\"dial{}\"><svg viewBox=\"0 0 200 118\" role=\"img\" aria-label=\"{said}\">",
                shown.tone()
            );
            let _ = write!(out, "<path class=\"track\" d=\"{ARC}\" pathLength=\"100\"/>");
            if let Some(v) = value.filter(|v| v.is_finite() && share(*v) > 0.0) {
                let _ = write!(
                    out,
                    "<path class=\"fill\" d=\"{ARC}\" pathLength=\"100\" stroke-dasharray=\"{:.1} 200\"/>",
                    share(v)
                );
            }
            for (i, step) in panel.thresholds.iter().enumerate() {
                let from = step.from.map_or(0.0, share);
                let to = panel.thresholds.get(i + 1).and_then(|n| n.from).map_or(100.0, share);
                if to > from {
                    let tone = threshold(&panel.thresholds, step.from.unwrap_or(f64::NEG_INFINITY))
                        .map_or("grey", |c| c.as_str());
                    let _ = write!(
                        out,
                        "<path class=\"rim tone-{tone}\" d=\"{RIM}\" pathLength=\"100\" stroke-dasharray=\"0 {from:.1} {:.1} 200\"/>",
                        to - from
                    );
                }
            }
            let _ = write!(out, "<text x=\"100\" y=\"98\">{}</text></svg>", self.html(&shown));
            if series.len() > 1 {
                let _ = write!(out, "<figcaption>{}</figcaption>", escape(&one.name));
            }
            out.push_str("</figure>");
        }
        out.push_str("</div>");
        out.push_str(&self.cut(MOST_SHOWN.min(series.len()), series.len()));
        out
    }
}
