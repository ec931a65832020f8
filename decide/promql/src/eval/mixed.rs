//! Functions over ranges that hold histograms, alone or beside numbers. Pure.

use std::sync::Arc;

use kernel::series::Point;

use crate::annotations::Note;
use crate::functions::Mixed;
use crate::functions::native::{self, Notes};
use crate::functions::window::{Measured, Window, started_anew};

/// What a function gives for a range; `on_floats` is what it does with numbers alone.
pub(super) fn mixed_value(
    mixed: Mixed,
    on_floats: fn(&Window<'_>, &[f64]) -> Option<f64>,
    w: &Window<'_>,
    args: &[f64],
    note: Notes<'_>,
) -> Option<Point> {
    let h = &w.histograms;
    if h.is_empty() {
        return on_floats(w, args).map(Point::Float);
    }
    let float = |v| Some(Point::Float(v));
    let edge = |last: bool| {
        let all = w.by_time();
        let end = if last { all.last() } else { all.first() };
        end.map(|(t, measured, _)| (*t, point(*measured)))
    };
    match mixed {
        Mixed::Ignore => {
            if !w.values.is_empty() {
                note(Note::HistogramsIgnored);
            }
            on_floats(w, args).map(Point::Float)
        }
        Mixed::Count => float((w.values.len() + h.values.len()) as f64),
        Mixed::Present => float(1.0),
        Mixed::First => edge(false).map(|(_, point)| point),
        Mixed::Last => edge(true).map(|(_, point)| point),
        Mixed::TimeOfFirst => edge(false).map(|(t, _)| Point::Float(t as f64 / 1000.0)),
        Mixed::TimeOfLast => edge(true).map(|(t, _)| Point::Float(t as f64 / 1000.0)),
        Mixed::Sum | Mixed::Average => {
            if !w.values.is_empty() {
                note(Note::FloatsAndHistograms);
                return None;
            }
            native::fold(h.values, mixed == Mixed::Average, note).map(|h| Point::Histogram(Arc::new(h)))
        }
        Mixed::Resets => float(native::resets(w)),
        Mixed::Changes => float(native::changes(w)),
        Mixed::InstantRate => instant(w, true, note),
        Mixed::InstantDelta => instant(w, false, note),
    }
}

fn point(measured: Measured<'_>) -> Point {
    match measured {
        Measured::Float(v) => Point::Float(v),
        Measured::Histogram(h) => Point::Histogram(h.clone()),
    }
}

/// `irate` and `idelta`: the last two samples, whatever they are.
fn instant(w: &Window<'_>, rate: bool, note: Notes<'_>) -> Option<Point> {
    let all = w.by_time();
    let [.., (t_before, before, start_before), (t, last, start)] = &all[..] else { return None };
    if t == t_before {
        return None;
    }
    let seconds = (t - t_before) as f64 / 1000.0;
    let anew = started_anew((*start_before, *t_before), (*start, *t));
    match (before, last) {
        (Measured::Float(a), Measured::Float(b)) => {
            let difference = if rate && (b < a || anew) { *b } else { b - a };
            Some(Point::Float(if rate { difference / seconds } else { difference }))
        }
        (Measured::Histogram(a), Measured::Histogram(b)) => {
            let found = native::instant(a, b, anew, rate.then_some(seconds), note);
            found.map(|h| Point::Histogram(Arc::new(h)))
        }
        _ => {
            note(Note::FloatsAndHistograms);
            None
        }
    }
}
