//! One large number a series, with its course behind it. Pure.

use std::fmt::Write as _;

use kernel::html::escape;
use plan_model::dashboard::panel::Reduce;
use web_explore::chart::{Line, sparkline};

use super::answers::named;
use super::value::Measure;
use super::{Answers, Canvas, MOST_SHOWN};

/// Height of the course, in its own units; it is stretched.
const COURSE: u32 = 40;

impl Canvas<'_> {
    pub(super) fn stat(&self, answers: &Answers) -> String {
        let panel = self.panel;
        let series = named(panel, answers);
        if series.is_empty() {
            let shown = self.shown(None, &Measure::of(panel));
            let known = if shown.text == "–" { self.words().no_data.to_owned() } else { shown.text.clone() };
            return format!("<p class=\"empty{}\">{}</p>", shown.tone(), escape(&known));
        }
        let all = series.len();
        let (start, end, step) = self.span;
        let mut out = String::from("<dl class=\"stats\">");
        for one in series.iter().take(MOST_SHOWN) {
            let value = one.reduced(panel.reduce.unwrap_or(Reduce::Last));
            let shown = self.shown(value, &Measure::of_series(panel, one));
            let is_alone = all == 1 && (one.labels.is_empty() || !self.title.is_empty());
            let hide = if is_alone { " class=\"quiet\"" } else { "" };
            let _ = write!(out, "<div class=\"stat{}\"><dt{hide}>{}</dt>", shown.tone(), escape(&one.name));
            let _ = write!(out, "<dd>{}</dd>", self.html(&shown));
            if panel.sparkline.unwrap_or(true) && one.points.len() > 2 {
                let line = Line::new(one.name.clone(), one.points.clone());
                out.push_str(&sparkline(&line, start, end, step, COURSE));
            }
            out.push_str("</div>");
        }
        out.push_str("</dl>");
        out.push_str(&self.cut(MOST_SHOWN.min(all), all));
        out
    }
}
