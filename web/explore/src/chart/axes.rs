//! What stands around a plot: values at its left, times below, lines through it. Pure.

use std::fmt::Write as _;

use super::ticks::{Scale, TimeTick};
use super::{Look, Unit, WIDTH, escape, push};

/// Height of the time axis, CSS pixels.
const X_HEIGHT: u32 = 22;

/// Room that a letter of an axis takes, CSS pixels, in a wide face of 12 px type.
const fn room(letter: char) -> f64 {
    match letter {
        '%' => 11.5,
        'M' | 'm' | 'W' | 'w' => 11.0,
        '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | 'i' | 'l' | '/' => 4.1,
        _ => 7.7,
    }
}

/// Width of the widest label, and the space between labels and plot.
fn width(labels: &[(f64, String)]) -> f64 {
    let widths = labels.iter().map(|(_, text)| text.chars().map(room).sum::<f64>());
    (widths.fold(room('0'), f64::max) + 8.0).ceil()
}

/// Labels of the value axis: places from the top in CSS pixels, and texts.
pub(super) fn value_labels(scale: &Scale, unit: &Unit, look: &Look, height: f64) -> Vec<(f64, String)> {
    let label = |v: &f64| ((1.0 - scale.at(*v)) * height, unit.format_tick(look.language, *v, scale.step));
    scale.ticks.iter().map(label).collect()
}

/// The value axis: an SVG as wide as its longest label.
pub(super) fn left(out: &mut String, labels: &[(f64, String)], height: u32) {
    let width = width(labels);
    let _ = write!(out, "<svg class=\"plot-y\" width=\"{width}\" height=\"{height}\" aria-hidden=\"true\">");
    texts(out, labels, width - 6.0, height);
}

/// The value axis at the right.
pub(super) fn right(out: &mut String, labels: &[(f64, String)], height: u32) {
    let width = width(labels);
    let _ = write!(out, "<svg class=\"plot-y plot-right\" width=\"{width}\" height=\"{height}\" aria-hidden=\"true\">");
    texts(out, labels, 6.0, height);
}

fn texts(out: &mut String, labels: &[(f64, String)], x: f64, height: u32) {
    for (y, text) in labels {
        // At the edges the text would be cut.
        let y = (y + 4.0).clamp(10.0, f64::from(height) - 1.0);
        let _ = write!(out, "<text x=\"{x}\" y=\"");
        push(out, y);
        let _ = write!(out, "\">{}</text>", escape(text));
    }
    out.push_str("</svg>");
}

/// The time axis; places are percentages, so that it is as wide as the plot.
pub(super) fn bottom(out: &mut String, ticks: &[TimeTick], start_ms: i64, end_ms: i64) {
    let span = (end_ms - start_ms).max(1) as f64;
    let _ = write!(out, "<svg class=\"plot-x\" width=\"100%\" height=\"{X_HEIGHT}\" aria-hidden=\"true\">");
    for tick in ticks {
        let at = (tick.t_ms - start_ms) as f64 / span * 100.0;
        // A minor one at an edge is left out on narrow screens as well: it would stand upon its neighbour.
        let side = match (at, tick.minor) {
            (a, false) if a < 3.0 => " class=\"start\"",
            (a, true) if a < 3.0 => " class=\"start minor\"",
            (a, false) if a > 97.0 => " class=\"end\"",
            (a, true) if a > 97.0 => " class=\"end minor\"",
            (_, true) => " class=\"minor\"",
            (_, false) => "",
        };
        let _ = write!(out, "<text{side} x=\"");
        push(out, at);
        let _ = write!(out, "%\" y=\"15\">{}</text>", escape(&tick.label));
    }
    out.push_str("</svg>");
}

/// Lines at the ticks.
pub(super) fn grid(out: &mut String, scale: &Scale, ticks: &[TimeTick], start_ms: i64, end_ms: i64, height: f64) {
    let mut path = String::new();
    for v in &scale.ticks {
        path.push_str("M0 ");
        push(&mut path, (1.0 - scale.at(*v)) * height);
        let _ = write!(path, "H{WIDTH}");
    }
    let span = (end_ms - start_ms).max(1) as f64;
    for tick in ticks {
        path.push('M');
        push(&mut path, (tick.t_ms - start_ms) as f64 / span * WIDTH);
        path.push_str(" 0V");
        push(&mut path, height);
    }
    let _ = write!(out, "<path class=\"grid\" d=\"{path}\"/>");
}
