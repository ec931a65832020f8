//! A bar a series, its number beside it. Pure.

use std::fmt::Write as _;

use kernel::html::escape;
use plan_model::dashboard::panel::Reduce;

use super::answers::named;
use super::value::Measure;
use super::{Answers, Canvas, MOST_SHOWN};

impl Canvas<'_> {
    pub(super) fn bar(&self, answers: &Answers) -> String {
        let panel = self.panel;
        let how = panel.reduce.unwrap_or(Reduce::Last);
        let mut rows: Vec<_> = named(panel, answers).into_iter().map(|s| (s.reduced(how), s)).collect();
        if rows.iter().all(|(v, _)| v.is_none()) {
            return self.empty();
        }
        if let Some(sort) = &panel.sort {
            match sort.by.as_str() {
                "name" => rows.sort_by(|a, b| a.1.name.cmp(&b.1.name)),
                _ => rows.sort_by(|a, b| a.0.unwrap_or(f64::NEG_INFINITY).total_cmp(&b.0.unwrap_or(f64::NEG_INFINITY))),
            }
            if sort.descending {
                rows.reverse();
            }
        }
        let all = rows.len();
        let most = rows.iter().filter_map(|(v, _)| *v).filter(|v| v.is_finite()).fold(0.0, f64::max);
        let (low, high) = self.ends(most);
        let mut out = String::from("<dl class=\"bars\">");
        for (value, one) in rows.iter().take(MOST_SHOWN) {
            let shown = self.shown(*value, &Measure::of_series(panel, one));
            let share =
                value.filter(|v| v.is_finite()).map_or(0.0, |v| ((v - low) / (high - low)).clamp(0.0, 1.0) * 100.0);
            let _ = write!(
                out,
                "<div class=\"bar-row{}\"><dt>{}</dt><dd>{}</dd><svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
                 <rect class=\"track\" width=\"100\" height=\"8\"/><rect class=\"fill\" width=\"{share:.2}\" height=\"8\"/></svg></div>",
                shown.tone(),
                escape(&one.name),
                self.html(&shown)
            );
        }
        out.push_str("</dl>");
        out.push_str(&self.cut(MOST_SHOWN.min(all), all));
        out
    }
}
