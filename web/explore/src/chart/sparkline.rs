//! A small line without axes. Pure.

use super::shapes::Frame;
use super::thin::is_drawn;
use super::ticks::Scale;
use super::{Line, WIDTH};

/// A small line without axes, 100 by `height` units, stretched to the room there is; it says nothing that the figure beside it does not.
pub fn sparkline(line: &Line, start_ms: i64, end_ms: i64, step_ms: i64, height: u32) -> String {
    let values = || line.points.iter().map(|p| p.1).filter(|v| is_drawn(*v));
    let (least, most) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if values().next().is_none() {
        return String::new();
    }
    let room = ((most - least) * 0.1).max(most.abs() * 1e-3).max(1e-12);
    let scale = Scale { low: least - room, high: most + room, step: 1.0, ticks: Vec::new() };
    let frame = Frame { start_ms, end_ms, scale: &scale, height: f64::from(height) };
    let gap = step_ms + step_ms / 2;
    format!(
        "<svg class=\"sparkline {}\" viewBox=\"0 0 {WIDTH} {height}\" height=\"{height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <path class=\"area soft\" d=\"{}\"/><path class=\"line\" d=\"{}\"/></svg>",
        line.class(0),
        frame.area(&line.points, gap, scale.low),
        frame.line(&line.points, gap)
    )
}
