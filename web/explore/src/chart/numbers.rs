//! The numbers of a chart as a table, below it: for whoever has no pointer, and to copy. Pure.

use std::fmt::Write as _;

use kernel::Timestamp;

use super::{Line, Look, Unit, escape, hover, words};
use crate::format::{date_time, number};

/// Rows of the table: what can be read; of a longer course every second, third … time stands there.
const ROWS: usize = 60;
/// Columns: more do not fit on any screen.
const COLUMNS: usize = 12;

/// A line, and the unit of its numbers.
pub(super) type Measured<'a> = (&'a Line, &'a Unit);

/// Shut at first; times run down, lines across.
pub(super) fn table(out: &mut String, lines: &[Measured<'_>], look: &Look, span: (i64, i64, i64)) {
    let w = words(look.language);
    let shown = &lines[..lines.len().min(COLUMNS)];
    let points = shown.iter().map(|(l, _)| l.points.as_slice());
    let all = hover::times(points, span.0, span.1, span.2);
    let stride = all.len().div_ceil(ROWS).max(1);
    // Counted from the newest, so that it is always there.
    let mut at: Vec<i64> = all.iter().rev().step_by(stride).copied().collect();
    at.reverse();
    let columns: Vec<Vec<Option<f64>>> = shown.iter().map(|(l, _)| hover::values(&l.points, &at)).collect();
    let _ = write!(
        out,
        "<details class=\"numbers\"><summary>{}</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table><thead><tr><th scope=\"col\">{}</th>",
        w.as_table, w.as_table, w.time
    );
    for (line, _) in shown {
        let _ = write!(out, "<th scope=\"col\" class=\"num\">{}</th>", escape(&line.name));
    }
    out.push_str("</tr></thead><tbody>");
    for (row, t) in at.iter().enumerate().rev() {
        let time = date_time(look.language, Timestamp::from_millis(*t), &look.zone);
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(&time));
        for (values, (_, unit)) in columns.iter().zip(shown) {
            let text = values[row].map_or_else(|| "–".to_owned(), |v| unit.format(look.language, v));
            let _ = write!(out, "<td class=\"num\">{}</td>", escape(&text));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    if lines.len() > shown.len() {
        let count = |n: usize| number(look.language, n as f64, 0);
        let (some, all) = (count(shown.len()), count(lines.len()));
        let _ = write!(out, "<p class=\"caption cut\">{} {some} {} {all} {}</p>", w.shown, w.of, w.series);
    }
    out.push_str("</details>");
}
