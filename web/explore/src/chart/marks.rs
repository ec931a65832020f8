//! Marks on the time axis: moments and spans in which something happened. Pure.

use std::fmt::Write as _;

use serde::Serialize;

use super::shapes::Frame;
use super::{WIDTH, escape, push};

/// Marks that one chart draws: each a line of its own; more stand upon one another.
pub const MARKS_DRAWN: usize = 200;

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Its moment, or the first of its span, milliseconds since the epoch.
    pub from_ms: i64,
    /// The last moment of its span; the same as the first where it is a moment.
    pub to_ms: i64,
    /// What happened; any text.
    pub title: String,
    /// More about it; any text.
    pub text: String,
    /// The class of its colour, `tone-red`; of the style sheet, never from outside.
    pub tone: &'static str,
}

/// What the pointer's script is told of a mark.
#[derive(Serialize)]
pub(super) struct HoverMark<'a> {
    from: i64,
    to: i64,
    title: &'a str,
    text: &'a str,
    class: &'static str,
}

/// Those that lie in the range.
pub(super) fn inside(marks: &[Mark], start_ms: i64, end_ms: i64) -> impl Iterator<Item = &Mark> {
    marks.iter().filter(move |m| m.to_ms >= start_ms && m.from_ms <= end_ms).take(MARKS_DRAWN)
}

pub(super) fn hover(marks: &[Mark], start_ms: i64, end_ms: i64) -> Vec<HoverMark<'_>> {
    let mut out = Vec::new();
    for mark in inside(marks, start_ms, end_ms) {
        out.push(HoverMark {
            from: mark.from_ms,
            to: mark.to_ms,
            title: &mark.title,
            text: &mark.text,
            class: mark.tone,
        });
    }
    out
}

/// Spans as bands, beginnings as lines with a head at the bottom; titles for those that point at them.
pub(super) fn draw(out: &mut String, marks: &[Mark], frame: &Frame<'_>) {
    for mark in inside(marks, frame.start_ms, frame.end_ms) {
        let (from, to) = (frame.x(mark.from_ms).clamp(0.0, WIDTH), frame.x(mark.to_ms).clamp(0.0, WIDTH));
        let _ = write!(out, "<g class=\"mark {}\"><title>{}</title>", mark.tone, escape(&mark.title));
        if to > from {
            out.push_str("<rect x=\"");
            push(out, from);
            out.push_str("\" width=\"");
            push(out, to - from);
            let _ = write!(out, "\" height=\"{}\"/>", frame.height);
        }
        out.push_str("<path d=\"M");
        push(out, from);
        let _ = write!(out, " 0V{}", frame.height);
        if to > from && mark.to_ms <= frame.end_ms {
            out.push('M');
            push(out, to);
            let _ = write!(out, " 0V{}", frame.height);
        }
        out.push_str("\"/></g>");
    }
}
