//! States over time: a band a series, its pieces coloured and named by the plan's mappings and thresholds. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kernel::Timestamp;
use kernel::html::escape;
use plan_model::dashboard::panel::Colour;
use web_explore::format::date_time;

use super::answers::{Named, named};
use super::value::{Measure, Shown};
use super::{Answers, Canvas, MOST_BANDS};

/// Width of a band in its own units; it is stretched.
const WIDTH: f64 = 1_000.0;

struct Piece {
    from_ms: i64,
    to_ms: i64,
    shown: Shown,
}

impl Canvas<'_> {
    pub(super) fn state(&self, answers: &Answers) -> String {
        let series = named(self.panel, answers);
        if series.is_empty() {
            return self.empty();
        }
        let (start, end, _) = self.span;
        let x = |t: i64| (t - start) as f64 / (end - start).max(1) as f64 * WIDTH;
        let mut seen: BTreeMap<String, Option<Colour>> = BTreeMap::new();
        let mut out = String::from("<dl class=\"bands\">");
        for one in series.iter().take(MOST_BANDS) {
            let pieces = self.pieces(one);
            let last = pieces.last().map(|p| p.shown.clone());
            let _ = write!(out, "<div class=\"band-row\"><dt>{}</dt>", escape(&one.name));
            if let Some(last) = last {
                let _ = write!(out, "<dd class=\"state-now{}\">{}</dd>", last.tone(), self.html(&last));
            }
            out.push_str("<svg viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"1000\" height=\"20\"/>");
            for piece in &pieces {
                let from = |ms: i64| date_time(self.language, Timestamp::from_millis(ms), &self.zone);
                let told = format!("{} · {} – {}", piece.shown.text, from(piece.from_ms), from(piece.to_ms));
                let width = (x(piece.to_ms) - x(piece.from_ms)).max(1.0);
                let _ = write!(
                    out,
                    "<rect class=\"piece{}\" x=\"{:.1}\" width=\"{width:.1}\" height=\"20\"><title>{}</title></rect>",
                    piece.shown.tone(),
                    x(piece.from_ms),
                    escape(&told)
                );
                seen.insert(piece.shown.text.clone(), piece.shown.colour);
            }
            out.push_str("</svg></div>");
        }
        out.push_str("</dl>");
        if seen.len() <= 8 {
            out.push_str("<ul class=\"state-key\">");
            for (text, colour) in &seen {
                let tone = colour.map_or("grey", Colour::as_str);
                let _ = write!(out, "<li class=\"tone-{tone}\"><i aria-hidden=\"true\"></i>{}</li>", escape(text));
            }
            out.push_str("</ul>");
        }
        out.push_str(&self.cut(MOST_BANDS.min(series.len()), series.len()));
        out
    }

    /// Neighbours that show the same are one piece; a pause of more than one and a half steps is a gap.
    fn pieces(&self, one: &Named) -> Vec<Piece> {
        let measure = Measure::of_series(self.panel, one);
        let (start, end, step) = self.span;
        let mut out: Vec<Piece> = Vec::new();
        for (t, v) in one.points.iter().filter(|(t, v)| (start..=end).contains(t) && !v.is_nan()) {
            let shown = self.shown(Some(*v), &measure);
            let to_ms = (t + step).min(end);
            match out.last_mut() {
                Some(last) if last.shown == shown && t - last.to_ms <= step / 2 => last.to_ms = to_ms,
                _ => out.push(Piece { from_ms: *t, to_ms, shown }),
            }
        }
        out
    }
}
