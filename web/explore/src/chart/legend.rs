//! Names and numbers of a chart's lines, as a table or a list. Pure.

use std::fmt::Write as _;

use super::numbers::Measured;
use super::{Figure, Line, Look, Words, escape, words};

const fn word(w: &Words, figure: Figure) -> &'static str {
    match figure {
        Figure::Last => w.last,
        Figure::First => w.first,
        Figure::Min => w.min,
        Figure::Max => w.max,
        Figure::Mean => w.mean,
        Figure::Sum => w.sum,
        Figure::Count => w.count,
        Figure::Range => w.range,
        Figure::Difference => w.difference,
    }
}

/// A table with a row for each line: colour, name, the numbers that are wanted.
pub(super) fn table(out: &mut String, lines: &[Measured<'_>], figures: &[Figure], look: &Look) {
    let w = words(look.language);
    let _ = write!(
        out,
        "<table class=\"legend\"><thead><tr><th scope=\"col\"><span class=\"quiet\">{}</span></th>",
        w.series
    );
    for figure in figures {
        let _ = write!(out, "<th scope=\"col\" class=\"num\">{}</th>", word(w, *figure));
    }
    out.push_str("</tr></thead><tbody>");
    for (i, (line, unit)) in lines.iter().enumerate() {
        let side = if line.right { format!(" <small>{}</small>", w.right) } else { String::new() };
        let _ = write!(out, "<tr data-line=\"{i}\"><th scope=\"row\">{}{side}</th>", name(line, i));
        for figure in figures {
            let text = match (line.figure(*figure), figure) {
                (Some(v), Figure::Count) => super::Unit::Short.format(look.language, v),
                (Some(v), _) => unit.format(look.language, v),
                (None, _) => "–".to_owned(),
            };
            let _ = write!(out, "<td class=\"num\" data-label=\"{}\">{}</td>", word(w, *figure), escape(&text));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

/// Names in one flowing line.
pub(super) fn list(out: &mut String, lines: &[Line], look: &Look) {
    out.push_str("<ul class=\"legend-list\">");
    for (i, line) in lines.iter().enumerate() {
        let right = words(look.language).right;
        let side = if line.right { format!("<small>{right}</small>") } else { String::new() };
        let _ = write!(out, "<li data-line=\"{i}\">{}{side}</li>", name(line, i));
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
