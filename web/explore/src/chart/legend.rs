//! Names and numbers of a chart's lines, as a table. Pure.

use std::fmt::Write as _;

use super::{Line, Look, Unit, escape, words};

/// A table with a row for each line: colour, name, last, least, most, mean.
pub(super) fn table(out: &mut String, lines: &[Line], unit: &Unit, look: &Look) {
    let w = words(look.language);
    let _ = write!(
        out,
        "<table class=\"legend\"><thead><tr><th scope=\"col\"><span class=\"quiet\">{}</span></th><th scope=\"col\" class=\"num\">{}</th>\
         <th scope=\"col\" class=\"num\">{}</th><th scope=\"col\" class=\"num\">{}</th><th scope=\"col\" class=\"num\">{}</th></tr></thead><tbody>",
        w.series, w.last, w.min, w.max, w.mean
    );
    for (i, line) in lines.iter().enumerate() {
        let _ = write!(out, "<tr data-line=\"{i}\"><th scope=\"row\">{}</th>", name(line, i));
        match line.summary() {
            Some(s) => {
                for (label, v) in [(w.last, s.last), (w.min, s.min), (w.max, s.max), (w.mean, s.mean)] {
                    let value = escape(&unit.format(look.language, v));
                    let _ = write!(out, "<td class=\"num\" data-label=\"{label}\">{value}</td>");
                }
            }
            None => out.push_str("<td class=\"num\">–</td><td></td><td></td><td></td>"),
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

/// Names in one flowing line.
pub(super) fn list(out: &mut String, lines: &[Line]) {
    out.push_str("<ul class=\"legend-list\">");
    for (i, line) in lines.iter().enumerate() {
        let _ = write!(out, "<li data-line=\"{i}\">{}</li>", name(line, i));
    }
    out.push_str("</ul>");
}

fn name(line: &Line, place: usize) -> String {
    format!(
        "<svg class=\"swatch {}\" width=\"18\" height=\"10\" aria-hidden=\"true\"><path d=\"M1 5H17\"/></svg><span>{}</span>",
        line.class(place),
        escape(&line.name)
    )
}
