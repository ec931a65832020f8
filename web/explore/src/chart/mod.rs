//! Charts as SVG and HTML, made on the server: they are there without scripts, in print, and for screen readers. Pure.
//!
//! ```
//! use jiff::tz::TimeZone;
//! use kernel::Language;
//! use web_explore::chart::{Drawing, Line, Look, TimeSeries, Unit};
//!
//! let look = Look { language: Language::Es, zone: TimeZone::UTC };
//! let line = Line::new("lima", vec![(0, 1.0), (15_000, 2.5), (30_000, 2.0)]);
//! let chart = TimeSeries {
//!     title: "Memoria".into(),
//!     unit: Unit::Bytes,
//!     drawing: Drawing::Area,
//!     ..TimeSeries::new(vec![line], 0, 30_000, 15_000)
//! };
//! let html = chart.render(&look);
//! assert!(html.starts_with("<figure class=\"plot\"") && html.contains("2,5"));
//! ```
//!
//! What there is:
//! - [`TimeSeries`]: lines, areas or bars, stacked or not, on one axis or two, with thresholds, marks of what happened meanwhile,
//!   a legend of names and numbers, and all numbers as a table.
//! - [`Heatmap`], from [`Buckets::classic`] (series with `le`) or [`Buckets::native`] (native histograms).
//! - [`sparkline`]: a small line without axes, for a single figure.
//! - [`Unit`]: values as each language writes them; [`ticks`] for axes of one's own.
//!
//! How it is put together: axes are SVG in CSS pixels, the plot between them an SVG that is stretched to the width there is, its lines
//! with `vector-effect`, so that texts never shrink and one answer serves any screen. Colours are the classes `c0` to `c7`, dashes `k1`
//! and `k2`, heat `h1` to `h8`, from `metrics.css`, which a page with charts must load. `js/plot.js`, where it runs, reads `data-plot`:
//! it shows values at the pointer, hides lines from the legend, and where `zoom` says so lets dragging set `from` and `to` in the address.
//! No `style` attributes and no scripts inside, so it stands under a strict content security policy.
//!
//! Invariants:
//! 1. Texts from outside (names of series, titles) are escaped here: what is given is text, what is returned is safe HTML.
//! 2. The size of an answer is bounded by the limits below, whatever is measured; what is left out is said.
//! 3. Peaks stay: thinning keeps first, least, most and last of each column of the plot.

mod axes;
mod buckets;
mod heatmap;
mod hover;
mod legend;
mod lines;
mod marks;
mod numbers;
mod shapes;
mod sparkline;
mod stack;
mod thin;
pub mod ticks;
mod time_series;
mod units;

use jiff::tz::TimeZone;
use kernel::Language;
use kernel::html::escape;

pub use buckets::Buckets;
pub use heatmap::Heatmap;
pub use lines::{Figure, Line, Summary};
pub use marks::{MARKS_DRAWN, Mark};
pub use sparkline::sparkline;
pub use time_series::{Drawing, Legend, Level, RightAxis, Threshold, TimeSeries};
pub use units::Unit;

/// Lines drawn in one chart: more cannot be told apart, and each takes a row of the legend.
pub const LINES_DRAWN: usize = 50;

/// Columns that a plot is thinned to: screens show about one each two pixels, and each keeps four points.
pub const PLOT_COLUMNS: usize = 600;

/// Values that a chart carries for the pointer: about 150 kB, so that fifty lines of two hundred points each keep all of theirs.
pub const HOVER_VALUES: usize = 20_000;

/// Columns of a heat map: cells narrower than four pixels are not seen.
pub const HEAT_COLUMNS: usize = 240;

/// Rows of a heat map: cells lower than five pixels are not seen.
pub const HEAT_ROWS: usize = 48;

/// Width of a plot in its own units; it is stretched to the width there is.
const WIDTH: f64 = 1_000.0;

/// In which language and zone a chart speaks.
#[derive(Clone, Debug)]
pub struct Look {
    /// Of texts and numbers.
    pub language: Language,
    /// Of times.
    pub zone: TimeZone,
}

/// Adds a coordinate: one decimal, as a tenth of a pixel is not seen.
fn push(out: &mut String, v: f64) {
    use std::fmt::Write as _;
    let tenths = (v.clamp(-1e6, 1e6) * 10.0).round();
    let (whole, rest) = ((tenths / 10.0).trunc(), tenths % 10.0);
    let sign = if tenths < 0.0 && whole == 0.0 { "-" } else { "" };
    // Writing into a text cannot fail.
    let _ = match rest == 0.0 {
        true => write!(out, "{}", whole + 0.0),
        false => write!(out, "{sign}{}.{}", whole + 0.0, rest.abs()),
    };
}

/// The words that charts say.
struct Words {
    empty: &'static str,
    last: &'static str,
    min: &'static str,
    max: &'static str,
    mean: &'static str,
    series: &'static str,
    to: &'static str,
    of: &'static str,
    shown: &'static str,
    bucket: &'static str,
    total: &'static str,
    as_table: &'static str,
    busiest: &'static str,
    per_column: &'static str,
    first: &'static str,
    sum: &'static str,
    count: &'static str,
    range: &'static str,
    difference: &'static str,
    time: &'static str,
    marks: &'static str,
    right: &'static str,
}

const WORDS_ES: Words = Words {
    empty: "No hay datos en este intervalo",
    last: "último",
    min: "mín.",
    max: "máx.",
    mean: "media",
    series: "series",
    to: "a",
    of: "de",
    shown: "Se muestran",
    bucket: "intervalo",
    total: "total",
    as_table: "Los números en una tabla",
    busiest: "lo más frecuente",
    per_column: "por columna",
    first: "primero",
    sum: "suma",
    count: "puntos",
    range: "amplitud",
    difference: "diferencia",
    time: "Hora",
    marks: "marcas",
    right: "eje derecho",
};

const WORDS_EN: Words = Words {
    empty: "No data in this range",
    last: "last",
    min: "min",
    max: "max",
    mean: "mean",
    series: "series",
    to: "to",
    of: "of",
    shown: "Shows",
    bucket: "bucket",
    total: "total",
    as_table: "The numbers as a table",
    busiest: "most frequent",
    per_column: "per column",
    first: "first",
    sum: "sum",
    count: "points",
    range: "range",
    difference: "difference",
    time: "Time",
    marks: "marks",
    right: "right axis",
};

fn words(language: Language) -> &'static Words {
    language.pick(&WORDS_ES, &WORDS_EN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        let of = |v: f64| {
            let mut out = String::new();
            push(&mut out, v);
            out
        };
        let check = |v: f64, expect: &str| assert_eq!(of(v), expect, "{v}");
        check(0.0, "0");
        check(-0.04, "0");
        check(12.34, "12.3");
        check(-0.31, "-0.3");
        check(-3.96, "-4");
        check(f64::MAX, "1000000");
    }
}
