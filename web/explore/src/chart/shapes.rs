//! Paths of lines, areas and bars. Pure.

use super::thin::{At, pieces, thinned};
use super::ticks::Scale;
use super::{PLOT_COLUMNS, WIDTH, push};

/// From times and values to the plot's own units.
pub(super) struct Frame<'a> {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) scale: &'a Scale,
    pub(super) height: f64,
}

impl Frame<'_> {
    pub(super) fn x(&self, t_ms: i64) -> f64 {
        let span = (self.end_ms - self.start_ms).max(1) as f64;
        (t_ms - self.start_ms) as f64 / span * WIDTH
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        // A little beyond the edge is enough to leave the plot.
        ((1.0 - self.scale.at(value)) * self.height).clamp(-20.0, self.height + 20.0)
    }

    fn point(&self, out: &mut String, command: char, (t, v): At) {
        out.push(command);
        push(out, self.x(t));
        out.push(' ');
        push(out, self.y(v));
    }

    fn thinned(&self, piece: &[At]) -> Vec<At> {
        thinned(piece, self.start_ms, self.end_ms, PLOT_COLUMNS)
    }

    /// Points without neighbours, as dots: round ends of lines without length.
    pub(super) fn dots(&self, points: &[At], gap_ms: i64) -> String {
        let mut out = String::new();
        for piece in pieces(points, gap_ms).into_iter().filter(|p| p.len() == 1) {
            self.point(&mut out, 'M', piece[0]);
            out.push_str("h0");
        }
        out
    }

    /// A line; a single point becomes a dot by the round end of a line without length.
    pub(super) fn line(&self, points: &[At], gap_ms: i64) -> String {
        let mut out = String::new();
        for piece in pieces(points, gap_ms) {
            let piece = self.thinned(piece);
            for (i, p) in piece.iter().enumerate() {
                self.point(&mut out, if i == 0 { 'M' } else { 'L' }, *p);
            }
            if piece.len() == 1 {
                out.push_str("h0");
            }
        }
        out
    }

    /// What lies between a line and a value.
    pub(super) fn area(&self, points: &[At], gap_ms: i64, base: f64) -> String {
        let mut out = String::new();
        for piece in pieces(points, gap_ms).into_iter().filter(|p| p.len() > 1) {
            let piece = self.thinned(piece);
            let (Some(first), Some(last)) = (piece.first(), piece.last()) else { continue };
            self.point(&mut out, 'M', (first.0, base));
            piece.iter().for_each(|p| self.point(&mut out, 'L', *p));
            self.point(&mut out, 'L', (last.0, base));
            out.push('Z');
        }
        out
    }

    /// What lies between two lines over the same times.
    pub(super) fn band(&self, below: &[At], above: &[At], gap_ms: i64) -> String {
        let mut out = String::new();
        let mut from = 0;
        for piece in pieces(above, gap_ms) {
            let under = below.get(from..from + piece.len()).unwrap_or_default();
            from += piece.len();
            if piece.len() > 1 {
                piece.iter().enumerate().for_each(|(i, p)| self.point(&mut out, if i == 0 { 'M' } else { 'L' }, *p));
                under.iter().rev().for_each(|p| self.point(&mut out, 'L', *p));
                out.push('Z');
            }
        }
        out
    }

    /// Bars from one line to another, `width` of the plot's units wide, moved by `shift`.
    pub(super) fn bars(&self, below: &[At], above: &[At], width: f64, shift: f64) -> String {
        let mut out = String::new();
        for (from, to) in below.iter().zip(above).filter(|(_, to)| super::thin::is_drawn(to.1)) {
            let (x, y0, y1) = (self.x(to.0) + shift, self.y(from.1), self.y(to.1));
            out.push('M');
            push(&mut out, x);
            out.push(' ');
            push(&mut out, y0);
            out.push('V');
            push(&mut out, y1);
            out.push('h');
            push(&mut out, width);
            out.push('V');
            push(&mut out, y0);
            out.push('Z');
        }
        out
    }
}
